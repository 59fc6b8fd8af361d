/** socketcall(2): all calls on sockets in one, with their arguments in memory. */
import { EINVAL, SysError } from "../errno.ts";
import type { SyscallContext, SyscallHandler, SyscallResult, SyscallRow } from "../syscall.ts";
import { SOCKET_CALLS } from "./sockets.ts";
import { SOCKET_OPTION_CALLS } from "./sockets-options.ts";
import { SOCKET_TRANSFER_CALLS } from "./sockets-transfer.ts";

/** SYS_SOCKET is 1; each with the number of its arguments. */
const CALLS: readonly [name: string, count: number][] = [
  ["socket", 3],
  ["bind", 3],
  ["connect", 3],
  ["listen", 2],
  ["accept", 3],
  ["getsockname", 3],
  ["getpeername", 3],
  ["socketpair", 4],
  ["send", 4],
  ["recv", 4],
  ["sendto", 6],
  ["recvfrom", 6],
  ["shutdown", 2],
  ["setsockopt", 5],
  ["getsockopt", 5],
  ["sendmsg", 3],
  ["recvmsg", 3],
  ["accept4", 4],
  ["recvmmsg", 5],
  ["sendmmsg", 4],
];

const ROWS: readonly SyscallRow[] = [...SOCKET_CALLS, ...SOCKET_TRANSFER_CALLS, ...SOCKET_OPTION_CALLS];
const handlers = new Map<string, SyscallHandler>(ROWS.map(({ name, handler }) => [name, handler]));

function socketcall(ctx: SyscallContext): SyscallResult {
  const [name, count] = CALLS[ctx.args.int(0) - 1] ?? [];
  if (name === undefined || count === undefined) throw new SysError(EINVAL);
  const at = ctx.args.address(1);
  const words = Array.from({ length: count }, (_, n) => ctx.getWord(at + n * ctx.abi.wordSize));
  return handlers.get(name)!(ctx.withArguments(words));
}

/** Every call on sockets. */
export const SOCKET_SYSCALLS: readonly SyscallRow[] = [
  ...ROWS,
  { name: "socketcall", args: "int ptr", handler: socketcall },
];
