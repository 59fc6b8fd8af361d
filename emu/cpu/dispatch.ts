/** From an instruction word to its handler: the instruction table's row, the CPU model's facilities, the groups' handlers. */
import { decode } from "../isa/decoder.ts";
import type { Instruction } from "../isa/instruction.ts";
import { isPrefix } from "../isa/prefixed-table.ts";
import { lazily } from "../lazily.ts";
import { branchHandlers } from "./branch.ts";
import type { CpuKind, CpuModel } from "./cpu.ts";
import { DECIMAL_TABLES } from "./decimal/index.ts";
import { addHandlers } from "./fixed-point/add.ts";
import { bitHandlers } from "./fixed-point/bits.ts";
import { compareHandlers } from "./fixed-point/compare.ts";
import { decimalAssistHandlers } from "./fixed-point/decimal-assist.ts";
import { divideHandlers } from "./fixed-point/divide.ts";
import { logicalHandlers } from "./fixed-point/logical.ts";
import { multiplyHandlers } from "./fixed-point/multiply.ts";
import { rotateHandlers } from "./fixed-point/rotate.ts";
import { FLOATING_POINT_TABLES } from "./floating-point/index.ts";
import { type Handler, type HandlerTable, illegal, privileged, unavailable } from "./handler.ts";
import { narrowed } from "./narrow.ts";
import { prefixedHandler } from "./prefixed.ts";
import { fprOffset } from "./registers.ts";
import { specialRegisterHandlers } from "./special-registers.ts";
import { atomicHandlers } from "./storage/atomic.ts";
import { cacheHandlers } from "./storage/cache.ts";
import { loadStoreHandlers } from "./storage/load-store.ts";
import { multipleHandlers } from "./storage/multiple.ts";
import { reservationHandlers } from "./storage/reservation.ts";
import { trapHandlers } from "./trap.ts";
import { FAMILIES, VECTOR_TABLES, vectorHandler } from "./vector/index.ts";
import { includes } from "./versions.ts";
import { cpu } from "./views.ts";

/**
 * Handlers by the base mnemonics of the instruction table: each instruction is in one of these tables, which every program needs, in one
 * of the later ones, or a vector row.
 */
const TABLES: readonly HandlerTable[] = [
  branchHandlers,
  loadStoreHandlers,
  multipleHandlers,
  reservationHandlers,
  addHandlers,
  multiplyHandlers,
  divideHandlers,
  compareHandlers,
  trapHandlers,
  logicalHandlers,
  rotateHandlers,
  decimalAssistHandlers,
  specialRegisterHandlers,
  cacheHandlers,
  bitHandlers,
  atomicHandlers,
];

/** Tables that are made when they are first looked into. */
const laterTables = lazily(() => [...FLOATING_POINT_TABLES, ...VECTOR_TABLES, ...DECIMAL_TABLES]);

/** The names of all instructions that have a handler. */
export const handled = (): string[] =>
  [...TABLES, ...[...laterTables(), ...FAMILIES].map((make) => make())].flatMap((table) =>
    Object.keys(table),
  );

/**
 * Rows that every model executes: processors before 3.0 take the later forms of mffs for mffs itself, and Linux emulates
 * popcntb and isel where they are missing (as it does mcrxr and dcba, which have no later version).
 */
const EVERYWHERE = new Set("mffsce mffscdrn mffscdrni mffscrn mffscrni mffsl popcntb isel".split(" "));

/** Whether a CPU of this model has the instruction. */
export function available(row: Instruction, model: CpuModel): boolean {
  if (EVERYWHERE.has(row.name)) return true;
  // Altivec is older than the version of the architecture that took it in.
  const isOriginal = row.facility === "altivec" && row.version === "2.03";
  if (!(isOriginal || includes(model.version, row.version)) || model.lacks?.has(row.name)) return false;
  return row.facility === "supervisor" || model.facilities.has(row.facility);
}

/** Of the supervisor rows, those that problem state may not even ask for: they are illegal, not privileged. */
const ILLEGAL = new Set(["attn", "wait62", "eciwx", "ecowx"]);

/**
 * Whether Linux keeps a facility of the processor's off: event-based branches and the branch history, which nobody has asked the
 * performance monitor for, and transactional memory, which 3.1 has no more.
 */
const isTurnedOff = ({ facility, version }: Instruction, model: CpuModel): boolean =>
  includes(model.version, version) &&
  (facility === "ebb" || (facility === "tm" && !includes(model.version, "3.1")));

/**
 * Whether a word is a reserved no-op (Power ISA 2.06 on: opcode 31, extended opcodes 530, 562 and so on to 754). ISA 3.1 gave some of them a
 * meaning, hash instructions for return addresses: programs protected with them run on the processors before as if they were not there.
 */
const isReservedNop = (word: number): boolean => (word & 0xfc00_063e) >>> 0 === 0x7c00_0424;
const nothing: Handler = () => {};

const FLOATING_POINT: readonly string[] = ["fp", "fp64", "dfp"];

/**
 * From ISA 3.1 on what writes FPRs makes doubleword 1 of their VSRs zero. Before it is undefined, and the handlers leave it alone.
 */
function clearing(handler: Handler, { facility, operands }: Instruction): Handler {
  const isPair = operands.includes("FRTP");
  if (!FLOATING_POINT.includes(facility) || !(isPair || operands.includes("FRT"))) return handler;
  return (word, cia) => {
    const next = handler(word, cia);
    const lower = fprOffset((word >>> 21) & 31) / 8 - 1;
    cpu.u64[lower] = 0n;
    if (isPair) cpu.u64[lower + 2] = 0n;
    return next;
  };
}

/** What a model has for the rows that have been met: that depends on the row alone, or is left to a selector. */
interface ModelRows {
  readonly entries: Map<Instruction, HandlerTable[string]>;
  readonly hasReservedNops: boolean;
  readonly isPrefixed: boolean;
}
const modelRows = new Map<CpuModel, ModelRows>();

function rowsOf(model: CpuModel): ModelRows {
  let rows = modelRows.get(model);
  if (rows === undefined) {
    const { version } = model;
    const has = { hasReservedNops: includes(version, "2.06"), isPrefixed: includes(version, "3.1") };
    modelRows.set(model, (rows = { entries: new Map(), ...has }));
  }
  return rows;
}

/** The handler of a row on a model, or what picks one. */
function findEntry(row: Instruction, model: CpuModel): HandlerTable[string] {
  if (isTurnedOff(row, model)) return unavailable;
  if (!available(row, model)) return narrowEntry(row, model);
  if (row.facility === "supervisor") return ILLEGAL.has(row.name) ? illegal : privileged;
  const has = (table: HandlerTable) => Object.hasOwn(table, row.name);
  const table = TABLES.find(has);
  if (table !== undefined) return table[row.name];
  const vector = FLOATING_POINT.includes(row.facility) ? undefined : vectorHandler(row.name);
  return vector ?? laterTables().find((make) => has(make()))?.()[row.name] ?? illegal;
}

/** The same of a row that only 64-bit programs have all of, and 32-bit ones that have come to need it. */
function narrowEntry(row: Instruction, { wide }: CpuModel): HandlerTable[string] {
  if (wide === undefined || row.facility !== "64" || !available(row, wide)) return illegal;
  const whole = findEntry(row, wide);
  return typeof whole === "function" ? narrowed(row.name, whole) : illegal;
}

/**
 * The handler of an instruction word on a CPU of this kind; for an unknown one, one that throws GuestFault "illegal". `suffix` is the word
 * after it, within the same 64 bytes, which prefixes need.
 */
export function handlerOf(word: number, kind: CpuKind, suffix?: number): Handler {
  const { entries, hasReservedNops, isPrefixed } = rowsOf(kind.model);
  if (hasReservedNops && isReservedNop(word)) return nothing;
  if (isPrefix(word)) return isPrefixed ? prefixedHandler(word, suffix, kind) : illegal;
  const row = decode(word);
  if (row === undefined) return illegal;
  let entry = entries.get(row);
  if (entry === undefined) entries.set(row, (entry = findEntry(row, kind.model)));
  const handler = typeof entry === "function" ? entry : entry.select(word, kind);
  return isPrefixed ? clearing(handler, row) : handler;
}
