/**
 * The integer part of the matrix-multiply assist: Power ISA 3.1, I.7.6.3. Accumulator n is VSRs 4n to 4n + 3, row by row: moving between
 * the two changes nothing.
 */
import { type Handler, type HandlerTable, type Selector, validWhen } from "../handler.ts";
import { VSCR } from "../registers.ts";
import { u32 } from "../views.ts";
import { elementsOf, fromElements, quad, setQuad, xa, xb } from "./vector-registers.ts";

/** The first VSR of the accumulator AT. */
const accumulator = (word: number): number => ((word >>> 23) & 7) * 4;

interface Shape {
  /** Bits of an element, of which each word has as many as fit. */
  readonly bits: 4 | 8 | 16;
  /** The elements of Y are unsigned. */
  readonly unsignedY?: boolean;
  readonly accumulate?: boolean;
  /** Sums stick at the ends of the range of words. */
  readonly saturate?: boolean;
}

const LEAST = -(2n ** 31n);
const GREATEST = 2n ** 31n - 1n;

const SAT = 1;

/** Sources that are part of the accumulator make an invalid form. */
const isSeparate = (word: number): boolean =>
  [xa(word), xb(word)].every((n) => n >> 2 !== accumulator(word) >> 2);

/** Word j of row i <- the sum of the products of the elements in word i of X and word j of Y. */
const outerProduct = ({ bits, unsignedY = false, accumulate = false, saturate = false }: Shape): Selector =>
  validWhen(isSeparate, (word) => {
    const rank = 32 / bits;
    const x = elementsOf(quad(xa(word)), bits).map((each) => BigInt.asIntN(bits, each));
    const y = elementsOf(quad(xb(word)), bits).map((each) => (unsignedY ? each : BigInt.asIntN(bits, each)));
    const first = accumulator(word);
    for (let row = 0; row < 4; row++) {
      const before = elementsOf(quad(first + row), 32);
      const sums = before.map((held, column) => {
        let sum = accumulate ? BigInt.asIntN(32, held) : 0n;
        for (let k = 0; k < rank; k++) sum += x[row * rank + k] * y[column * rank + k];
        if (!saturate) return sum;
        if (sum >= LEAST && sum <= GREATEST) return sum;
        u32[VSCR / 4] |= SAT;
        return sum < LEAST ? LEAST : GREATEST;
      });
      setQuad(first + row, fromElements(sums, 32));
    }
  });

const nothing: Handler = () => {};

export const matrixHandlers: HandlerTable = {
  xxmfacc: nothing,
  xxmtacc: nothing,
  xxsetaccz: (word) => {
    for (let row = 0; row < 4; row++) setQuad(accumulator(word) + row, 0n);
  },
  xvi4ger8: outerProduct({ bits: 4 }),
  xvi4ger8pp: outerProduct({ bits: 4, accumulate: true }),
  xvi8ger4: outerProduct({ bits: 8, unsignedY: true }),
  xvi8ger4pp: outerProduct({ bits: 8, unsignedY: true, accumulate: true }),
  xvi8ger4spp: outerProduct({ bits: 8, unsignedY: true, accumulate: true, saturate: true }),
  xvi16ger2: outerProduct({ bits: 16 }),
  xvi16ger2pp: outerProduct({ bits: 16, accumulate: true }),
  xvi16ger2s: outerProduct({ bits: 16, saturate: true }),
  xvi16ger2spp: outerProduct({ bits: 16, accumulate: true, saturate: true }),
};
