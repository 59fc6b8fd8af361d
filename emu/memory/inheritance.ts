/**
 * What a forked address space has yet to take from the one it was forked from. A fork copies no page: the child takes
 * a page when it first touches it, and before the parent changes a page it saves it for the heirs that still want it.
 */
import { PAGE_SIZE } from "./layout.ts";

/** What an address space tells of its pages. */
export interface Testator {
  peek(address: number, length: number): Uint8Array;
  /** Whether `page` has yet to be taken from the parent. */
  isInherited(page: number): boolean;
}

/** One address space's part in it, as heir and as the one that others inherit from. Pages are the guest's. */
export class Inheritance {
  private readonly space: Testator;
  private parent: Inheritance | undefined;
  /** Pages as they were at the fork that the parent has changed since, in guest order; and what makes those that nobody has looked at yet. */
  private readonly saved = new Map<number, Uint8Array | (() => Uint8Array)>();
  /** Those forked from this one that may still have something to take. */
  private readonly heirs = new Set<Inheritance>();

  constructor(space: Testator) {
    this.space = space;
  }

  /** Whether there may be pages that have yet to be taken. */
  get isHeir(): boolean {
    return this.parent !== undefined || this.saved.size > 0;
  }

  /** From now on what this space has yet to take is to be had from `parent`. */
  beginFrom(parent: Inheritance): void {
    this.parent = parent;
    parent.heirs.add(this);
  }

  /** The bytes of a page that has yet to be taken. */
  bytes(page: number): Uint8Array {
    const saved = this.saved.get(page) ?? this.parent!.space.peek(page * PAGE_SIZE, PAGE_SIZE);
    return typeof saved === "function" ? saved() : saved;
  }

  /** Has a page taken from `make` instead of a parent. */
  leave(page: number, make: () => Uint8Array): void {
    this.saved.set(page, make);
  }

  /** A page has been taken, or is not wanted any more. */
  settle(page: number): void {
    this.saved.delete(page);
  }

  /** Called before a page changes or goes: saves it for the heirs that have yet to take it. */
  keep(page: number): void {
    let bytes: Uint8Array | undefined;
    for (const heir of this.heirs) {
      if (!heir.space.isInherited(page) || heir.saved.has(page)) continue;
      heir.saved.set(page, (bytes ??= this.space.peek(page * PAGE_SIZE, PAGE_SIZE)));
    }
  }

  /** The space is to be as a new one. All of its pages have gone before: heirs keep what was saved for them. */
  end(): void {
    this.parent?.heirs.delete(this);
    this.parent = undefined;
    this.heirs.clear();
  }
}
