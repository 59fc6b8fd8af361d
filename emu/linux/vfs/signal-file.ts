/** signalfd(2): signals that are read. Whoever reads or waits gets its own. */
import type { OpenFileSnapshot } from "../../snapshot.ts";
import { GuestBytes } from "../signals/bytes.ts";
import { putSignalfdInfo, SIGNALFD_INFO_SIZE } from "../signals/siginfo.ts";
import { takeSignal } from "../signals/signal-state.ts";
import type { FileMachine } from "../system.ts";
import type { Thread } from "../thread.ts";
import { AnonymousFile } from "./anonymous-file.ts";
import { O_NONBLOCK } from "./constants.ts";
import type { OpenFile, Waitables } from "./open-file.ts";
import { fail } from "./synthetic.ts";
import { cannot, needState, type ThawContext } from "./thaw-context.ts";

export class SignalFile extends AnonymousFile {
  /** Signals that can be read: bit n - 1 is signal n. */
  mask: bigint;
  private readonly machine: FileMachine;

  constructor(options: { mask: bigint; flags: number; machine: FileMachine }) {
    super("signalfd", options);
    this.mask = options.mask;
    this.machine = options.machine;
  }

  override get hasWriting(): boolean {
    return false;
  }

  private pendingOf({ process, signals }: Thread): bigint {
    return (signals.pending.mask | process.signals.pending.mask) & this.mask;
  }

  /** As many signals as are there and have room. */
  override read(into: Uint8Array): number | undefined {
    const { caller } = this.machine;
    const room = Math.floor(into.length / SIGNALFD_INFO_SIZE);
    if (room === 0) fail("EINVAL");
    if (caller === undefined) return undefined;
    let count = 0;
    for (; count < room; count++) {
      const info = takeSignal(caller.process, caller, this.mask);
      if (info === undefined) break;
      const out = new GuestBytes(caller.process.abi, new Uint8Array(SIGNALFD_INFO_SIZE));
      putSignalfdInfo(out, info);
      into.set(out.bytes, count * SIGNALFD_INFO_SIZE);
    }
    return count === 0 ? undefined : count * SIGNALFD_INFO_SIZE;
  }
  override get details(): string {
    return `sigmask:\t${this.mask.toString(16).padStart(16, "0")}\n`;
  }
  override readable(): boolean {
    const { caller } = this.machine;
    return caller !== undefined && this.pendingOf(caller) !== 0n;
  }
  override writable(): boolean {
    return false;
  }
  override get arrivals(): number {
    return this.machine.caller?.process.signals.arrived ?? 0;
  }
  override get mustBeAsked(): boolean {
    return true;
  }
  override waitables(): Waitables {
    const { caller } = this.machine;
    return caller === undefined ? {} : { queues: [caller.process.signals.arrivals] };
  }

  override freeze(): Partial<OpenFileSnapshot> {
    return { state: { kind: "signalfd", mask: this.mask } };
  }
}

export function thawSignalFile(snapshot: OpenFileSnapshot, { system }: ThawContext): OpenFile {
  const { mask } = needState(snapshot, "signalfd");
  const machine = system.machine ?? cannot(snapshot, "there is no machine");
  return new SignalFile({ mask, flags: snapshot.flags & O_NONBLOCK, machine });
}
