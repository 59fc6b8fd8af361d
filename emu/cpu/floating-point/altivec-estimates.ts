/**
 * vlogefp and vexptefp as POWER processors give them, as far as recorded outputs tell: fixed-point values with eleven bits after the
 * point, of which a result keeps seventeen bits after its first. The manual bounds their errors only (Power ISA 3.0B, I.6.10.4).
 */

const UNIT = 2048;

/** What recorded estimates of log2(1 + f) have above the exact value, in units, by f; between them on a straight line. */
const LOG_ERRORS: readonly (readonly [f: number, units: number])[] = [
  [0, 0.5],
  [0.140625, 3.8],
  [0.171875, 3.9],
  [0.1755, 2.7],
  [0.203125, 2.1],
  [0.234375, -1.7],
  [0.25, -2.8],
  [0.5, 1.5],
  [0.875, -1.8],
  [1, 0.5],
];

function logError(f: number): number {
  const next = LOG_ERRORS.findIndex(([end]) => end > f);
  const [start, from] = LOG_ERRORS[next - 1];
  const [end, to] = LOG_ERRORS[next];
  return from + ((to - from) * (f - start)) / (end - start);
}

/** The first seventeen bits after the leading one, toward zero. */
function cut(value: number): number {
  if (value === 0) return value;
  const step = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 17);
  return Math.trunc(value / step) * step;
}

/** log2(value), near one as exact as the format allows, where the error must be small beside the result. */
export function logEstimate(value: number): number {
  if (!(value > 0 && value < Infinity) || Math.abs(value - 1) <= 0.125) return Math.log2(value);
  const exponent = Math.floor(Math.log2(value));
  const f = value / 2 ** exponent - 1;
  return cut(exponent + Math.floor(UNIT * Math.log2(1 + f) + logError(f)) / UNIT);
}

/** 2^value. */
export function powerEstimate(value: number): number {
  if (!(Math.abs(value) < 512)) return 2 ** value;
  const exponent = Math.floor(value);
  return (Math.round(UNIT * 2 ** (value - exponent)) / UNIT) * 2 ** exponent;
}
