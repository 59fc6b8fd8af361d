/** pidfd_open(2): a process as a descriptor, which never comes to mean another one. */
import type { OpenFileSnapshot } from "../../snapshot.ts";
import { INIT } from "../errno.ts";
import type { Process } from "../process.ts";
import type { FileMachine } from "../system.ts";
import { AnonymousFile } from "./anonymous-file.ts";
import { O_NONBLOCK } from "./constants.ts";
import type { OpenFile, Waitables } from "./open-file.ts";
import { fail } from "./synthetic.ts";
import { cannot, needState, type ThawContext } from "./thaw-context.ts";

export class PidFile extends AnonymousFile {
  private readonly machine: FileMachine;
  /** Its process; after a thaw a number, until the processes are there. 0: one that has been forgotten. */
  private subject: Process | number;

  constructor(options: { subject: Process | number; flags: number; machine: FileMachine }) {
    super("pidfd", options);
    this.subject = options.subject;
    this.machine = options.machine;
  }

  override get hasReading(): boolean {
    return false;
  }
  override get hasWriting(): boolean {
    return false;
  }

  /** The process while it lives, or has ended and has not been waited for. */
  get process(): Process | undefined {
    const { processes } = this.machine;
    if (this.isOutside) return undefined;
    if (typeof this.subject === "number") this.subject = processes.get(this.subject) ?? 0;
    if (this.subject === 0 || typeof this.subject === "number") return undefined;
    return processes.get(this.subject.pid) === this.subject ? this.subject : undefined;
  }

  /** It is the first process of the system, and none of the machine. */
  get isOutside(): boolean {
    return this.subject === INIT && !this.machine.processes.has(INIT);
  }

  override seek(): number {
    return fail("ESPIPE");
  }
  /** The process has ended. */
  override readable(): boolean {
    const { process } = this;
    return process === undefined ? !this.isOutside : process.exitStatus !== null;
  }
  override writable(): boolean {
    return false;
  }
  override waitables(): Waitables {
    const { process } = this;
    return process === undefined ? {} : { queues: [process.exitQueue] };
  }
  override get details(): string {
    const pid = this.isOutside ? INIT : (this.process?.pid ?? -1);
    return `Pid:\t${pid}\nNSpid:\t${pid}\n`;
  }
  override freeze(): Partial<OpenFileSnapshot> {
    return { state: { kind: "pidfd", pid: this.isOutside ? INIT : (this.process?.pid ?? 0) } };
  }
}

export function thawPidFile(snapshot: OpenFileSnapshot, { system }: ThawContext): OpenFile {
  const { pid } = needState(snapshot, "pidfd");
  const machine = system.machine ?? cannot(snapshot, "there is no machine");
  return new PidFile({ subject: pid, flags: snapshot.flags & O_NONBLOCK, machine });
}
