/** The devices every guest has. */
import type { Interest } from "../../host/host.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import type { MappedFile } from "../../memory/mapped-file.ts";
import type { OpenFileSnapshot } from "../../snapshot.ts";
import { entryStat, type FileStat } from "./file-status.ts";
import { OpenFile, type Waitables } from "./open-file.ts";
import { PtyMaster, PtySlave, type Ptys } from "./pty.ts";
import { StreamFile } from "./stream-file.ts";
import { directoryOf, fail, linkTo, type SyntheticDevice, type SyntheticDirectory } from "./synthetic.ts";
import type { Terminal, Tty } from "./terminal-settings.ts";
import { reopen, stateOf, type ThawContext } from "./thaw-context.ts";

/** What reading and writing a memory device (major 1) does. */
interface Behaviour {
  minor: number;
  read(into: Uint8Array, random: (into: Uint8Array) => void): number;
  write(from: Uint8Array): number;
}

const swallow = (from: Uint8Array): number => from.length;
const zeros = (into: Uint8Array): number => into.fill(0).length;
const noise = (into: Uint8Array, random: (into: Uint8Array) => void): number => {
  random(into);
  return into.length;
};

const MEMORY_DEVICES: Readonly<Record<string, Behaviour>> = {
  null: { minor: 3, read: () => 0, write: swallow },
  zero: { minor: 5, read: zeros, write: swallow },
  full: { minor: 7, read: zeros, write: () => fail("ENOSPC", "/dev/full") },
  random: { minor: 8, read: noise, write: swallow },
  urandom: { minor: 9, read: noise, write: swallow },
};

/** null, zero and full; the others stir what is written into what they have. */
const SINKS: readonly number[] = [3, 5, 7];

/** Linux's dev_t for stat: minor and major as the kernel packs them for user space. */
const makeDevice = (major: number, minor: number): bigint =>
  BigInt((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12));
/** Major and minor number of a dev_t as the C library packs it. */
export const major = (dev: bigint): bigint => ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xffff_f000n);
export const minor = (dev: bigint): bigint => (dev & 0xffn) | ((dev >> 12n) & 0xffff_ff00n);

export const deviceStat = (path: string, major: number, minor: number): FileStat =>
  entryStat("char", 0o666, path, { dev: 5n, rdev: makeDevice(major, minor) });

class MemoryDevice extends OpenFile {
  readonly kind = "device";
  private readonly behaviour: Behaviour;
  private readonly random: (into: Uint8Array) => void;

  constructor(path: string, flags: number, behaviour: Behaviour, random: (into: Uint8Array) => void) {
    super(path, flags);
    this.behaviour = behaviour;
    this.random = random;
  }
  override get seekable(): boolean {
    return true;
  }
  override stat(): FileStat {
    return deviceStat(this.path, 1, this.behaviour.minor);
  }
  /** /dev/random alone can. */
  override get canPoll(): boolean {
    return this.behaviour === MEMORY_DEVICES.random;
  }
  override get isSink(): boolean {
    return SINKS.includes(this.behaviour.minor);
  }
  /** The memory devices have no position: every seek leads to 0. */
  override seek(): number {
    return 0;
  }
  override read(into: Uint8Array): number {
    return this.behaviour.read(into, this.random);
  }
  override write(from: Uint8Array): number {
    return this.behaviour.write(from);
  }
  override writeFrom(memory: AddressSpace, address: number, length: number): number {
    return this.behaviour.write === swallow ? length : super.writeFrom(memory, address, length)!;
  }
  override readAt(into: Uint8Array): number {
    return this.read(into);
  }
  override writeAt(from: Uint8Array): number {
    return this.write(from);
  }
  /** /dev/zero maps as zeros, without an end. */
  override mappable(): MappedFile {
    if (this.behaviour.minor !== 5) fail("ENODEV");
    return {
      path: this.path,
      isZeros: true,
      size: () => Number.MAX_SAFE_INTEGER,
      read: (_position, into) => zeros(into),
      write: () => {},
    };
  }
}

/** /dev/tty: the terminal among the inherited streams, opened once more. */
class TerminalFile extends OpenFile {
  readonly kind = "device";
  readonly inherited: StreamFile;
  constructor(path: string, flags: number, inherited: StreamFile) {
    super(path, flags);
    this.inherited = inherited;
  }
  override stat(): FileStat {
    return deviceStat("/dev/tty", 5, 0);
  }
  override read(into: Uint8Array): number | undefined {
    return this.inherited.stream.read(into);
  }
  override write(from: Uint8Array): number | undefined {
    return this.inherited.stream.write(from);
  }
  override readable(): boolean {
    return this.canRead && this.inherited.stream.readable();
  }
  override writable(): boolean {
    return this.canWrite && this.inherited.stream.writable();
  }
  override get isStream(): boolean {
    return true;
  }
  override broken(): boolean {
    return this.canWrite && this.inherited.broken();
  }
  override get mustBeAsked(): boolean {
    return true;
  }
  override waitables(interest?: Interest): Waitables {
    return this.inherited.waitables(interest);
  }
  override available(): number {
    return this.inherited.available();
  }
  override get readTimeout(): bigint | undefined {
    return this.inherited.readTimeout;
  }
  override freeze(): Partial<OpenFileSnapshot> {
    return { state: this.inherited.terminal?.freeze() ?? null };
  }
}

/** A device by its name; a terminal as the guest had set it. */
export function thawDevice(snapshot: OpenFileSnapshot, context: ThawContext): OpenFile {
  const file = reopen(snapshot, context);
  const settings = stateOf(snapshot, "terminal");
  if (settings !== undefined) context.atEnd(() => outerTerminalOf(file)?.resume(settings));
  return file;
}

/** The terminal behind a description, if it is one. */
export function terminalOf(file: OpenFile): Tty | undefined {
  if (file instanceof PtySlave || file instanceof PtyMaster) return file.pty;
  return outerTerminalOf(file);
}

/** The same of those that were inherited. */
function outerTerminalOf(file: OpenFile): Terminal | undefined {
  if (file instanceof TerminalFile) return file.inherited.terminal;
  return file instanceof StreamFile ? file.terminal : undefined;
}

/** /dev/pts. */
const pseudoTerminals = (ptys: Ptys): SyntheticDirectory => ({
  type: "directory",
  names: () => ["ptmx", ...ptys.numbers.map(String)],
  lookup: (name) => {
    const pty = ptys.get(Number(name));
    if (name === "ptmx") return multiplexer(ptys);
    if (pty === undefined || String(pty.number) !== name) return undefined;
    return {
      type: "device",
      major: PTS_MAJOR,
      minor: pty.number,
      stat: () => pty.stat(),
      open: (flags, _path, mayControl) => ptys.open(pty, flags, mayControl),
    };
  },
});
const PTS_MAJOR = 136;

/** /dev/ptmx. */
const multiplexer = (ptys: Ptys): SyntheticDevice => ({
  type: "device",
  major: 5,
  minor: 2,
  open: (flags) => ptys.create(flags),
});

/** The tree at /dev. */
export function makeDev(options: {
  random: (into: Uint8Array) => void;
  inherited: () => readonly StreamFile[];
  ptys: Ptys;
  /** The session of whoever opens, and whether the inherited terminal is its controlling one. */
  session: () => { sid: number; hasOuter: boolean };
}): SyntheticDirectory {
  const entries: Record<string, SyntheticDevice> = {};
  for (const [name, behaviour] of Object.entries(MEMORY_DEVICES)) {
    entries[name] = {
      type: "device",
      major: 1,
      minor: behaviour.minor,
      open: (flags, path) => new MemoryDevice(path, flags, behaviour, options.random),
    };
  }
  entries.tty = {
    type: "device",
    major: 5,
    minor: 0,
    open: (flags, path) => {
      const { sid, hasOuter } = options.session();
      const pty = options.ptys.controlling(sid);
      if (pty !== undefined) return options.ptys.open(pty, flags, false, path);
      if (!hasOuter) fail("ENXIO", "there is no controlling terminal");
      const inherited = options.inherited().find(({ terminal }) => terminal !== undefined);
      if (inherited === undefined) fail("ENXIO", "there is no terminal");
      return new TerminalFile(path, flags, inherited);
    },
  };
  return directoryOf({
    ...entries,
    ptmx: multiplexer(options.ptys),
    pts: pseudoTerminals(options.ptys),
    fd: linkTo("/proc/self/fd"),
    stdin: linkTo("/proc/self/fd/0"),
    stdout: linkTo("/proc/self/fd/1"),
    stderr: linkTo("/proc/self/fd/2"),
  });
}
