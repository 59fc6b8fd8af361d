import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { load, runToEnd } from "./support/machine.ts";
import { DATA, tinyElf } from "./support/tiny-elf.ts";

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

async function traced(only: string[]): Promise<string[]> {
  const lines: string[] = [];
  await runToEnd(load(program, { trace: { write: (line) => lines.push(line), only }, seed: 1n }));
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

it("shows only the code that is named", async () => {
  expect(await traced(["10000128-0x10000130"])).toHaveLength(2);
  await expect(traced(["nowhere"])).rejects.toThrow(/neither a function .* nor START-END/);
});
