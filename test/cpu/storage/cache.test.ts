import { expect, it } from "vitest";
import { assemble, DATA, DATA_END, type TestAbi } from "../driver.ts";
import { describeOnDrivers } from "../drivers.ts";

const FULL = Array.from({ length: 384 }, () => 0xff);

describeOnDrivers("cache and synchronisation instructions", (driver) => {
  it.each([
    { abi: "ppc32" as TestAbi, block: 32 },
    { abi: "ppc64" as TestAbi, block: 128 },
  ])("dcbz clears the block of $block bytes around EA on $abi", ({ abi, block }) => {
    for (const line of ["dcbz 4,5", "dcbz 0,6"]) {
      const { memory } = driver.run({
        abi,
        registers: { gpr: { 4: BigInt(DATA + 100), 5: 50n, 6: BigInt(DATA + 150) } },
        memory: [{ address: DATA, bytes: FULL }],
        words: assemble(line),
      });
      const start = 150 - (150 % block);
      expect(memory[0].bytes).toEqual(FULL.map((byte, i) => (i >= start && i < start + block ? 0 : byte)));
    }
  });

  it("those that touch storage fault where nothing is mapped, the hints do not", () => {
    const signal = (line: string) =>
      driver.run({ abi: "ppc64", registers: { gpr: { 4: BigInt(DATA_END) } }, words: assemble(line) }).signal;
    for (const name of ["dcbz", "dcbst", "dcbf", "icbi"]) {
      expect([name, signal(`${name} 0,4`)]).toEqual([name, "SIGSEGV"]);
    }
    for (const line of ["dcbt 0,4", "dcbtst 0,4", "dcba 0,4", "icbt 0,0,4"]) {
      expect([line, signal(line)]).toEqual([line, undefined]);
    }
  });

  it("barriers do nothing that a thread on its own can see", () => {
    const { signal, registers } = driver.run({
      abi: "ppc64",
      model: "power9",
      registers: {},
      words: assemble("sync", "sync 1", "sync 2", "isync", "eieio", "wait", "addi 3,0,1"),
    });
    expect(signal).toBeUndefined();
    expect(registers.gpr[3]).toBe(1n);
  });

  it("executes what a store has put in place of an instruction", () => {
    const { registers } = driver.run({
      abi: "ppc32",
      // addi 3,0,2 over the addi 3,0,1.
      registers: { gpr: { 4: BigInt(assemble("addi 3,0,2")[0]), 5: 0x1000_0010n } },
      words: assemble("stw 4,0(5)", "dcbst 0,5", "icbi 0,5", "isync", "addi 3,0,1"),
    });
    expect(registers.gpr[3]).toBe(2n);
  });
});
