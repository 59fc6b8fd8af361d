import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { load, runToEnd } from "./support/machine.ts";
import { CODE, DATA, tinyElf } from "./support/tiny-elf.ts";

const folder = mkdtempSync(join(tmpdir(), "ppcr-trace-"));
afterAll(() => rmSync(folder, { recursive: true }));

const program = join(folder, "prog");
writeFileSync(
  program,
  tinyElf("ppc64", [
    `addis 9,0,${DATA >>> 16}`,
    "addi 3,0,7",
    "cmpi 0,0,3,7",
    "stw 3,256(9)",
    "lfs 1,256(9)",
    "b 8",
    "ori 0,0,0",
    "ld 4,0(31)",
  ]),
  { mode: 0o755 },
);

async function traced(only: string[], path = program): Promise<string[]> {
  const lines: string[] = [];
  const trace = { write: (line: string) => lines.push(line), only };
  await runToEnd(load(path, { trace, seed: 1n, cpuModel: "power10" }));
  return lines;
}

it("shows each instruction with what it changed, and the fault of the one that has one", async () => {
  expect(await traced([])).toEqual([
    "000010000120 lis     r9,4097              r9=0000000010010000",
    "000010000124 li      r3,7                 r3=0000000000000007",
    "000010000128 cmpwi   r3,7                 cr=20000000",
    "00001000012c stw     r3,256(r9)           [10010103]=07",
    "000010000130 lfs     f1,256(r9)           f1=36cc000000000000",
    "000010000134 b       1000013c",
    "00001000013c ld      r4,0(r31)            ! data-unmapped at 0x0",
  ]);
});

it("shows the upper halves of registers from where a 32-bit program needs them", async () => {
  const path = join(folder, "narrow");
  const lines = ["addi 3,0,-1", "rldicl 3,3,60,4", "rldicr 3,3,32,31", "mulld 4,3,3", "std 5,0(0)"];
  writeFileSync(path, tinyElf("ppc32", lines), { mode: 0o755 });
  expect((await traced([], path)).map((line) => line.replace(/^\w+ +/, ""))).toEqual([
    "li      r3,-1                r3=ffffffff",
    "srdi    r3,r3,4              r3=0fffffff",
    "sldi    r3,r3,32             r3=0fffffff00000000",
    "mulld   r4,r3,r3",
    "std     r5,0(0)              ! data-unmapped at 0x0",
  ]);
});

it("shows only the code that is named", async () => {
  expect(await traced(["10000128-0x10000130"])).toHaveLength(2);
  await expect(traced(["nowhere"])).rejects.toThrow(/neither a function .* nor START-END/);
});

it("shows a prefixed instruction as one", async () => {
  const path = join(folder, "prefixed");
  // paddi 3,0,0x10012 and pstd 3,DATA(0), whose address lies near the program.
  const offset = DATA + 0x100 - (CODE + 0x120 + 8);
  const pstd = [0x0410_0000 | (offset >>> 16), 0xf460_0000 | (offset & 0xffff)];
  const words = [0x0600_0001, 0x3860_0012, ...pstd];
  writeFileSync(
    path,
    tinyElf(
      "ppc64",
      words.map((word) => `.long ${word >>> 0}`),
    ),
    { mode: 0o755 },
  );
  expect((await traced([], path)).slice(0, 2)).toEqual([
    "000010000120 pli     r3,65554             r3=0000000000010012",
    "000010000128 pstd    r3,65496\t# 10010100  [10010105]=010012",
  ]);
});
