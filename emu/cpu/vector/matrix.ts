/**
 * The matrix-multiply assist: Power ISA 3.1, I.7.6.3. Accumulators are VSRs here, so that moving between the two changes nothing.
 */
import { matrixProducts } from "../floating-point/matrix-products.ts";
import { type Handler, type HandlerTable, type Selector, validWhen } from "../handler.ts";
import { VSCR } from "../registers.ts";
import { cpu } from "../views.ts";
import { ALL, accumulator, isChosen, isSeparate, masksOf, type OuterProduct } from "./outer-products.ts";
import { elementsOf, fromElements, quad, setQuad, xa, xb } from "./vector-registers.ts";

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

/** Word j of row i <- the sum of the products of the elements in word i of X and word j of Y; zero where a mask leaves it out. */
function integers({ bits, unsignedY = false, accumulate = false, saturate = false }: Shape): OuterProduct {
  const rank = (32 / bits) as 2 | 4 | 8;
  return {
    rank,
    columns: 4,
    execute: (word, _cia, masks) => {
      const x = elementsOf(quad(xa(word)), bits).map((each) => BigInt.asIntN(bits, each));
      const y = elementsOf(quad(xb(word)), bits).map((each) =>
        unsignedY ? each : BigInt.asIntN(bits, each),
      );
      const first = accumulator(word);
      for (let row = 0; row < 4; row++) {
        const before = elementsOf(quad(first + row), 32);
        const sums = before.map((held, column) => {
          if (!isChosen(masks.rows, 4, row) || !isChosen(masks.columns, 4, column)) return 0n;
          let sum = accumulate ? BigInt.asIntN(32, held) : 0n;
          for (let k = 0; k < rank; k++) {
            if (isChosen(masks.products, rank, k)) sum += x[row * rank + k] * y[column * rank + k];
          }
          if (!saturate) return sum;
          if (sum >= LEAST && sum <= GREATEST) return sum;
          cpu.u32[VSCR / 4] |= SAT;
          return sum < LEAST ? LEAST : GREATEST;
        });
        setQuad(first + row, fromElements(sums, 32));
      }
    },
  };
}

const PRODUCTS: Readonly<Record<string, OuterProduct>> = {
  xvi4ger8: integers({ bits: 4 }),
  xvi4ger8pp: integers({ bits: 4, accumulate: true }),
  xvi8ger4: integers({ bits: 8, unsignedY: true }),
  xvi8ger4pp: integers({ bits: 8, unsignedY: true, accumulate: true }),
  xvi8ger4spp: integers({ bits: 8, unsignedY: true, accumulate: true, saturate: true }),
  xvi16ger2: integers({ bits: 16 }),
  xvi16ger2pp: integers({ bits: 16, accumulate: true }),
  xvi16ger2s: integers({ bits: 16, saturate: true }),
  xvi16ger2spp: integers({ bits: 16, accumulate: true, saturate: true }),
  ...matrixProducts,
};

/** The prefixed forms, of the rows, columns and products that the prefix chooses. */
export const maskedProducts = Object.fromEntries(
  Object.entries(PRODUCTS).map(([name, product]) => [
    `pm${name}`,
    (prefix: number, suffix: number, cia: number) => product.execute(suffix, cia, masksOf(prefix, product)),
  ]),
);

const unmasked = (product: OuterProduct): Selector =>
  validWhen(isSeparate, (word, cia) => product.execute(word, cia, ALL));

const nothing: Handler = () => {};

export const matrixHandlers = (): HandlerTable => ({
  xxmfacc: nothing,
  xxmtacc: nothing,
  xxsetaccz: (word) => {
    for (let row = 0; row < 4; row++) setQuad(accumulator(word) + row, 0n);
  },
  ...Object.fromEntries(Object.entries(PRODUCTS).map(([name, product]) => [name, unmasked(product)])),
});
