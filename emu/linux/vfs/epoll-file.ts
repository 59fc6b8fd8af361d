/** epoll(7): sets of descriptions that are watched for what a guest is interested in. */
import type { EpollState, OpenFileSnapshot } from "../../snapshot.ts";
import { WaitQueue } from "../wait-queue.ts";
import { AnonymousFile } from "./anonymous-file.ts";
import type { FreezeContext } from "./freeze-context.ts";
import type { OpenFile, Waitables } from "./open-file.ts";
import { amountIn, POLLERR, POLLHUP, POLLOUT, readiness, waitablesOf } from "./readiness.ts";
import { fail } from "./synthetic.ts";
import { cannot, needState, type ThawContext } from "./thaw-context.ts";

export const EPOLLEXCLUSIVE = 1 << 28;
export const EPOLLWAKEUP = 1 << 29;
export const EPOLLONESHOT = 1 << 30;
export const EPOLLET = 1 << 31;
/** What of an interest is no event. */
const MODES = EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET;

/** Most descriptions in one set, and sets below one that is in another (Linux: EP_MAX_NESTS). */
export const MOST = 65536;
const MOST_NESTED = 4;
/** Descriptions in a set before those that have been closed are looked for. */
const SWEEP_AT = 64;

/** One description as a set has it: by the descriptor it was added with. */
interface Item {
  readonly fd: number;
  readonly file: OpenFile;
  /** EPOLL* bits; 0 once a one-shot interest has been told of. */
  events: number;
  data: bigint;
  /** EPOLLET: what was told already, and what had happened by then (`happened`). */
  told: number;
  amount: number;
}

/** What epoll_wait(2) tells of one description. */
export interface EpollEvent {
  events: number;
  data: bigint;
}

/** What has come to a description of which its interest is to be told, and how often there was room again: it grows with each. */
function happened({ file, events }: Item): number {
  const come = (events & ~(MODES | POLLOUT)) === 0 ? 0 : (file.arrivals ?? amountIn(file));
  return come + (events & POLLOUT ? file.vacancies : 0);
}

export class EpollFile extends AnonymousFile {
  private readonly items = new Map<string, Item>();
  private readonly queue = new WaitQueue();
  private readonly ids = new Map<OpenFile, number>();
  private sweepAt = SWEEP_AT;

  constructor(ino: bigint) {
    super("eventpoll", { flags: 0, ino });
  }

  private keyOf(file: OpenFile, fd: number): string {
    const id = this.ids.get(file) ?? this.ids.size;
    this.ids.set(file, id);
    return `${id} ${fd}`;
  }

  /** EPOLL_CTL_ADD. Throws EEXIST, EPERM for what can't be waited for, ELOOP for sets in a circle. */
  add(fd: number, file: OpenFile, interest: EpollEvent): void {
    if (file.kind === "file" || file.kind === "directory") fail("EPERM", "always ready");
    if (file instanceof EpollFile && (file.holds(this, 0) || file.depth() > MOST_NESTED)) fail("ELOOP");
    this.makeRoom();
    const key = this.keyOf(file, fd);
    if (this.items.has(key)) fail("EEXIST");
    this.items.set(key, { fd, file, ...interest, told: 0, amount: 0 });
    this.queue.wake();
  }
  /** EPOLL_CTL_MOD. Throws ENOENT. */
  change(fd: number, file: OpenFile, interest: EpollEvent): void {
    const item = this.items.get(this.keyOf(file, fd)) ?? fail("ENOENT");
    Object.assign(item, interest, { told: 0, amount: 0 });
    this.queue.wake();
  }
  /** EPOLL_CTL_DEL. Throws ENOENT. */
  remove(fd: number, file: OpenFile): void {
    if (!this.items.delete(this.keyOf(file, fd))) fail("ENOENT");
  }

  private holds(file: EpollFile, depth: number): boolean {
    if (file === this || depth > MOST_NESTED) return true;
    this.sweep();
    return [...this.items.values()].some(
      (item) => item.file instanceof EpollFile && item.file.holds(file, depth + 1),
    );
  }
  private depth(): number {
    this.sweep();
    const below = [...this.items.values()].map(({ file }) => (file instanceof EpollFile ? file.depth() : 0));
    return 1 + Math.max(0, ...below);
  }

  /** Makes sure that one more can be added. What was closed is looked for as the set doubles, so that adding costs the same in a large one. */
  private makeRoom(): void {
    if (this.items.size < this.sweepAt) return;
    this.sweep();
    if (this.items.size >= MOST) fail("ENOSPC");
    this.sweepAt = Math.min(MOST, Math.max(SWEEP_AT, 2 * this.items.size));
  }

  /** What was closed everywhere leaves the set. */
  private sweep(): void {
    for (const [key, { file }] of this.items) {
      if (file.references > 0) continue;
      this.items.delete(key);
      this.ids.delete(file);
    }
  }

  /** The events of interest that are to be told of. */
  private due(item: Item): number {
    if ((item.events & ~MODES) === 0) return 0;
    const now = readiness(item.file) & (item.events | POLLERR | POLLHUP);
    if ((item.events & EPOLLET) === 0) return now;
    // Nothing is told twice before it has changed: gone and come back, or more to read than there was, or room again.
    const amount = happened(item);
    if (amount > item.amount) item.told = 0;
    item.amount = amount;
    item.told &= now;
    return now & ~item.told;
  }

  /** Up to `most` events, each taken note of as told. Who has been told goes to the end, so that all have their turn. */
  take(most: number): EpollEvent[] {
    this.sweep();
    const taken: EpollEvent[] = [];
    for (const [key, item] of [...this.items]) {
      if (taken.length === most) break;
      const events = this.due(item);
      if (events === 0) continue;
      taken.push({ events, data: item.data });
      item.told |= events;
      if (item.events & EPOLLONESHOT) item.events &= MODES;
      this.items.delete(key);
      this.items.set(key, item);
    }
    return taken;
  }

  override readable(): boolean {
    this.sweep();
    return [...this.items.values()].some((item) => this.due(item) !== 0);
  }
  override writable(): boolean {
    return false;
  }
  override waitables(): Waitables {
    this.sweep();
    const { queues, streams } = waitablesOf([...this.items.values()].map(({ file }) => file));
    return { queues: [this.queue, ...queues], streams };
  }

  override get details(): string {
    return [...this.items.values()]
      .map(({ fd, file, events, data }) => {
        const { ino, dev } = file.stat();
        const [mask, value] = [(events >>> 0).toString(16), BigInt.asUintN(64, data).toString(16)];
        return (
          `tfd: ${String(fd).padStart(8)} events: ${mask.padStart(8)} data: ${value.padStart(16)}  ` +
          `pos:${file.position} ino:${ino.toString(16)} sdev:${dev.toString(16)}\n`
        );
      })
      .join("");
  }

  override freeze(tables: FreezeContext): Partial<OpenFileSnapshot> {
    this.sweep();
    const items = [...this.items.values()].map((item) => {
      // Counts begin anew after a thaw: what has happened is seen now.
      this.due(item);
      const { file, fd, events, data, told, amount } = item;
      return {
        fd,
        events,
        data,
        told,
        amount: file.arrivals === undefined ? amount : 0,
        openFile: tables.add(file),
      };
    });
    return { state: { kind: "epoll", items } };
  }

  /** Takes what `freeze` wrote, once everything is open again. Throws EINVAL. */
  resume(items: EpollState["items"], opened: readonly OpenFile[]): void {
    for (const { fd, openFile, events, data, told, amount } of items) {
      const file =
        opened[openFile] ?? fail("EINVAL", `an epoll set has open file ${openFile}, which is not there`);
      this.add(fd, file, { events, data });
      const item = this.items.get(this.keyOf(file, fd))!;
      Object.assign(item, { told, amount: file.arrivals === undefined ? amount : happened(item) });
    }
  }
}

/** An epoll set of a snapshot; what is in it comes when all is open. */
export function thawEpoll(snapshot: OpenFileSnapshot, context: ThawContext): OpenFile {
  const { items } = needState(snapshot, "epoll");
  if (items.length > MOST) return cannot(snapshot, `a set of ${items.length} is too large`);
  const file = new EpollFile(context.system.newInode());
  context.whenOpened((opened) => file.resume(items, opened));
  return file;
}
