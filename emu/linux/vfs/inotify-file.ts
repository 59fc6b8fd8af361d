/** inotify(7): files and folders that are watched, and what has happened to them, to be read. */
import { encodeName } from "../../host/names.ts";
import type { InotifyState, OpenFileSnapshot } from "../../snapshot.ts";
import { WaitQueue } from "../wait-queue.ts";
import { AnonymousFile } from "./anonymous-file.ts";
import { O_NONBLOCK } from "./constants.ts";
import type { FreezeContext } from "./freeze-context.ts";
import { IN_ALL_EVENTS, IN_ISDIR, type Notice, type Notices, type Watcher } from "./notices.ts";
import { hold, type OpenFile, release, type Waitables } from "./open-file.ts";
import { fail } from "./synthetic.ts";
import { cannot, needState, type ThawContext } from "./thaw-context.ts";

const IN_UNMOUNT = 0x2000;
const IN_Q_OVERFLOW = 0x4000;
const IN_IGNORED = 0x8000;
export const IN_EXCL_UNLINK = 0x400_0000;
export const IN_ONESHOT = 0x8000_0000;

/** /proc/sys/fs/inotify: events of one, watches of all, and how many there can be. */
export const MOST_EVENTS = 16384;
export const MOST_WATCHES = 65536;
export const MOST_INSTANCES = 128;

/** wd, mask, cookie, length of the name. */
const HEADER = 16;

type Event = InotifyState["events"][number];

const isSame = (one: Event | undefined, other: Event): boolean =>
  one !== undefined &&
  one.wd === other.wd &&
  one.mask === other.mask &&
  one.cookie === other.cookie &&
  one.name === other.name;

/** Bytes of an event as it is read: its name ends in NULs, up to a multiple of the header. */
function sizeOf({ name }: Event): number {
  const length = encodeName(name).length;
  return length === 0 ? HEADER : HEADER + Math.ceil((length + 1) / HEADER) * HEADER;
}

class Watch implements Watcher {
  readonly wd: number;
  /** What is watched, held by an O_PATH description of it. */
  readonly subject: OpenFile;
  mask: number;
  readonly owner: InotifyFile;

  constructor(owner: InotifyFile, wd: number, subject: OpenFile, mask: number) {
    this.owner = owner;
    this.wd = wd;
    this.subject = hold(subject);
    this.mask = mask;
  }
  tell({ mask, name, cookie, isUnlinked }: Notice): void {
    const wanted = (mask & this.mask & IN_ALL_EVENTS) !== 0;
    if (!wanted || (isUnlinked && name !== "" && this.mask & IN_EXCL_UNLINK)) return;
    this.owner.queueEvent({ wd: this.wd, mask: mask >>> 0, cookie, name });
    if (this.mask & IN_ONESHOT) this.gone();
  }
  gone(): void {
    this.owner.removeWatch(this.wd);
  }
}

export class InotifyFile extends AnonymousFile {
  private readonly watches = new Map<number, Watch>();
  private unread: Event[] = [];
  private lastWd = 0;
  private readonly registry: Notices;
  private readonly littleEndian: boolean;
  private readonly queue = new WaitQueue();
  /** Events that have come. */
  private count = 0;

  constructor(options: { flags: number; littleEndian: boolean; notices: Notices }) {
    super("inotify", options);
    this.registry = options.notices;
    this.littleEndian = options.littleEndian;
  }

  override get hasWriting(): boolean {
    return false;
  }
  override get label(): string {
    return "anon_inode:inotify";
  }

  /** The watch of a file, if there is one. */
  watchOf(key: string | undefined): Watch | undefined {
    for (const watcher of this.registry.of(key)) {
      if (watcher instanceof Watch && watcher.owner === this) return watcher;
    }
    return undefined;
  }

  /** Watches what a description is of; the number of the watch. */
  addWatch(subject: OpenFile, mask: number): number {
    this.lastWd = this.lastWd >= 0x7fff_ffff ? 1 : this.lastWd + 1;
    while (this.watches.has(this.lastWd)) this.lastWd++;
    this.putWatch(this.lastWd, subject, mask);
    return this.lastWd;
  }
  private putWatch(wd: number, subject: OpenFile, mask: number): void {
    const watch = new Watch(this, wd, subject, mask);
    this.watches.set(wd, watch);
    if (subject.key !== undefined) this.registry.add(subject.key, watch);
  }
  get watchCount(): number {
    return this.watches.size;
  }

  /** Watches it no more, of which the reader is told. Throws EINVAL. */
  removeWatch(wd: number): void {
    this.forget(this.watches.get(wd) ?? fail("EINVAL", `there is no watch ${wd}`));
    this.queueEvent({ wd, mask: IN_IGNORED, cookie: 0, name: "" });
  }
  private forget(watch: Watch): void {
    this.watches.delete(watch.wd);
    const { key } = watch.subject;
    if (key !== undefined) this.registry.remove(key, watch);
    release(watch.subject);
  }

  /** Linux tells of the same thing once where nothing has come between. */
  queueEvent(event: Event): void {
    if (isSame(this.unread.at(-1), event)) return;
    const isFull = this.unread.length >= MOST_EVENTS;
    const overflow = { wd: -1, mask: IN_Q_OVERFLOW, cookie: 0, name: "" };
    if (isFull && isSame(this.unread.at(-1), overflow)) return;
    this.unread.push(isFull ? overflow : event);
    this.count++;
    this.queue.wake();
  }

  override read(into: Uint8Array): number | undefined {
    if (this.unread.length === 0) return undefined;
    let [taken, done] = [0, 0];
    while (taken < this.unread.length && done + sizeOf(this.unread[taken]) <= into.length) {
      const event = this.unread[taken++];
      done += this.put(into, done, event);
    }
    if (taken === 0) fail("EINVAL", "no room for the first event");
    this.unread = this.unread.slice(taken);
    return done;
  }
  private put(into: Uint8Array, at: number, event: Event): number {
    const size = sizeOf(event);
    into.fill(0, at, at + size);
    const view = new DataView(into.buffer, into.byteOffset + at);
    const fields = [event.wd, event.mask, event.cookie, size - HEADER];
    for (const [index, field] of fields.entries()) view.setUint32(index * 4, field, this.littleEndian);
    into.set(encodeName(event.name), at + HEADER);
    return size;
  }

  override get canWrite(): boolean {
    return false;
  }
  override get tellsOwner(): boolean {
    return true;
  }
  override readable(): boolean {
    return this.unread.length > 0;
  }
  override writable(): boolean {
    return false;
  }
  override get arrivals(): number {
    return this.count;
  }
  override available(): number {
    return this.unread.reduce((sum, event) => sum + sizeOf(event), 0);
  }
  override waitables(): Waitables {
    return { queues: [this.queue] };
  }
  override close(): void {
    for (const watch of this.watches.values()) this.forget(watch);
  }

  /** What /proc/PID/fdinfo says besides. */
  override get details(): string {
    return [...this.watches.values()]
      .map(({ wd, mask, subject }) => {
        const { ino, dev } = subject.stat();
        return `inotify wd:${wd.toString(16)} ino:${ino.toString(16)} sdev:${dev.toString(16)} mask:${(mask >>> 0).toString(16)} ignored_mask:0\n`;
      })
      .join("");
  }

  override freeze(tables: FreezeContext): Partial<OpenFileSnapshot> {
    const { lastWd, unread: events } = this;
    const watches = [...this.watches.values()].map(({ wd, mask, subject }) => ({
      ...{ wd, mask: mask >>> 0, openFile: tables.add(subject) },
    }));
    return { state: { kind: "inotify", lastWd, lastCookie: this.registry.lastCookie, watches, events } };
  }
  /** Takes what `freeze` wrote, once everything is open again. Throws EINVAL. */
  resume({ lastWd, lastCookie, watches, events }: InotifyState, opened: readonly OpenFile[]): void {
    this.lastWd = lastWd;
    this.registry.resume(lastCookie);
    this.unread = events;
    for (const { wd, mask, openFile } of watches) {
      const subject = opened[openFile] ?? fail("EINVAL", `what watch ${wd} of inotify watches is not there`);
      if (wd < 1 || this.watches.has(wd)) fail("EINVAL", `watch ${wd} of inotify makes no sense`);
      this.putWatch(wd, subject, mask);
    }
  }
}

/** IN_* that can be asked for. */
export const IN_KNOWN =
  IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_EXCL_UNLINK | IN_ONESHOT | IN_ISDIR;

export function thawInotify(
  snapshot: OpenFileSnapshot,
  context: ThawContext<{ readonly notices: Notices }>,
): OpenFile {
  const { system, littleEndian } = context;
  const state = needState(snapshot, "inotify");
  if (state.events.length > MOST_EVENTS + 1) return cannot(snapshot, "it has too many events");
  if (state.watches.length > MOST_WATCHES) return cannot(snapshot, "it has too many watches");
  const file = new InotifyFile({
    ...{ flags: snapshot.flags & O_NONBLOCK, littleEndian, notices: system.notices },
  });
  context.whenOpened((opened) => file.resume(state, opened));
  return file;
}
