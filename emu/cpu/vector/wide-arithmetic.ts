/**
 * Vector instructions that few programs use and that wide arithmetic says best: quadword and extended division (Power ISA 3.1, I.6.9.1), bits
 * under a mask, every Nth bit (I.6.12), and permute control vectors (I.7.6.3).
 */
import { centrifuge, countZeros, depositBits, extractBits } from "../bit-masks.ts";
import { rt } from "../fields.ts";
import { type Handler, type HandlerTable, type Selector, validWhen } from "../handler.ts";
import { GPR } from "../registers.ts";
import { cpu } from "../views.ts";
import { elementsOf, fromElements, quad, setQuad, vra, vrb, vrt, xt } from "./vector-registers.ts";

type Binary = (a: bigint, b: bigint) => bigint;

/** Each element of VRA and VRB. */
const each =
  (bits: number, op: Binary): Handler =>
  (word) => {
    const b = elementsOf(quad(vrb(word)), bits);
    const a = elementsOf(quad(vra(word)), bits);
    const result = a.map((x, i) => op(x, b[i]));
    setQuad(vrt(word), fromElements(result, bits));
  };

const signed =
  (bits: number, op: Binary): Binary =>
  (a, b) =>
    op(BigInt.asIntN(bits, a), BigInt.asIntN(bits, b));
/** Quotient and remainder; where the divisor is zero, which leaves them undefined, those of one, as QEMU has them. */
const quotient: Binary = (a, b) => a / (b === 0n ? 1n : b);
const remainder: Binary = (a, b) => a % (b === 0n ? 1n : b);
/**
 * The dividend has as many zeros to its right as an element has bits. A quotient that doesn't fit, which is undefined, becomes zero, as in
 * outputs recorded on POWER10.
 */
const extended =
  (bits: number, cut: (bits: number, value: bigint) => bigint): Binary =>
  (a, b) => {
    if (b === 0n) return 0n;
    const whole = (cut(bits, a) << BigInt(bits)) / cut(bits, b);
    return cut(bits, whole) === whole ? whole : 0n;
  };

/** Bits 0, N, 2N and so on of VRB, at the left of RT. */
const gatherEvery: Handler = (word) => {
  const value = quad(vrb(word));
  const step = (word >>> 16) & 7;
  let result = 0n;
  if (step >= 2) {
    for (let bit = 0, to = 63; bit < 128; bit += step, to--) {
      result |= ((value >> BigInt(127 - bit)) & 1n) << BigInt(to);
    }
  }
  cpu.u64[GPR / 8 + rt(word) / 2] = result;
};

const hasMode = (word: number): boolean => ((word >>> 16) & 31) < 4;
/**
 * A control vector for vperm (big-endian: IMM 0 and 1) or vpermr (little-endian: 2 and 3) that expands (0, 2) or compresses (1, 3) the elements
 * which are chosen by the signs of VRB's.
 */
const generateControl = (bits: number): Selector =>
  validWhen(hasMode, (word) => {
    const imm = (word >>> 16) & 31;
    const size = bits / 8;
    // Little-endian numbering is the mirror image.
    const mirrored = imm >= 2;
    const source = elementsOf(quad(vrb(word)), bits);
    const chosen = (mirrored ? source.reverse() : source).map(
      (element) => element >> BigInt(bits - 1) !== 0n,
    );
    const bytes = new Array<number>(16).fill(0);
    const put = (element: number, first: number): void => {
      for (let k = 0; k < size; k++) bytes[element * size + k] = first + k;
    };
    let packed = 0;
    chosen.forEach((isChosen, element) => {
      if (imm & 1) {
        if (isChosen) put(packed++, element * size);
      } else put(element, isChosen ? size * packed++ : 16 + element * size);
    });
    if (mirrored) bytes.reverse();
    setQuad(xt(word), fromElements(bytes.map(BigInt), 8));
  });

/** Rows of ISA 3.1 that are not short sequences of WebAssembly. */
export const wideHandlers = (): HandlerTable => ({
  vdivsq: each(128, signed(128, quotient)),
  vdivuq: each(128, quotient),
  vmodsq: each(128, signed(128, remainder)),
  vmoduq: each(128, remainder),
  vdivesw: each(32, extended(32, BigInt.asIntN)),
  vdiveuw: each(32, extended(32, BigInt.asUintN)),
  vdivesd: each(64, extended(64, BigInt.asIntN)),
  vdiveud: each(64, extended(64, BigInt.asUintN)),
  vdivesq: each(128, extended(128, BigInt.asIntN)),
  vdiveuq: each(128, extended(128, BigInt.asUintN)),
  vclzdm: each(64, countZeros(true)),
  vctzdm: each(64, countZeros(false)),
  vpdepd: each(64, depositBits),
  vpextd: each(64, extractBits),
  vcfuged: each(64, centrifuge),
  vgnb: gatherEvery,
  xxgenpcvbm: generateControl(8),
  xxgenpcvhm: generateControl(16),
  xxgenpcvwm: generateControl(32),
  xxgenpcvdm: generateControl(64),
});
