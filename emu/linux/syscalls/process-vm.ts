/** System calls on the memory of other processes (Linux: mm/process_vm_access.c). */
import { GuestFault } from "../../cpu/fault.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/layout.ts";
import { PROT_READ } from "../../memory/vma.ts";
import { EFAULT, EINVAL, EPERM, noProcess, SysError } from "../errno.ts";
import { CAP_SYS_PTRACE, type Credentials, isCapable } from "../credentials.ts";
import type { Process } from "../process.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";
import type { Thread } from "../thread.ts";
import { type Span, vectorArg } from "./files-common.ts";

/** Throws EPERM where a thread may not see what another, or the first one of a process, has (Linux: ptrace_may_access). */
export function checkAccess({ process, credentials: mine }: Thread, other: Thread | Process): void {
  const its = other.credentials;
  const owner = "process" in other ? other.process : other;
  if (process === owner || isCapable(mine, CAP_SYS_PTRACE)) return;
  const isOwn =
    [its.uid, its.euid, its.suid].every((uid) => uid === mine.uid) &&
    [its.gid, its.egid, its.sgid].every((gid) => gid === mine.gid);
  const isOpen = isOwn && owner.prctl.dumpable === 1;
  if (!isOpen || !hasNoMore(its, mine)) throw new SysError(EPERM);
}

/** Whether somebody may become capable of nothing that another could not. */
export const hasNoMore = (one: Credentials, other: Credentials): boolean =>
  (one.permitted & ~other.permitted) === 0n;

/** The process of the thread that the first argument names, whose memory the caller may see. Throws ESRCH, EPERM. */
export function targetArg(ctx: SyscallContext): Process {
  const tid = ctx.args.int(0);
  const thread = ctx.kernel.thread(tid);
  if (thread === undefined) throw noProcess(tid);
  checkAccess(ctx.thread, thread);
  return thread.process;
}

/** Buffers as one row of bytes: pieces of at most a page, none of which crosses into another page. */
function* piecesOf(spans: readonly Span[]): Generator<Span> {
  for (const { address, length } of spans) {
    for (let done = 0; done < length; ) {
      const at = address + done;
      const part = Math.min(length - done, PAGE_SIZE - (at % PAGE_SIZE));
      yield { address: at, length: part };
      done += part;
    }
  }
}

/** What is there of a process for others to read, which the protection must say itself (Linux: check_vma_flags). */
const readOf =
  (memory: AddressSpace): Reader =>
  (address, length) => {
    const area = memory.areas.find(address);
    if (area !== undefined && !(area.prot & PROT_READ))
      throw new GuestFault("data-protected", BigInt(address), false);
    return memory.read(address, length);
  };

type Reader = (address: number, length: number) => Uint8Array;

/** Copies between address spaces as much as both sides have; throws EFAULT where the first byte cannot be copied. */
function transfer(
  read: Reader,
  sources: readonly Span[],
  to: AddressSpace,
  targets: readonly Span[],
): number {
  const room = targets.reduce((sum, { length }) => sum + length, 0);
  const into = piecesOf(targets);
  let place: Span = { address: 0, length: 0 };
  let moved = 0;
  try {
    for (const { address, length } of piecesOf(sources)) {
      const bytes = read(address, Math.min(length, room - moved));
      for (let done = 0; done < bytes.length; ) {
        if (place.length === 0) place = into.next().value as Span;
        const part = Math.min(place.length, bytes.length - done);
        to.write(place.address, bytes.subarray(done, done + part));
        place = { address: place.address + part, length: place.length - part };
        done += part;
        moved += part;
      }
      if (moved === room) break;
    }
  } catch (error) {
    if (!(error instanceof GuestFault)) throw error;
    if (moved === 0) throw new SysError(EFAULT);
  }
  return moved;
}

const isEmpty = (spans: readonly Span[]): boolean => spans.every(({ length }) => length === 0);

const access =
  (isWrite: boolean): SyscallHandler =>
  (ctx) => {
    if (ctx.args.ulong(5) !== 0n) throw new SysError(EINVAL);
    const local = vectorArg(ctx, 1, 2);
    if (isEmpty(local)) return 0;
    // The vectors are both the caller's; what the second points to is the other's.
    const remote = vectorArg(ctx, 3, 4, false);
    // Nobody asks then whether there is such a process.
    if (isEmpty(remote)) return 0;
    const { memory } = targetArg(ctx);
    return isWrite
      ? transfer((address, length) => ctx.memory.read(address, length), local, memory, remote)
      : transfer(readOf(memory), remote, ctx.memory, local);
  };

export const PROCESS_VM_SYSCALLS: readonly SyscallRow[] = [
  { name: "process_vm_readv", args: "int ptr ulong ptr ulong ulong", handler: access(false) },
  { name: "process_vm_writev", args: "int ptr ulong ptr ulong ulong", handler: access(true) },
];
