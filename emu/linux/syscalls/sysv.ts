/** ipc(2): all calls on System V objects in one (Linux: ipc/syscall.c). */
import { EINVAL, ENOSYS, SysError } from "../errno.ts";
import { pointer as addressOf, type SyscallContext, type SyscallRow } from "../syscall.ts";
import { SEGMENT_CALLS, shmat, shmctl, shmdt, shmget } from "./sysv-memory.ts";
import { MESSAGE_CALLS, msgctl, msgget, msgrcv, msgsnd } from "./sysv-messages.ts";
import { SEMAPHORE_CALLS, semctl, semget, semtimedop } from "./sysv-semaphores.ts";

/** The arguments of ipc(2) after the number of the call: three numbers, a pointer and one more. */
function ipc(ctx: SyscallContext): number {
  const version = ctx.args.uint(0) >>> 16;
  const [first, second, third, pointer, fifth] = [1, 2, 3, 4, 5].map((n) => ctx.args.word(n));
  const at = () => addressOf(pointer);
  const inner = (...words: bigint[]) => ctx.withArguments(words);
  switch (ctx.args.uint(0) & 0xffff) {
    case 1:
      return semtimedop(inner(first, pointer, second), 0, "native");
    case 2:
      return semget(inner(first, second, third));
    case 3:
      if (pointer === 0n) throw new SysError(EINVAL);
      return semctl(inner(first, second, third), ctx.getWord(at()));
    case 4:
      return semtimedop(inner(first, pointer, second), addressOf(fifth), "native");
    case 11:
      return msgsnd(inner(first), at(), sizeOf(ctx, second), int(third));
    case 12: {
      if (version !== 0)
        return msgrcv(inner(first), pointer, sizeOf(ctx, second), long(ctx, fifth), int(third));
      if (pointer === 0n) throw new SysError(EINVAL);
      const buffer = ctx.getWord(at());
      const type = ctx.getWord(at() + ctx.abi.wordSize);
      return msgrcv(inner(first), buffer, sizeOf(ctx, second), long(ctx, type), int(third));
    }
    case 13:
      return msgget(inner(first, second));
    case 14:
      return msgctl(inner(first, second), at());
    case 21: {
      if (version === 1) throw new SysError(EINVAL);
      const result = addressOf(third);
      ctx.memory.checkStore(result, ctx.abi.wordSize);
      ctx.putWord(result, shmat(inner(first), pointer, int(second)));
      return 0;
    }
    case 22:
      return shmdt(ctx, pointer);
    case 23:
      return shmget(inner(first, second, third));
    case 24:
      return shmctl(inner(first, second), at());
  }
  throw new SysError(ENOSYS);
}

const int = (word: bigint): number => Number(BigInt.asIntN(32, word));
const long = ({ abi }: SyscallContext, word: bigint): bigint => BigInt.asIntN(8 * abi.wordSize, word);
/** The number in the second place is unsigned long where a size stands there. */
const sizeOf = ({ abi }: SyscallContext, word: bigint): bigint => BigInt.asUintN(8 * abi.wordSize, word);

export const SYSV_SYSCALLS: readonly SyscallRow[] = [
  ...SEMAPHORE_CALLS,
  ...MESSAGE_CALLS,
  ...SEGMENT_CALLS,
  { name: "ipc", args: "uint long long long ptr long", handler: ipc },
];
