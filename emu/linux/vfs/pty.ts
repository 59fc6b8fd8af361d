/** Pseudo-terminals: /dev/ptmx and what lies in /dev/pts (Linux: drivers/tty/pty.c, tty_jobctrl.c). */
import type { OpenFileSnapshot, PtyState } from "../../snapshot.ts";
import type { Process } from "../process.ts";
import { signalInfo } from "../signals/pending.ts";
import { post, postToGroup } from "../signals/post.ts";
import { SI_KERNEL, SIGCONT, SIGHUP, SIGWINCH } from "../signals/signal-numbers.ts";
import type { FileMachine } from "../system.ts";
import { entryStat, type FileStat, syntheticStat } from "./file-status.ts";
import { IXON, LineDiscipline, type Wire } from "./line-discipline.ts";
import { OpenFile, type Waitables } from "./open-file.ts";
import { Pipe } from "./pipe.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "./readiness.ts";
import { fail } from "./synthetic.ts";
import {
  CHARACTERS,
  cooked,
  firstByteTimeout,
  ICANON,
  patienceOf,
  type Termios,
  type Tty,
} from "./terminal-settings.ts";
import { cannot, needState, type ThawContext } from "./thaw-context.ts";

/** /proc/sys/kernel/pty/max. */
export const MOST_PTYS = 4096;
/** Bytes that programs write and nobody reads; echo may be as much again. */
const MOST_OUTPUT = 8192;
/** What the controlling side has by now in its own buffer, which ^C does not reach. */
const PAST_FLUSH = 4096;
/** A byte that is written may become a tab's width of them. */
const LONGEST_SHOWN = 8;

// TIOCPKT_*: what a read in packet mode begins with.
const PACKET_FLUSHREAD = 1;
const PACKET_FLUSHWRITE = 2;
const PACKET_STOP = 4;
const PACKET_START = 8;
const PACKET_NOSTOP = 16;
const PACKET_DOSTOP = 32;
/** HUPCL, which only terminals of hardware have. */
const HUPCL = 0x4000;

export interface WindowSize {
  rows: number;
  columns: number;
  xpixel: number;
  ypixel: number;
}

/** One pseudo-terminal with both its sides. */
export class Pty implements Tty, Wire {
  readonly number: number;
  private readonly machine: FileMachine | undefined;
  readonly discipline: LineDiscipline;
  /** What was written, for whoever holds the controlling side. */
  private output: Pipe;
  /** Echo that waits for output to go on. */
  private held: number[] = [];
  /** User who made it. */
  uid = 0;
  isLocked = true;
  isExclusive = false;
  isPacket = false;
  private packetStatus = 0;
  window: WindowSize = { rows: 0, columns: 0, xpixel: 0, ypixel: 0 };
  foreground: number | undefined;
  /** The session whose controlling terminal it is. */
  session: number | undefined;
  private readonly files = new Set<PtySlave>();
  /** Whether the other side was open ever; until then nobody has gone. */
  private wasOpened = false;
  /** The controlling side is closed. */
  isGone = false;
  /** CLOCK_MONOTONIC time at which a byte was typed last. */
  private typedAt = 0n;

  constructor(number: number, machine: FileMachine | undefined) {
    this.number = number;
    this.machine = machine;
    const termios = cooked();
    this.discipline = new LineDiscipline({ ...termios, c_cflag: termios.c_cflag & ~HUPCL }, this);
    this.output = new Pipe(0n, { capacity: 2 * MOST_OUTPUT, contents: new Uint8Array(0) });
  }

  get path(): string {
    return `/dev/pts/${this.number}`;
  }
  stat(): FileStat {
    const more = { dev: PTS_DEV, rdev: BigInt(FIRST_PTS + this.number), uid: this.uid, gid: TTY_GROUP };
    return syntheticStat("char", 0o620, BigInt(this.number + 3), more);
  }
  /** Woken by whatever happens. */
  get queue() {
    return this.output.queue;
  }

  // ---- settings ------------------------------------------------------------------------------------------------

  get termios(): Termios {
    return this.discipline.termios;
  }
  set termios(termios: Termios) {
    const had = this.flowsByKeys;
    this.discipline.set(termios);
    if (had !== this.flowsByKeys) this.tellPacket(had ? PACKET_NOSTOP : PACKET_DOSTOP);
    if (!(termios.c_iflag & IXON)) this.discipline.setStopped(false);
    this.queue.wake();
  }
  /** Whether ^S and ^Q are what stops output. */
  private get flowsByKeys(): boolean {
    const { c_iflag, c_cc } = this.termios;
    return (c_iflag & IXON) !== 0 && c_cc[CHARACTERS.stop] === 19 && c_cc[CHARACTERS.start] === 17;
  }
  tellSize(): WindowSize {
    return this.window;
  }
  /** TIOCSWINSZ: the group in the foreground hears of another size. */
  resize(window: WindowSize): void {
    const before = this.window;
    this.window = window;
    const isSame = Object.entries(window).every(
      ([name, value]) => before[name as keyof WindowSize] === value,
    );
    if (!isSame && this.foreground !== undefined) this.signalGroup(this.foreground, SIGWINCH);
  }

  setPacket(isPacket: boolean): void {
    if (isPacket && !this.isPacket) this.packetStatus = 0;
    this.isPacket = isPacket;
  }
  private tellPacket(bit: number): void {
    if (!this.isPacket) return;
    this.packetStatus |= bit;
    this.queue.wake();
  }

  // ---- the other end of the line discipline ------------------------------------------------------------------------

  show(bytes: readonly number[]): void {
    if (this.discipline.isStopped) {
      if (this.held.length < MOST_OUTPUT) this.held.push(...bytes);
    } else this.output.put(Uint8Array.from(bytes));
  }
  signal(signo: number, flush: boolean): void {
    if (flush) {
      this.dropOutput(PAST_FLUSH);
      this.tellPacket(PACKET_FLUSHREAD | PACKET_FLUSHWRITE);
    }
    if (this.foreground !== undefined) this.signalGroup(this.foreground, signo);
  }
  flow(isStopped: boolean): void {
    this.tellPacket(isStopped ? PACKET_STOP : PACKET_START);
    if (!isStopped && this.held.length > 0) this.show(this.held.splice(0));
    this.queue.wake();
  }

  /** Drops what has been written but for the first so many bytes. */
  dropOutput(keep: number): void {
    if (this.output.size <= keep) return;
    const contents = this.output.peek(keep);
    this.output.drop(this.output.size);
    this.output.put(contents);
  }
  dropInput(): void {
    this.discipline.flush();
    this.tellPacket(PACKET_FLUSHREAD);
    this.queue.wake();
  }

  signalGroup(pgid: number, signo: number): void {
    postToGroup(this.machine?.processes.values() ?? [], pgid, signo, SI_KERNEL);
  }

  // ---- the program's side ------------------------------------------------------------------------------------------

  opened(file: PtySlave): void {
    this.files.add(file);
    this.wasOpened = true;
    this.queue.wake();
  }
  closed(file: PtySlave): void {
    this.files.delete(file);
    this.queue.wake();
  }

  private get isCanonical(): boolean {
    return (this.termios.c_lflag & ICANON) !== 0;
  }
  /** Whether a read of `length` bytes has what it wants. */
  private isContent(length: number): boolean {
    const { discipline } = this;
    if (this.isCanonical) return discipline.hasLine;
    const { least, between } = patienceOf(this.termios);
    if (discipline.available >= Math.max(1, Math.min(least, length))) return true;
    const now = this.machine?.clock.monotonic() ?? 0n;
    return discipline.available > 0 && between > 0n && now - this.typedAt >= between;
  }
  readInput(into: Uint8Array): number | undefined {
    if (!this.isContent(into.length)) return undefined;
    const count = this.discipline.take(into);
    this.queue.wake();
    return count;
  }
  /** Whether poll(2) says that there is something to read. */
  get hasInput(): boolean {
    if (this.isCanonical) return this.discipline.hasLine;
    const { least, between } = patienceOf(this.termios);
    return this.discipline.available >= (between === 0n ? Math.max(1, least) : 1);
  }
  get readTimeout(): bigint | undefined {
    return firstByteTimeout(this.termios);
  }
  /** VTIME with VMIN: when a read that has some bytes waits no longer for more. */
  get readDeadline(): bigint | undefined {
    const { least, between } = patienceOf(this.termios);
    const waits = !this.isCanonical && least > 0 && between > 0n && this.discipline.available > 0;
    return waits ? this.typedAt + between : undefined;
  }

  /** Room for what programs write. */
  get outputRoom(): number {
    if (this.discipline.isStopped) return 0;
    return Math.max(0, MOST_OUTPUT - this.output.size);
  }
  writeOutput(from: Uint8Array): number | undefined {
    if (from.length === 0) return 0;
    const { discipline, output } = this;
    let count = 0;
    const shown: number[] = [];
    const room = this.outputRoom;
    while (count < from.length && shown.length + LONGEST_SHOWN <= room) {
      shown.push(...discipline.shown(from[count++]));
    }
    output.put(Uint8Array.from(shown));
    return count > 0 ? count : undefined;
  }

  // ---- the controlling side ----------------------------------------------------------------------------------------

  /** Nobody has the other side open any more. */
  get isDeserted(): boolean {
    return this.wasOpened && this.files.size === 0;
  }
  get outputSize(): number {
    return this.output.size;
  }
  get hasOutput(): boolean {
    return this.output.size > 0 || (this.isPacket && this.packetStatus !== 0);
  }
  get hasStatus(): boolean {
    return this.isPacket && this.packetStatus !== 0;
  }
  readOutput(into: Uint8Array): number | undefined {
    if (into.length === 0) return 0;
    if (this.isPacket) return this.readPacket(into);
    const count = this.output.take(into);
    if (count > 0) return count;
    return this.isDeserted ? fail("EIO", `nobody has ${this.path} open any more`) : undefined;
  }
  private readPacket(into: Uint8Array): number | undefined {
    if (this.packetStatus !== 0) {
      into[0] = this.packetStatus;
      this.packetStatus = 0;
      return 1;
    }
    if (this.output.size > 0) {
      into[0] = 0;
      return 1 + this.output.take(into.subarray(1));
    }
    return this.isDeserted ? fail("EIO", `nobody has ${this.path} open any more`) : undefined;
  }
  typeInput(from: Uint8Array): number | undefined {
    if (from.length === 0) return 0;
    this.typedAt = this.machine?.clock.monotonic() ?? 0n;
    const count = this.discipline.type(from);
    this.queue.wake();
    return count > 0 ? count : undefined;
  }

  // ---- the session -------------------------------------------------------------------------------------------------

  /** It becomes the controlling terminal of a session's leader. */
  control({ sid, pgid }: Process): void {
    this.session = sid;
    this.foreground = pgid;
  }
  /** The session lets go of it: its leader has given it up or, with `hasEnded`, is no more. */
  release(hasEnded: boolean): void {
    const { foreground } = this;
    this.session = this.foreground = undefined;
    if (foreground === undefined) return;
    this.signalGroup(foreground, SIGHUP);
    if (!hasEnded) this.signalGroup(foreground, SIGCONT);
  }
  /** The controlling side is closed: the line is dead. */
  hangUp(): void {
    const { session } = this;
    this.isGone = true;
    for (const file of this.files) file.isHung = true;
    this.files.clear();
    this.session = this.foreground = undefined;
    this.discipline.flush();
    const leader = session === undefined ? undefined : this.machine?.processes.get(session);
    if (leader !== undefined && leader.exitStatus === null) {
      for (const signo of [SIGHUP, SIGCONT]) post(leader, signalInfo(signo, SI_KERNEL));
    }
    this.queue.wake();
  }

  // ---- snapshots ---------------------------------------------------------------------------------------------------

  freeze(): PtyState {
    const { number, uid, isLocked, isExclusive, isPacket, packetStatus, window, wasOpened, typedAt } = this;
    const { foreground = null, session = null, discipline, termios } = this;
    return {
      ...{ kind: "pty", number, uid, isLocked, isExclusive, isPacket, packetStatus, wasOpened, typedAt },
      ...{ ...termios, c_cc: [...termios.c_cc], foreground, session, window },
      ...{
        line: discipline.freeze(),
        output: this.output.snapshot().contents,
        held: Uint8Array.from(this.held),
      },
    };
  }
  resume({ kind: _, number: __, line, output, held, foreground, session, ...more }: PtyState): void {
    const { c_iflag, c_oflag, c_cflag, c_lflag, c_cc, c_line, c_ispeed, c_ospeed, ...flags } = more;
    Object.assign(this, flags);
    const termios = { c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_ispeed, c_ospeed };
    this.discipline.termios = { ...termios, c_cc: Uint8Array.from(c_cc) };
    this.discipline.resume(line);
    this.foreground = foreground ?? undefined;
    this.session = session ?? undefined;
    this.output = new Pipe(0n, { capacity: 2 * MOST_OUTPUT, contents: output });
    this.held = [...held];
  }
}

/** st_dev, first st_rdev (major 136) and group of what is in /dev/pts. */
const PTS_DEV = 0x18n;
const FIRST_PTS = 0x8800;
const TTY_GROUP = 5;

/** The side that programs have as their terminal. */
export class PtySlave extends OpenFile {
  readonly kind = "special";
  readonly pty: Pty;
  /** The line was hung up while it was open. */
  isHung = false;

  constructor(pty: Pty, flags: number, path = pty.path) {
    super(path, flags);
    this.pty = pty;
    pty.opened(this);
  }
  override stat(): FileStat {
    return this.path === this.pty.path ? this.pty.stat() : ttyStat();
  }
  override read(into: Uint8Array): number | undefined {
    return this.isHung ? 0 : this.pty.readInput(into);
  }
  override write(from: Uint8Array): number | undefined {
    if (this.isHung) fail("EIO", `${this.path} was hung up`);
    return this.pty.writeOutput(from);
  }
  override takes(length: number): number {
    return this.isHung ? length : Math.min(length, this.pty.outputRoom);
  }
  override get isStream(): boolean {
    return true;
  }
  override events(): number | undefined {
    if (!this.isHung) return undefined;
    return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
  }
  override get tellsOwner(): boolean {
    return true;
  }
  override readable(): boolean {
    return this.isHung || (this.canRead && this.pty.hasInput);
  }
  override writable(): boolean {
    return this.isHung || (this.canWrite && this.pty.outputRoom >= LONGEST_SHOWN);
  }
  override waitables(): Waitables {
    return { queues: [this.pty.queue] };
  }
  override available(): number {
    return this.isHung ? 0 : this.pty.discipline.pending;
  }
  override get readTimeout(): bigint | undefined {
    return this.pty.readTimeout;
  }
  override get readDeadline(): bigint | undefined {
    return this.pty.readDeadline;
  }
  override close(): void {
    this.pty.closed(this);
  }
  override freeze(): Partial<OpenFileSnapshot> {
    return { state: { kind: "pts", number: this.pty.number, isHung: this.isHung } };
  }
}

/** /dev/tty. */
const ttyStat = (): FileStat => entryStat("char", 0o666, "/dev/tty", { dev: 5n, rdev: 0x500n });

/** The side that a terminal emulator has. */
export class PtyMaster extends OpenFile {
  readonly kind = "special";
  readonly pty: Pty;
  private readonly ptys: Ptys;

  constructor(pty: Pty, flags: number, ptys: Ptys) {
    super("/dev/ptmx", flags);
    this.pty = pty;
    this.ptys = ptys;
  }
  override stat(): FileStat {
    return entryStat("char", 0o666, "/dev/ptmx", { dev: 5n, rdev: 0x502n });
  }
  override read(into: Uint8Array): number | undefined {
    return this.pty.readOutput(into);
  }
  override write(from: Uint8Array): number | undefined {
    return this.pty.isDeserted ? from.length : this.pty.typeInput(from);
  }
  override get isStream(): boolean {
    return true;
  }
  override get tellsOwner(): boolean {
    return true;
  }
  override readable(): boolean {
    return this.canRead && (this.pty.hasOutput || this.pty.isDeserted);
  }
  override writable(): boolean {
    return this.canWrite && this.pty.discipline.room > 0;
  }
  override hangup(): boolean {
    return this.pty.isDeserted;
  }
  override waitables(): Waitables {
    return { queues: [this.pty.queue] };
  }
  override available(): number {
    return this.pty.outputSize;
  }
  override close(): void {
    this.ptys.end(this.pty);
  }
  override freeze(): Partial<OpenFileSnapshot> {
    return { state: this.pty.freeze() };
  }
}

/** All pseudo-terminals of a machine. */
export class Ptys {
  private readonly known = new Map<number, Pty>();
  private readonly machine: FileMachine | undefined;

  constructor(machine: FileMachine | undefined) {
    this.machine = machine;
  }

  get count(): number {
    return this.known.size;
  }
  get numbers(): number[] {
    return [...this.known.keys()];
  }
  get(number: number): Pty | undefined {
    return this.known.get(number);
  }

  /** Opens /dev/ptmx: a new one, which is locked. Throws ENOSPC. */
  create(flags: number): PtyMaster {
    let number = 0;
    while (this.known.has(number)) number++;
    if (number >= MOST_PTYS) fail("ENOSPC", "too many pseudo-terminals");
    const pty = this.at(number);
    pty.uid = this.machine?.caller?.credentials.fsuid ?? 0;
    return new PtyMaster(pty, flags, this);
  }
  /** The one of a number, which is made where it isn't there. */
  private at(number: number): Pty {
    let pty = this.known.get(number);
    if (pty === undefined) this.known.set(number, (pty = new Pty(number, this.machine)));
    return pty;
  }

  /** Opens the program's side. A leader whose session has no terminal gets it as that, but with O_NOCTTY. Throws EIO, EBUSY. */
  open(pty: Pty, flags: number, mayControl: boolean, path?: string): PtySlave {
    if (pty.isLocked || pty.isGone) fail("EIO", `${pty.path} is locked`);
    if (pty.isExclusive) fail("EBUSY", `${pty.path} is in exclusive use`);
    const file = new PtySlave(pty, flags, path);
    const process = this.machine?.caller?.process;
    if (mayControl && process !== undefined && pty.session === undefined && file.canRead) {
      if (process.sid === process.pid && this.controlling(process.sid) === undefined) pty.control(process);
    }
    return file;
  }

  /** The controlling terminal of a session, if it is one of these. */
  controlling(sid: number): Pty | undefined {
    for (const pty of this.known.values()) if (pty.session === sid) return pty;
    return undefined;
  }

  /** The controlling side of one is closed. */
  end(pty: Pty): void {
    this.known.delete(pty.number);
    pty.hangUp();
  }
  /** The leader of a session has ended. */
  leaderEnded(sid: number): void {
    this.controlling(sid)?.release(true);
  }

  thawMaster(snapshot: OpenFileSnapshot, state: PtyState): PtyMaster {
    const { number, output } = state;
    if (number >= MOST_PTYS || output.length > 2 * MOST_OUTPUT) cannot(snapshot, "it makes no sense");
    const pty = this.at(number);
    pty.resume(state);
    return new PtyMaster(pty, snapshot.flags, this);
  }
  thawSlave({ path, flags }: OpenFileSnapshot, state: { number: number; isHung: boolean }): PtySlave {
    const { number, isHung } = state;
    const isTty = path === "/dev/tty";
    const pty = isHung ? new Pty(number, this.machine) : this.at(number);
    const file = new PtySlave(pty, flags, isTty ? path : undefined);
    file.isHung = isHung;
    return file;
  }
}

type PtyThaw = ThawContext<{ readonly ptys: Ptys }>;
export const thawPty = (snapshot: OpenFileSnapshot, { system }: PtyThaw): OpenFile =>
  system.ptys.thawMaster(snapshot, needState(snapshot, "pty"));
export const thawPts = (snapshot: OpenFileSnapshot, { system }: PtyThaw): OpenFile =>
  system.ptys.thawSlave(snapshot, needState(snapshot, "pts"));
