/** Programs of filters as seccomp(2) and setsockopt(2) are given them. */
import { struct } from "../abi.ts";
import type { BpfInstruction } from "../classic-bpf.ts";
import type { SyscallContext } from "../syscall.ts";

/** How long a program is, and where it lies. */
export const SOCK_FPROG = struct({ len: "u16", filter: "pointer" });
const SOCK_FILTER = struct({ code: "u16", jt: "u8", jf: "u8", k: "u32" });

/** So many instructions at an address. Throws EFAULT. */
export function readInstructions(ctx: SyscallContext, at: number, count: number): BpfInstruction[] {
  const size = SOCK_FILTER.size(ctx.abi);
  const bytes = ctx.memory.read(at, count * size);
  return Array.from({ length: count }, (_, n) => SOCK_FILTER.decode(ctx.abi, bytes.subarray(n * size)));
}

/** Writes a program. Throws EFAULT. */
export function writeInstructions(ctx: SyscallContext, at: number, program: readonly BpfInstruction[]): void {
  const size = SOCK_FILTER.size(ctx.abi);
  for (const [n, instruction] of program.entries())
    ctx.memory.write(at + n * size, SOCK_FILTER.encode(ctx.abi, instruction));
}
