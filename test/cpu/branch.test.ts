import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ABIS, assemble, CODE, crField } from "./driver.ts";
import { describeOnDrivers } from "./drivers.ts";

const HERE = BigInt(CODE);

describeOnDrivers("branches", (driver) => {
  describe.each(ABIS)("%s", (abi) => {
    const top = abi === "ppc64" ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;

    it("b goes by displacement, and bl leaves the next address in LR", () => {
      const { registers, nia } = driver.run({
        abi,
        registers: {},
        words: assemble("bl 8", "addi 3,0,1", "addi 4,0,1", "b 0x100"),
      });
      expect(registers.gpr.slice(3, 5)).toEqual([0n, 1n]);
      expect(registers.lr).toBe(HERE + 4n);
      expect(nia).toBe(HERE + 12n + 0x100n);
    });

    it("ba and bla go to absolute addresses", () => {
      expect(driver.run({ abi, registers: {}, words: assemble("ba 0x1000") }).nia).toBe(0x1000n);
      const { nia, registers } = driver.run({ abi, registers: {}, words: assemble("bla 0x2000") });
      expect([nia, registers.lr]).toEqual([0x2000n, HERE + 4n]);
    });

    it("bc obeys every BO: CTR decremented or not, CR tested or not", () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 0, max: 31 }),
          fc.integer({ min: 0, max: 31 }),
          fc.integer({ min: 0, max: 0xffff_ffff }),
          fc.constantFrom(0n, 1n, 2n, 0x1_0000_0000n & top, 0x1_0000_0001n & top, top),
          fc.constantFrom("bc", "bcl"),
          (bo, bi, cr, ctr, name) => {
            const { registers, nia } = driver.run({
              abi,
              registers: { cr, ctr },
              words: assemble(`${name} ${bo},${bi},0x40`),
            });
            const after = (bo & 4) !== 0 ? ctr : (ctr - 1n) & top;
            const ctrOk = (bo & 4) !== 0 || (after !== 0n) !== ((bo & 2) !== 0);
            const set = ((cr >>> (31 - bi)) & 1) !== 0;
            const condOk = (bo & 16) !== 0 || set === ((bo & 8) !== 0);
            expect(registers.ctr).toBe(after);
            expect(nia).toBe(ctrOk && condOk ? HERE + 0x40n : HERE + 4n);
            expect(registers.lr).toBe(name === "bcl" ? HERE + 4n : 0n);
          },
        ),
      );
    });

    it("bclr and bcctr take the address before LR is set, without its last two bits", () => {
      const target = 0x1234_5677n;
      const viaLr = driver.run({ abi, registers: { lr: target }, words: assemble("bclrl 20,0") });
      expect([viaLr.nia, viaLr.registers.lr]).toEqual([0x1234_5674n, HERE + 4n]);
      const viaCtr = driver.run({ abi, registers: { ctr: target }, words: assemble("bcctrl 20,0") });
      expect([viaCtr.nia, viaCtr.registers.lr]).toEqual([0x1234_5674n, HERE + 4n]);
      const notTaken = driver.run({ abi, registers: { lr: target }, words: assemble("bclr 12,2") });
      expect(notTaken.nia).toBe(HERE + 4n);
      const counted = driver.run({ abi, registers: { lr: target, ctr: 2n }, words: assemble("bclr 16,0") });
      expect([counted.nia, counted.registers.ctr]).toEqual([0x1234_5674n, 1n]);
    });

    it("counts a loop down with bdnz", () => {
      const { registers } = driver.run({
        abi,
        registers: { ctr: 5n },
        words: assemble("addi 3,3,2", "bc 16,0,-4"),
      });
      expect([registers.gpr[3], registers.ctr]).toEqual([10n, 0n]);
    });

    it("condition register instructions combine two bits into a third", () => {
      const operations: Record<string, (a: boolean, b: boolean) => boolean> = {
        crand: (a, b) => a && b,
        crnand: (a, b) => !(a && b),
        cror: (a, b) => a || b,
        crxor: (a, b) => a !== b,
        crnor: (a, b) => !(a || b),
        creqv: (a, b) => a === b,
        crandc: (a, b) => a && !b,
        crorc: (a, b) => a || !b,
      };
      const bit = () => fc.integer({ min: 0, max: 31 });
      fc.assert(
        fc.property(
          fc.constantFrom(...Object.keys(operations)),
          bit(),
          bit(),
          bit(),
          fc.integer({ min: 0, max: 0xffff_ffff }),
          (name, bt, ba, bb, cr) => {
            const { registers } = driver.run({
              abi,
              registers: { cr },
              words: assemble(`${name} ${bt},${ba},${bb}`),
            });
            const at = (n: number) => ((cr >>> (31 - n)) & 1) !== 0;
            const mask = 0x8000_0000 >>> bt;
            const expected = operations[name](at(ba), at(bb)) ? cr | mask : cr & ~mask;
            expect(registers.cr).toBe(expected >>> 0);
          },
        ),
      );
    });

    it("mcrf copies a field", () => {
      const { registers } = driver.run({
        abi,
        registers: { cr: crField(6, 11) },
        words: assemble("mcrf 1,6"),
      });
      expect(registers.cr).toBe(crField(1, 11) | crField(6, 11));
    });

    it("sc stops at the instruction, and with LEV = 1 is illegal", () => {
      const call = driver.run({ abi, registers: {}, words: assemble("ori 0,0,0", "sc") });
      expect([call.signal, call.nia]).toEqual(["syscall", HERE + 4n]);
      expect(driver.run({ abi, registers: {}, words: assemble("sc 1") }).signal).toBe("SIGILL");
    });
  });

  it("faults at the target, not at the branch, where a 64-bit target is above 2^32", () => {
    const run = (line: string, registers: { lr?: bigint; ctr?: bigint }) =>
      driver.run({ abi: "ppc64", registers, words: assemble(line) });
    const viaLr = run("bclr 20,0", { lr: 0x1_0000_0003n });
    expect([viaLr.signal, viaLr.nia]).toEqual(["SIGSEGV", 0x1_0000_0000n]);
    const absolute = run("bca 20,0,-4", {});
    expect([absolute.signal, absolute.nia]).toEqual(["SIGSEGV", 0xffff_ffff_ffff_fffcn]);
    const linked = run("bcctrl 20,0", { ctr: 0x8000_0000_0000_0000n });
    expect([linked.signal, linked.nia, linked.registers.lr]).toEqual([
      "SIGSEGV",
      0x8000_0000_0000_0000n,
      HERE + 4n,
    ]);
  });

  it("a 32-bit CPU ignores the upper half of branch targets and of CTR", () => {
    const { nia } = driver.run({
      abi: "ppc32",
      registers: { lr: 0x7_1000_0100n },
      words: assemble("bclr 20,0"),
    });
    expect(nia).toBe(0x1000_0100n);
  });

  it("bcctr that decrements is invalid on 32-bit CPUs and tests CTR before on 64-bit ones", () => {
    expect(driver.run({ abi: "ppc32", registers: {}, words: assemble("bcctr 16,0") }).signal).toBe("SIGILL");
    const taken = driver.run({
      abi: "ppc64",
      registers: { ctr: HERE + 0x40n },
      words: assemble("bcctr 16,0"),
    });
    expect([taken.nia, taken.registers.ctr]).toEqual([HERE + 0x40n, HERE + 0x3fn]);
    const notTaken = driver.run({ abi: "ppc64", registers: { ctr: 0n }, words: assemble("bcctr 16,0") });
    expect([notTaken.nia, notTaken.registers.ctr]).toEqual([HERE + 4n, 0xffff_ffff_ffff_ffffn]);
  });

  it("bctar is there from ISA 2.07 on", () => {
    const run = (model: string) =>
      driver.run({
        abi: "ppc64",
        model,
        registers: { gpr: { 4: HERE + 0x80n } },
        words: assemble("mtspr 815,4", "bctar 20,0"),
      });
    expect(run("power8").nia).toBe(HERE + 0x80n);
    expect(run("power7").signal).toBe("SIGILL");
  });
});
