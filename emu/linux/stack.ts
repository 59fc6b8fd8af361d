/**
 * The stack of a new program: strings, auxiliary vector, argv and envp, as create_elf_tables of fs/binfmt_elf.c lays
 * them out.
 */
import type { AddressSpace } from "../memory/address-space.ts";
import { PAGE_SIZE } from "../memory/layout.ts";
import { isLocked, PROT_EXEC, PROT_READ, PROT_WRITE } from "../memory/vma.ts";
import type { AbiInfo } from "./abi.ts";
import { GUARD_GAP, MMAP_MIN, pageDown } from "./address-layout.ts";
import { E2BIG, ENOMEM, SysError } from "./errno.ts";

export const AT_NULL = 0;
export const AT_PHDR = 3;
export const AT_PHENT = 4;
export const AT_PHNUM = 5;
export const AT_PAGESZ = 6;
export const AT_BASE = 7;
export const AT_FLAGS = 8;
export const AT_ENTRY = 9;
export const AT_UID = 11;
export const AT_EUID = 12;
export const AT_GID = 13;
export const AT_EGID = 14;
export const AT_PLATFORM = 15;
export const AT_HWCAP = 16;
export const AT_CLKTCK = 17;
export const AT_DCACHEBSIZE = 19;
export const AT_ICACHEBSIZE = 20;
export const AT_UCACHEBSIZE = 21;
export const AT_IGNOREPPC = 22;
export const AT_SECURE = 23;
export const AT_BASE_PLATFORM = 24;
export const AT_RANDOM = 25;
export const AT_HWCAP2 = 26;
export const AT_EXECFN = 31;
export const AT_SYSINFO_EHDR = 33;

/** Longest single argument or variable (MAX_ARG_STRLEN) and most of all of them together (3/4 of _STK_LIM). */
const MAX_ARG_STRLEN = 32 * PAGE_SIZE;
const MAX_STRINGS = 6 * 1024 * 1024;
/** What a stack has below its first use from the start (setup_arg_pages). */
const STACK_EXPAND = 128 * 1024;

export type AuxvEntry = { type: number; value: bigint };

export interface StackContents {
  argv: readonly Uint8Array[];
  env: readonly Uint8Array[];
  /** AT_EXECFN. */
  execfn: Uint8Array;
  /** AT_PLATFORM; none for CPU models without. */
  platform: string | undefined;
  /** AT_RANDOM. */
  random: Uint8Array;
  /** The entries without AT_NULL; it is told where in the stack what they point to lies. */
  auxv(pointers: { random: number; execfn: number; platform: number | undefined }): AuxvEntry[];
}

export interface BuiltStack {
  /** Initial stack pointer, where argc is. */
  sp: number;
  argStart: number;
  argEnd: number;
  envStart: number;
  envEnd: number;
  auxv: AuxvEntry[];
}

const sizeOf = (strings: readonly Uint8Array[]): number =>
  strings.reduce((sum, { length }) => sum + length + 1, 0);

/** Throws E2BIG when arguments and environment are more than Linux takes. */
function checkStrings(argv: readonly Uint8Array[], env: readonly Uint8Array[], stackLimit: bigint): void {
  const all = [...argv, ...env];
  if (all.some(({ length }) => length >= MAX_ARG_STRLEN)) throw new SysError(E2BIG);
  const quarter = stackLimit / 4n;
  const most = quarter > BigInt(MAX_STRINGS) ? MAX_STRINGS : Math.max(Number(quarter), MAX_ARG_STRLEN);
  if (sizeOf(all) + all.length * 8 > most) throw new SysError(E2BIG);
}

/** Maps the stack of a program and fills it. Throws E2BIG, or ENOMEM when there is no room for it. */
export function buildStack(
  memory: AddressSpace,
  abi: AbiInfo,
  contents: StackContents,
  options: { stackLimit: bigint; executable: boolean; end: number },
): BuiltStack {
  const { argv, env, execfn, platform, random } = contents;
  checkStrings(argv, env, options.stackLimit);
  const { end } = options;
  const chunks: { at: number; bytes: Uint8Array }[] = [];
  let at = end - abi.wordSize;
  const put = (bytes: Uint8Array, terminated: boolean): number => {
    at -= bytes.length + (terminated ? 1 : 0);
    chunks.push({ at, bytes });
    return at;
  };
  const putAll = (strings: readonly Uint8Array[]): number[] =>
    [...strings]
      .reverse()
      .map((bytes) => put(bytes, true))
      .reverse();

  const execfnAt = put(execfn, true);
  const envEnd = at;
  const envAt = putAll(env);
  const envStart = at;
  const argvAt = putAll(argv);
  const argStart = at;
  at -= at % 16;
  const platformAt = platform === undefined ? undefined : put(new TextEncoder().encode(platform), true);
  const randomAt = put(random, false);
  const auxv = contents.auxv({ random: randomAt, execfn: execfnAt, platform: platformAt });

  const words = [
    argv.length,
    ...argvAt,
    0,
    ...envAt,
    0,
    ...auxv.flatMap(({ type, value }) => [type, value]),
    AT_NULL,
    0,
  ];
  at -= words.length * abi.wordSize;
  const sp = at - (at % 16);
  const table = new Uint8Array(words.length * abi.wordSize);
  const view = new DataView(table.buffer);
  words.forEach((word, i) => {
    if (abi.is64) view.setBigUint64(8 * i, BigInt(word), abi.littleEndian);
    else view.setUint32(4 * i, Number(word), abi.littleEndian);
  });
  chunks.push({ at: sp, bytes: table });

  const start = Math.max(pageDown(sp) - STACK_EXPAND, 0);
  if (!memory.areas.isFree(start, end)) throw new SysError(ENOMEM);
  memory.map({
    start,
    end,
    prot: PROT_READ | PROT_WRITE | (options.executable ? PROT_EXEC : 0),
    offset: 0,
    growsDown: true,
    name: "[stack]",
  });
  for (const { at, bytes } of chunks) memory.write(at, bytes);
  return { sp, argStart, argEnd: envStart, envStart, envEnd, auxv };
}

/**
 * Extends the stack above `address`, which an access has found unmapped, down to its page; `limit` is RLIMIT_STACK in
 * bytes, `mayHave` knows the limits on all of the memory. Returns false where Linux would not (expand_downwards and
 * acct_stack_growth of mm/mmap.c).
 */
export function growStack(
  memory: AddressSpace,
  address: number,
  limit: number,
  mayHave: (more: number, isLocked: boolean) => boolean,
): boolean {
  const start = pageDown(address);
  const stack = memory.areas.above(address);
  if (start < MMAP_MIN || !stack?.growsDown || stack.end - start > limit) return false;
  const below = memory.areas.below(address);
  const isInTheWay = below !== undefined && !below.growsDown && below.prot !== 0;
  if (isInTheWay && start - below.end < GUARD_GAP) return false;
  if (!mayHave(stack.start - start, isLocked(stack))) return false;
  memory.growDown(stack, start);
  return true;
}
