/** The quick loop where what it runs, or may access, changes under it. */
import { expect, it, vi } from "vitest";
import type { Cpu } from "../../emu/cpu/cpu.ts";
import { Interpreter } from "../../emu/cpu/interpreter.ts";
import { asm } from "../../emu/isa/encoder.ts";
import { JitEngine } from "../../emu/jit/engine.ts";
import { Translations } from "../../emu/jit/translations.ts";
import { FAR_END } from "../../emu/memory/far-map.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";
import { WatchpointHit } from "../../emu/memory/watched.ts";
import { type Abi, advance as advanceToFault, createCpu, prepare, QUICKLY, show } from "./engines-agree.ts";
import { CODE_START, DATA_PAGES, DATA_START } from "./random-programs.ts";

/** Runs `limit` instructions; says how that ended. */
function advance(engine: Interpreter, limit: number): string {
  try {
    return advanceToFault(engine, limit);
  } catch (error) {
    if (!(error instanceof WatchpointHit)) throw error;
    return `${error.message}, stored ${error.isStore}`;
  }
}

/** Both engines on a program, with some registers set, stopped after so many instructions; before each turn `change` may do something. */
function run(
  abi: Abi,
  lines: readonly string[],
  gprs: Readonly<Record<number, number>>,
  counts: readonly number[],
  change: (cpu: Cpu, engine: Interpreter, turn: number) => void = () => {},
): string[] {
  const [left, right] = [createCpu(abi, undefined), createCpu(abi, undefined)];
  const words = lines.map((line) => asm(line));
  for (const cpu of [left, right]) {
    prepare(cpu, abi, words, 5);
    for (const [n, value] of Object.entries(gprs)) cpu.registers.setGpr(Number(n), BigInt(value));
  }
  const [interpreter, quick] = [new Interpreter(left), new JitEngine(right, new Translations(QUICKLY))];
  const ends = counts.map((count, turn) => {
    change(left, interpreter, turn);
    change(right, quick, turn);
    const [ended, wanted] = [advance(quick, count), advance(interpreter, count)];
    expect([turn, ended, ...show(right)]).toEqual([turn, wanted, ...show(left)]);
    return ended;
  });
  expect(quick.statistics.quick).toBeGreaterThan(0);
  expect(quick.statistics.translated).toBe(0);
  return ends;
}

it("is made where it was not prepared", () => {
  const asked: string[] = [];
  const prepared = (name: string) => {
    asked.push(name);
    return undefined;
  };
  const cpu = createCpu("ppc64", "power8");
  prepare(cpu, "ppc64", [asm("addi 3,3,1"), asm("b -4")], 5);
  cpu.registers.setGpr(3, 0n);
  const quick = new JitEngine(cpu, new Translations(QUICKLY, undefined, { prepared }));
  advance(quick, 1001);
  expect(cpu.registers.gpr(3)).toBe(501n);
  expect(asked).toEqual(["quick-power8-64be-3-8448"]);
});

const ones = (n: number): number[] => new Array(n).fill(1);

it("runs what a program has just written, be it the next instruction", () => {
  // The word behind the store is addi 3,3,1 and addi 3,3,16 by turns.
  const lines = ["xor 6,6,7", "stw 6,8(5)", "ori 0,0,0", "addi 4,4,1", "b -16"];
  const [one, other] = [asm("addi 3,3,1"), asm("addi 3,3,16")];
  const gprs = { 3: 0, 4: 0, 5: CODE_START, 6: one, 7: one ^ other };
  for (const abi of ["ppc32", "ppc64", "ppc64le"] as const) {
    for (const counts of [ones(60), [7, 3, 500, 1, 1, 1, 501]]) run(abi, lines, gprs, counts);
  }
});

it("does not run what may not be executed any more", () => {
  const lines = ["addi 3,3,1", "b -4"];
  const ends = run("ppc64", lines, { 3: 0 }, [9, 90, 9], ({ memory }, _engine, turn) => {
    if (turn > 1) memory.protect(CODE_START, CODE_START + PAGE_SIZE, PROT_READ);
  });
  expect(ends).toEqual(["limit", "limit", `fetch-protected at 0x${(CODE_START + 4).toString(16)}`]);
});

it("meets breakpoints and watchpoints that are set between two turns, and forgets them", () => {
  const lines = ["addi 3,3,1", "stwu 3,4(5)", "lwz 4,-8(5)", "b -12"];
  const gprs = { 3: 0, 5: DATA_START + 64 };
  const ends = run(
    "ppc64",
    lines,
    gprs,
    [50, 50, 51, 50, 50, 50, 50],
    ({ memory, registers }, engine, turn) => {
      const next = Number(registers.gpr(5)) + 16;
      engine.setBreakpoints(new Set(turn === 2 ? [CODE_START + 8] : []));
      const watch = { start: next, end: next + 4, loads: turn === 5, stores: turn === 4 };
      memory.setWatchpoints(turn >= 4 && turn <= 5 ? [watch] : []);
    },
  );
  expect(ends.map((end) => end.replace(/ at .*,/, ","))).toEqual([
    "limit",
    "limit",
    "breakpoint",
    "limit",
    "watchpoint, stored true",
    "watchpoint, stored false",
    "limit",
  ]);
});

it("leaves registers as they were where an access with update faults in its second page", () => {
  const end = DATA_START + DATA_PAGES * PAGE_SIZE;
  const at = (address: number) => `at 0x${address.toString(16)}`;
  const store = ["addi 3,3,1", "stwu 3,1(5)", "b -8"];
  expect(run("ppc64", store, { 3: 0, 5: end - 20 }, [9, 90])).toEqual(["limit", `data-protected ${at(end)}`]);
  const load = ["addi 3,3,1", "lwzux 4,5,6", "b -8"];
  const gprs = { 3: 0, 5: end + PAGE_SIZE - 20, 6: 1 };
  expect(run("ppc32", load, gprs, [9, 90])).toEqual(["limit", `data-unmapped ${at(end + PAGE_SIZE)}`]);
});

it("executes itself what C libraries look at strings with, and moves", () => {
  const strings = [
    "lvsl 1,5,6",
    "lvsr 2,5,6",
    "lxv 3,16(5)",
    "stxv 3,32(5)",
    "vperm 4,1,2,3",
    "vspltisb 5,-3",
  ];
  strings.push(
    "vspltish 6,7",
    "vspltisw 7,-1",
    "vspltb 8,3,11",
    "vsplth 9,3,5",
    "vspltw 10,3,2",
    "vsldoi 11,3,4,9",
  );
  strings.push(
    "vcmpequb. 12,3,4",
    "vcmpequh. 13,3,3",
    "vcmpequw 14,3,4",
    "vor 15,3,4",
    "vxor 16,3,4",
    "vand 17,3,4",
  );
  strings.push(
    "vandc 18,3,4",
    "vnor 19,3,4",
    "vslb 20,3,5",
    "vslw 21,3,5",
    "vminub 22,3,4",
    "vbpermq 23,3,1",
  );
  strings.push("xxlor 40,35,36", "xxlxor 3,35,36", "xxland 4,35,36");
  strings.push(
    "xxlandc 41,35,36",
    "xxlnor 42,35,36",
    "xxlorc 43,35,36",
    "xxspltib 44,200",
    "xxpermdi 6,35,36,2",
  );
  strings.push("vaddudm 24,3,4", "vsububm 25,3,4", "vmrghb 26,3,4", "vmrghh 27,3,4", "vmrglb 28,3,4");
  strings.push(
    "vmrglh 29,3,4",
    "vsld 30,3,5",
    "vsrw 31,3,5",
    "mtvsrwa 51,7",
    "mtvsrwz 52,7",
    "mfvsrwz 15,35",
  );
  strings.push("mtvsrd 50,7", "mfvsrd 9,35", "cmpb 10,7,8", "ldbrx 11,5,6", "popcntd 12,11");
  const numbers = ["mulhd 16,11,12", "mulhd. 17,9,10", "mulhdu 18,11,9", "mulhdu. 19,9,11", "popcntb 20,11"];
  numbers.push("popcntw 21,9", "cnttzd. 22,11", "cnttzw 23,21", "lhbrx 24,5,6", "lwbrx 25,5,6");
  numbers.push("sthbrx 9,5,6", "stwbrx 11,5,6", "stdbrx 18,5,6", "addi 27,5,384", "dcbz 27,6");
  for (const [i, size] of ["b", "h", "w", "d"].entries()) {
    numbers.push(`l${size}arx 26,0,5`, `st${size}cx. 11,0,5`, `st${size}cx. 9,0,5`, `l${size}arx 28,0,5`);
    // The reservation is lost by another value, by another size, and by another address.
    numbers.push(`stb ${20 + i},${i === 3 ? 7 : 0}(5)`, `st${size}cx. 9,0,5`, `l${size}arx 26,0,5`);
    numbers.push(i === 0 ? "sthcx. 9,0,5" : "stbcx. 9,0,5", `l${size}arx 26,0,5`, `st${size}cx. 9,0,27`);
  }
  const moves = ["fmr 7,6", "fneg 8,6", "fabs 9,8", "fnabs 10,6", "cmpi 0,1,3,5", "cmpi 7,1,11,0", "mfcr 13"];
  const logical = ["and", "andc", "eqv", "nand", "nor", "or", "orc", "xor"].flatMap((name, i) => [
    `cr${name} ${i},${i + 1},30`,
    `cr${name} ${31 - i},28,${i + 2}`,
  ]);
  const lines = [...strings, ...numbers, ...moves, ...logical, "mfcr 14", "addi 3,3,1", "addi 6,6,3"];
  lines.push(`b -${4 * lines.length + 4}`);
  for (const abi of ["ppc64", "ppc64le"] as const) {
    const [left, right] = [createCpu(abi, "power9"), createCpu(abi, "power9")];
    const words = [abi === "ppc64" ? "vclzlsbb 7,12" : "vctzlsbb 7,12", ...lines].map((line) =>
      // Bits that splats of words and halfwords do not look at.
      /^vsplt[hw]/.test(line) ? asm(line) | (line.includes("vsplth") ? 0x8_0000 : 0xc_0000) : asm(line),
    );
    for (const cpu of [left, right]) {
      prepare(cpu, abi, words, 5);
      for (const [n, value] of [DATA_START + 64, 5].entries()) cpu.registers.setGpr(5 + n, BigInt(value));
      cpu.registers.setGpr(3, 0n);
    }
    const [interpreter, quick] = [new Interpreter(left), new JitEngine(right, new Translations(QUICKLY))];
    // The page is opened by the first turn.
    advance(quick, 2);
    advance(interpreter, 2);
    const step = vi.spyOn(quick as unknown as { step: () => void }, "step");
    for (const count of [...ones(2 * lines.length), 10 * lines.length]) {
      expect([advance(quick, count), ...show(right)]).toEqual([advance(interpreter, count), ...show(left)]);
    }
    expect(step).not.toHaveBeenCalled();
  }
});

it("leaves reservations of misaligned data, stores without a Rc bit, and what has to be looked at", () => {
  const lines = [
    "addi 3,3,1",
    "addi 3,3,1",
    "addi 3,3,1",
    "lwarx 4,0,5",
    "stwcx. 6,0,5",
    "addi 5,5,4",
    "b -16",
  ];
  const gprs = { 3: 0, 5: DATA_START, 6: 7 };
  for (const abi of ["ppc32", "ppc64", "ppc64le"] as const) {
    const all = (start: number, program = lines) =>
      run(abi, program, { ...gprs, 5: start }, [...ones(20), 9000]);
    expect(all(DATA_START + DATA_PAGES * PAGE_SIZE - 800).at(-1)).toMatch(/^data-/);
    expect(all(DATA_START + 2).at(-1)).toMatch(/^alignment/);
    expect(all(DATA_START, ["dcbz 0,5", "addi 5,5,4", "addi 3,3,1", "b -12"]).at(-1)).toMatch(
      /^(data-|limit)/,
    );
    // A reservation is made, and a store made of the same word without its last bit.
    const word = asm("stwcx. 6,0,5") & ~1;
    const made = ["lwz 9,0(10)", "ori 0,0,0", "addi 3,3,1", "b -8"];
    const ends = run(abi, made, { ...gprs, 10: DATA_START }, ones(12), ({ memory }, _engine, turn) => {
      if (turn === 6) memory.write32(CODE_START + 4, word);
    });
    expect(ends.at(-1)).toMatch(/illegal/);
  }
});

it("adds 32-bit addresses modulo 2^32, and 64-bit ones of 64 bits", () => {
  const lines = ["addi 3,3,1", "ori 0,0,0", "lwzx 4,5,6", "stwx 4,6,5", "b -16"];
  const gprs = { 3: 0, 5: 0xffff_fff0, 6: DATA_START + 16 };
  expect(run("ppc32", lines, gprs, [9, 90])).toEqual(["limit", "limit"]);
  const fault = `data-unmapped at 0x${(0xffff_fff0 + DATA_START + 16).toString(16)}`;
  expect(run("ppc64", lines, gprs, [1, 90])).toEqual(["limit", fault]);
});

it("goes to code beyond 2^32 and back, and accesses data there", () => {
  const far = 2 ** 36;
  const there = ["addi 4,4,1", "stwu 4,4(7)", "bclr 20,0,0"];
  const lines = ["addi 3,3,1", "mtspr 9,5", "bcctrl 20,0,0", "lwz 8,0(7)", "add 9,9,8", "b -20"];
  const gprs = { 3: 0, 4: 0, 5: far, 7: far + PAGE_SIZE - 64, 9: 0 };
  for (const counts of [ones(70), [9, 20, 1, 3, 1, 1, 1, 90]]) {
    run("ppc64", lines, gprs, counts, ({ memory }, _engine, turn) => {
      if (turn > 0) return;
      memory.limit = FAR_END;
      memory.map({
        start: far,
        end: far + 2 * PAGE_SIZE,
        prot: PROT_READ | PROT_WRITE | PROT_EXEC,
        offset: 0,
      });
      const words = new DataView(new ArrayBuffer(4 * there.length));
      for (const [i, line] of there.entries()) words.setInt32(4 * i, asm(line));
      memory.write(far, new Uint8Array(words.buffer));
    });
  }
});

it("accesses vectors in pages that are to be looked at first", () => {
  const stores = ["stxvd2x 0,5,6", "stvx 1,5,7", "stxv 2,48(5)", "stxsdx 33,5,8"];
  const loads = ["lxvd2x 3,5,6", "lvx 4,5,7", "lxv 5,48(5)", "lxsdx 6,5,8", "lxvdsx 39,5,8", "vgbbd 8,7"];
  const gprs = { 3: 0, 5: DATA_START, 6: 16, 7: 32, 8: 64 };
  for (const abi of ["ppc64", "ppc64le"] as const) {
    for (const lines of [
      [...stores, ...loads],
      [...loads, ...stores],
    ]) {
      const all = [...lines, "addi 3,3,1", `addi 5,5,${PAGE_SIZE - 40}`, `b -${4 * lines.length + 8}`];
      const ends = run(abi, all, gprs, [...ones(80), 2000]);
      expect(ends.at(-1)).toMatch(/^data-/);
    }
  }
  const written = ["stxvd2x 0,5,6", "addi 3,3,1", "b -8"];
  const watch = { start: DATA_START + 20, end: DATA_START + 21, loads: false, stores: true };
  const ends = run("ppc64", written, gprs, [30, 1], ({ memory }, _engine, turn) =>
    memory.setWatchpoints(turn > 0 ? [watch] : []),
  );
  expect(ends[1]).toMatch(/^watchpoint/);
  for (const end of run(
    "ppc64",
    ["stxvd2x 0,5,6", "addi 3,3,1", "b -8"],
    { ...gprs, 5: CODE_START + 64 },
    ones(50),
  ))
    expect(end).toBe("limit");
});
