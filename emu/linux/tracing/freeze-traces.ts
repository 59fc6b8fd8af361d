/** Who traces whom, in a snapshot and out of it. */
import type { MachineSnapshot, TraceSnapshot, TraceStopSnapshot } from "../../snapshot.ts";
import { checkSignal } from "../signals/signal-numbers.ts";
import type { System } from "../system.ts";
import { PTRACE_OPTIONS } from "./tracee.ts";
import { attach } from "./tracing.ts";

type Traces = NonNullable<MachineSnapshot["traces"]>;

const copyOf = (stop: TraceStopSnapshot): TraceStopSnapshot => ({
  ...stop,
  info: stop.info && { ...stop.info },
});

/** Nothing where nobody traces anybody. */
export function freezeTraces({ processes }: System): { traces?: Traces } {
  const tracees: TraceSnapshot[] = [];
  const ends: Traces["ends"] = [];
  for (const process of processes.values()) {
    for (const end of process.traceEnds) ends.push({ tracer: process.pid, ...end });
    for (const { tid, trace } of process.tracees) {
      const { tracer, stop, due, inject, ...rest } = trace!;
      tracees.push({
        tid,
        tracer: tracer.pid,
        ...rest,
        stop: stop && copyOf(stop),
        due: due.map(copyOf),
        inject: inject && { ...inject },
      });
    }
  }
  return tracees.length + ends.length > 0 ? { traces: { tracees, ends } } : {};
}

/** Takes a snapshot's up, when all threads are there. Throws RangeError. */
export function thawTraces(kernel: System, traces: Traces = { tracees: [], ends: [] }): void {
  for (const { tid, tracer: pid, stop, due, inject, seized, options, ...rest } of traces.tracees) {
    const thread = kernel.thread(tid);
    const tracer = kernel.processes.get(pid);
    if (
      thread === undefined ||
      tracer === undefined ||
      tracer.exitStatus !== null ||
      thread.process === tracer ||
      thread.trace !== undefined
    )
      throw new RangeError(`thread ${tid} can't be traced by process ${pid}`);
    // Those of stops are only shown; the tracer may have set any (PTRACE_SETSIGINFO).
    if (inject !== null) checkSignal(inject.signo, "a tracee", false);
    if (stop !== null && thread.state !== "stopped") throw new RangeError(`thread ${tid} is not stopped`);
    const trace = attach(thread, tracer, { seized, options: options & PTRACE_OPTIONS });
    Object.assign(trace, { ...rest, stop: stop && copyOf(stop), due: due.map(copyOf), inject });
  }
  for (const { tracer: pid, ...end } of traces.ends) {
    const tracer = kernel.processes.get(pid);
    if (tracer === undefined || tracer.exitStatus !== null)
      throw new RangeError(`process ${pid} traces nobody`);
    tracer.traceEnds.push(end);
    const held = kernel.processes.get(end.tid);
    if (held !== undefined && held.exitStatus !== null && held.parent !== tracer) held.heldBy = tracer;
  }
}
