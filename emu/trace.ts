/**
 * The instructions that a program executes, each with what it has changed (--trace). They run one at a time in the interpreter,
 * whatever the engine: what a program does is the same in both, and in every run with the same seed.
 */
import type { Cpu } from "./cpu/cpu.ts";
import { GuestFault } from "./cpu/fault.ts";
import { type Exit, Interpreter } from "./cpu/interpreter.ts";
import { CTR, FPSCR, fprOffset, GPR, LR, Registers, TAR, VRSAVE, VSCR, VSR } from "./cpu/registers.ts";
import { decode } from "./isa/decoder.ts";
import { disassembleWords } from "./isa/disassembler.ts";
import { decodePrefixed, extractTwoWords, isPrefix, R } from "./isa/prefixed-table.ts";
import { type FunctionSymbol, lastBefore } from "./linux/elf/symbols.ts";
import { REGISTERS_SIZE } from "./memory/layout.ts";

/** Code to be traced: addresses from `start` to before `end`. */
interface CodeRange {
  readonly start: number;
  readonly end: number;
}

export interface TraceOptions {
  /** Gets the lines, without line ends. */
  readonly write: (line: string) => void;
  /** What is traced; everything where none are given. */
  ranges: readonly CodeRange[];
  /** The program's functions, by address. */
  symbols: readonly FunctionSymbol[];
}

/** Bytes from an effective address on that an instruction may change. */
const LONGEST_STORE = 128;

const hex = (value: number | bigint, digits = 0): string => value.toString(16).padStart(digits, "0");

/**
 * The code that is named: functions of the program, or START-END in hexadecimal. Throws RangeError for what is neither.
 */
export function rangesOf(only: readonly string[], symbols: readonly FunctionSymbol[]): CodeRange[] {
  return only.map((text) => {
    const match = /^(?:0x)?([0-9a-f]{1,16})-(?:0x)?([0-9a-f]{1,16})$/i.exec(text);
    if (match !== null) return { start: Number.parseInt(match[1], 16), end: Number.parseInt(match[2], 16) };
    const symbol = symbols.find(({ name }) => name === text);
    if (symbol === undefined) {
      throw new RangeError(
        `nothing to trace: ${text} is neither a function that the program's symbols name nor START-END in hexadecimal`,
      );
    }
    return { start: symbol.address, end: symbol.address + Math.max(symbol.size, 4) };
  });
}

/** An interpreter that tells what it does. */
export class TracingInterpreter extends Interpreter {
  private readonly options: TraceOptions;
  private readonly before = new Registers(new ArrayBuffer(REGISTERS_SIZE), 0);

  constructor(cpu: Cpu, options: TraceOptions) {
    super(cpu);
    this.options = options;
  }

  override run(limit: number): Exit {
    let left = limit;
    let exit: Exit = "limit";
    while (left > 0 && exit === "limit") {
      exit = this.isWanted(Number(this.cpu.registers.nia)) ? this.traceOne() : super.run(1);
      if (exit === "limit") left--;
    }
    this.left = left;
    return exit;
  }

  private isWanted(address: number): boolean {
    const { ranges } = this.options;
    return ranges.length === 0 || ranges.some(({ start, end }) => address >= start && address < end);
  }

  private traceOne(): Exit {
    const { registers, memory, is64 } = this.cpu;
    const address = registers.nia;
    const word = this.wordAt(Number(address));
    this.before.bytes.set(registers.bytes);
    const suffix = () => this.wordAt(Number(address) + 4);
    const ea = word === undefined ? undefined : storageAt(word, suffix, registers);
    const unsigned = ea === undefined ? undefined : BigInt.asUintN(is64 ? 64 : 32, ea);
    const storage = unsigned !== undefined && unsigned < BigInt(memory.limit) ? Number(unsigned) : undefined;
    const bytes = storage === undefined ? undefined : this.peek(storage);
    const tell = (effects: () => readonly string[]) => {
      if (word === undefined) return;
      const { text } = disassembleWords(word, suffix, address, { is64 });
      const place = `${hex(address, is64 ? 12 : 8)} ${this.placeOf(Number(address))}`;
      this.options.write(`${place}${text.padEnd(28)} ${effects().join(" ")}`.trimEnd());
    };
    let exit: Exit;
    try {
      exit = super.run(1);
    } catch (error) {
      // After anything else the instruction is executed again, as it is where it needs upper halves.
      const { wide } = this.cpu.model;
      const isAgain = wide !== undefined && this.isOf(wide);
      if (error instanceof GuestFault && !(error.kind === "illegal" && isAgain))
        tell(() => [`! ${error.kind} at 0x${hex(error.address)}`]);
      throw error;
    }
    tell(() => [...this.changedRegisters(), ...this.changedBytes(storage, bytes)]);
    return exit;
  }

  private wordAt(address: number): number | undefined {
    const { memory } = this.cpu;
    try {
      return memory.read32(address);
    } catch {
      return undefined;
    }
  }

  /** `<function+offset> `, where a function is known. */
  private placeOf(address: number): string {
    const symbol = lastBefore(this.options.symbols, address);
    if (symbol === undefined || address >= symbol.address + Math.max(symbol.size, 4)) return "";
    return `<${symbol.name}+0x${hex(address - symbol.address)}> `;
  }

  private peek(address: number): Uint8Array | undefined {
    const { memory } = this.cpu;
    const area = memory.areas.find(address);
    return area && memory.peek(address, Math.min(LONGEST_STORE, area.end - address));
  }

  private changedRegisters(): string[] {
    const { before } = this;
    const { registers, model } = this.cpu;
    const wide = model.facilities.has("64") ? 64 : 32;
    const changes: string[] = [];
    const compare = (name: string, offset: number, width: 32 | 64 = wide): void => {
      const now = width === 64 ? registers.u64[offset / 8] : BigInt(registers.u32[offset / 4]);
      const was = width === 64 ? before.u64[offset / 8] : BigInt(before.u32[offset / 4]);
      if (now !== was) changes.push(`${name}=${hex(now, width / 4)}`);
    };
    for (let n = 0; n < 32; n++) compare(`r${n}`, GPR + 8 * n);
    compare("lr", LR);
    compare("ctr", CTR);
    compare("tar", TAR);
    for (const name of ["cr", "xer"] as const) {
      if (registers[name] !== before[name]) changes.push(`${name}=${hex(registers[name], 8)}`);
    }
    for (let n = 0; n < 64; n++) {
      const at = VSR + 16 * n;
      const isSame = registers.u64[at / 8] === before.u64[at / 8];
      if (n < 32 && isSame) compare(`f${n}`, fprOffset(n), 64);
      else if (!isSame || registers.u64[at / 8 + 1] !== before.u64[at / 8 + 1]) {
        changes.push(`vs${n}=${hex((registers.u64[at / 8 + 1] << 64n) | registers.u64[at / 8], 32)}`);
      }
    }
    compare("fpscr", FPSCR, 64);
    compare("vscr", VSCR, 32);
    compare("vrsave", VRSAVE, 32);
    return changes;
  }

  /** `[address]=bytes`, in the order of the guest's memory, from the first changed byte to the last. */
  private changedBytes(address: number | undefined, before: Uint8Array | undefined): string[] {
    if (address === undefined || before === undefined) return [];
    const now = this.peek(address);
    if (now === undefined) return [];
    const first = now.findIndex((byte, i) => byte !== before[i]);
    if (first < 0) return [];
    let last = now.length - 1;
    while (now[last] === before[last]) last--;
    const bytes = [...now.subarray(first, last + 1)].map((byte) => hex(byte, 2)).join("");
    return [`[${hex(address + first)}]=${bytes}`];
  }
}

/**
 * The effective address that the instruction at NIA would have if it accesses storage; any that could be is taken for one that does.
 * Its bits above those of the mode are not cut off.
 */
function storageAt(word: number, suffix: () => number | undefined, registers: Registers): bigint | undefined {
  if (isPrefix(word)) return displacedAt(word, suffix(), registers);
  const instruction = decode(word);
  if (instruction === undefined) return undefined;
  const { operands } = instruction;
  const isZero = operands.includes("RA0");
  if (!isZero && !operands.includes("RA")) return undefined;
  const ra = (word >>> 16) & 31;
  let address = isZero && ra === 0 ? 0n : registers.gpr(ra);
  const displacement = BigInt((word << 16) >> 16);
  if (operands.includes("D")) address += displacement;
  else if (operands.includes("DS")) address += displacement & ~3n;
  else if (operands.includes("DQ")) address += displacement & ~15n;
  else if (operands.includes("RB")) address += registers.gpr((word >>> 11) & 31);
  // Cache blocks and vectors are aligned by the instruction itself.
  if (/^(dcbz|stv)/.test(instruction.name)) address &= instruction.name === "dcbz" ? ~127n : ~15n;
  return address;
}

/** The same of a prefixed instruction. */
function displacedAt(prefix: number, suffix: number | undefined, registers: Registers): bigint | undefined {
  if (suffix === undefined || !decodePrefixed(prefix, suffix)?.operands.includes("D34")) return undefined;
  const ra = (suffix >>> 16) & 31;
  const base = (prefix & R) !== 0 ? registers.nia : ra === 0 ? 0n : registers.gpr(ra);
  return base + BigInt(extractTwoWords("D34", prefix, suffix));
}
