/** futex_waitv(2): waits on several words at once (Linux: kernel/futex/syscalls.c). */
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from "../clock.ts";
import { struct } from "../abi.ts";
import { EAGAIN, EINVAL, SysError } from "../errno.ts";
import { ANY_BIT } from "../futex-table.ts";
import { pointer, type SyscallContext, type SyscallHandler } from "../syscall.ts";
import { MOST_WORDS } from "../wait-queue.ts";
import { checkDeadline, deadlineArg, FUTEX_PRIVATE, futexAt } from "./futex-common.ts";

/** The word has 32 bits. */
const FUTEX_32 = 2;

const WAITV = struct({ val: "u64", uaddr: "u64", flags: "u32", reserved: "u32" });

/** The words of the list, with the values that they shall have. */
function readWords(ctx: SyscallContext): { address: number; value: number }[] {
  const list = ctx.args.address(0);
  const size = WAITV.size(ctx.abi);
  return Array.from({ length: ctx.args.uint(1) }, (_, index) => {
    const { val, uaddr, flags, reserved } = ctx.get(WAITV, list + index * size);
    if (flags & ~(FUTEX_32 | FUTEX_PRIVATE) || reserved !== 0 || !(flags & FUTEX_32)) {
      throw new SysError(EINVAL);
    }
    if (uaddr % 4n !== 0n) throw new SysError(EINVAL);
    return { address: pointer(uaddr), value: Number(BigInt.asIntN(32, val)) };
  });
}

export const waitv: SyscallHandler = (ctx) => {
  const { args, memory, thread, resumed } = ctx;
  const count = args.uint(1);
  if (args.uint(2) !== 0 || count === 0 || count > MOST_WORDS || args.word(0) === 0n)
    throw new SysError(EINVAL);
  const clock = args.int(4);
  if (args.word(3) !== 0n && clock !== CLOCK_REALTIME && clock !== CLOCK_MONOTONIC)
    throw new SysError(EINVAL);
  const deadline = deadlineArg(ctx, "time64", true, clock === CLOCK_REALTIME);
  if (resumed?.state.kind === "woken") return resumed.state.index;
  const words = readWords(ctx);
  const stillWaits = resumed?.phase === "waiting";
  for (const { address, value } of words) {
    if (memory.read32(address) !== value && !stillWaits) throw new SysError(EAGAIN);
  }
  checkDeadline(ctx, deadline);
  // After a thaw it waits where it had been moved to.
  const isMoved = stillWaits && resumed.state.kind === "words" && resumed.state.addresses.length === count;
  const addresses = isMoved ? resumed.state.addresses : words.map(({ address }) => address);
  const queues = addresses.map((address, index) => {
    const futex = futexAt(ctx, address);
    futex.enlist(thread, { kind: "value", bits: ANY_BIT, among: { index, addresses } });
    return futex;
  });
  return ctx.wait({ queues, deadline, state: isMoved ? resumed.state : undefined });
};
