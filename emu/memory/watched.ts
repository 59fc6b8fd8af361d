/** The ranges of guest memory that somebody waits for accesses to: the data address breakpoint, and a debugger's. */
import { GuestFault } from "../cpu/fault.ts";
import { PAGE_SIZE } from "./layout.ts";

/** Accesses that a debugger wants to see: to the bytes from `start` up to `end`. */
export interface Watchpoint {
  readonly start: number;
  readonly end: number;
  readonly loads: boolean;
  readonly stores: boolean;
}

/** Thrown by an access that a watchpoint matches. */
export class WatchpointHit extends Error {
  readonly watchpoint: Watchpoint;
  readonly address: number;
  readonly isStore: boolean;
  constructor(watchpoint: Watchpoint, address: number, isStore: boolean) {
    super(`watchpoint at 0x${address.toString(16)}`);
    this.watchpoint = watchpoint;
    this.address = address;
    this.isStore = isStore;
  }
}

export class Watched {
  /** The DABR: doubleword address | write 2 | read 1; 0 for none. */
  breakpoint = 0n;
  watchpoints: readonly Watchpoint[] = [];
  /** The accesses are a system call's: they go on, but one that the DABR matches is noted. */
  forKernel = false;
  private matched: GuestFault | undefined;

  /** Whether there is anything to wait for. */
  get any(): boolean {
    return this.breakpoint !== 0n || this.watchpoints.length > 0;
  }

  /** The pages that accesses must not pass unseen. */
  pages(): Set<number> {
    const pages = new Set<number>();
    const { breakpoint } = this;
    if (breakpoint !== 0n) pages.add(Math.floor(Number(breakpoint) / PAGE_SIZE));
    for (const { start, end } of this.watchpoints) {
      for (let page = Math.floor(start / PAGE_SIZE); page * PAGE_SIZE < end; page++) pages.add(page);
    }
    return pages;
  }

  /** Throws the GuestFault or WatchpointHit of an access to `n` bytes, if it is one of those. */
  check(ea: number, n: number, isStore: boolean): void {
    if (this.breakpoint !== 0n) this.checkBreakpoint(ea, n, isStore);
    if (this.forKernel) return;
    for (const watchpoint of this.watchpoints) {
      const { start, end, stores, loads } = watchpoint;
      if ((isStore ? stores : loads) && ea < end && ea + n > start) {
        throw new WatchpointHit(watchpoint, ea, isStore);
      }
    }
  }

  private checkBreakpoint(ea: number, n: number, isStore: boolean): void {
    const granule = Number(BigInt.asUintN(64, this.breakpoint) & ~7n);
    if ((this.breakpoint & (isStore ? 2n : 1n)) !== 0n && ea < granule + 8 && ea + n > granule) {
      const fault = new GuestFault("breakpoint", BigInt(ea), isStore);
      if (!this.forKernel) throw fault;
      this.matched ??= fault;
    }
  }

  /** The first access of system calls that the DABR has matched; once. */
  takeMatched(): GuestFault | undefined {
    const { matched } = this;
    this.matched = undefined;
    return matched;
  }
}
