/** Decimal conversion and format instructions: Power ISA 3.0B, I.5.6.5 and I.5.6.6. */
import { VXCVI, VXSNAN } from "../floating-point/fpscr.ts";
import { fra, frb, frt, record, vrb } from "../floating-point/fpu.ts";
import { quad, setQuad } from "../floating-point/quad.ts";
import type { Handler, HandlerTable } from "../handler.ts";
import { cpu } from "../views.ts";
import { fromInteger, infinity, invalid, propagate, round, toIntegral } from "./decimal-arithmetic.ts";
import {
  type Decimal,
  type DecimalFormat,
  EXTENDED,
  isNan,
  type Kind,
  LONG,
  power,
  SHORT,
} from "./decimal-formats.ts";
import {
  complete,
  completeAs,
  control,
  drn,
  LONGS,
  type Operands,
  operandA,
  operandB,
  PAIRS,
} from "./decimal-operands.ts";

/** A value rounded to a narrower format. */
function narrow(value: Decimal, format: DecimalFormat) {
  if (value.kind === "infinity") return infinity(value.negative);
  if (value.kind !== "number") {
    return { value: { ...value, coefficient: value.coefficient % power(format.precision - 1) }, flags: 0 };
  }
  return round(value, format, control());
}

const fromFixed = (operands: Operands): Handler => {
  return (word, cia) => {
    const integer = BigInt.asIntN(64, cpu.u64[frb(word)]);
    complete(operands, word, cia, fromInteger(integer, operands.format, control()));
  };
};

/** An integer of so many bits, saturated; VXCVI where the rounded value is none of them, or the operand a NaN. */
function toFixed(b: Decimal, width: number): { integer: bigint; flags: number } {
  const limit = 1n << BigInt(width - 1);
  if (isNan(b)) return { integer: -limit, flags: VXCVI | (b.kind === "signalling NaN" ? VXSNAN : 0) };
  const saturated = { integer: b.negative ? -limit : limit - 1n, flags: VXCVI };
  if (b.kind === "infinity") return saturated;
  // Beyond any integer: no power of ten of that size is made.
  if (b.coefficient !== 0n && b.exponent > 40) return saturated;
  const { value, flags } = toIntegral(b, drn());
  const magnitude = value.coefficient * power(value.coefficient === 0n ? 0 : value.exponent);
  const integer = value.negative ? -magnitude : magnitude;
  return integer < -limit || integer >= limit ? saturated : { integer, flags };
}
const toDoubleword = (operands: Operands): Handler => {
  return (word, cia) => {
    const { integer, flags } = toFixed(operandB(operands, word), 64);
    completeAs(LONGS, word, cia, BigInt.asUintN(64, integer), undefined, flags);
  };
};

/** A vector register, where an FPR would be. */
const QUADWORD: Operands = {
  format: EXTENDED,
  read: (place) => quad(place + 64),
  write: (place, bits) => setQuad(place + 64, bits),
};

/** Four bits a digit, most significant first; `digits` of the value's last digits. */
function toBcd(value: bigint, digits: number): bigint {
  const text = value.toString().padStart(digits, "0").slice(-digits);
  return BigInt(`0x${text}`);
}
const decodeToBcd = (operands: Operands): Handler => {
  const digits = operands.format.width / 4;
  return (word) => {
    const { coefficient, negative } = operandB(operands, word);
    const sp = (word >>> 19) & 3;
    let bits = toBcd(coefficient, digits);
    if (sp >= 2) {
      const sign = negative ? 0xdn : sp === 3 ? 0xfn : 0xcn;
      bits = (toBcd(coefficient, digits - 1) << 4n) | sign;
    }
    operands.write(frt(word), bits);
    record(word);
  };
};
const encodeFromBcd = (operands: Operands): Handler => {
  const digits = operands.format.width / 4;
  return (word, cia) => {
    const text = operands.read(frb(word)).toString(16).padStart(digits, "0");
    const hasSign = (word & 0x10_0000) !== 0;
    const number = hasSign ? text.slice(0, -1) : text;
    const sign = hasSign ? text.slice(-1) : "f";
    if (!/^\d+$/.test(number) || !/[a-f]/.test(sign)) {
      complete(operands, word, cia, invalid(VXCVI));
      return;
    }
    const negative = sign === "b" || sign === "d";
    const value: Decimal = { kind: "number", negative, coefficient: BigInt(number), exponent: 0 };
    complete(operands, word, cia, { value, flags: 0 });
  };
};

/** What the exponent instructions give for what is no number. */
const SPECIAL: Record<Exclude<Kind, "number">, number> = {
  infinity: -1,
  "quiet NaN": -2,
  "signalling NaN": -3,
};
const extractExponent = (operands: Operands): Handler => {
  return (word) => {
    const { kind, exponent } = operandB(operands, word);
    const biased = kind === "number" ? exponent + operands.format.bias : SPECIAL[kind];
    LONGS.write(frt(word), BigInt.asUintN(64, BigInt(biased)));
    record(word);
  };
};
const insertExponent = (operands: Operands): Handler => {
  const { format } = operands;
  return (word) => {
    const biased = BigInt.asIntN(64, cpu.u64[fra(word)]);
    const bits = operands.read(frb(word));
    const b = format.decode(bits);
    if (biased >= 0n && biased <= BigInt(format.greatestBiased)) {
      const exponent = Number(biased) - format.bias;
      operands.write(frt(word), format.encode({ ...b, kind: "number", exponent }));
    } else {
      let kind: Kind = "quiet NaN";
      if (biased === -1n) kind = "infinity";
      else if (biased === -3n) kind = "signalling NaN";
      // Sign and trailing significand stay as they are, bit by bit.
      const special = format.encode({ ...b, kind, coefficient: 0n });
      operands.write(frt(word), special | format.trailingOf(bits));
    }
    record(word);
  };
};
/** The digits of FRA moved by SH places; those of what is no number lack the first one. */
const shift = (operands: Operands, left: boolean): Handler => {
  const { format } = operands;
  return (word) => {
    const a = operandA(operands, word);
    const places = power((word >>> 10) & 63);
    const room = a.kind === "number" ? format.limit : power(format.precision - 1);
    const coefficient = left ? (a.coefficient * places) % room : (a.coefficient % room) / places;
    operands.write(frt(word), format.encode({ ...a, coefficient }));
    record(word);
  };
};

export const decimalConvertHandlers = (): HandlerTable => ({
  // A signalling NaN stays one, here and in drsp.
  dctdp: (word, cia) => {
    const value = SHORT.decode(cpu.u64[frb(word)] & 0xffff_ffffn);
    complete(LONGS, word, cia, { value, flags: 0 });
  },
  dctqpq: (word, cia) => {
    const b = operandB(LONGS, word);
    complete(PAIRS, word, cia, propagate(EXTENDED, b) ?? { value: b, flags: 0 });
  },
  drsp: (word, cia) => {
    const { value, flags } = narrow(operandB(LONGS, word), SHORT);
    completeAs(LONGS, word, cia, SHORT.encode(value), SHORT.resultFlags(value), flags);
  },
  drdpq: (word, cia) => {
    const b = operandB(PAIRS, word);
    const { value, flags } = propagate(LONG, b) ?? narrow(b, LONG);
    const bits = LONG.encode(value) << 64n;
    completeAs(PAIRS, word, cia, bits, LONG.resultFlags(value), flags);
  },
  dcffix: fromFixed(LONGS),
  dcffixq: fromFixed(PAIRS),
  dctfix: toDoubleword(LONGS),
  dctfixq: toDoubleword(PAIRS),
  dcffixqq: (word, cia) => {
    const integer = BigInt.asIntN(128, quad(vrb(word)));
    complete(PAIRS, word & ~1, cia, fromInteger(integer, EXTENDED, control()));
  },
  dctfixqq: (word, cia) => {
    const { integer, flags } = toFixed(operandB(PAIRS, word), 128);
    completeAs(QUADWORD, word & ~1, cia, integer, undefined, flags);
  },
  ddedpd: decodeToBcd(LONGS),
  ddedpdq: decodeToBcd(PAIRS),
  denbcd: encodeFromBcd(LONGS),
  denbcdq: encodeFromBcd(PAIRS),
  dxex: extractExponent(LONGS),
  dxexq: extractExponent(PAIRS),
  diex: insertExponent(LONGS),
  diexq: insertExponent(PAIRS),
  dscli: shift(LONGS, true),
  dscliq: shift(PAIRS, true),
  dscri: shift(LONGS, false),
  dscriq: shift(PAIRS, false),
});
