/** epoll(7): sets of descriptions that are watched for what a guest is interested in. */
import type { EpollState, OpenFileSnapshot } from "../../snapshot.ts";
import { WaitQueue, type Waiter } from "../wait-queue.ts";
import { AnonymousFile } from "./anonymous-file.ts";
import type { FreezeContext } from "./freeze-context.ts";
import type { OpenFile, Waitables } from "./open-file.ts";
import {
  amountIn,
  POLLERR,
  POLLHUP,
  POLLOUT,
  POLLWRBAND,
  POLLWRNORM,
  readiness,
  waitablesOf,
} from "./readiness.ts";
import { fail } from "./synthetic.ts";
import { cannot, needState, type ThawContext } from "./thaw-context.ts";

export const EPOLLEXCLUSIVE = 1 << 28;
export const EPOLLWAKEUP = 1 << 29;
export const EPOLLONESHOT = 1 << 30;
export const EPOLLET = 1 << 31;
/** What of an interest is no event. */
const MODES = EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET;
/** The events that room brings; all others come with what arrives. */
const ROOM = POLLOUT | POLLWRNORM | POLLWRBAND;

/** Most descriptions in one set, and sets below one that is in another (Linux: EP_MAX_NESTS). */
export const MOST = 65536;
const MOST_NESTED = 4;

/** What epoll_wait(2) tells of one description. */
export interface EpollEvent {
  events: number;
  data: bigint;
}

/** One description as a set has it: by the descriptor it was added with. It is in all queues that tell of a change. */
class Item implements Waiter {
  readonly fd: number;
  readonly file: OpenFile;
  /** EPOLL* bits; no events once a one-shot interest has been told of. */
  events: number;
  data: bigint;
  /** EPOLLET: what was told already, and how much there was to read or had happened then. */
  told = 0;
  amount = 0;
  private readonly set: EpollFile;
  private queues: readonly WaitQueue[] = [];

  constructor(set: EpollFile, fd: number, file: OpenFile, { events, data }: EpollEvent) {
    this.set = set;
    this.fd = fd;
    this.file = file;
    this.events = events;
    this.data = data;
  }

  watch(): void {
    this.unwatch();
    this.queues = this.file.waitables().queues ?? [];
    for (const queue of this.queues) queue.add(this);
  }
  unwatch(): void {
    for (const queue of this.queues) queue.remove(this);
  }
  /** Something has changed. */
  wake(): void {
    this.watch();
    this.set.stir(this);
  }

  /**
   * Whether something of interest has happened since it was asked last, so that all is to be told anew. To have been
   * woken is something where the file doesn't count.
   */
  noteNews(isWoken = false): boolean {
    const { file, events, amount } = this;
    const { arrivals, vacancies } = file;
    if (arrivals === undefined) this.amount = amountIn(file);
    else this.amount = (events & ~MODES & ~ROOM ? arrivals : 0) + (events & ROOM ? vacancies : 0);
    const isNews = arrivals === undefined ? isWoken || this.amount > amount : this.amount !== amount;
    if (isNews) this.told = 0;
    return isNews;
  }

  /** The events of interest that are to be told of. */
  due(): number {
    if ((this.events & ~MODES) === 0) return 0;
    const now = readiness(this.file) & (this.events | POLLERR | POLLHUP);
    if ((this.events & EPOLLET) === 0) return now;
    // Nothing is told twice before it has changed: gone and come back, or more of it than there was.
    this.noteNews();
    this.told &= now;
    return now & ~this.told ? now : 0;
  }
}

export class EpollFile extends AnonymousFile {
  private readonly items = new Map<OpenFile, Item[]>();
  private size = 0;
  /** What may be ready, in the order in which it has become so (Linux: rdllist). Everything else in the set is not. */
  private readonly ready = new Set<Item>();
  private readonly queue = new WaitQueue();
  /** Counts what has happened to what is in it. */
  private news = 0;

  constructor() {
    super("eventpoll", { flags: 0 });
  }

  override get hasReading(): boolean {
    return false;
  }
  override get hasWriting(): boolean {
    return false;
  }

  private find(fd: number, file: OpenFile): Item | undefined {
    return this.items.get(file)?.find((item) => item.fd === fd);
  }
  private list(): Item[] {
    return [...this.items.values()].flat();
  }

  /** EPOLL_CTL_ADD. Throws EEXIST, ENOSPC, ELOOP for sets in a circle. */
  add(fd: number, file: OpenFile, interest: EpollEvent): void {
    this.stir(this.insert(fd, file, interest));
  }
  private insert(fd: number, file: OpenFile, interest: EpollEvent): Item {
    if (file instanceof EpollFile && (file.holds(this, 0) || file.depth() > MOST_NESTED)) fail("ELOOP");
    if (this.find(fd, file) !== undefined) fail("EEXIST");
    if (this.size >= MOST) fail("ENOSPC");
    const item = new Item(this, fd, file, interest);
    const others = this.items.get(file);
    if (others === undefined) this.items.set(file, [item]);
    else others.push(item);
    this.size++;
    (file.sets ??= new Set()).add(this);
    item.watch();
    return item;
  }
  /** EPOLL_CTL_MOD. Throws ENOENT, EINVAL for an exclusive interest. */
  change(fd: number, file: OpenFile, interest: EpollEvent): void {
    const item = this.find(fd, file) ?? fail("ENOENT");
    if (item.events & EPOLLEXCLUSIVE) fail("EINVAL");
    Object.assign(item, interest, { told: 0, amount: 0 });
    this.stir(item);
  }
  /** EPOLL_CTL_DEL. Throws ENOENT. */
  remove(fd: number, file: OpenFile): void {
    const item = this.find(fd, file) ?? fail("ENOENT");
    const others = this.items.get(file)!.filter((other) => other !== item);
    this.forget(item);
    if (others.length > 0) this.items.set(file, others);
    else this.leave(file);
  }
  /** A description is open nowhere any more. */
  closed(file: OpenFile): void {
    for (const item of this.items.get(file) ?? []) this.forget(item);
    this.leave(file);
  }
  private forget(item: Item): void {
    item.unwatch();
    this.ready.delete(item);
    this.size--;
  }
  private leave(file: OpenFile): void {
    this.items.delete(file);
    file.sets?.delete(this);
  }
  override close(): void {
    for (const file of [...this.items.keys()]) this.closed(file);
  }

  private holds(file: EpollFile, depth: number): boolean {
    if (file === this || depth > MOST_NESTED) return true;
    return [...this.items.keys()].some((each) => each instanceof EpollFile && each.holds(file, depth + 1));
  }
  private depth(): number {
    const below = [...this.items.keys()].map((file) => (file instanceof EpollFile ? file.depth() : 0));
    return 1 + Math.max(0, ...below);
  }

  /** Something has happened to a description, or to what of it is of interest (Linux: ep_poll_callback). */
  stir(item: Item): void {
    const isNews = item.noteNews(true);
    if (item.due() === 0 && !item.file.mustBeAsked) return;
    if (isNews) this.news++;
    this.ready.add(item);
    this.queue.wake();
  }

  /** What is found not to be ready waits until something happens to it. */
  private settle(item: Item): void {
    if (item.file.mustBeAsked) return;
    this.ready.delete(item);
    item.watch();
  }

  /** Up to `most` events, each taken note of as told. Who has been told goes to the end, so that all have their turn. */
  take(most: number): EpollEvent[] {
    const taken: EpollEvent[] = [];
    let left = this.ready.size;
    for (const item of this.ready) {
      if (taken.length === most || left-- === 0) break;
      const events = item.due();
      if (events === 0) {
        this.settle(item);
        continue;
      }
      taken.push({ events, data: item.data });
      item.told |= events;
      if (item.events & EPOLLONESHOT) item.events &= MODES;
      this.ready.delete(item);
      if ((item.events & (EPOLLET | EPOLLONESHOT)) === 0 || item.file.mustBeAsked) this.ready.add(item);
    }
    return taken;
  }

  override readable(): boolean {
    for (const item of this.ready) {
      if (item.due() !== 0) return true;
      this.settle(item);
    }
    return false;
  }
  override writable(): boolean {
    return false;
  }
  override get arrivals(): number {
    return this.news;
  }
  override get mustBeAsked(): boolean {
    for (const { file } of this.ready) if (file.mustBeAsked) return true;
    return false;
  }
  override waitables(): Waitables {
    const asked = [...this.ready].map(({ file }) => file).filter(({ mustBeAsked }) => mustBeAsked);
    const { queues, streams } = waitablesOf(asked);
    return { queues: [this.queue, ...queues], streams };
  }

  override get details(): string {
    return this.list()
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
    const items = [...new Set([...this.ready, ...this.list()])].map((item) => {
      item.noteNews();
      const { fd, file, events, data, told } = item;
      // Counts begin anew after a thaw.
      const amount = file.arrivals === undefined ? item.amount : 0;
      return { fd, openFile: tables.add(file), events, data, told, amount };
    });
    return { state: { kind: "epoll", items } };
  }

  /** Takes what `freeze` wrote, once everything is open again. Throws EINVAL. */
  resume(items: EpollState["items"], opened: readonly OpenFile[]): void {
    for (const { fd, openFile, events, data, told, amount } of items) {
      const file =
        opened[openFile] ?? fail("EINVAL", `an epoll set has open file ${openFile}, which is not there`);
      const item = this.insert(fd, file, { events, data });
      item.amount = amount;
      if (file.arrivals !== undefined) item.noteNews();
      item.told = told;
      this.ready.add(item);
    }
  }
  /** After a thaw, when it can be known: whatever is not ready. */
  settleAll(): void {
    for (const item of this.ready) if (item.due() === 0) this.settle(item);
  }
}

/** An epoll set of a snapshot; what is in it comes when all is open. */
export function thawEpoll(snapshot: OpenFileSnapshot, context: ThawContext): OpenFile {
  const { items } = needState(snapshot, "epoll");
  if (items.length > MOST) return cannot(snapshot, `a set of ${items.length} is too large`);
  const file = new EpollFile();
  context.whenOpened((opened) => file.resume(items, opened));
  context.atEnd(() => file.settleAll());
  return file;
}
