/** Places of far pieces: what it takes to find one does not grow with how many there are. */
import { expect, it } from "vitest";
import { FarMap, PIECE_SIZE } from "../../emu/memory/far-map.ts";

const CORNER = 4 * 2 ** 20;

it("finds places for pieces that lie apart, until none is left", () => {
  let looks = 0;
  const obstacles = {
    above: () => {
      looks++;
      return undefined;
    },
  };
  const end = 2 ** 30 - CORNER;
  const map = new FarMap(new ArrayBuffer(CORNER), end, obstacles);
  const most = end / PIECE_SIZE - 16;
  for (let n = 0; n < most; n++) expect(map.claim(0x1_0000 + 16 * n)).toBe(true);
  expect(map.claim(1)).toBe(false);
  expect(new Set(map.inRange(0, end)).size).toBe(most);
  // Each place is passed a few times in all, not each time one is looked for.
  expect(looks).toBeLessThan(20 * most);
  // One that is given back is found again.
  map.drop(0x1_0000);
  expect(map.claim(1)).toBe(true);
});
