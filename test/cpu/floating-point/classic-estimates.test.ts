import { describe, expect, it } from "vitest";
import { Interpreter } from "../../../emu/cpu/interpreter.ts";
import { modelFor } from "../../../emu/cpu/models.ts";
import { AddressSpace } from "../../../emu/memory/address-space.ts";
import { PAGE_SIZE } from "../../../emu/memory/layout.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../../emu/memory/vma.ts";
import { cpuOn } from "../../support/cpu.ts";
import { assemble } from "../driver.ts";

const CODE = 0x10_0000;
const view = new DataView(new ArrayBuffer(8));
const bitsOf = (value: number): bigint => {
  view.setFloat64(0, value);
  return view.getBigUint64(0);
};

function machine(model: string) {
  const memory = new AddressSpace({ byteOrder: "big", size: 0x80_0000 });
  memory.map({ start: CODE, end: CODE + PAGE_SIZE, prot: PROT_READ | PROT_WRITE | PROT_EXEC, offset: 0 });
  const { registers } = memory;
  const interpreter = new Interpreter(cpuOn(memory, modelFor(model, "ppc32"), false));
  return (line: string, b: number, fpscr = 0): { value: number; fpscr: number } => {
    memory.store32(CODE, assemble(line)[0]);
    registers.nia = BigInt(CODE);
    registers.setFpr(2, bitsOf(b));
    registers.fpscr = fpscr;
    interpreter.run(1);
    view.setBigUint64(0, registers.fpr(1));
    return { value: view.getFloat64(0), fpscr: registers.fpscr };
  };
}

describe("reciprocal estimates of the 750", () => {
  const run = machine("750");

  it("lie on straight lines that meet the table's first values at the ends", () => {
    // The first values, 0x7ff800 and 0x783800 in units of 2^-23, at 1 and 1 + 1/32.
    expect(run("fres 1,2", 1).value).toBe((1 + 0x7ff800 / 2 ** 23) / 2);
    expect(run("fres 1,2", 1 + 1 / 32).value).toBe((1 + 0x783800 / 2 ** 23) / 2);
    expect(run("frsqrte 1,2", 1).value).toBe((1 + 0x3ffa000 / 2 ** 26) / 2);
    expect(run("frsqrte 1,2", 2).value).toBe((1 + 0x1a7e800 / 2 ** 26) / 2);
  });

  it("are as near as the architecture has them, for operands of all exponents", () => {
    for (let k = 0; k < 4000; k++) {
      const b = (1 + ((k * 0.618034) % 1)) * 2 ** ((k % 240) - 120);
      expect(Math.abs(run("fres 1,2", b).value * b - 1)).toBeLessThan(1 / 4096);
      expect(Math.abs(run("fres 1,2", -b).value * -b - 1)).toBeLessThan(1 / 256);
      const wide = (1 + ((k * 0.618034) % 1)) * 2 ** ((k % 2000) - 1040);
      if (wide > 0)
        expect(Math.abs(run("frsqrte 1,2", wide).value * Math.sqrt(wide) - 1)).toBeLessThan(1 / 4096);
    }
  });

  it("are those of the format's ends where the reciprocal is no single", () => {
    expect(run("fres 1,2", 2 ** -130).value).toBe(Math.fround(3.4028234663852886e38));
    expect(run("fres 1,2", -(2 ** 130)).value).toBe(-0);
  });

  it("treat zeros, infinities and negative numbers as every processor does", () => {
    expect(run("fres 1,2", 0)).toEqual({ value: Infinity, fpscr: 0x8400_5000 });
    expect(run("frsqrte 1,2", -1).fpscr).toBe(0xa001_1200);
    expect(run("frsqrte 1,2", Infinity).value).toBe(0);
  });

  it("say what the result is, and nothing of exceptions", () => {
    expect(run("fres 1,2", 3).fpscr).toBe(0x4000);
  });

  it("are exact on other models", () => {
    expect(machine("7450")("fres 1,2", 3).value).toBe(Math.fround(1 / 3));
  });
});
