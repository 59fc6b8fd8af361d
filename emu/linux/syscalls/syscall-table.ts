/** All system calls that have handlers. */
import { lazily } from "../../lazily.ts";
import type { AbiInfo } from "../abi.ts";
import type { SyscallRow } from "../syscall.ts";
import { AIO_SYSCALLS } from "./aio.ts";
import { CLONE_SYSCALLS } from "./clone.ts";
import { SECCOMP_SYSCALLS } from "./confinement.ts";
import { EPOLL_SYSCALLS } from "./epoll.ts";
import { PROCESS_SYSCALLS } from "./exec-exit.ts";
import { FILE_ATTRIBUTE_CALLS } from "./files-attributes.ts";
import { FILE_HANDLE_CALLS } from "./file-handles.ts";
import { FILE_IO_CALLS } from "./files-io.ts";
import { FILE_LOCK_CALLS } from "./files-locks.ts";
import { FILE_NAME_CALLS } from "./files-names.ts";
import { FILE_OPEN_CALLS } from "./files-open.ts";
import { FILE_STAT_CALLS } from "./files-stat.ts";
import { FUTEX_SYSCALLS } from "./futex.ts";
import { IDENTITY_SYSCALLS } from "./identity.ts";
import { INOTIFY_SYSCALLS } from "./inotify.ts";
import { IO_PRIORITY_SYSCALLS } from "./io-priority.ts";
import { IOCTL_CALLS } from "./ioctl.ts";
import { KCMP_SYSCALLS } from "./kcmp.ts";
import { LIMIT_SYSCALLS } from "./limits.ts";
import { ADVICE_SYSCALLS } from "./memory-advice.ts";
import { LOCK_SYSCALLS } from "./memory-locks.ts";
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
import { SIGNAL_SYSCALLS } from "./signals.ts";
import { SIGNALFD_SYSCALLS } from "./signalfd.ts";
import { SOCKET_SYSCALLS } from "./socketcall.ts";
import { SPLICE_CALLS } from "./splice.ts";
import { syscallName } from "./syscall-numbers.ts";
import { SYSV_SYSCALLS } from "./sysv.ts";
import { TIME_SYSCALLS } from "./time.ts";
import { TIMERFD_SYSCALLS } from "./timerfd.ts";
import { TIMER_SYSCALLS } from "./timers.ts";
import { WAIT_SYSCALLS } from "./wait.ts";

/**
 * The rows of all areas, in the order in which programs come to need them: what every one does, what most do, the rest. The later ones are
 * asked for, and with that loaded (`rolldown.config.mjs`), when a program makes a call that is not in those before.
 */
const STAGES: readonly (() => readonly SyscallRow[])[] = [
  () => [...PROCESS_SYSCALLS, ...FILE_IO_CALLS],
  () => [
    ...MEMORY_SYSCALLS,
    ...FILE_OPEN_CALLS,
    ...FILE_STAT_CALLS,
    ...FILE_NAME_CALLS,
    ...FILE_ATTRIBUTE_CALLS,
    ...FILE_LOCK_CALLS,
    ...IOCTL_CALLS,
    ...IDENTITY_SYSCALLS,
    ...LIMIT_SYSCALLS,
    ...MISC_SYSCALLS,
    ...ADVICE_SYSCALLS,
    ...FUTEX_SYSCALLS,
    ...SIGNAL_SYSCALLS,
    ...TIME_SYSCALLS,
  ],
  () => [
    ...CLONE_SYSCALLS,
    ...WAIT_SYSCALLS,
    ...POLL_SYSCALLS,
    ...EPOLL_SYSCALLS,
    ...PRCTL_SYSCALLS,
    ...SECCOMP_SYSCALLS,
    ...SCHED_SYSCALLS,
    ...PRIORITY_SYSCALLS,
    ...IO_PRIORITY_SYSCALLS,
    ...LOCK_SYSCALLS,
    ...MEMPOLICY_SYSCALLS,
    ...PROCESS_VM_SYSCALLS,
    ...PTRACE_SYSCALLS,
    ...KCMP_SYSCALLS,
    ...SPLICE_CALLS,
    ...INOTIFY_SYSCALLS,
    ...SOCKET_SYSCALLS,
    ...TIMER_SYSCALLS,
    ...TIMERFD_SYSCALLS,
    ...SIGNALFD_SYSCALLS,
    ...PIDFD_SYSCALLS,
    ...SYSV_SYSCALLS,
    ...MQUEUE_SYSCALLS,
    ...AIO_SYSCALLS,
    ...FILE_HANDLE_CALLS,
  ],
];

/** Every row of every area. */
export const syscallRows = (): SyscallRow[] => STAGES.flatMap((rows) => rows());

/** The rows of each stage by the calls' names. */
const BY_NAME = STAGES.map((rows) => lazily(() => new Map(rows().map((row) => [row.name, row]))));

function rowNamed(name: string): SyscallRow | undefined {
  for (const rows of BY_NAME) {
    const row = rows().get(name);
    if (row !== undefined) return row;
  }
  return undefined;
}

/** More than there are calls. */
const MOST_COMMON = 512;

/** The system calls of an ABI. */
export class SyscallTable {
  private readonly abi: AbiInfo;
  /** Those that have been made, by small number. */
  private readonly common: (SyscallRow | undefined)[] = new Array(MOST_COMMON).fill(undefined);
  private readonly extra: ReadonlyMap<number, SyscallRow>;

  /** `extra` are calls besides Linux's. */
  constructor(abi: AbiInfo, extra: ReadonlyMap<number, SyscallRow>) {
    this.abi = abi;
    this.extra = extra;
  }

  /** The row of a number; undefined where there is no such call, or no handler. */
  row(number: number): SyscallRow | undefined {
    const common = this.common[number];
    if (common !== undefined) return common;
    const row = this.find(number);
    if (row !== undefined && number < MOST_COMMON) this.common[number] = row;
    return row;
  }
  private find(number: number): SyscallRow | undefined {
    const name = syscallName(this.abi, number);
    return this.extra.get(number) ?? (name === undefined ? undefined : rowNamed(name));
  }
}
