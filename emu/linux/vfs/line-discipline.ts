/**
 * What a terminal makes of the bytes that are typed and written (Linux: drivers/tty/n_tty.c): lines and their editing, echo,
 * signals, flow control, the mapping of newlines and returns.
 */
import type { LineState } from "../../snapshot.ts";
import { SIGINT, SIGQUIT, SIGTSTP } from "../signals/signal-numbers.ts";
import { CHARACTERS, ICANON, type Termios } from "./terminal-settings.ts";

// Bits of powerpc's asm/termbits.h.
const ISTRIP = 0x20;
const INLCR = 0x40;
const IGNCR = 0x80;
const ICRNL = 0x100;
export const IXON = 0x200;
const IXANY = 0x800;
const IUCLC = 0x1000;
const IMAXBEL = 0x2000;
const IUTF8 = 0x4000;
const PARMRK = 0x8;
const OPOST = 0x1;
const ONLCR = 0x2;
const OLCUC = 0x4;
const OCRNL = 0x8;
const ONOCR = 0x10;
const ONLRET = 0x20;
const XTABS = 0xc00;
const ECHOKE = 0x1;
const ECHOE = 0x2;
const ECHOK = 0x4;
const ECHO = 0x8;
const ECHONL = 0x10;
const ECHOPRT = 0x20;
const ECHOCTL = 0x40;
const ISIG = 0x80;
const IEXTEN = 0x400;
const NOFLSH = 0x8000_0000;

const BELL = 7;
const BACKSPACE = 8;
const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 0x20;
const DELETE = 0x7f;
const CARET = 0x5e;

/** Bytes of input that a terminal keeps (N_TTY_BUF_SIZE). */
export const MOST_INPUT = 4096;

/** The other side of a terminal. */
export interface Wire {
  /** Shows bytes at once, as echo does. */
  show(bytes: readonly number[]): void;
  /** Sends a signal to the group in the foreground. `flush`: what has been written and not shown yet is dropped. */
  signal(signo: number, flush: boolean): void;
  /** Output has been stopped or goes on. */
  flow(isStopped: boolean): void;
}

const isControl = (byte: number): boolean => byte < SPACE || byte === DELETE;
const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;
const isWord = (byte: number): boolean => /[\p{L}\p{N}_]/u.test(String.fromCharCode(byte)) || byte >= 0x80;

export class LineDiscipline {
  termios: Termios;
  /** Output is held back, by ^S or tcflow(3). */
  isStopped = false;
  /** Lines that are complete. */
  private lines: number[][] = [];
  /** The line that is being typed; without ICANON all there is. */
  private editing: number[] = [];
  /** Column of the cursor, and that at which the line began that is being typed. */
  private column = 0;
  private startColumn = 0;
  /** The next byte has no meaning of its own (^V). */
  private isLiteral = false;
  /** ECHOPRT: bytes are being erased. */
  private isErasing = false;
  private readonly wire: Wire;

  constructor(termios: Termios, wire: Wire) {
    this.termios = termios;
    this.wire = wire;
  }

  private get isCanonical(): boolean {
    return (this.termios.c_lflag & ICANON) !== 0;
  }
  private has(flag: "c_iflag" | "c_oflag" | "c_lflag", bits: number): boolean {
    return (this.termios[flag] & bits) !== 0;
  }
  /** Whether a byte is a control character that is not switched off. */
  private is(byte: number, name: string): boolean {
    const code = this.termios.c_cc[CHARACTERS[name]];
    return code !== 0 && code === byte;
  }

  /** Other settings. What has been typed stays: as a line where lines are wanted now, else as it is. */
  set(termios: Termios): void {
    const was = this.isCanonical;
    this.termios = termios;
    if (was === this.isCanonical) return;
    const typed = [...this.lines.flat(), ...this.editing];
    this.lines = this.isCanonical && typed.length > 0 ? [typed] : [];
    this.editing = this.isCanonical ? [] : typed;
    this.isLiteral = this.isErasing = false;
  }

  // ---- input -------------------------------------------------------------------------------------------------------

  private get held(): number {
    return this.lines.reduce((sum, line) => sum + line.length, 0) + this.editing.length;
  }
  /** How many bytes can be typed now. A line that is too long takes more, and loses them. */
  get room(): number {
    const room = MOST_INPUT - 1 - this.held;
    return room <= 0 && this.isCanonical && this.lines.length === 0 ? MOST_INPUT : Math.max(0, room);
  }
  /** Bytes that a read could have. */
  get available(): number {
    return this.isCanonical ? (this.lines[0]?.length ?? 0) : this.editing.length;
  }
  /** FIONREAD: with lines, all that are complete. */
  get pending(): number {
    if (!this.isCanonical) return this.editing.length;
    return this.lines.reduce((sum, line) => sum + line.length, 0);
  }
  /** Whether a line is complete, if only by ^D. */
  get hasLine(): boolean {
    return this.lines.length > 0;
  }

  /** Up to a line; undefined when there is none, or without ICANON nothing. */
  take(into: Uint8Array): number | undefined {
    const from = this.isCanonical ? this.lines[0] : this.editing;
    if (from === undefined) return undefined;
    const count = Math.min(into.length, from.length);
    into.set(from.splice(0, count));
    if (this.isCanonical && from.length === 0) this.lines.shift();
    return count;
  }

  /** Drops what has been typed. */
  flush(): void {
    this.lines = [];
    this.editing = [];
    this.isLiteral = this.isErasing = false;
  }

  /** Somebody types; takes as many bytes as there is room for. */
  type(from: Uint8Array): number {
    let count = 0;
    while (count < from.length && this.room > 0) this.typeByte(from[count++]);
    return count;
  }

  private typeByte(given: number): void {
    let byte = this.has("c_iflag", ISTRIP) ? given & 0x7f : given;
    if (this.has("c_iflag", IUCLC) && this.has("c_lflag", IEXTEN) && byte >= 0x41 && byte <= 0x5a)
      byte += 0x20;
    if (this.isLiteral) {
      this.isLiteral = false;
      this.add(byte);
      return;
    }
    if (this.has("c_iflag", IXON) && this.typeFlow(byte)) return;
    if (this.has("c_lflag", ISIG) && this.typeSignal(byte)) return;
    if (this.isStopped && this.has("c_iflag", IXON) && this.has("c_iflag", IXANY)) this.setStopped(false);
    if (byte === RETURN) {
      if (this.has("c_iflag", IGNCR)) return;
      if (this.has("c_iflag", ICRNL)) byte = NEWLINE;
    } else if (byte === NEWLINE && this.has("c_iflag", INLCR)) byte = RETURN;
    if (this.isCanonical && this.typeEditing(byte)) return;
    this.add(byte);
  }

  private typeFlow(byte: number): boolean {
    const starts = this.is(byte, "start");
    if (!starts && !this.is(byte, "stop")) return false;
    this.setStopped(!starts);
    return true;
  }

  /** Stops output, or lets it go on. */
  setStopped(isStopped: boolean): void {
    if (this.isStopped === isStopped) return;
    this.isStopped = isStopped;
    this.wire.flow(isStopped);
  }

  private typeSignal(byte: number): boolean {
    const names = { intr: SIGINT, quit: SIGQUIT, susp: SIGTSTP };
    const found = Object.entries(names).find(([name]) => this.is(byte, name));
    if (found === undefined) return false;
    const flush = !this.has("c_lflag", NOFLSH);
    if (flush) this.flush();
    if (this.has("c_iflag", IXON)) this.setStopped(false);
    this.wire.signal(found[1], flush);
    if (this.has("c_lflag", ECHO)) this.echo(byte);
    return true;
  }

  /** What ICANON gives a meaning. */
  private typeEditing(byte: number): boolean {
    const extended = this.has("c_lflag", IEXTEN);
    if (this.is(byte, "erase") || this.is(byte, "kill") || (extended && this.is(byte, "werase"))) {
      this.erase(byte);
      return true;
    }
    if (extended && this.is(byte, "lnext")) {
      this.isLiteral = true;
      if (this.has("c_lflag", ECHO)) {
        this.finishErasing();
        if (this.has("c_lflag", ECHOCTL)) this.show([CARET, BACKSPACE]);
      }
      return true;
    }
    if (extended && this.has("c_lflag", ECHO) && this.is(byte, "rprnt")) {
      this.finishErasing();
      this.echo(byte);
      this.show([NEWLINE]);
      for (const each of this.editing) this.echo(each);
      return true;
    }
    if (byte === NEWLINE) {
      if (this.has("c_lflag", ECHO | ECHONL)) {
        if (this.isFull) this.show([BELL]);
        this.show([NEWLINE]);
      }
      this.finish([byte]);
      return true;
    }
    if (this.is(byte, "eof")) {
      this.finish([]);
      return true;
    }
    if (this.is(byte, "eol") || (extended && this.is(byte, "eol2"))) {
      if (this.has("c_lflag", ECHO)) this.echo(byte);
      this.finish([byte]);
      return true;
    }
    return false;
  }

  /** The line is complete. */
  private finish(end: readonly number[]): void {
    this.finishErasing();
    this.lines.push([...this.editing, ...end]);
    this.editing = [];
    this.startColumn = this.column;
  }

  private get isFull(): boolean {
    return this.held >= MOST_INPUT - 1;
  }

  private add(byte: number): void {
    if (this.isFull) {
      if (this.has("c_iflag", IMAXBEL)) this.show([BELL]);
      return;
    }
    if (this.has("c_lflag", ECHO)) {
      this.finishErasing();
      if (byte === NEWLINE) this.show([NEWLINE]);
      else {
        if (this.editing.length === 0) this.startColumn = this.column;
        this.echo(byte);
      }
    }
    this.editing.push(byte);
    // A byte of ones is doubled where it could be the mark of an error.
    if (byte === 0xff && this.has("c_iflag", PARMRK) && !this.has("c_iflag", ISTRIP)) this.editing.push(byte);
  }

  // ---- erasing (Linux: eraser) ---------------------------------------------------------------------------------------

  private erase(byte: number): void {
    if (this.editing.length === 0) return;
    const shows = this.has("c_lflag", ECHO);
    const isKill = this.is(byte, "kill");
    if (isKill && !shows) {
      this.editing = [];
      return;
    }
    const isAllShown =
      this.has("c_lflag", ECHOK) && this.has("c_lflag", ECHOKE) && this.has("c_lflag", ECHOE);
    if (isKill && !isAllShown) {
      this.editing = [];
      this.finishErasing();
      this.echo(byte);
      if (this.has("c_lflag", ECHOK)) this.show([NEWLINE]);
      return;
    }
    const isWordErase = !isKill && !this.is(byte, "erase");
    let seenWord = false;
    while (this.editing.length > 0) {
      const gone = this.lastLetter();
      if (isWordErase) {
        if (isWord(gone[0])) seenWord = true;
        else if (seenWord) break;
      }
      this.editing.length -= gone.length;
      if (shows) this.unshow(gone, byte);
      if (!isKill && !isWordErase) break;
    }
    if (this.editing.length === 0 && shows) this.finishErasing();
  }

  /** The bytes of the last letter that was typed: several with IUTF8. */
  private lastLetter(): number[] {
    let start = this.editing.length - 1;
    if (this.has("c_iflag", IUTF8)) while (start > 0 && isContinuation(this.editing[start])) start--;
    return this.editing.slice(start);
  }

  private unshow(gone: readonly number[], byte: number): void {
    if (this.has("c_lflag", ECHOPRT)) {
      if (!this.isErasing) this.show([0x5c]);
      this.isErasing = true;
      for (const each of gone) this.echo(each);
    } else if (this.is(byte, "erase") && !this.has("c_lflag", ECHOE)) this.echo(byte);
    else if (gone[0] === TAB) this.back(this.tabWidth());
    else if (!isControl(gone[0]) || this.has("c_lflag", ECHOCTL)) {
      const width = isControl(gone[0]) ? 2 : 1;
      for (let i = 0; i < width; i++) this.show([BACKSPACE, SPACE, BACKSPACE]);
    }
  }
  private back(count: number): void {
    this.show(new Array(count).fill(BACKSPACE));
  }
  /** How far a tab that has just been erased had moved the cursor. */
  private tabWidth(): number {
    let column = this.startColumn;
    for (const each of this.editing) {
      if (each === TAB) column = (column | 7) + 1;
      else if (!isControl(each)) column++;
      else if (this.has("c_lflag", ECHOCTL)) column += 2;
    }
    return 8 - (column & 7);
  }
  private finishErasing(): void {
    if (!this.isErasing) return;
    this.isErasing = false;
    this.show([0x2f]);
  }

  // ---- output ------------------------------------------------------------------------------------------------------

  private echo(byte: number): void {
    if (isControl(byte) && byte !== TAB && this.has("c_lflag", ECHOCTL)) this.show([CARET, byte ^ 0x40]);
    else this.show([byte]);
  }
  private show(bytes: readonly number[]): void {
    this.wire.show(bytes.flatMap((byte) => this.shown(byte)));
  }

  /** What becomes of a byte that is written. The cursor moves. */
  shown(byte: number): number[] {
    if (!this.has("c_oflag", OPOST)) return [byte];
    switch (byte) {
      case NEWLINE:
        if (this.has("c_oflag", ONLRET)) this.column = 0;
        if (!this.has("c_oflag", ONLCR)) return [byte];
        this.column = this.startColumn = 0;
        return [RETURN, NEWLINE];
      case RETURN:
        if (this.has("c_oflag", ONOCR) && this.column === 0) return [];
        if (this.has("c_oflag", OCRNL)) {
          if (this.has("c_oflag", ONLRET)) this.column = this.startColumn = 0;
          return [NEWLINE];
        }
        this.column = this.startColumn = 0;
        return [byte];
      case TAB: {
        const width = 8 - (this.column & 7);
        this.column += width;
        return (this.termios.c_oflag & XTABS) === XTABS ? new Array(width).fill(SPACE) : [byte];
      }
      case BACKSPACE:
        if (this.column > 0) this.column--;
        return [byte];
      default:
        return [this.plain(byte)];
    }
  }
  private plain(byte: number): number {
    if (isControl(byte)) return byte;
    if (!(this.has("c_iflag", IUTF8) && isContinuation(byte))) this.column++;
    return this.has("c_oflag", OLCUC) && byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
  }

  // ---- snapshots -----------------------------------------------------------------------------------------------------

  freeze(): LineState {
    const { lines, editing, column, startColumn, isLiteral, isErasing, isStopped } = this;
    return {
      ...{ lines: lines.map((line) => Uint8Array.from(line)), editing: Uint8Array.from(editing) },
      ...{ column, startColumn, isLiteral, isErasing, isStopped },
    };
  }
  resume({ lines, editing, ...more }: LineState): void {
    Object.assign(this, more);
    this.lines = lines.map((line) => [...line]);
    this.editing = [...editing];
  }
}
