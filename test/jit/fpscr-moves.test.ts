/** FPSCR moved and set by translated code, among arithmetic whose result bits are still to be found. */
import { expect, it } from "vitest";
import { asm } from "../../emu/isa/encoder.ts";
import { runBoth } from "./engines-agree.ts";
import { randomNumbers } from "./random-programs.ts";

const XX = 0x0200_0000;
const OPERATIONS = "fadd fsub fmul fdiv fadds fmuls fcmpu fcmpo fctiwz fctid frsp fmadd fnmsubs".split(" ");

/** Every form of the instructions, those that record with them. */
const MOVES = [
  ...[
    "mffs 4",
    "mffs. 5",
    "mffsl 6",
    "mffsce 7",
    "mffscrn 8,9",
    "mffscrn 9,9",
    "mffscrni 10,2",
    "mffscdrn 11,12",
  ],
  ...["mffscdrni 12,3", ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => `mcrfs ${n},${7 - n}`)],
  ...[0xff, 1, 3, 0x80, 0x18, 0x10, 0x08, 0x40, 0xe7, 0].map((mask) => `mtfsf ${mask},4,0,0`),
  ...["mtfsf 255,5,1,0", "mtfsf 1,6,1,1", "mtfsf 1,4,0,1", "mtfsf 255,4,0,1", "mtfsf. 255,4,0,0"],
  ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap((n) => [`mtfsfi ${n},0,0`, `mtfsfi ${n},${n + 3},0`]),
  ...["mtfsfi 7,5,1", "mtfsfi 3,1,1", "mtfsfi. 7,1,0", "mtfsb0. 6", "mtfsb1. 31"],
  ...Array.from({ length: 32 }, (_, n) => [`mtfsb0 ${n}`, `mtfsb1 ${n}`]).flat(),
];

/** A loop of arithmetic with some moves in it. */
function program(moves: readonly string[], random: () => number): number[] {
  const words: number[] = [];
  const fpr = () => random() % 12;
  for (const move of moves) {
    for (let n = random() % 3; n >= 0; n--) {
      const name = OPERATIONS[random() % OPERATIONS.length];
      const operands = /^fcmp/.test(name) ? [random() % 8, fpr(), fpr()] : [fpr(), fpr(), fpr()];
      if (/^f(cti|rsp)/.test(name)) operands.pop();
      if (/madd|msub/.test(name)) operands.push(fpr());
      words.push(asm(`${name} ${operands.join(",")}`));
    }
    words.push(asm(move));
    if (random() % 2 === 0) words.push(asm(`mffs ${fpr()}`));
  }
  return [...words, asm(`b ${-4 * words.length}`)];
}

it.each(["970", "power7", "power9", "power10"])("is what it is in the interpreter: %s", (model) => {
  const random = randomNumbers(model.length);
  for (let seed = 0; seed < 60; seed++) {
    const moves = Array.from({ length: 1 + (seed % 4) }, () => MOVES[random() % MOVES.length]);
    const words = program(moves, random);
    runBoth(model, words, [9, 1, 60, 1, 1, 1, 200, 3, 300], seed, ({ registers }) => {
      registers.fpscr = [XX, 0, XX | 1, XX | 0x8000_0000, XX | 0xf0, 8][seed % 6];
    });
  }
});

it("needs no handler where a C library saves FPSCR, works to nearest and restores it", () => {
  const words = ["mffs 5", "mtfsfi 7,0,1", "mtfsfi 7,0,0", "fmadd 4,6,7,8", "fadd 4,4,6", "mtfsf 255,5,1,0"];
  const code = [...words, "fadd 9,6,7", "fcmpu 0,9,4", `b ${-4 * (words.length + 2)}`].map((line) =>
    asm(line),
  );
  const { statistics } = runBoth("power9", code, [4000], 1, ({ registers }) => {
    registers.fpscr = XX;
    for (let n = 4; n < 10; n++) registers.setFpr(n, 0x3ff1_2345_6789_abcdn + BigInt(n));
  });
  expect(statistics.steps).toBe(0);
  expect(statistics.translated).toBeGreaterThan(3000);
});

it("needs no handler where a C library without an instruction for it takes the integer below a number", () => {
  // FPRs 4 and 5 are added to and taken from; 7 has what to add, 10 what FPSCR is to be.
  for (const [mode, single] of [0, 1, 2, 3].flatMap(
    (mode) =>
      [
        [mode, ""],
        [mode, "s"],
      ] as const,
  )) {
    const words = ["mffs 11", `mtfsfi 7,${mode},0`, `fadd${single} 8,4,7`, `fsub${single} 8,8,7`, "mffs 12"];
    words.push(`fsub${single} 9,5,7`, "mffs 13", `fadd${single} 9,9,7`, "mffscrni 14,0", "mtfsf 255,11,0,0");
    const code = [...words, "fadd 4,4,6", "fsub 5,5,6", `b ${-4 * (words.length + 2)}`].map((line) =>
      asm(line),
    );
    const { statistics } = runBoth("power9", code, [37, 1, 2, 3, 4000], 1, ({ registers }) => {
      registers.fpscr = XX;
      registers.setFpr(4, single === "" ? 0x3ff1_2345_6789_abcdn : 0x3ff1_2000_0000_0000n);
      registers.setFpr(5, 0xbff1_2000_0000_0000n);
      registers.setFpr(6, 0x3fd2_0000_0000_0000n);
      registers.setFpr(7, single === "" ? 0x4330_0000_0000_0000n : 0x4160_0000_0000_0000n);
    });
    expect(statistics.steps).toBe(0);
    expect(statistics.translated).toBeGreaterThan(3500);
  }
});
