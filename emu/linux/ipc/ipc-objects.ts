/** All System V objects of a machine, and how they are frozen and thawed. */
import type { SharedObject } from "../../memory/shared-object.ts";
import type { IpcSnapshot } from "../../ipc-snapshot.ts";
import { MessageQueues } from "./message-queues.ts";
import { type Attacher, Segments } from "./segments.ts";
import { Semaphores } from "./semaphores.ts";

export class IpcObjects {
  readonly semaphores = new Semaphores();
  readonly messages = new MessageQueues();
  readonly segments: Segments;

  constructor(attachers: () => ReadonlyMap<number, Attacher>) {
    this.segments = new Segments(attachers);
  }

  private get tables() {
    return [this.semaphores, this.messages, this.segments] as const;
  }

  /** Undefined where there has never been any. */
  freeze(index: (object: SharedObject) => number): IpcSnapshot | undefined {
    if (this.tables.every(({ last }) => last < 0)) return undefined;
    return {
      places: this.tables.map(({ last, sequence }) => ({ last, sequence })),
      semaphores: [...this.semaphores.values()].map((set) => set.freeze()),
      messages: [...this.messages.values()].map((queue) => queue.freeze()),
      segments: this.segments.freeze(index),
    };
  }

  /** Throws RangeError for what makes no sense. */
  thaw(snapshot: IpcSnapshot | undefined, objects: readonly SharedObject[]): void {
    if (snapshot === undefined) return;
    this.semaphores.thaw(snapshot.semaphores);
    this.messages.thaw(snapshot.messages);
    this.segments.thaw(snapshot.segments, objects);
    this.tables.forEach((table, which) => {
      const { last = -1, sequence = 0 } = snapshot.places[which] ?? {};
      if (last < -1 || last >= 32768 || sequence < 0 || sequence >= 65536)
        throw new RangeError("System V ids");
      Object.assign(table, { last, sequence });
    });
  }
}
