import { describe, expect, it } from "vitest";
import type { CpuKind } from "../../emu/cpu/cpu.ts";
import { handled, handlerOf } from "../../emu/cpu/dispatch.ts";
import type { GuestFault } from "../../emu/cpu/fault.ts";
import { findModel, modelFor, modelList } from "../../emu/cpu/models.ts";
import { prefixedHandled } from "../../emu/cpu/prefixed.ts";
import { bind } from "../../emu/cpu/views.ts";
import { PREFIXED } from "../../emu/isa/prefixed-table.ts";
import { INSTRUCTIONS, instructionNamed } from "../../emu/isa/table.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import { assemble, type TestAbi } from "./driver.ts";
import { describeOnDrivers } from "./drivers.ts";
import { cpuOn } from "../support/cpu.ts";

/** Vector handlers belong to a CPU that is bound. */
const memory = new AddressSpace({ byteOrder: "big", size: 0x80_0000 });
const kindOf = (model: string, abi: TestAbi): CpuKind => {
  const cpu = cpuOn(memory, modelFor(model, abi), abi === "ppc64");
  bind(cpu);
  return cpu;
};

/** Register fields (and for mtspr an SPR, for mftb a TBR) with which no instruction is an invalid form. */
const OPERANDS = [0, 0x0043_2000, 0x0008_0000, 0x000c_4200];

describe("dispatch", () => {
  it("has a handler for every implemented row", () => {
    const names = new Set(handled());
    const missing = INSTRUCTIONS().filter((row) => row.implemented && !names.has(row.name));
    expect(missing.map((row) => row.name)).toEqual([]);
  });

  it("has an implemented row for every handler", () => {
    const orphans = handled().filter((name) => instructionNamed(name)?.implemented !== true);
    expect(orphans).toEqual([]);
  });

  it("has a handler for every prefixed instruction, and no others", () => {
    expect(prefixedHandled().sort()).toEqual(
      PREFIXED()
        .map(({ name }) => name)
        .sort(),
    );
  });

  it("has one handler for an instruction", () => {
    const names = handled();
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it("has the whole scalar architecture through 3.0 for POWER9", () => {
    const { facilities } = modelFor("power9", "ppc64");
    const kind = kindOf("power9", "ppc64");
    const illegal = handlerOf(0, kind);
    const lacking = INSTRUCTIONS().filter(
      (row) =>
        facilities.has(row.facility) &&
        row.version !== "3.1" &&
        row.implemented &&
        !OPERANDS.some((operands) => handlerOf(row.match | operands, kind) !== illegal),
    );
    expect(lacking.map((row) => row.name)).toEqual([]);
  });

  it("has the conversions to and from doublewords, which 32-bit code for 64-bit processors uses", () => {
    const known = (model: string, name: string): boolean => {
      const kind = kindOf(model, "ppc32");
      return handlerOf(instructionNamed(name)!.match | 0x0043_2000, kind) !== handlerOf(0, kind);
    };
    for (const name of ["fcfid", "fctid", "fctidz"]) {
      expect(known("970", name), name).toBe(true);
      expect(known("750", name), name).toBe(false);
    }
    for (const name of ["std", "mulld", "extsw"]) expect(known("970", name), name).toBe(false);
  });
});

describeOnDrivers("CPU models", (driver) => {
  const signalOf = (abi: TestAbi, model: string | undefined, word: number) =>
    driver.run({ abi, model, registers: {}, words: [word] }).signal;

  it("raise SIGILL for words that are no instructions", () => {
    for (const word of [0, 0x7c00_07fe, 0x4c00_0006, 1 << 26]) {
      expect(signalOf("ppc64", "power9", word)).toBe("SIGILL");
      expect(signalOf("ppc32", "750", word)).toBe("SIGILL");
    }
  });

  it("raise SIGILL for what a later version or another facility brought", () => {
    const cases: [TestAbi, string, string, boolean][] = [
      ["ppc32", "750", "cmpb 3,4,5", false],
      ["ppc32", "power8", "cmpb 3,4,5", true],
      ["ppc32", "750", "ld 3,0(4)", false],
      ["ppc32", "power8", "mulld 3,4,5", false],
      ["ppc32", "power8", "bpermd 3,4,5", true],
      ["ppc32", "power8", "maddld 3,4,5,6", false],
      ["ppc32", "power9", "maddld 3,4,5,6", true],
      ["ppc64", "970", "mulld 3,4,5", true],
      ["ppc64", "970", "popcntd 3,4", false],
      ["ppc64", "power7", "popcntd 3,4", true],
      ["ppc64", "power8", "modsw 3,4,5", false],
      ["ppc64", "power9", "modsw 3,4,5", true],
      ["ppc32", "750", "fsqrt 1,2", false],
      ["ppc64", "970", "fsqrt 1,2", true],
      ["ppc64", "power9", "tbegin. 0", false],
      ["ppc64", "power8", "scv 0", false],
    ];
    for (const [abi, model, line, has] of cases.filter(([abi, model]) =>
      driver.models(abi).includes(model),
    )) {
      expect([line, model, signalOf(abi, model, assemble(line)[0])]).toEqual([
        line,
        model,
        has ? undefined : "SIGILL",
      ]);
    }
  });

  it("take the later forms of mffs for mffs, and have what Linux emulates", () => {
    for (const line of ["mffsl 1", "mffscrni 1,1", "isel 3,4,5,2", "popcntb 3,4", "mcrxr 1", "dcba 0,4"]) {
      expect([line, signalOf("ppc32", "750", assemble(line)[0])]).toEqual([line, undefined]);
    }
  });

  it("pass over reserved no-ops from ISA 2.06 on, hash instructions of ISA 3.1 among them", () => {
    // qemu-user knows those of the hash instructions alone.
    const opcodes = driver.name === "interpreter" ? [530, 562, 594, 626, 658, 690, 722, 754] : [722, 754];
    for (const opcode of opcodes) {
      const word = ((31 << 26) | (3 << 21) | (1 << 16) | (opcode << 1)) >>> 0;
      expect([opcode, signalOf("ppc64", "power9", word)]).toEqual([opcode, undefined]);
      expect([opcode, signalOf("ppc64", "power7", word)]).toEqual([opcode, undefined]);
      if (driver.name !== "interpreter") continue;
      expect([opcode, signalOf("ppc64", "970", word)]).toEqual([opcode, "SIGILL"]);
    }
    expect(signalOf("ppc64", "power9", assemble("hashst 3,-8(1)")[0])).toBeUndefined();
  });

  it("raise SIGILL for every supervisor instruction", () => {
    for (const row of INSTRUCTIONS().filter(
      (row) => row.facility === "supervisor" && row.version !== "3.1",
    )) {
      expect([row.name, signalOf("ppc64", "power9", row.match)]).toEqual([row.name, "SIGILL"]);
    }
  });
});

describe("facilities that Linux keeps from programs", () => {
  const kindOfFault = (model: string, line: string) => {
    try {
      handlerOf(assemble(line)[0], kindOf(model, "ppc64"))(assemble(line)[0], 0);
    } catch (error) {
      return (error as GuestFault).kind;
    }
    return "none";
  };

  it("are illegal where the processor has them not, and unavailable where it has", () => {
    const cases = [
      ["tbegin. 0", "illegal", "unavailable", "unavailable", "illegal"],
      ["tcheck 1", "illegal", "unavailable", "unavailable", "illegal"],
      ["rfebb 1", "illegal", "unavailable", "unavailable", "unavailable"],
      ["mfbhrbe 3,4", "illegal", "unavailable", "unavailable", "unavailable"],
      ["clrbhrb", "illegal", "unavailable", "unavailable", "unavailable"],
      ["copy 3,4", "illegal", "illegal", "illegal", "illegal"],
      ["paste. 3,4,1", "illegal", "illegal", "illegal", "illegal"],
      ["cpabort", "illegal", "illegal", "illegal", "illegal"],
      ["scv 1", "illegal", "illegal", "illegal", "illegal"],
    ];
    for (const [line, ...kinds] of cases) {
      const models = ["power7", "power8", "power9", "power10"];
      expect([line, ...models.map((model) => kindOfFault(model, line))]).toEqual([line, ...kinds]);
    }
  });
});

describe("the list of CPU models", () => {
  it("offers 32-bit programs all models and 64-bit programs the 64-bit ones", () => {
    const names = (abi: TestAbi) => modelList(abi).map(({ name }) => name);
    expect(names("ppc32")).toEqual(["750", "7400", "7450", "970", "power7", "power8", "power9", "power10"]);
    expect(names("ppc64")).toEqual(["970", "power7", "power8", "power9", "power10"]);
    expect(findModel("750", "ppc64")).toBeUndefined();
    expect(() => modelFor("pentium", "ppc32")).toThrow(/no CPU model pentium .* 750, 7400, 7450, 970/);
  });

  it("advertises what Linux does, but for facilities that are not complete", () => {
    expect(modelFor("750", "ppc32").hwcap).toBe(0x8c00_0000);
    expect(modelFor("7450", "ppc32").hwcap).toBe(0x9c00_0000);
    // What a POWER9 shows, without transactional memory.
    for (const abi of ["ppc32", "ppc64", "ppc64le"] as const) {
      const { hwcap, hwcap2 } = modelFor("power9", abi);
      expect(hwcap).toBe(0xdc00_65c2);
      expect(hwcap2).toBe(0xaef0_0000);
    }
  });

  it("is the same for programs that ask for none", () => {
    for (const abi of ["ppc32", "ppc64", "ppc64le"] as const) {
      expect(modelFor(undefined, abi)).toBe(modelFor("power9", abi));
    }
  });

  it("knows models by the names they had", () => {
    expect(modelFor("ppc970", "ppc64").name).toBe("970");
  });
});
