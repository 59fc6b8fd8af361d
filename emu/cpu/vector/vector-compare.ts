/** Vector integer compare and logical instructions: Power ISA 3.0B, I.6.9.5 and I.6.9.6; the VSX forms: I.7.6.3. */

import {
  and,
  andNot,
  B,
  bitSelect,
  type Code,
  D,
  H,
  i32,
  i32Op,
  i64Op,
  type Lanes,
  not,
  or,
  W,
  xor,
  ZERO,
} from "./expressions.ts";
import type { Frame, Row } from "./frame.ts";
import type { Family } from "./functions.ts";
import { binary, type Quad, withQuad } from "./integer.ts";

/** All ones where two elements differ. */
const notEqual =
  (lanes: Lanes): Row =>
  ({ a, b }) =>
    not(lanes.eq(a, b));
/** The same, or where either is zero. */
const notEqualOrZero =
  (lanes: Lanes): Row =>
  ({ a, b }) =>
    or(not(lanes.eq(a, b)), or(lanes.eq(a, ZERO), lanes.eq(b, ZERO)));

/** Whether x > y as quadwords, an i32. */
const greater = (x: Quad, y: Quad, signed: boolean): Code =>
  i32Op.or(
    (signed ? i64Op.gtS : i64Op.gtU)(x.high, y.high),
    i32Op.and(i64Op.eq(x.high, y.high), i64Op.gtU(x.low, y.low)),
  );
const equal = (x: Quad, y: Quad): Code => i32Op.and(i64Op.eq(x.high, y.high), i64Op.eq(x.low, y.low));

const quads = (frame: Frame, body: (a: Quad, b: Quad) => Code): Code =>
  withQuad(frame, frame.a, (a) => withQuad(frame, frame.b, (b) => body(a, b)));
/** All ones or zeros for an i32 that is 1 or 0. */
const mask = (condition: Code): Code => W.splat(i32Op.sub(i32(0), condition));

const greaterQuad =
  (signed: boolean): Row =>
  (frame) =>
    quads(frame, (a, b) => mask(greater(a, b, signed)));
/** LT, GT, EQ of two quadwords for a CR field. */
const compareQuad =
  (signed: boolean): Row =>
  (frame) =>
    quads(frame, (a, b) =>
      i32Op.or(
        i32Op.shl(greater(b, a, signed), i32(3)),
        i32Op.or(i32Op.shl(greater(a, b, signed), i32(2)), i32Op.shl(equal(a, b), i32(1))),
      ),
    );

export const COMPARE = (): Family => ({
  vcmpequb: binary(B.eq),
  vcmpequh: binary(H.eq),
  vcmpequw: binary(W.eq),
  vcmpequd: binary(D.eq),
  vcmpequq: (frame) => quads(frame, (a, b) => mask(equal(a, b))),
  vcmpgtsb: binary(B.gtS),
  vcmpgtsh: binary(H.gtS),
  vcmpgtsw: binary(W.gtS),
  vcmpgtsd: binary(D.gtS),
  vcmpgtsq: greaterQuad(true),
  vcmpgtub: binary(B.gtU),
  vcmpgtuh: binary(H.gtU),
  vcmpgtuw: binary(W.gtU),
  vcmpgtud: binary(D.gtU),
  vcmpgtuq: greaterQuad(false),
  vcmpneb: notEqual(B),
  vcmpneh: notEqual(H),
  vcmpnew: notEqual(W),
  vcmpnezb: notEqualOrZero(B),
  vcmpnezh: notEqualOrZero(H),
  vcmpnezw: notEqualOrZero(W),
  vcmpsq: compareQuad(true),
  vcmpuq: compareQuad(false),
});

const andC = andNot;
const orC = (a: Code, b: Code): Code => or(a, not(b));
const nand = (a: Code, b: Code): Code => not(and(a, b));
const nor = (a: Code, b: Code): Code => not(or(a, b));
const eqv = (a: Code, b: Code): Code => not(xor(a, b));

export const LOGICAL = (): Family => ({
  vand: binary(and),
  vandc: binary(andC),
  veqv: binary(eqv),
  vnand: binary(nand),
  vor: binary(or),
  vorc: binary(orC),
  vnor: binary(nor),
  vxor: binary(xor),
  xxland: binary(and),
  xxlandc: binary(andC),
  xxleqv: binary(eqv),
  xxlnand: binary(nand),
  xxlor: binary(or),
  xxlorc: binary(orC),
  xxlnor: binary(nor),
  xxlxor: binary(xor),
  vsel: ({ a, b, c }) => bitSelect(b, a, c),
  xxsel: ({ a, b, c }) => bitSelect(b, a, c),
});
