/** What a guest has set on a terminal it inherited. */
import type { Host, HostStream } from "../../host/host.ts";
import type { TerminalState } from "../../snapshot.ts";
import { type Decoded, struct } from "../abi.ts";

/** struct termios: the kernel's, 44 bytes on both widths. */
export const TERMIOS = struct({
  c_iflag: "u32",
  c_oflag: "u32",
  c_cflag: "u32",
  c_lflag: "u32",
  c_cc: ["bytes", 19],
  c_line: "u8",
  c_ispeed: "u32",
  c_ospeed: "u32",
});

export type Termios = Decoded<(typeof TERMIOS)["fields"]>;

/** A terminal as programs use it: one of the host, or of the machine. */
export interface Tty {
  termios: Termios;
  /** The process group in its foreground, once one was set. */
  foreground: number | undefined;
  /** Its size, of which the program is being told; in pixels as well where that was said. */
  tellSize(): { rows: number; columns: number; xpixel?: number; ypixel?: number };
}

type FlagField = "c_iflag" | "c_oflag" | "c_cflag" | "c_lflag";

/** Modes that the host's terminal follows: bits of powerpc's asm/termbits.h by their names in stty(1). */
const MODES: readonly [field: FlagField, modes: Record<string, number>][] = [
  [
    "c_iflag",
    {
      ignbrk: 0x1,
      brkint: 0x2,
      ignpar: 0x4,
      parmrk: 0x8,
      inpck: 0x10,
      istrip: 0x20,
      inlcr: 0x40,
      igncr: 0x80,
      icrnl: 0x100,
      ixon: 0x200,
      ixoff: 0x400,
      ixany: 0x800,
    },
  ],
  ["c_oflag", { opost: 0x1, onlcr: 0x2, ocrnl: 0x8, onocr: 0x10, onlret: 0x20 }],
  [
    "c_lflag",
    {
      echoe: 0x2,
      echok: 0x4,
      echo: 0x8,
      echonl: 0x10,
      isig: 0x80,
      icanon: 0x100,
      iexten: 0x400,
      noflsh: 0x8000_0000,
    },
  ],
];
export const ICANON = 0x100;

/** Places in c_cc by their names in stty(1). */
export const CHARACTERS: Record<string, number> = {
  intr: 0,
  quit: 1,
  erase: 2,
  kill: 3,
  eof: 4,
  min: 5,
  eol: 6,
  time: 7,
  eol2: 8,
  werase: 10,
  rprnt: 11,
  susp: 12,
  start: 13,
  stop: 14,
  lnext: 15,
};
/** ^C ^\ DEL ^U ^D, VMIN 1, no EOL, VTIME 0, no EOL2 and SWTC, ^W ^R ^Z ^Q ^S ^V ^O. */
const CONTROL_CHARACTERS = [3, 28, 127, 21, 4, 1, 0, 0, 0, 0, 23, 18, 26, 17, 19, 22, 15, 0, 0];

/** A terminal as Linux sets it up: cooked, echoing, 38400 baud, 8 bits. */
export const cooked = (): Termios => ({
  c_iflag: 0x300,
  c_oflag: 0x3,
  c_cflag: 0x4b0f,
  c_lflag: 0x5cf,
  c_cc: Uint8Array.from(CONTROL_CHARACTERS),
  c_line: 0,
  c_ispeed: 38400,
  c_ospeed: 38400,
});

/** How many bytes have to be there before a read without ICANON is content (VMIN), and how many nanoseconds it waits between two (VTIME). */
export const patienceOf = ({ c_cc }: Termios): { least: number; between: bigint } => ({
  least: c_cc[CHARACTERS.min],
  between: BigInt(c_cc[CHARACTERS.time]) * 100_000_000n,
});

/** VTIME with VMIN 0: how long a read waits for the first byte; undefined when that is for ever. */
export function firstByteTimeout(termios: Termios): bigint | undefined {
  const { least, between } = patienceOf(termios);
  return (termios.c_lflag & ICANON) === 0 && least === 0 ? between : undefined;
}

/** Everything that the host's terminal follows. */
function settingsOf(termios: Termios): Record<string, boolean | number> {
  const settings: Record<string, boolean | number> = {};
  for (const [field, modes] of MODES) {
    for (const [name, bit] of Object.entries(modes)) settings[name] = (termios[field] & bit) !== 0;
  }
  for (const [name, index] of Object.entries(CHARACTERS)) settings[name] = termios.c_cc[index];
  return settings;
}

/** One terminal as the guest has set it; the host's follows. */
export class Terminal implements Tty {
  private readonly stream: HostStream;
  private current = cooked();
  /** Foreground process group, once one was set. */
  foreground: number | undefined;
  /** The size that the program was told last. */
  private toldSize: { rows: number; columns: number } | undefined;

  constructor(stream: HostStream) {
    this.stream = stream;
  }

  get termios(): Termios {
    return this.current;
  }

  set termios(termios: Termios) {
    const before = settingsOf(this.current);
    const changes = Object.entries(settingsOf(termios)).filter(([name, value]) => before[name] !== value);
    this.current = termios;
    if (changes.length > 0) this.stream.terminal!.change(Object.fromEntries(changes));
  }

  /** Nanoseconds that a read waits for input before it returns nothing; undefined when it waits for ever. */
  get readTimeout(): bigint | undefined {
    return firstByteTimeout(this.current);
  }

  /** Rows and columns of the host's terminal, which the program will remember. */
  tellSize(): { rows: number; columns: number } {
    this.toldSize = this.size();
    return this.toldSize;
  }

  /** Whether the terminal has another size than the program was told last. */
  get isResized(): boolean {
    if (this.toldSize === undefined) return false;
    const { rows, columns } = this.size();
    return rows !== this.toldSize.rows || columns !== this.toldSize.columns;
  }

  /** Rows and columns of the host's terminal. */
  size(): { rows: number; columns: number } {
    return this.stream.terminal!.size();
  }

  /** The settings for a snapshot; null while they are what they were at the start. */
  freeze(): TerminalState | null {
    const { current, foreground = null, toldSize = null } = this;
    const isFresh = foreground === null && toldSize === null && isSame(current, cooked());
    if (isFresh) return null;
    return { kind: "terminal", ...current, c_cc: [...current.c_cc], foreground, size: toldSize };
  }

  /** Takes over what `freeze` gave: the host's terminal follows. */
  resume({ kind: _, foreground, size, c_cc, ...flags }: TerminalState): void {
    this.termios = { ...flags, c_cc: Uint8Array.from(c_cc) };
    this.foreground = foreground ?? undefined;
    this.toldSize = size ?? undefined;
  }
}

const isSame = (one: Termios, other: Termios): boolean =>
  Object.entries(one).every(([name, value]) => String(value) === String(other[name as keyof Termios]));

/** Whether two streams lead to the same file, terminal or pipe. */
export function isSameFile(one: HostStream, other: HostStream): boolean {
  const [a, b] = [one.stat(), other.stat()];
  return a.dev === b.dev && a.ino === b.ino;
}

const terminals = new WeakMap<HostStream, Terminal>();

/**
 * The terminal of a stream; undefined when it is none. Streams of one host that lead to the same terminal share it, as stdin, stdout
 * and stderr do.
 */
export function terminalOn({ streams }: Host, stream: HostStream): Terminal | undefined {
  if (stream.terminal === undefined) return undefined;
  const first =
    [...streams.values()].find((other) => other.terminal !== undefined && isSameFile(other, stream)) ??
    stream;
  let terminal = terminals.get(first);
  if (terminal === undefined) terminals.set(first, (terminal = new Terminal(first)));
  return terminal;
}
