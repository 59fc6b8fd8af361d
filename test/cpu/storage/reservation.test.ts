import { describe, expect, it } from "vitest";
import { assemble, DATA, DATA_END, type TestAbi, XER_SO } from "../driver.ts";
import { describeOnDrivers } from "../drivers.ts";

const SIZES: readonly { size: string; length: number; abi: TestAbi; value: bigint }[] = [
  { size: "b", length: 1, abi: "ppc64", value: 0x11n },
  { size: "h", length: 2, abi: "ppc64", value: 0x1112n },
  { size: "w", length: 4, abi: "ppc64", value: 0x1112_1314n },
  { size: "w", length: 4, abi: "ppc32", value: 0x1112_1314n },
  { size: "d", length: 8, abi: "ppc64", value: 0x1112_1314_1516_1718n },
];
const BYTES = Array.from({ length: 16 }, (_, i) => 0x11 + i);

describeOnDrivers("reservations", (driver) => {
  describe.each(SIZES)("of $length bytes on $abi", ({ size, length, abi, value }) => {
    const run = (...lines: string[]) =>
      driver.run({
        abi,
        registers: {
          gpr: {
            4: BigInt(DATA),
            5: 0xfefd_fcfb_faf9_f8f7n & (abi === "ppc32" ? 0xffff_ffffn : -1n),
            6: 16n,
          },
          xer: XER_SO,
        },
        memory: [{ address: DATA, bytes: [...BYTES, ...BYTES] }],
        words: assemble(...lines),
      });
    const load = `l${size}arx 3,0,4`;
    const store = `st${size}cx. 5,0,4`;

    it("load, and store under the reservation", () => {
      const { registers, memory } = run(load, store);
      expect(registers.gpr[3]).toBe(value);
      expect(registers.cr >>> 28).toBe(0b0011);
      expect(memory[0].bytes.slice(length)).toEqual([...BYTES, ...BYTES].slice(length));
      const stored = memory[0].bytes.slice(0, length).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
      expect(stored).toBe(BigInt.asUintN(8 * length, 0xfefd_fcfb_faf9_f8f7n));
    });

    it("store nothing without a reservation, or a second time", () => {
      expect(run(store).registers.cr >>> 28).toBe(0b0001);
      const { registers, memory } = run(load, store, "addi 5,0,0", store);
      expect(registers.cr >>> 28).toBe(0b0001);
      expect(memory[0].bytes[length - 1]).toBe(0xf7);
    });

    it("store nothing at another address", () => {
      const { registers, memory } = run(load, `st${size}cx. 5,6,4`);
      expect(registers.cr >>> 28).toBe(0b0001);
      expect(memory[0].bytes).toEqual([...BYTES, ...BYTES]);
    });

    it("store nothing when the value has changed", () => {
      const { registers } = run(load, "stb 6,0(4)", store);
      expect(registers.cr >>> 28).toBe(0b0001);
    });

    if (length > 1) {
      it("demand aligned addresses", () => {
        const { signal, faultAddress } = run("addi 4,4,1", load);
        expect([signal, faultAddress]).toEqual(["SIGBUS", BigInt(DATA + 1)]);
        expect(run("addi 4,4,1", store).signal).toBe("SIGBUS");
      });
    }
  });

  it("a store of another length than the reservation's fails", () => {
    const { registers } = driver.run({
      abi: "ppc64",
      registers: { gpr: { 4: BigInt(DATA) } },
      memory: [{ address: DATA, bytes: BYTES }],
      words: assemble("ldarx 3,0,4", "stwcx. 3,0,4"),
    });
    expect(registers.cr >>> 28).toBe(0);
  });

  it("lqarx and stqcx. move an even pair", () => {
    const { registers, memory } = driver.run({
      abi: "ppc64",
      registers: { gpr: { 4: BigInt(DATA), 8: 1n, 9: 2n } },
      memory: [{ address: DATA, bytes: BYTES }],
      words: assemble("lqarx 6,0,4", "stqcx. 8,0,4"),
    });
    expect(registers.gpr.slice(6, 8)).toEqual([0x1112_1314_1516_1718n, 0x191a_1b1c_1d1e_1f20n]);
    expect(registers.cr >>> 28).toBe(2);
    expect(memory[0].bytes).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2]);
  });

  it("loads that fault reserve nothing", () => {
    const { signal, faultAddress } = driver.run({
      abi: "ppc64",
      registers: { gpr: { 4: BigInt(DATA_END) } },
      words: assemble("ldarx 3,0,4"),
    });
    expect([signal, faultAddress]).toEqual(["SIGSEGV", BigInt(DATA_END)]);
  });
});
