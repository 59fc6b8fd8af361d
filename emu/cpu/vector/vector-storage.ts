/**
 * Vector and VSX storage access: Power ISA 3.0B, I.6.7 and I.7.6.2. In both byte orders the register block holds a quadword as the
 * 128-bit number it is, least significant byte first, and storage holds it the same way (reversed storage for big-endian guests): a
 * quadword is one plain access. What is defined by elements has them in another order in little-endian mode.
 */

import {
  and,
  B,
  bitSelect,
  type Code,
  D,
  either,
  high,
  I64,
  i32,
  i32Op,
  i64,
  i64Op,
  loadI32,
  loadI64,
  loadU8,
  loadU16,
  loadV128,
  low,
  pair,
  promote,
  shuffle,
  storeI8,
  storeI16,
  storeI32,
  storeI64,
  storeV128,
  swizzle,
  v128,
  W,
} from "./expressions.ts";
import type { Frame, Row } from "./frame.ts";
import type { Family } from "./functions.ts";
import { inserted, LANES } from "./permute.ts";

/** Displacements of the DS and DQ forms; X forms have none. */
type Displacement = (frame: Frame) => Code | undefined;
const x: Displacement = () => undefined;
const ds: Displacement = (frame) => i32Op.and(frame.signedField(16, 31), i32(~3));
const dq: Displacement = (frame) => i32Op.and(frame.signedField(16, 31), i32(~15));

/** A load of `size` bytes; `value` gives the register's contents from where they are. */
const load =
  (size: number, form: Displacement, value: (host: Code, frame: Frame) => Code): Row =>
  (frame) =>
    frame.access({ size, store: false, displacement: form(frame) }, (host) => value(host, frame));
/** A store of `size` bytes. */
const store =
  (size: number, form: Displacement, put: (host: Code, frame: Frame) => Code): Row =>
  (frame) =>
    frame.access({ size, store: true, displacement: form(frame) }, (host) => put(host, frame));

// ---- quadwords --------------------------------------------------------------------------------------------

const quadword = (host: Code): Code => loadV128(0, host);
const putQuadword = (host: Code, frame: Frame): Code => storeV128(0, host, frame.t);

const aligned: Row = (frame) => frame.access({ size: 16, store: false, align: 15 }, quadword);
const storeAligned: Row = (frame) =>
  frame.access({ size: 16, store: true, align: 15 }, (host) => putQuadword(host, frame));

/** In little-endian mode the elements of `size` bytes are the other way round. */
function inElementOrder(frame: Frame, size: number, value: Code): Code {
  if (frame.around.bigEndian) return value;
  return frame.vector(value, (value) => {
    const order = Array.from({ length: 16 }, (_, i) => 16 - size * (Math.floor(i / size) + 1) + (i % size));
    return shuffle(value, value, order);
  });
}
const elementsOf = (size: number): Row =>
  load(16, x, (host, frame) => inElementOrder(frame, size, quadword(host)));
const storeElements = (size: number): Row =>
  store(16, x, (host, frame) => storeV128(0, host, inElementOrder(frame, size, frame.t)));

/** Two registers and 32 bytes, which are one number of 256 bits: the even register has its upper half in both byte orders. */
const loadPair = (form: Displacement): Row =>
  load(32, form, (host, frame) => [
    ...frame.setPair(0, loadV128(16, host)),
    ...frame.setPair(1, loadV128(0, host)),
  ]);
const storePair = (form: Displacement): Row =>
  store(32, form, (host, frame) => [
    ...storeV128(16, host, frame.ofPair(0)),
    ...storeV128(0, host, frame.ofPair(1)),
  ]);

// ---- elements -------------------------------------------------------------------------------------------

const loadElement: Record<number, (host: Code) => Code> = {
  1: (host) => i64Op.extendU(loadU8(0, host)),
  2: (host) => i64Op.extendU(loadU16(0, host)),
  4: (host) => i64Op.extendU(loadI32(0, host)),
  8: (host) => loadI64(0, host),
};
const storeElement: Record<number, (host: Code, value: Code) => Code> = {
  1: (host, value) => storeI8(0, host, i32Op.wrap(value)),
  2: (host, value) => storeI16(0, host, i32Op.wrap(value)),
  4: (host, value) => storeI32(0, host, i32Op.wrap(value)),
  8: (host, value) => storeI64(0, host, value),
};

/** The lane where the element at `ea` lies in a register that mirrors its aligned quadword. */
const laneOf = (frame: Frame, ea: Code, size: number): Code => {
  const within = i32Op.and(ea, i32(15));
  return frame.around.bigEndian ? i32Op.sub(i32(16 - size), within) : within;
};

/** The element at EA in its place; the others are left as they are, which the architecture leaves open. */
const oneElement =
  (size: number): Row =>
  (frame) =>
    frame.access({ size, store: false, align: size - 1 }, (host, ea) =>
      inserted(frame, size, laneOf(frame, ea, size), loadElement[size](host)),
    );
const storeOneElement =
  (size: number): Row =>
  (frame) =>
    frame.access({ size, store: true, align: size - 1 }, (host, ea) =>
      storeElement[size](host, low(swizzle(frame.t, B.add(LANES, B.splat(laneOf(frame, ea, size)))))),
    );

/** Into doubleword 0; doubleword 1 is zero, as ISA 3.1 says and processors before it do. */
const scalar = (value: Code): Code => pair(value, i64(0n));
const loadScalar = (size: number, form: Displacement = x): Row =>
  load(size, form, (host) => scalar(loadElement[size](host)));
const storeScalar = (size: number, form: Displacement = x): Row =>
  store(size, form, (host, frame) => storeElement[size](host, high(frame.t)));

/** DOUBLE of the manual: a single's bits as a double's. A signalling NaN stays one. */
export const toDouble = (frame: Frame, single: Code): Code =>
  frame.integer(single, (word) =>
    either(
      I64,
      i32Op.eq(i32Op.and(word, i32(0x7f80_0000)), i32(0x7f80_0000)),
      i64Op.or(
        i64Op.or(
          i64Op.shl(i64Op.extendU(i32Op.and(word, i32(0x8000_0000))), i64(32n)),
          i64(0x7000_0000_0000_0000n),
        ),
        i64Op.shl(i64Op.extendU(i32Op.and(word, i32(0x7fff_ffff))), i64(29n)),
      ),
      promote(word),
    ),
  );
/** SINGLE of the manual: no rounding; what is below the least subnormal single becomes zero. */
const toSingle = (frame: Frame, double: Code): Code =>
  frame.doubleword(double, (bits) =>
    frame.integer(i32Op.and(i32Op.wrap(i64Op.shrU(bits, i64(52n))), i32(0x7ff)), (exponent) =>
      frame.integer(i32Op.wrap(i64Op.shrU(bits, i64(32n))), (top) =>
        frame.integer(i32Op.wrap(i64Op.shrU(bits, i64(29n))), (middle) =>
          either(
            0x7f,
            i32Op.gtU(exponent, i32(896)),
            i32Op.or(i32Op.and(top, i32(0xc000_0000)), i32Op.and(middle, i32(0x3fff_ffff))),
            i32Op.or(
              i32Op.and(top, i32(0x8000_0000)),
              either(
                0x7f,
                i32Op.ltU(exponent, i32(874)),
                i32(0),
                i32Op.shrU(
                  i32Op.or(i32(0x80_0000), i32Op.and(middle, i32(0x7f_ffff))),
                  i32Op.sub(i32(897), exponent),
                ),
              ),
            ),
          ),
        ),
      ),
    ),
  );
const loadSingle = (form: Displacement): Row =>
  load(4, form, (host, frame) => scalar(toDouble(frame, loadI32(0, host))));
const storeSingle = (form: Displacement): Row =>
  store(4, form, (host, frame) => storeI32(0, host, toSingle(frame, high(frame.t))));

/** Into the rightmost element, the rest zero; and from there. */
const loadRightmost = (size: number): Row => load(size, x, (host) => pair(i64(0n), loadElement[size](host)));
const storeRightmost = (size: number): Row =>
  store(size, x, (host, frame) => storeElement[size](host, low(frame.t)));

// ---- with a length ----------------------------------------------------------------------------------------

/** Ones in the lanes that hold the first `count` bytes of storage. */
const firstBytes = (frame: Frame, count: Code): Code =>
  frame.around.bigEndian ? B.gtS(LANES, B.splat(i32Op.sub(i32(15), count))) : B.gtU(B.splat(count), LANES);
/** `justified`: bytes stand from the left in both byte orders, as lxvll and stxvll have them. */
const loadLength =
  (justified: boolean): Row =>
  (frame) =>
    frame.accessBytes(false, (host, count) => {
      const value = and(quadword(host), firstBytes(frame, count));
      return justified ? inElementOrder(frame, 1, value) : value;
    });
const storeLength =
  (justified: boolean): Row =>
  (frame) =>
    frame.accessBytes(true, (host, count) => {
      const value = justified ? inElementOrder(frame, 1, frame.t) : frame.t;
      return storeV128(0, host, bitSelect(value, quadword(host), firstBytes(frame, count)));
    });

// ---- for unaligned data ---------------------------------------------------------------------------------

/** Bytes EA & 15 and on, or 16 - (EA & 15) and on: the control vector of a vperm. */
const shiftControl =
  (left: boolean): Row =>
  (frame) => {
    const ea = i32Op.add(i32Op.wrap(frame.gpr("RA0")), i32Op.wrap(frame.gpr("RB")));
    const first = i32Op.and(ea, i32(15));
    const bytes = v128(0x0001_0203_0405_0607n, 0x0809_0a0b_0c0d_0e0fn);
    return B.add(B.splat(left ? first : i32Op.sub(i32(16), first)), bytes);
  };

export const STORAGE = (): Family => ({
  lvebx: oneElement(1),
  lvehx: oneElement(2),
  lvewx: oneElement(4),
  lvx: aligned,
  lvxl: aligned,
  stvebx: storeOneElement(1),
  stvehx: storeOneElement(2),
  stvewx: storeOneElement(4),
  stvx: storeAligned,
  stvxl: storeAligned,
  lvsl: shiftControl(true),
  lvsr: shiftControl(false),

  lxsdx: loadScalar(8),
  lxsibzx: loadScalar(1),
  lxsihzx: loadScalar(2),
  lxsiwax: load(4, x, (host) => scalar(i64Op.extendS(loadI32(0, host)))),
  lxsiwzx: loadScalar(4),
  lxsspx: loadSingle(x),
  lxsd: loadScalar(8, ds),
  lxssp: loadSingle(ds),
  lxvb16x: elementsOf(1),
  lxvh8x: elementsOf(2),
  lxvw4x: elementsOf(4),
  lxvd2x: elementsOf(8),
  lxv: load(16, dq, quadword),
  lxvx: load(16, x, quadword),
  lxvdsx: load(8, x, (host) => D.splat(loadI64(0, host))),
  lxvwsx: load(4, x, (host) => W.splat(loadI32(0, host))),
  lxvl: loadLength(false),
  lxvll: loadLength(true),
  lxvrbx: loadRightmost(1),
  lxvrhx: loadRightmost(2),
  lxvrwx: loadRightmost(4),
  lxvrdx: loadRightmost(8),
  lxvp: loadPair(dq),
  lxvpx: loadPair(x),

  stxsdx: storeScalar(8),
  stxsibx: storeScalar(1),
  stxsihx: storeScalar(2),
  stxsiwx: storeScalar(4),
  stxsspx: storeSingle(x),
  stxsd: storeScalar(8, ds),
  stxssp: storeSingle(ds),
  stxvb16x: storeElements(1),
  stxvh8x: storeElements(2),
  stxvw4x: storeElements(4),
  stxvd2x: storeElements(8),
  stxv: store(16, dq, putQuadword),
  stxvx: store(16, x, putQuadword),
  stxvl: storeLength(false),
  stxvll: storeLength(true),
  stxvrbx: storeRightmost(1),
  stxvrhx: storeRightmost(2),
  stxvrwx: storeRightmost(4),
  stxvrdx: storeRightmost(8),
  stxvp: storePair(dq),
  stxvpx: storePair(x),
});
