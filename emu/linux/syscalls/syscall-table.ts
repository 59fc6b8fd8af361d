/** All system calls that have handlers. */
import type { SyscallRow } from "../syscall.ts";
import { CLONE_SYSCALLS } from "./clone.ts";
import { SECCOMP_SYSCALLS } from "./confinement.ts";
import { EPOLL_SYSCALLS } from "./epoll.ts";
import { PROCESS_SYSCALLS } from "./exec-exit.ts";
import { FILE_SYSCALLS } from "./file-calls.ts";
import { FUTEX_SYSCALLS } from "./futex.ts";
import { IDENTITY_SYSCALLS } from "./identity.ts";
import { INOTIFY_SYSCALLS } from "./inotify.ts";
import { IO_PRIORITY_SYSCALLS } from "./io-priority.ts";
import { KCMP_SYSCALLS } from "./kcmp.ts";
import { LIMIT_SYSCALLS } from "./limits.ts";
import { MEMORY_SYSCALLS } from "./memory.ts";
import { MEMPOLICY_SYSCALLS } from "./mempolicy.ts";
import { MISC_SYSCALLS } from "./misc.ts";
import { MQUEUE_SYSCALLS } from "./mqueue.ts";
import { PIDFD_SYSCALLS } from "./pidfd.ts";
import { POLL_SYSCALLS } from "./poll.ts";
import { PRCTL_SYSCALLS } from "./prctl.ts";
import { PRIORITY_SYSCALLS } from "./priority.ts";
import { PROCESS_VM_SYSCALLS } from "./process-vm.ts";
import { PTRACE_SYSCALLS } from "./ptrace.ts";
import { SCHED_SYSCALLS } from "./sched.ts";
import { SIGNALFD_SYSCALLS } from "./signalfd.ts";
import { SIGNAL_SYSCALLS } from "./signals.ts";
import { SOCKET_SYSCALLS } from "./socketcall.ts";
import { SYSV_SYSCALLS } from "./sysv.ts";
import { TIME_SYSCALLS } from "./time.ts";
import { TIMERFD_SYSCALLS } from "./timerfd.ts";
import { TIMER_SYSCALLS } from "./timers.ts";
import { WAIT_SYSCALLS } from "./wait.ts";

/** Every row of every area. */
export const SYSCALL_ROWS: readonly SyscallRow[] = [
  ...MEMORY_SYSCALLS,
  ...MEMPOLICY_SYSCALLS,
  ...PROCESS_VM_SYSCALLS,
  ...PTRACE_SYSCALLS,
  ...IO_PRIORITY_SYSCALLS,
  ...KCMP_SYSCALLS,
  ...PROCESS_SYSCALLS,
  ...CLONE_SYSCALLS,
  ...WAIT_SYSCALLS,
  ...FUTEX_SYSCALLS,
  ...SCHED_SYSCALLS,
  ...IDENTITY_SYSCALLS,
  ...LIMIT_SYSCALLS,
  ...PRIORITY_SYSCALLS,
  ...PRCTL_SYSCALLS,
  ...SECCOMP_SYSCALLS,
  ...MISC_SYSCALLS,
  ...FILE_SYSCALLS,
  ...SIGNAL_SYSCALLS,
  ...TIME_SYSCALLS,
  ...TIMER_SYSCALLS,
  ...POLL_SYSCALLS,
  ...EPOLL_SYSCALLS,
  ...INOTIFY_SYSCALLS,
  ...SOCKET_SYSCALLS,
  ...TIMERFD_SYSCALLS,
  ...SIGNALFD_SYSCALLS,
  ...PIDFD_SYSCALLS,
  ...SYSV_SYSCALLS,
  ...MQUEUE_SYSCALLS,
];

/** Rows by number, for the ABI whose names by number are `names`. */
export function syscallTable(names: ReadonlyMap<number, string>): Map<number, SyscallRow> {
  const byName = new Map<string, SyscallRow>();
  for (const row of SYSCALL_ROWS) byName.set(row.name, row);
  const table = new Map<number, SyscallRow>();
  names.forEach((name, number) => {
    const row = byName.get(name);
    if (row !== undefined) table.set(number, row);
  });
  return table;
}
