/**
 * Finds the guest code of a region: everything that can be reached from its roots without calling or returning, as basic blocks. Only
 * pages that the interpreter has run already are read.
 */
import { AA, ALWAYS, bo, IGNORE_CTR, LK, ra, rb, rs, rt, si, spr, to } from "../cpu/fields.ts";
import { ZERO } from "../cpu/registers.ts";
import { decode } from "../isa/decoder.ts";
import type { Instruction } from "../isa/instruction.ts";
import {
  decodePrefixed,
  extractTwoWords,
  fitsPrefixed,
  isPrefix,
  type PrefixedInstruction,
  R,
} from "../isa/prefixed-table.ts";
import { MOST_CASES, TABLE_REACH } from "../tuning.ts";

/** How a block ends. */
export const End = {
  /** The next block follows. */
  Fall: 0,
  /** b, and bcl 20,31,$+4. */
  Jump: 1,
  /** bc: `target` where it is taken, else the next block. */
  Branch: 2,
  /** bl: the next block when the callee has returned. */
  Call: 3,
  /** bctrl. */
  IndirectCall: 4,
  /** bclr: the caller where it is taken, else the next block. */
  Return: 5,
  /** bctr: one of `cases` or anywhere. */
  Indirect: 6,
  /** b to the beginning of another function. */
  TailCall: 7,
  /** The interpreter goes on with the last instruction. */
  Leave: 8,
} as const;
export type End = (typeof End)[keyof typeof End];

export interface Block {
  readonly start: number;
  /** The words of its instructions, the one that ends it included. A suffix has no row. */
  readonly words: number[];
  readonly rows: (Instruction | PrefixedInstruction | undefined)[];
  instructions: number;
  end: End;
  /** Address that a branch leads to. */
  target: number;
  /** Of a jump through a table. */
  table: JumpTable | undefined;
  /** In a copy of a function or of a part of a loop, and where one is come to: the indices of its blocks by address. */
  readonly copies?: ReadonlyMap<number, number>;
  /** Of a call through a register: where it may lead to copies of functions. */
  readonly guesses?: readonly number[];
  /** Of a jump through CTR in a copy of a function, which is a call then: where what it leads to returns to. */
  readonly returnsTo?: number;
  readonly isCopy?: boolean;
}

/** A table of jump targets. */
export interface JumpTable {
  readonly targets: readonly number[];
  /** The address of the instruction that loads one of them. */
  readonly load: number;
  /** The register that has its index then, and how many bits that is scaled by. */
  readonly index: number;
  readonly shift: number;
}

type BlockEnd = Pick<Block, "end" | "target" | "table">;

/** What the scan asks of the machine. */
export interface ScanSource {
  /** Whether the word at the address has been met as code by the interpreter. */
  isCode(address: number): boolean;
  fetch(address: number): number;
  /** Whether what begins at the address has been run; what has not is left out. */
  hasRun(address: number): boolean;
  /** Whether an address is the beginning of a function that is, or is to be, translated by itself. */
  isFunction(address: number): boolean;
  /** Where the branch through CTR at an address has led. */
  calledFrom(address: number): readonly number[];
  /** The low words of the GPRs now, by which tables of targets are found. */
  readonly registers: Int32Array;
  /** A word of data for the same purpose, or the low word of a doubleword; undefined where there is none. */
  peek(address: number, isDoubleword?: boolean): number | undefined;
  /** Tables that have been found, by the bctr that jumps through them: what tells where one is may be gone by the time it is wanted again. */
  readonly tables: Map<number, JumpTable>;
}

export interface Region {
  readonly is64: boolean;
  /** Ascending by address; copies of another function's follow the block that calls it, those of parts of loops all others. */
  readonly blocks: Block[];
  /** Index of the block that begins at an address, copies apart. */
  readonly at: ReadonlyMap<number, number>;
  /** Index of the copy with which an entry at an address begins, if it is to begin with one. */
  readonly entrances?: ReadonlyMap<number, number>;
  readonly instructions: number;
  /** Where it leads to but was left out, for that had not been run. */
  readonly cold: readonly number[];
}

/** Index of the block that an entry at an address begins with. */
export const nodeAt = ({ at, entrances }: Region, address: number): number | undefined =>
  entrances?.get(address) ?? at.get(address);

/** The field of system calls that says which level is called: only the kernel's own is there. */
const LEV = 0xfe0;

/** Whether a block ends with a system call, for which translated code is left where more comes of it than a result. */
export const endsWithCall = ({ end, rows }: Block): boolean => {
  const name = end === End.Fall ? rows[rows.length - 1]?.name : undefined;
  return name === "sc" || name === "scv";
};

/** How the instruction at `pc` ends a block, if it does; the target goes to `found`. */
function endOf(
  name: string | undefined,
  word: number,
  pc: number,
  is64: boolean,
  found: { target: number },
): End | undefined {
  switch (name) {
    case undefined:
    case "bctar":
    case "rfebb":
      return End.Leave;
    case "sc":
    case "scv":
      return (word & LEV) === 0 ? undefined : End.Leave;
    case "tw":
    case "td":
      return to(word) === 31 ? End.Leave : undefined;
    case "b":
    case "bc": {
      const offset = name === "b" ? ((word << 6) >> 6) & ~3 : si(word) & ~3;
      const exact = (word & AA) !== 0 ? offset : (pc >>> 0) + offset;
      found.target = exact | 0;
      if (is64 ? exact < 0 || exact > 0xffff_ffff : false) return End.Leave;
      if (name === "b") {
        if ((word & LK) === 0) return End.Jump;
        return found.target === ((pc + 4) | 0) ? End.Jump : End.Call;
      }
      if ((word & LK) === 0) return End.Branch;
      return (bo(word) & ALWAYS) === ALWAYS && found.target === ((pc + 4) | 0) ? End.Jump : End.Leave;
    }
    case "bclr":
      // One that decrements CTR and then can't be followed to a far address would do so twice.
      return (word & LK) === 0 && (bo(word) & IGNORE_CTR) !== 0 ? End.Return : End.Leave;
    case "bcctr":
      if ((bo(word) & ALWAYS) !== ALWAYS) return End.Leave;
      return (word & LK) !== 0 ? End.IndirectCall : End.Indirect;
    default:
      return undefined;
  }
}

/** Whether the instruction at `pc` calls `address`, with that in CTR where it calls through it. */
export function isCallOf(address: number, word: number, pc: number, ctr: number, is64: boolean): boolean {
  const found = { target: ctr & ~3 };
  const end = endOf(decode(word)?.name, word, pc, is64, found);
  return (end === End.Call || end === End.IndirectCall) && found.target === address;
}

/** Whether what follows a word is not come to from it: a jump, a return, what fills the space between functions. */
export function endsFlow(word: number): boolean {
  const name = decode(word)?.name;
  switch (name) {
    case undefined:
      return true;
    case "b":
      return (word & LK) === 0;
    case "bclr":
    case "bcctr":
      return (bo(word) & ALWAYS) === ALWAYS && (word & LK) === 0;
    default:
      return word === NOP;
  }
}
/** ori 0,0,0. */
const NOP = 0x6000_0000;

/** Whether an instruction is one with which functions begin that make a stack frame: mflr 0, stwu and stdu of r1 by r1. */
export const makesFrame = (word: number): boolean =>
  word === 0x7c08_02a6 || word >>> 16 === 0x9421 || (word >>> 16 === 0xf821 && (word & 3) === 1);

/** Whether a block that ends so, with this instruction, can go on to the one after it. */
const fallsThrough = (end: End, word: number): boolean => {
  switch (end) {
    case End.Fall:
    case End.Branch:
    case End.Call:
    case End.IndirectCall:
      return true;
    case End.Return:
      return (bo(word) & ALWAYS) !== ALWAYS;
    default:
      return false;
  }
};

/** Where what a block calls returns to: the next block, as a rule. */
export const returnOf = ({ start, words, returnsTo }: Block): number =>
  returnsTo ?? (start + 4 * words.length) | 0;

/** Addresses that control may go to from a block's end, in the order: taken, not taken, cases, guesses. */
export function successors(block: Block): number[] {
  const { end, target, table, guesses, words } = block;
  const cases = end === End.Indirect ? [...new Set(table?.targets)] : [];
  if (guesses === undefined && cases.length > 0) return cases;
  const list: number[] = end === End.Jump || end === End.Branch ? [target] : [];
  if (fallsThrough(end, words[words.length - 1])) list.push(returnOf(block));
  if (guesses !== undefined) list.push(...cases, ...guesses);
  return list;
}

export function scan(source: ScanSource, roots: readonly number[], is64: boolean, most: number): Region {
  const words = new Map<number, number>();
  const rowsAt: Rows = new Map();
  const suffixes = new Set<number>();
  const ends = new Map<number, BlockEnd>();
  const leaders = new Set<number>(roots);
  const work = [...roots];
  const cold = new Set<number>();
  const found = { target: 0 };
  for (let next = 0; next < work.length; next++) {
    let pc = work[next];
    const linear: number[] = [];
    for (;;) {
      if (words.has(pc) || !source.isCode(pc) || words.size >= most) {
        leaders.add(pc);
        break;
      }
      const word = source.fetch(pc);
      linear.push(pc);
      words.set(pc, word);
      const after = (pc + 4) | 0;
      if (isPrefix(word) && fitsPrefixed(pc) && !words.has(after) && !leaders.has(after)) {
        const suffix = source.fetch(after);
        const row = decodePrefixed(word, suffix);
        if (row !== undefined) {
          rowsAt.set(pc, row);
          words.set(after, suffix);
          suffixes.add(after);
          pc = (pc + 8) | 0;
          continue;
        }
      }
      const row = decode(word);
      rowsAt.set(pc, row);
      let end = endOf(row?.name, word, pc, is64, found);
      if (end === undefined) {
        pc = (pc + 4) | 0;
        if (row?.name === "sc" || row?.name === "scv") leaders.add(pc);
        continue;
      }
      const { target } = found;
      const isElsewhere = target !== pc + 4 && !roots.includes(target);
      if (end === End.Jump && isElsewhere && source.isFunction(target)) end = End.TailCall;
      const table = end === End.Indirect ? runCases(source, tableAt(source, words, linear), cold) : undefined;
      ends.set(pc, { end, target, table });
      const go = (address: number) => {
        // A branch into the middle of an instruction: nobody writes that, and the interpreter knows what it is.
        if (suffixes.has(address)) return;
        if (!leaders.has(address) && !source.hasRun(address)) {
          cold.add(address);
          return;
        }
        leaders.add(address);
        work.push(address);
      };
      if (end === End.Jump || end === End.Branch) go(target);
      if (fallsThrough(end, word)) go((pc + 4) | 0);
      for (const address of new Set(table?.targets)) go(address);
      break;
    }
  }
  const formed = formBlocks(words, rowsAt, suffixes, ends, leaders);
  return { is64, ...formed, instructions: words.size - suffixes.size, cold: [...cold] };
}

/** The rows of a block's instructions, by their words. */
export function rowsOf(start: number, words: readonly number[]): Block["rows"] {
  const rows: Block["rows"] = [];
  for (let i = 0; i < words.length; i++) {
    const isPrefixed = isPrefix(words[i]) && fitsPrefixed(start + 4 * i) && i + 1 < words.length;
    const prefixed = isPrefixed ? decodePrefixed(words[i], words[i + 1]) : undefined;
    if (prefixed === undefined) rows.push(decode(words[i]));
    else {
      rows.push(prefixed, undefined);
      i++;
    }
  }
  return rows;
}

type Rows = Map<number, Instruction | PrefixedInstruction | undefined>;

function formBlocks(
  words: ReadonlyMap<number, number>,
  rowsAt: Rows,
  suffixes: ReadonlySet<number>,
  ends: ReadonlyMap<number, BlockEnd>,
  leaders: ReadonlySet<number>,
): { blocks: Block[]; at: Map<number, number> } {
  const blocks: Block[] = [];
  const at = new Map<number, number>();
  const sorted = [...words.keys()].sort((a, b) => (a >>> 0) - (b >>> 0));
  let block: Block | undefined;
  let expected = 0;
  for (const pc of sorted) {
    if (block === undefined || pc !== expected || leaders.has(pc)) {
      block = { start: pc, words: [], rows: [], instructions: 0, end: End.Fall, target: 0, table: undefined };
      at.set(pc, blocks.length);
      blocks.push(block);
    }
    block.words.push(words.get(pc)!);
    block.rows.push(rowsAt.get(pc));
    if (!suffixes.has(pc)) block.instructions++;
    expected = (pc + 4) | 0;
    const info = ends.get(pc);
    if (info !== undefined) {
      block.end = info.end;
      block.target = info.target;
      // A load in a block before this one is of no use.
      if (info.table !== undefined && info.table.load - block.start >= 0) block.table = info.table;
      block = undefined;
    }
  }
  return { blocks, at };
}

// ---- tables of jump targets ------------------------------------------------------------------------------

/** The table of the bctr that ends `linear`. */
function tableAt(
  source: ScanSource,
  words: ReadonlyMap<number, number>,
  linear: readonly number[],
): JumpTable | undefined {
  const pc = linear[linear.length - 1];
  const table = source.tables.get(pc) ?? findTable(source, words, linear);
  if (table !== undefined) source.tables.set(pc, table);
  return table;
}

/** The table without the cases that have not been run: another one has their place, which is not what the guest's target says. */
function runCases(
  source: ScanSource,
  table: JumpTable | undefined,
  cold: Set<number>,
): JumpTable | undefined {
  const run = table?.targets.find((target) => source.hasRun(target));
  if (table === undefined || run === undefined) return undefined;
  const targets = table.targets.map((target) => {
    if (source.hasRun(target)) return target;
    cold.add(target);
    return run;
  });
  return { ...table, targets };
}

/**
 * The targets of the bctr that ends `linear`, where they come from a table of addresses or of distances from the table. What is found is
 * a guess: translated code holds the target that the guest computes against the case it took.
 */
function findTable(
  source: ScanSource,
  words: ReadonlyMap<number, number>,
  linear: readonly number[],
): JumpTable | undefined {
  const last = linear.length - 1;
  const wordAt = (i: number) => words.get(linear[i])!;
  const suffixAt = (i: number) => words.get((linear[i] + 4) | 0)!;
  const nameAt = (i: number) =>
    (isPrefix(wordAt(i)) ? decodePrefixed(wordAt(i), suffixAt(i)) : decode(wordAt(i)))?.name;
  /** Index of the instruction before `i` that sets GPR n (by its index in 32-bit words). */
  const definition = (n: number, i: number): number => {
    for (let at = i - 1; at >= 0 && at >= last - TABLE_REACH; at--) {
      const word = wordAt(at);
      const name = nameAt(at) ?? "";
      if (/^(st|cmp|mt|tw|td)/.test(name)) continue;
      if (/^p/.test(name)) {
        if (/^(paddi|pl[dwhb])/.test(name) && rt(suffixAt(at)) === n) return at;
        continue;
      }
      if (/^l/.test(name) && rt(word) === n) return at;
      if (/^(addi|addis|add|mf|mulli|subf|neg)/.test(name) && rt(word) === n) return at;
      if (/^(or|and|xor|rl|s[lr]|exts)/.test(name) && ra(word) === n) return at;
    }
    return -1;
  };
  /** The value of a GPR before instruction `i`, as far as it can be found. */
  const value = (n: number, i: number): number | undefined => {
    const at = definition(n, i);
    if (at < 0) return source.registers[n];
    const word = wordAt(at);
    const base = ra(word) === 0 ? 0 : undefined;
    switch (nameAt(at)) {
      case "addi":
      case "addis": {
        const from = base ?? value(ra(word), at);
        return from === undefined ? undefined : (from + (nameAt(at) === "addi" ? si(word) : word << 16)) | 0;
      }
      case "ld":
      case "lwz": {
        const from = base ?? value(ra(word), at);
        if (from === undefined) return undefined;
        const wide = nameAt(at) === "ld";
        return source.peek((from + (wide ? si(word) & ~3 : si(word))) | 0, wide);
      }
      case "paddi":
        if ((word & R) === 0) return undefined;
        return (linear[at] + extractTwoWords("SI34", word, suffixAt(at))) | 0;
      case "or":
        return rs(word) === rb(word) ? value(rs(word), at) : undefined;
      default:
        return undefined;
    }
  };

  let mtctr = last - 1;
  while (mtctr >= 0 && !(nameAt(mtctr) === "mtspr" && spr(wordAt(mtctr)) === 9)) mtctr--;
  if (mtctr < 0 || mtctr < last - TABLE_REACH) return undefined;
  let load = definition(rs(wordAt(mtctr)), mtctr);
  if (load < 0) return undefined;
  let added: number | undefined = 0;
  if (nameAt(load) === "add") {
    const sum = wordAt(load);
    const [x, y] = [definition(ra(sum), load), definition(rb(sum), load)];
    const isLoad = (i: number) => i >= 0 && /^l(wax|wzx|dx)$/.test(nameAt(i) ?? "");
    const first = isLoad(x);
    if (!first && !isLoad(y)) return undefined;
    added = value(first ? rb(sum) : ra(sum), load);
    load = first ? x : y;
  }
  const name = nameAt(load);
  const word = wordAt(load);
  if (added === undefined || !(name === "lwax" || name === "lwzx" || name === "ldx")) return undefined;
  const size = name === "ldx" ? 8 : 4;
  // One of the operands is the table, the other one the index times the size.
  const scaled = (n: number) => /^(rlwinm|rldic|rldicr|rldicl)$/.test(nameAt(definition(n, load)) ?? "");
  const [tableIn, indexIn] = scaled(rb(word)) ? [ra(word), rb(word)] : [rb(word), ra(word)];
  if (tableIn === 0 || tableIn === ZERO / 4) return undefined;
  const table = value(tableIn, load);
  if (table === undefined) return undefined;
  const bound = boundBefore(source, linear[0], linear, words);
  const targets: number[] = [];
  for (let i = 0; i < (bound ?? MOST_CASES); i++) {
    const entry = source.peek((table + i * size) | 0, size === 8);
    if (entry === undefined) break;
    const target = (entry + added) | 0;
    if ((target & 3) !== 0 || !source.isCode(target)) {
      // A case in a page that has not run yet keeps its place.
      if (bound === undefined) break;
      targets.push(linear[last] | 1);
      continue;
    }
    if (bound === undefined && Math.abs(target - linear[last]) > 0x4_0000) break;
    targets.push(target);
  }
  if (targets.length < 2) return undefined;
  return {
    targets: targets.map((target) => ((target & 1) !== 0 ? targets.find((t) => (t & 1) === 0)! : target)),
    load: linear[load],
    index: indexIn / 2,
    shift: size === 8 ? 3 : 2,
  };
}

/** One more than the immediate of the unsigned comparison that stands before a table jump. */
function boundBefore(
  source: ScanSource,
  start: number,
  linear: readonly number[],
  words: ReadonlyMap<number, number>,
): number | undefined {
  const candidates = [...linear].reverse();
  for (let i = 1; i <= TABLE_REACH; i++) candidates.push((start - 4 * i) | 0);
  for (const pc of candidates) {
    const word = words.get(pc) ?? (source.isCode(pc) ? source.fetch(pc) : undefined);
    if (word === undefined) return undefined;
    if (word >>> 26 === 10) {
      const bound = (word & 0xffff) + 1;
      return bound <= MOST_CASES ? bound : undefined;
    }
  }
  return undefined;
}
