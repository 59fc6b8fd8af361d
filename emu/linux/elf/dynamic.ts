/** The names in a dynamic program: of the libraries it needs, and of what it takes from them and gives to them. */
import { type ElfProgram, Fields, PT_DYNAMIC, PT_LOAD } from "./header.ts";

const DT_STRTAB = 5;
const DT_STRSZ = 10;

/** The string table of the dynamic section; empty where there is none, or none that lies in the file. */
function dynamicStrings(file: Uint8Array, { header, segments }: ElfProgram): Uint8Array {
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined || dynamic.offset + dynamic.filesz > file.length) return new Uint8Array();
  const fields = new Fields(file, header.littleEndian);
  const word = (at: number): bigint => (header.is64 ? fields.u64(at) : BigInt(fields.u32(at)));
  const size = header.is64 ? 8 : 4;
  let [address, length] = [-1n, 0n];
  for (let at = dynamic.offset; at + 2 * size <= dynamic.offset + dynamic.filesz; at += 2 * size) {
    const tag = word(at);
    if (tag === 0n) break;
    if (tag === BigInt(DT_STRTAB)) address = word(at + size);
    else if (tag === BigInt(DT_STRSZ)) length = word(at + size);
  }
  const holder = segments.find(
    ({ type, vaddr, filesz }) =>
      type === PT_LOAD && address >= BigInt(vaddr) && address + length <= BigInt(vaddr + filesz),
  );
  if (holder === undefined) return new Uint8Array();
  const start = holder.offset + Number(address - BigInt(holder.vaddr));
  return file.subarray(start, start + Number(length));
}

const START = ["__asan_init", "__tsan_init", "__msan_init", "__hwasan_init"];

/**
 * Whether a program is built with a sanitizer that looks at its stack's address to learn how many bits addresses have, and puts
 * shadow memory where Linux would have room for it (compiler-rt: GetMaxVirtualAddress).
 */
export function isSanitized(file: Uint8Array, program: ElfProgram): boolean {
  if (!program.header.is64) return false;
  const strings = new TextDecoder("latin1").decode(dynamicStrings(file, program));
  return strings.split("\0").some((name) => START.includes(name));
}
