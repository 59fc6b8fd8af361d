/**
 * The architected state of one hardware thread: a block of bytes in the machine's WebAssembly memory with
 * typed-array views over it, so that interpreter, translated code, checkpoint and debugger see the same bytes.
 * All values are in host (little-endian) order. Offsets are within the block.
 */
import { REGISTERS_SIZE } from "../memory/layout.ts";

/** GPR n: 64 bits at GPR + 8n. Where 32-bit programs do without upper halves (`narrow.ts`), these are undefined. */
export const GPR = 0;
/** A doubleword that is always zero: what (RA|0) reads when RA = 0. */
export const ZERO = 256;
/** Next instruction address. Between instructions, the one to execute next. */
export const NIA = 264;
export const LR = 272;
export const CTR = 280;
/** Condition register: one byte a field, CR0 first; within it LT GT EQ SO are 8 4 2 1. */
export const CR = 288;
/** XER, one byte a flag. */
export const XER_SO = 296;
export const XER_OV = 297;
export const XER_CA = 298;
/** XER bits 57:63, the byte count of lswx and stswx. */
export const XER_COUNT = 299;
export const XER_OV32 = 300;
export const XER_CA32 = 301;
/** FPSCR, 64 bits; the upper half holds DRN (ISA 2.05) only. Translated code keeps some of it back, and settles it when it is left. */
export const FPSCR = 304;
export const VRSAVE = 312;
export const VSCR = 316;
/** lwarx and its family: bytes reserved (0 = none), the address, and the value seen there. */
export const RESERVE_LENGTH = 320;
export const RESERVE_ADDRESS = 328;
export const RESERVE_VALUE = 336;
export const TAR = 352;
export const DSCR = 360;
export const PPR = 368;
/** MSR of a user program, without the facilities in use (`shownMsr`); FE0/FE1 follow prctl(PR_SET_FPEXC). */
export const MSR = 376;
/** Instructions retired by this thread. */
export const INSTRUCTIONS = 384;
/** Data address breakpoint register as linux-cr keeps it: address | translation 4 | write 2 | read 1. */
export const DABR = 392;
/** VSR n: 16 bytes at VSR + 16n, doubleword 0 (which is FPR n for n < 32) in the *upper* eight. */
export const VSR = 512;

/** Byte offset of FPR n, i.e. doubleword 0 of VSR n. */
export const fprOffset = (n: number): number => VSR + 16 * n + 8;

/** CR0[SO] in the condition register, by which `sc` tells errors. */
export const CR0_SO = 0x1000_0000;

/** MSR bits (Linux names). */
export const MSR_SF = 1n << 63n;
export const MSR_FE0 = 0x800n;
export const MSR_FE1 = 0x100n;
export const MSR_FP = 0x2000n;
export const MSR_VEC = 0x200_0000n;
export const MSR_VSX = 0x80_0000n;

/** VSCR[NJ], with which Linux starts programs. */
export const VSCR_NJ = 0x1_0000;

/** The views over one register block. Indices are byte offsets divided by the view's element size. */
export class Registers {
  readonly bytes: Uint8Array;
  /** GPR n: low word at i32[2n], high word at i32[2n + 1]. */
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly u64: BigUint64Array;
  readonly i64: BigInt64Array;
  readonly f64: Float64Array;
  readonly f32: Float32Array;

  constructor(buffer: ArrayBufferLike, offset: number) {
    this.bytes = new Uint8Array(buffer, offset, REGISTERS_SIZE);
    this.i32 = new Int32Array(buffer, offset, REGISTERS_SIZE / 4);
    this.u32 = new Uint32Array(buffer, offset, REGISTERS_SIZE / 4);
    this.u64 = new BigUint64Array(buffer, offset, REGISTERS_SIZE / 8);
    this.i64 = new BigInt64Array(buffer, offset, REGISTERS_SIZE / 8);
    this.f64 = new Float64Array(buffer, offset, REGISTERS_SIZE / 8);
    this.f32 = new Float32Array(buffer, offset, REGISTERS_SIZE / 4);
  }

  gpr(n: number): bigint {
    return this.u64[GPR / 8 + n];
  }
  setGpr(n: number, value: bigint): void {
    this.u64[GPR / 8 + n] = value;
  }
  /** Makes the upper halves of GPRs, LR and CTR zero. */
  clearUpperHalves(): void {
    for (let n = 0; n < 32; n++) this.i32[GPR / 4 + 2 * n + 1] = 0;
    this.i32[LR / 4 + 1] = this.i32[CTR / 4 + 1] = 0;
  }
  /** FPR n as its 64 bits. */
  fpr(n: number): bigint {
    return this.u64[fprOffset(n) / 8];
  }
  setFpr(n: number, bits: bigint): void {
    this.u64[fprOffset(n) / 8] = bits;
  }
  get nia(): bigint {
    return this.u64[NIA / 8];
  }
  set nia(value: bigint) {
    this.u64[NIA / 8] = value;
  }
  get lr(): bigint {
    return this.u64[LR / 8];
  }
  set lr(value: bigint) {
    this.u64[LR / 8] = value;
  }
  get ctr(): bigint {
    return this.u64[CTR / 8];
  }
  set ctr(value: bigint) {
    this.u64[CTR / 8] = value;
  }
  get msr(): bigint {
    return this.u64[MSR / 8];
  }
  set msr(value: bigint) {
    this.u64[MSR / 8] = value;
  }
  /**
   * MSR as signal frames and images show it, with FP, VEC and VSX where a program has used these. Linux sees the first use; here a
   * facility counts as used while its registers are not as in a fresh program, which is the same to whoever restores them.
   */
  get shownMsr(): bigint {
    const { i32 } = this;
    let fp = i32[FPSCR / 4] | i32[FPSCR / 4 + 1];
    let [halves, vectors] = [0, 0];
    for (let at = VSR / 4, vr = at + 128; at < VSR / 4 + 128; at += 4, vr += 4) {
      halves |= i32[at] | i32[at + 1];
      fp |= i32[at + 2] | i32[at + 3];
      vectors |= i32[vr] | i32[vr + 1] | i32[vr + 2] | i32[vr + 3];
    }
    const vscr = this.u32[VSCR / 4];
    let msr = this.msr;
    if (fp !== 0) msr |= MSR_FP;
    if (vectors !== 0 || (vscr !== 0 && vscr !== VSCR_NJ)) msr |= MSR_VEC;
    if (halves !== 0) msr |= MSR_VSX;
    return msr;
  }
  get instructions(): bigint {
    return this.u64[INSTRUCTIONS / 8];
  }
  set instructions(value: bigint) {
    this.u64[INSTRUCTIONS / 8] = value;
  }
  /** The count's low word: less than 2^32 are between two looks at it by their difference. */
  get instructionsLow(): number {
    return this.u32[INSTRUCTIONS / 4];
  }
  /** Counts instructions as retired. By halves: the engines do so at every change from one to the other, and BigInts cost V8 a call. */
  retire(count: number): void {
    const low = this.u32[INSTRUCTIONS / 4] + count;
    this.u32[INSTRUCTIONS / 4] = low;
    if (low >= 2 ** 32) this.u32[INSTRUCTIONS / 4 + 1] += Math.floor(low / 2 ** 32);
  }
  /** All of FPSCR. Outside the FPU, and the translator, which settles it when it is left, this is the way to it. */
  get wholeFpscr(): bigint {
    return this.u64[FPSCR / 8];
  }
  set wholeFpscr(value: bigint) {
    this.u64[FPSCR / 8] = value;
  }
  /** The word of it that there has always been. */
  get fpscr(): number {
    return Number(BigInt.asUintN(32, this.wholeFpscr));
  }
  set fpscr(value: number) {
    this.u32[FPSCR / 4] = value;
  }

  /** The condition register as its 32-bit value. */
  get cr(): number {
    let value = 0;
    for (let field = 0; field < 8; field++) value = (value << 4) | this.bytes[CR + field];
    return value >>> 0;
  }
  set cr(value: number) {
    for (let field = 7; field >= 0; field--) {
      this.bytes[CR + field] = value & 15;
      value >>>= 4;
    }
  }

  /** XER as its low 32 bits (Power ISA 3.0B, I.3.2.2): SO OV CA ... OV32 CA32 ... count. */
  get xer(): number {
    const b = this.bytes;
    return (
      ((b[XER_SO] << 31) |
        (b[XER_OV] << 30) |
        (b[XER_CA] << 29) |
        (b[XER_OV32] << 19) |
        (b[XER_CA32] << 18) |
        b[XER_COUNT]) >>>
      0
    );
  }
  set xer(value: number) {
    const b = this.bytes;
    b[XER_SO] = value >>> 31;
    b[XER_OV] = (value >>> 30) & 1;
    b[XER_CA] = (value >>> 29) & 1;
    b[XER_OV32] = (value >>> 19) & 1;
    b[XER_CA32] = (value >>> 18) & 1;
    b[XER_COUNT] = value & 0x7f;
  }
}
