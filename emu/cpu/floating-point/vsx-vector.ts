/** VSX vector comparisons, selections, tests and fields of floating-point elements: Power ISA 3.0B, I.7.6.3. */
import { bf } from "../fields.ts";
import type { Handler, HandlerTable } from "../handler.ts";
import {
  compareFlags,
  DOUBLE_ELEMENTS,
  type Elements,
  exponentOf,
  isOfClass,
  lowerWord,
  putMask,
  type Relation,
  relationMask,
  SINGLE_ELEMENTS,
  selectExtreme,
  testDivide,
  testRoot,
  upperWord,
} from "./elements.ts";
import { setCr, xa, xb, xt } from "./fpu.ts";
import { completeVector, OUT, raiseVector, writeVector } from "./lanes.ts";

const SIGN = 0x8000_0000 | 0;
/** The Rc bit of vector compares. */
const RC = 0x400;

/** XT <- a function of the elements' words: the upper one, and for doubles the lower one, which stays. */
const upperWords = (elements: Elements, map: (a: number, b: number) => number): Handler => {
  return (word) => {
    const a = xa(word);
    const b = xb(word);
    for (let k = 0; k < elements.count; k++) {
      OUT[3 - elements.words * k] = map(upperWord(elements, a, k), upperWord(elements, b, k));
      if (elements.words === 2) OUT[2 - 2 * k] = lowerWord(elements, b, k);
    }
    writeVector(xt(word));
  };
};
const magnitude = (_a: number, b: number) => b & ~SIGN;
const negativeMagnitude = (_a: number, b: number) => b | SIGN;
const negated = (_a: number, b: number) => b ^ SIGN;
const withSign = (a: number, b: number) => (a & SIGN) | (b & ~SIGN);

const extreme = (elements: Elements, max: boolean): Handler => {
  return (word, cia) => {
    let flags = 0;
    for (let k = 0; k < elements.count; k++) flags |= selectExtreme(elements, max, xa(word), xb(word), k);
    completeVector(xt(word), cia, flags);
  };
};

/** XT <- masks of where the relation holds; Rc: CR6 <- all || 0 || none || 0. */
const compare = (elements: Elements, relation: Relation): Handler => {
  const { count } = elements;
  const ordered = relation !== "eq";
  return (word, cia) => {
    const a = xa(word);
    const b = xb(word);
    let flags = 0;
    let all = -1;
    let some = 0;
    for (let k = 0; k < count; k++) {
      const x = elements.value(a, k);
      const y = elements.value(b, k);
      const mask = relationMask(relation, x, y);
      if (Number.isNaN(x) || Number.isNaN(y)) flags |= compareFlags(elements, ordered, a, b, k);
      putMask(elements, k, mask);
      all &= mask;
      some |= mask;
    }
    if (!raiseVector(cia, flags)) return;
    writeVector(xt(word));
    if ((word & RC) !== 0) setCr(6, (all !== 0 ? 8 : 0) | (some === 0 ? 2 : 0));
  };
};

/** CR[BF] <- 0b1 || any fg_flag || any fe_flag || 0b0 */
const tested = (word: number, elements: Elements, test: (k: number) => number) => {
  let flags = 8;
  for (let k = 0; k < elements.count; k++) flags |= test(k);
  setCr(bf(word), flags);
};
const testDivision = (elements: Elements): Handler => {
  return (word) => tested(word, elements, (k) => testDivide(elements, xa(word), xb(word), k));
};
const testSquareRoot = (elements: Elements): Handler => {
  return (word) => tested(word, elements, (k) => testRoot(elements, xb(word), k));
};

const testClass = (elements: Elements): Handler => {
  return (word) => {
    const b = xb(word);
    const mask = (word & 0x40) | ((word & 4) << 3) | ((word >>> 16) & 31);
    for (let k = 0; k < elements.count; k++) {
      const match = isOfClass(elements, mask, upperWord(elements, b, k), lowerWord(elements, b, k));
      putMask(elements, k, match ? -1 : 0);
    }
    writeVector(xt(word));
  };
};

const extractExponent = (elements: Elements): Handler => {
  return (word) => {
    for (let k = 0; k < elements.count; k++) {
      putMask(elements, k, 0);
      OUT[4 - elements.words * (k + 1)] = exponentOf(elements, upperWord(elements, xb(word), k));
    }
    writeVector(xt(word));
  };
};
const extractSignificand = (elements: Elements): Handler => {
  const { words, fractionBits, greatest } = elements;
  return (word) => {
    for (let k = 0; k < elements.count; k++) {
      const upper = upperWord(elements, xb(word), k);
      const exponent = exponentOf(elements, upper);
      const implicit = exponent === 0 || exponent === greatest ? 0 : 1 << fractionBits;
      OUT[3 - words * k] = (upper & ((1 << fractionBits) - 1)) | implicit;
      if (words === 2) OUT[2 - 2 * k] = lowerWord(elements, xb(word), k);
    }
    writeVector(xt(word));
  };
};
const insertExponent = (elements: Elements): Handler => {
  const { words, fractionBits, greatest } = elements;
  return (word) => {
    const a = xa(word);
    for (let k = 0; k < elements.count; k++) {
      const exponent = words === 2 ? lowerWord(elements, xb(word), k) : upperWord(elements, xb(word), k);
      const kept = upperWord(elements, a, k) & ~(greatest << fractionBits);
      OUT[3 - words * k] = kept | ((exponent & greatest) << fractionBits);
      if (words === 2) OUT[2 - 2 * k] = lowerWord(elements, a, k);
    }
    writeVector(xt(word));
  };
};

export const vsxVectorHandlers = (): HandlerTable => ({
  xvabsdp: upperWords(DOUBLE_ELEMENTS, magnitude),
  xvabssp: upperWords(SINGLE_ELEMENTS, magnitude),
  xvnabsdp: upperWords(DOUBLE_ELEMENTS, negativeMagnitude),
  xvnabssp: upperWords(SINGLE_ELEMENTS, negativeMagnitude),
  xvnegdp: upperWords(DOUBLE_ELEMENTS, negated),
  xvnegsp: upperWords(SINGLE_ELEMENTS, negated),
  xvcpsgndp: upperWords(DOUBLE_ELEMENTS, withSign),
  xvcpsgnsp: upperWords(SINGLE_ELEMENTS, withSign),
  xvmaxdp: extreme(DOUBLE_ELEMENTS, true),
  xvmaxsp: extreme(SINGLE_ELEMENTS, true),
  xvmindp: extreme(DOUBLE_ELEMENTS, false),
  xvminsp: extreme(SINGLE_ELEMENTS, false),
  xvcmpeqdp: compare(DOUBLE_ELEMENTS, "eq"),
  xvcmpeqsp: compare(SINGLE_ELEMENTS, "eq"),
  xvcmpgedp: compare(DOUBLE_ELEMENTS, "ge"),
  xvcmpgesp: compare(SINGLE_ELEMENTS, "ge"),
  xvcmpgtdp: compare(DOUBLE_ELEMENTS, "gt"),
  xvcmpgtsp: compare(SINGLE_ELEMENTS, "gt"),
  xvtdivdp: testDivision(DOUBLE_ELEMENTS),
  xvtdivsp: testDivision(SINGLE_ELEMENTS),
  xvtsqrtdp: testSquareRoot(DOUBLE_ELEMENTS),
  xvtsqrtsp: testSquareRoot(SINGLE_ELEMENTS),
  xvtstdcdp: testClass(DOUBLE_ELEMENTS),
  xvtstdcsp: testClass(SINGLE_ELEMENTS),
  xvxexpdp: extractExponent(DOUBLE_ELEMENTS),
  xvxexpsp: extractExponent(SINGLE_ELEMENTS),
  xvxsigdp: extractSignificand(DOUBLE_ELEMENTS),
  xvxsigsp: extractSignificand(SINGLE_ELEMENTS),
  xviexpdp: insertExponent(DOUBLE_ELEMENTS),
  xviexpsp: insertExponent(SINGLE_ELEMENTS),
});
