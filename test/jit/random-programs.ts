/** Random guest programs of loops, branches, calls and accesses, for holding engines against each other. */

import type { CpuKind } from "../../emu/cpu/cpu.ts";
import { handlerOf } from "../../emu/cpu/dispatch.ts";
import { illegal, privileged } from "../../emu/cpu/handler.ts";
import { includes } from "../../emu/cpu/versions.ts";
import { decode } from "../../emu/isa/decoder.ts";
import { asm } from "../../emu/isa/encoder.ts";
import type { Instruction } from "../../emu/isa/instruction.ts";
import { fitsPrefixed, hasR, PREFIXED, R } from "../../emu/isa/prefixed-table.ts";
import { INSTRUCTIONS } from "../../emu/isa/table.ts";

/** A generator of 32-bit numbers (xorshift), the same everywhere. */
export function randomNumbers(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

export const CODE_START = 0x1000_0000;
/** Four pages to read and write; then one to read; nothing beyond. */
export const DATA_START = 0x2000_0000;
export const DATA_PAGES = 4;

/** Registers that hold addresses of data; r1 too. */
const BASES = [1, 26, 27, 28];

const MEMORY = /^(l[bhwdf]|lv[ex]|lxv?[dswbhrl]|lxvx|lxsi|lxss|st)/;
/** What random words of would end programs too soon, or is not the same twice. */
const LEFT_OUT =
  /^(b|bc|bclr|bcctr|bctar|sc|scv|rfebb|tw|twi|td|tdi|mftb|darn|wait|lsw.*|stsw.*|lq|stq.*|lqarx|mtmsr.*|mfspr|mtspr|mtfs.*|attn|eciwx|ecowx)$/;

export interface RandomProgram {
  readonly words: number[];
}

const plainRows = (facility: (row: Instruction) => boolean): Instruction[] =>
  INSTRUCTIONS().filter(
    (row) => row.implemented && facility(row) && !LEFT_OUT.test(row.name) && !/^dc|^ic/.test(row.name),
  );

const FIXED = plainRows(
  ({ facility, name }) => (facility === "base" || facility === "64") && !MEMORY.test(name),
);
const ACCESSES = plainRows(
  ({ name, form }) => MEMORY.test(name) && form !== "MLS" && !/^(lxvp|stxvp|lxvkq)/.test(name),
);
const VECTOR = plainRows(
  ({ facility, name }) =>
    /^(altivec|vsx|crypto|mma)$/.test(facility) && !MEMORY.test(name) && !/^p/.test(name),
);
/** Arithmetic, comparisons and conversions of floating-point elements. */
const VECTOR_FLOAT = VECTOR.filter(({ name }) => /^xv|^xs(?!.*qp)|^v.*fp$|^vrfi|^vc[ft][su]xs?$/.test(name));
const FLOAT = plainRows(
  ({ facility, name }) => (facility === "fp" || facility === "fp64") && !MEMORY.test(name),
);

/** A random word of a row: fields at random, targets not among the bases. */
function wordOf(row: Instruction, random: () => number): number {
  let word = row.match | (random() & ~row.mask) | 0;
  // OE is rare in programs, and so is here.
  if (row.oe === true && random() % 8 !== 0) word &= ~0x400;
  if ((row.rc === true || row.oe === true) && random() % 3 !== 0) word &= ~1;
  return word;
}
/** A word of one of these rows that is an instruction of the CPU. */
function valid(rows: readonly Instruction[], random: () => number, kind: CpuKind): number {
  for (;;) {
    const word = wordOf(rows[random() % rows.length], random);
    const handler = handlerOf(word, kind);
    if (handler !== illegal && handler !== privileged) return word;
  }
}
const target = (word: number): number[] => [(word >>> 21) & 31, (word >>> 16) & 31];
const setField = (word: number, shift: number, value: number): number =>
  (word & ~(31 << shift)) | (value << shift);

function fixed(random: () => number, kind: CpuKind): number {
  for (;;) {
    const word = valid(FIXED, random, kind);
    // Neither field that may be a target names a base, LR's copy or the loop counter's.
    if (target(word).every((n) => !BASES.includes(n) && n < 29)) return word;
  }
}
function access(random: () => number, kind: CpuKind): number {
  for (;;) {
    let word = setField(valid(ACCESSES, random, kind), 16, BASES[random() % BASES.length]);
    const row = decode(word)!;
    const rt = (word >>> 21) & 31;
    const isFloat = row.facility !== "base" && row.facility !== "64" && row.facility !== "storage";
    if (!isFloat && (BASES.includes(rt) || rt >= 29)) continue;
    const isIndexed = row.operands.includes("RB");
    // The upper half of RB has the length.
    const hasLength = /xvll?$/.test(row.name);
    if (hasLength && !kind.is64) continue;
    if (isIndexed && !hasLength) {
      // r25 is a small offset most of the time.
      word = setField(word, 11, 25);
    } else if (!isIndexed && random() % 16 !== 0) {
      word = (word & ~0xffff) | (word & 3) | ((random() % 0x7f0) & ~3);
      if (random() % 4 === 0 && !/^l[dw]a?$|^std/.test(row.name)) word |= random() & 3;
    }
    if (handlerOf(word, kind) === illegal) continue;
    return word;
  }
}

/** A vector instruction; some have a GPR for their result. */
function vector(random: () => number, kind: CpuKind, rows = VECTOR): number {
  for (;;) {
    const word = valid(rows, random, kind);
    const { name, operands } = decode(word)!;
    // The upper half of a GPR is undefined on a 32-bit processor, where these are not.
    if (!kind.is64 && /^mtvsr|^xsiexp/.test(name)) continue;
    const [result] = operands;
    const n = result === "RT" ? target(word)[0] : result === "RA" ? target(word)[1] : 0;
    if (!BASES.includes(n) && n < 29) return word;
  }
}

/** One instruction of the body. */
function instruction(random: () => number, style: Style, kind: CpuKind): number {
  if (random() % 100 < style.vector) return vector(random, kind);
  if (kind.is64 && random() % 100 < style.vectorFloat) return vector(random, kind, VECTOR_FLOAT);
  const choice = random() % 100;
  if (choice < style.float) return valid(FLOAT, random, kind);
  if (choice < style.float + 30) return access(random, kind);
  if (choice < style.float + 33) return asm(`andi. 25,${random() % 24},0x7f8`);
  if (choice < style.float + 34)
    return asm(`addi ${BASES[1 + (random() % 3)]},${BASES[random() % 4]},${(random() % 128) - 64}`);
  return fixed(random, kind);
}

/** A prefixed instruction for an address: now and then one that counts from itself, to data. */
function prefixed(random: () => number, at: number, kind: CpuKind): [number, number] {
  for (;;) {
    const row = PREFIXED()[random() % PREFIXED().length];
    let [prefix, suffix] = [
      row.prefix.match | (random() & ~row.prefix.mask),
      row.suffix.match | (random() & ~row.suffix.mask),
    ];
    if (row.facility === "mma" || row.name === "pstq") continue;
    if (hasR(row)) {
      const isRelative = random() % 3 === 0;
      const far = random() % 16 === 0 ? random() : 0;
      const offset = isRelative ? DATA_START + (random() % 0x3800) - at : (random() % 0x7f0) + far;
      prefix = (prefix & ~(R | 0x3_ffff)) | (isRelative ? R : 0) | ((offset >> 16) & 0x3_ffff);
      suffix = (suffix & ~0xffff) | (offset & 0xffff);
      suffix = setField(suffix, 16, isRelative ? 0 : BASES[random() % BASES.length]);
      if (row.operands[0] === "RT" || row.operands[0] === "RTP") {
        const [rt] = target(suffix);
        if (BASES.includes(rt) || rt >= 28) continue;
      }
    }
    if (handlerOf(prefix, kind, suffix) !== illegal) return [prefix, suffix];
  }
}

/** Percentages. */
interface Style {
  readonly float: number;
  readonly vector: number;
  readonly vectorFloat: number;
}

/** A conditional branch on a CR bit at random over so many words. */
const branch = (random: () => number, distance: number): number =>
  asm(`bc ${random() % 2 === 0 ? 12 : 4},${random() % 32},${4 * distance}`);

/**
 * A loop of thirty to a hundred turns over blocks with branches among them, a small inner loop, calls of two functions of its own (one of
 * them through CTR); it ends with `sc`.
 */
export function randomProgram(seed: number, kind: CpuKind): RandomProgram {
  const random = randomNumbers(seed * 2654435761 + 12345);
  const style: Style = {
    float: [0, 0, 30, 60][random() % 4],
    vector: [0, 0, 20, 40][random() % 4],
    vectorFloat: [0, 0, 40, 80][random() % 4],
  };
  const words: number[] = [];
  const hasPrefixes = includes(kind.model.version, "3.1");
  const straight = (most: number) => {
    for (let n = random() % most; n > 0; n--) {
      if (!hasPrefixes || random() % 4 !== 0) words.push(instruction(random, style, kind));
      else {
        if (!fitsPrefixed(CODE_START + 4 * words.length)) words.push(asm("ori 0,0,0"));
        words.push(...prefixed(random, CODE_START + 4 * words.length, kind));
      }
    }
  };
  const emit = (...lines: string[]) => {
    for (const line of lines) words.push(asm(line));
  };
  emit(`addi 31,0,${30 + (random() % 70)}`, "mfspr 29,8");
  const top = words.length;
  for (let blocks = 2 + (random() % 6); blocks > 0; blocks--) {
    straight(8);
    switch (random() % 7) {
      case 0: {
        // A branch forward over some.
        const at = words.length;
        words.push(0);
        straight(6);
        words[at] = branch(random, words.length - at);
        break;
      }
      case 1: {
        // An inner loop by CTR.
        emit(`addi 24,0,${1 + (random() % 9)}`, "mtspr 9,24");
        const begin = words.length;
        straight(6);
        emit(`bc 16,0,${-4 * (words.length - begin)}`);
        break;
      }
      case 2: {
        // A call over a function that stands in line.
        const over = words.length;
        words.push(0);
        const f = words.length;
        straight(6);
        emit("bclr 20,0,0");
        words[over] = asm(`b ${4 * (words.length - over)}`);
        emit(`bl ${-4 * (words.length - f)}`);
        break;
      }
      case 3: {
        // The same through CTR: its address from bcl.
        emit("bcl 20,31,4", "mfspr 24,8", "addi 24,24,16", "mtspr 9,24");
        const over = words.length;
        words.push(0);
        straight(5);
        if (random() % 2 === 0) emit(`bclr ${random() % 2 === 0 ? 12 : 4},${random() % 32},0`);
        straight(3);
        emit("bclr 20,0,0");
        words[over] = asm(`b ${4 * (words.length - over)}`);
        // 16 bytes after mfspr is just behind the branch over.
        emit("bcctrl 20,0,0");
        break;
      }
      case 4: {
        // Two branches that make an inner loop with two entries.
        emit(`addi 24,0,${1 + (random() % 5)}`, "mtspr 9,24");
        const into = words.length;
        words.push(0);
        const begin = words.length;
        straight(4);
        words[into] = branch(random, words.length - into);
        straight(4);
        emit(`bc 16,0,${-4 * (words.length - begin)}`);
        break;
      }
      case 5:
        emit(`crxor ${random() % 32},${random() % 32},${random() % 32}`, `mfcr ${random() % 20}`);
        break;
    }
  }
  straight(4);
  emit("addi 31,31,-1", "cmpi 7,0,31,0", `bc 12,29,${-4 * (words.length + 2 - top)}`, "sc");
  return { words };
}
