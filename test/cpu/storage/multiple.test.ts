import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ABIS, assemble, DATA, DATA_END } from "../driver.ts";
import { describeOnDrivers } from "../drivers.ts";

const numbers = (length: number, from = 1) => Array.from({ length }, (_, i) => (from + i) & 0xff);
const word = (bytes: number[]) =>
  [0, 1, 2, 3].reduce((value, i) => (value << 8n) | BigInt(bytes[i] ?? 0), 0n);

describeOnDrivers("multiple and string instructions", (driver) => {
  describe.each(ABIS)("%s", (abi) => {
    it("lmw and stmw move the registers from RT to r31", () => {
      const bytes = numbers(16);
      const { registers, memory } = driver.run({
        abi,
        registers: { gpr: { 27: 27n, 4: BigInt(DATA) } },
        memory: [
          { address: DATA + 8, bytes },
          { address: DATA + 100, bytes: numbers(16, 90) },
        ],
        words: assemble("lmw 28,8(4)", "stmw 28,100(4)"),
      });
      expect(registers.gpr.slice(27)).toEqual([27n, 0x0102_0304n, 0x0506_0708n, 0x090a_0b0cn, 0x0d0e_0f10n]);
      expect(memory[1].bytes).toEqual(bytes);
    });

    it("lmw and stmw change nothing when a part of their storage is missing", () => {
      const bytes = numbers(8);
      const load = driver.run({
        abi,
        registers: { gpr: { 29: 1n, 30: 2n, 31: 3n, 4: BigInt(DATA_END - 8) } },
        memory: [{ address: DATA_END - 8, bytes }],
        words: assemble("lmw 29,0(4)"),
      });
      expect([load.signal, load.faultAddress]).toEqual(["SIGSEGV", BigInt(DATA_END)]);
      expect(load.registers.gpr.slice(29)).toEqual([1n, 2n, 3n]);
      const store = driver.run({
        abi,
        registers: { gpr: { 4: BigInt(DATA_END - 8) } },
        memory: [{ address: DATA_END - 8, bytes }],
        words: assemble("stmw 29,0(4)"),
      });
      expect(store.signal).toBe("SIGSEGV");
      expect(store.memory[0].bytes).toEqual(bytes);
    });

    it("lswi and lswx fill registers round the end, the last with zeros", () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 32 }), fc.boolean(), (count, indexed) => {
          const bytes = numbers(40);
          const { registers, signal } = driver.run({
            abi,
            registers: { gpr: { 10: BigInt(DATA), 11: 0n }, xer: count },
            memory: [{ address: DATA, bytes }],
            words: assemble(indexed ? "lswx 29,10,11" : `lswi 29,10,${count}`),
          });
          expect(signal).toBeUndefined();
          for (let i = 0; i < 8; i++) {
            const n = (29 + i) & 31;
            const filled = 4 * i < count;
            expect([n, registers.gpr[n]]).toEqual([
              n,
              filled ? word(bytes.slice(4 * i, Math.min(4 * i + 4, count))) : 0n,
            ]);
          }
        }),
      );
    });

    it("stswi and stswx store bytes from the registers' left", () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 32 }), fc.boolean(), (count, indexed) => {
          const gpr = Object.fromEntries(
            numbers(8, 0).map((i) => [(29 + i) & 31, word(numbers(4, 4 * i + 1))]),
          );
          const { memory } = driver.run({
            abi,
            registers: { gpr: { ...gpr, 10: BigInt(DATA), 11: 0n }, xer: count },
            memory: [{ address: DATA, bytes: numbers(40, 200) }],
            words: assemble(indexed ? "stswx 29,10,11" : `stswi 29,10,${count}`),
          });
          expect(memory[0].bytes).toEqual([...numbers(count), ...numbers(40, 200).slice(count)]);
        }),
      );
    });

    it("moves nothing for a count of zero, wherever the address is", () => {
      const { signal } = driver.run({
        abi,
        registers: { gpr: { 3: 9n } },
        words: assemble("lswx 3,4,5", "stswx 3,4,5"),
      });
      expect(signal).toBeUndefined();
    });

    it("loads of strings into their own address registers are illegal", () => {
      const run = (line: string, xer: number) =>
        driver.run({ abi, registers: { gpr: { 4: BigInt(DATA) }, xer }, words: assemble(line) }).signal;
      expect(run("lswi 3,4,8", 0)).toBe("SIGILL");
      expect(run("lswi 3,4,4", 0)).toBeUndefined();
      expect(run("lswi 30,0,12", 0)).toBe("SIGILL");
      expect(run("lswx 3,4,5", 8)).toBe("SIGILL");
      expect(run("lswx 3,10,4", 8)).toBe("SIGILL");
      expect(run("lswx 3,4,5", 4)).toBeUndefined();
    });
  });

  it("lq and stq move an even pair, the first register from the lower address", () => {
    const bytes = numbers(16);
    const { registers, memory } = driver.run({
      abi: "ppc64",
      registers: { gpr: { 4: BigInt(DATA) } },
      memory: [{ address: DATA, bytes: [...bytes, ...numbers(16, 99)] }],
      words: assemble("lq 6,0(4)", "stq 6,16(4)"),
    });
    expect(registers.gpr.slice(6, 8)).toEqual([0x0102_0304_0506_0708n, 0x090a_0b0c_0d0e_0f10n]);
    expect(memory[0].bytes).toEqual([...bytes, ...bytes]);
  });
});
