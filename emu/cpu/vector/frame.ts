/**
 * What the code of a vector row works with. The interpreter runs each row as a WebAssembly function that is the handler itself
 * (`functions.ts`): it gets the instruction word and finds its registers from it. A translator can give the same rows a frame of its
 * own, whose registers and fields are constants.
 */
import {
  READ_GUARD_OFFSET,
  REGISTERS_OFFSET,
  STRAIGHT_OFFSET,
  WRITE_GUARD_OFFSET,
} from "../../memory/layout.ts";
import { CR, GPR, VSCR, VSR, ZERO } from "../registers.ts";
import {
  anyTrue,
  B,
  type Code,
  call,
  either,
  getLocal,
  I32,
  I64,
  i32,
  i32Op,
  i64,
  i64Op,
  loadI32,
  loadI64,
  loadU8,
  loadV128,
  select,
  setLocal,
  storeI8,
  storeI32,
  storeI64,
  storeV128,
  V128,
  when,
} from "./expressions.ts";

/** The code of a row: of its result (a vector, an i64 for a GPR, an i32 for a CR field), or of what it does where it has none. */
export type Row = (frame: Frame) => Code;

/** How the memory lies that the code runs on, and the addressing mode of the program. */
export interface Surroundings {
  readonly is64: boolean;
  /** Reversed storage (see `AddressSpace`): the datum of N bytes at EA begins at size - EA - N; other storage is straight. */
  readonly bigEndian: boolean;
  readonly size: number;
}

/** Indices of the functions that the code may call. */
export const CHECK_LOAD = 0;
export const CHECK_STORE = 1;
export const FAR = 2;
export const FALLBACK = 3;

/** The WebAssembly instruction. */
const RETURN = 0x0f;

/** Where the field of a register operand begins: its shift to a multiple of 16, and where its most significant bit is, if not there, with the shift (to the left) from there. */
const VECTOR_FIELDS: Readonly<Record<string, readonly [shift: number, bit: number, bitShift: number]>> = {
  VRT: [17, 0, 0],
  VRS: [17, 0, 0],
  VRA: [12, 0, 0],
  VRB: [7, 0, 0],
  VRC: [2, 0, 0],
  XT: [17, 1, 9],
  XS: [17, 1, 9],
  "XT.DQ": [17, 8, 6],
  "XS.DQ": [17, 8, 6],
  "XT.15": [17, 0x1_0000, -7],
  XA: [12, 4, 7],
  XB: [7, 2, 8],
  XC: [2, 8, 6],
};
/** The number (0 to 63) of the register that a vector operand of a word names. */
export function vectorNumber(name: string, word: number): number {
  const [shift, bit] = VECTOR_FIELDS[name];
  const low = (word >>> (shift + 4)) & 31;
  return low + (name.startsWith("V") || (word & bit) !== 0 ? 32 : 0);
}
/** The number of the register that a GPR operand of a word names. */
export const gprNumber = (name: string, word: number): number => (word >>> (GPR_SHIFTS[name] + 3)) & 31;
export const isGpr = (name: string): boolean => name in GPR_SHIFTS;

const GPR_SHIFTS: Readonly<Record<string, number>> = { RT: 18, RS: 18, RA: 13, RA0: 13, RB: 8, RC: 3 };

/** The frame of a function whose parameters are the instruction word and its address, or the suffix and the prefix. */
export class Frame {
  readonly around: Surroundings;
  /** Types of the locals beyond the parameters. */
  readonly locals: number[] = [];
  /** What runs first: the registers that the row reads. */
  private readonly prelude: number[] = [];
  protected readonly operands: readonly string[];
  private readonly known = new Map<string, Code>();

  constructor(operands: readonly string[], around: Surroundings) {
    this.operands = operands;
    this.around = around;
  }

  /** The instruction word. */
  get word(): Code {
    return getLocal(0);
  }
  /** Bits first to last of the word, numbered as in the manual. */
  field(first: number, last: number): Code {
    return i32Op.and(i32Op.shrU(this.word, i32(31 - last)), i32(2 ** (last - first + 1) - 1));
  }
  /** The same as a signed number. */
  signedField(first: number, last: number): Code {
    return i32Op.shrS(i32Op.shl(this.word, i32(first)), i32(31 - last + first));
  }

  /** The immediate of prefix and suffix, of 32 bits. */
  get immediate(): Code {
    return i32Op.or(i32Op.shl(getLocal(1), i32(16)), this.field(16, 31));
  }

  /** Computes a value once: `body` may use it as often as it likes. */
  keep(type: number, value: Code, body: (value: Code) => Code): Code {
    const index = this.local(type);
    return [...setLocal(index, value), ...body(getLocal(index))];
  }
  vector(value: Code, body: (value: Code) => Code): Code {
    return this.keep(V128, value, body);
  }
  doubleword(value: Code, body: (value: Code) => Code): Code {
    return this.keep(I64, value, body);
  }
  integer(value: Code, body: (value: Code) => Code): Code {
    return this.keep(I32, value, body);
  }
  /** A local of its own, for loops. */
  local(type: number): number {
    return 2 + this.locals.push(type) - 1;
  }

  /** Contents of VRA or XA, of VRB or XB, of VRC or XC, and what the target holds before. */
  get a(): Code {
    return this.source("VRA", "XA");
  }
  get b(): Code {
    return this.source("VRB", "XB");
  }
  get c(): Code {
    return this.source("VRC", "XC");
  }
  get t(): Code {
    return this.source("VRT", "VRS", "XT", "XS", "XT.DQ", "XS.DQ", "XT.15");
  }
  private source(...names: string[]): Code {
    const name = this.operands.find((operand) => names.includes(operand));
    if (name === undefined) throw new RangeError(`no operand ${names.join(" or ")}`);
    return this.contents(name);
  }
  /** Contents of a vector operand. */
  protected contents(name: string): Code {
    return this.once(name, V128, () => loadV128(this.registerBase(name), this.vectorAddress(name)));
  }
  /** Contents of a GPR operand. */
  gpr(name: string): Code {
    return this.once(name, I64, () => loadI64(REGISTERS_OFFSET + GPR, this.gprAddress(name)));
  }
  private once(name: string, type: number, load: () => Code): Code {
    let value = this.known.get(name);
    if (value === undefined) {
      const index = this.local(type);
      this.prelude.push(...setLocal(index, load()));
      value = getLocal(index);
      this.known.set(name, value);
    }
    return value;
  }

  private registerBase(name: string): number {
    return REGISTERS_OFFSET + VSR + (name.startsWith("V") ? 512 : 0);
  }
  private vectorAddress(name: string): Code {
    const [shift, bit, bitShift] = VECTOR_FIELDS[name];
    const low = i32Op.and(i32Op.shrU(this.word, i32(shift)), i32(0x1f0));
    if (bit === 0) return low;
    const top = i32Op.and(this.word, i32(bit));
    return i32Op.or(low, bitShift < 0 ? i32Op.shrU(top, i32(-bitShift)) : i32Op.shl(top, i32(bitShift)));
  }
  /** Byte offset of a GPR in the block; RA0 of register 0 is the doubleword that is always zero. */
  private gprAddress(name: string): Code {
    const at = i32Op.and(i32Op.shrU(this.word, i32(GPR_SHIFTS[name])), i32(0xf8));
    return name === "RA0" ? select(at, i32(ZERO), at) : at;
  }

  /** Leaves the instruction to the row's fallback unless the i32 `condition` is not zero. */
  leaveUnless(condition: Code): Code {
    return when(i32Op.eqz(condition), [...call(FALLBACK, getLocal(0), getLocal(1)), RETURN]);
  }
  /** The register at a byte offset of the block, an i32. */
  register(offset: number): Code {
    return loadI32(REGISTERS_OFFSET + offset, i32(0));
  }

  /** Sets VSCR[SAT] where the i32 `condition` is 1. */
  saturated(condition: Code): Code {
    const at = REGISTERS_OFFSET + VSCR;
    return storeI32(at, i32(0), i32Op.or(loadI32(at, i32(0)), condition));
  }
  /** Sets CR field `number` (an i32), to a value of four bits. */
  setCr(number: Code, value: Code): Code {
    return storeI8(REGISTERS_OFFSET + CR, number, value);
  }

  /**
   * The access at the effective address of the row's operands, which are RA0 and RB, or a displacement of `displacement` bytes: calls `body`
   * with where it begins in host memory, once it is known to be allowed. `align` clears low bits of the address.
   */
  access({ size, store, align = 0, displacement }: Access, body: (host: Code, ea: Code) => Code): Code {
    return this.integer(this.effectiveAddress(store, displacement), (whole) => {
      const ea = align === 0 ? whole : i32Op.and(whole, i32(~align));
      return this.integer(ea, (ea) => [
        ...this.check(ea, size, store, align + 1 >= size),
        ...body(this.host(ea, size), ea),
      ]);
    });
  }
  /** Code that comes back only if `size` bytes at `ea` can be accessed. */
  check(ea: Code, size: number, store: boolean, aligned = false): Code {
    const guard = loadU8(store ? WRITE_GUARD_OFFSET : READ_GUARD_OFFSET, i32Op.shrU(ea, i32(12)));
    const crosses = i32Op.gtU(i32Op.and(ea, i32(0xfff)), i32(0x1000 - size));
    return when(
      aligned ? guard : i32Op.or(guard, crosses),
      call(store ? CHECK_STORE : CHECK_LOAD, ea, i32(size)),
    );
  }
  /** Where `size` bytes at `ea` begin in host memory. */
  host(ea: Code, size: number): Code {
    const { bigEndian, size: top } = this.around;
    return bigEndian ? i32Op.sub(i32((top - size) | 0), ea) : i32Op.add(ea, i32(STRAIGHT_OFFSET));
  }
  /** The effective address, an i32. */
  private effectiveAddress(store: boolean, displacement?: Code): Code {
    if (!this.around.is64) {
      const base = i32Op.wrap(this.gpr("RA0"));
      if (displacement !== undefined) return i32Op.add(base, displacement);
      return this.operands.includes("RB") ? i32Op.add(base, i32Op.wrap(this.gpr("RB"))) : base;
    }
    const offset =
      displacement !== undefined
        ? i64Op.extendS(displacement)
        : this.operands.includes("RB")
          ? this.gpr("RB")
          : i64(0n);
    return this.doubleword(i64Op.add(this.gpr("RA0"), offset), (ea) => this.near(ea, store));
  }
  /** The i64 `ea` as an i32; of a far address, the one that stands for it. */
  near(ea: Code, store: boolean): Code {
    if (!this.around.is64) return i32Op.wrap(ea);
    const upper = i64Op.shrU(ea, i64(32n));
    const far = call(FAR, i32Op.wrap(upper), i32Op.wrap(ea), i32(store ? 1 : 0));
    return either(I32, i64Op.eqz(upper), i32Op.wrap(ea), far);
  }
  /**
   * The access to the first bytes at EA = (RA|0), as many as the high byte of RB says and 16 at most; where there are any, they are known to
   * be accessible. `body` may load and store all 16, since the memory beyond is there, whoever's it is: it puts back what it found.
   */
  accessBytes(store: boolean, body: (host: Code, count: Code) => Code): Code {
    return this.integer(this.byteCount, (count) =>
      this.integer(
        // Without bytes there may be no memory at EA; 0 always has some.
        either(I32, count, this.near(this.gpr("RA0"), store), i32(0)),
        (ea) => [...when(count, this.checkBytes(ea, count, store)), ...body(this.host(ea, 16), count)],
      ),
    );
  }
  protected get byteCount(): Code {
    return this.integer(i32Op.wrap(i64Op.shrU(this.gpr("RB"), i64(56n))), (whole) =>
      select(whole, i32(16), i32Op.ltU(whole, i32(16))),
    );
  }
  /** The same as `check` for a number of bytes, 1 to 16, that is known at run time only. */
  private checkBytes(ea: Code, count: Code, store: boolean): Code {
    const guard = loadU8(store ? WRITE_GUARD_OFFSET : READ_GUARD_OFFSET, i32Op.shrU(ea, i32(12)));
    return when(i32Op.or(guard, this.crosses(ea, count)), call(store ? CHECK_STORE : CHECK_LOAD, ea, count));
  }
  /** Whether so many bytes at `ea` are in two pages. */
  protected crosses(ea: Code, count: Code): Code {
    return i32Op.gtU(i32Op.add(i32Op.and(ea, i32(0xfff)), count), i32(0x1000));
  }

  /** The registers of an even/odd pair, XTP or XSP. */
  ofPair(which: 0 | 1): Code {
    return loadV128(REGISTERS_OFFSET + VSR + 16 * which, this.pairAddress());
  }
  setPair(which: 0 | 1, value: Code): Code {
    return storeV128(REGISTERS_OFFSET + VSR + 16 * which, this.pairAddress(), value);
  }
  private pairAddress(): Code {
    const bits = i32Op.and(i32Op.shrU(this.word, i32(17)), i32(0x1e0));
    return i32Op.or(bits, i32Op.shrU(i32Op.and(this.word, i32(1 << 21)), i32(12)));
  }

  /** The body of the row's function: its result goes where the first operand says. `recording` rows set CR6 where bit 21 says so. */
  function(row: Row, recording: boolean): Code {
    const [target] = this.operands;
    const result = row(this);
    if (/^(VRS|VRB|XS|XTP)/.test(target ?? "VRS")) return [...this.prelude, ...result];
    if (target === "BF") return [...this.prelude, ...this.setCr(this.field(6, 8), result)];
    if (target in GPR_SHIFTS) {
      const value = this.local(I64);
      return [
        ...this.prelude,
        ...setLocal(value, result),
        ...storeI64(REGISTERS_OFFSET + GPR, this.gprAddress(target), getLocal(value)),
      ];
    }
    const value = this.local(V128);
    return [
      ...this.prelude,
      ...setLocal(value, result),
      ...storeV128(this.registerBase(target), this.vectorAddress(target), getLocal(value)),
      ...(recording ? when(this.field(21, 21), this.record?.() ?? this.recordCompare(getLocal(value))) : []),
    ];
  }
  /** What a row with an Rc bit does for it, where that is not what compares do. */
  record: (() => Code) | undefined;
  /** CR6 of a compare: bit 0 where all elements are true, bit 2 where none is (elements are all ones or all zeros). */
  protected recordCompare(result: Code): Code {
    const all = i32Op.and(B.allTrue(result), i32(1));
    const none = i32Op.eqz(anyTrue(result));
    return this.setCr(i32(6), i32Op.or(i32Op.shl(all, i32(3)), i32Op.shl(none, i32(1))));
  }
}

/** A storage access: its bytes, and whether it is a store. */
export interface Access {
  readonly size: number;
  readonly store: boolean;
  readonly align?: number;
  readonly displacement?: Code;
}
