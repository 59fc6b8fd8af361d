import { describe, expect, it } from "vitest";
import { restart } from "../../cr/index.ts";
import { area, imageBytes, machine, process, source } from "./samples.ts";

const AUXV = [
  { type: 19, value: 128n },
  { type: 6, value: 4096n },
  { type: 15, value: 0xbfff_ff80n },
];

/** A 32-bit program with two arguments, one environment string, and the vector above. */
function program(platform: string, auxv = AUXV) {
  const start = 0xbfff_f000;
  const stack = new Uint8Array(4096);
  const view = new DataView(stack.buffer);
  const words = [
    2,
    0xbfff_fe00,
    0xbfff_fe10,
    0,
    0xbfff_fe20,
    0,
    ...auxv.flatMap(({ type, value }) => [type, Number(value)]),
    0,
    0,
  ];
  for (const [index, word] of words.entries()) view.setUint32(0x100 + 4 * index, word);
  stack.set(new TextEncoder().encode(platform), 0xf80);
  const one = process("ppc32", 1234);
  const memory = {
    ...one.memory,
    startStack: start + 0x100,
    areas: [area(start, start + 4096, { growsDown: true, pages: { addresses: [start], read: () => stack } })],
  };
  return restart(source(imageBytes(machine("ppc32", { processes: [{ ...one, memory }] }), { strict: true })));
}

describe("a plain image", () => {
  it("gives back the auxiliary vector that is on the program's stack", () => {
    expect(program("power7").processes[0].memory.auxv).toEqual(AUXV);
    expect(program("power7").processes[0].memory.areas[0].name).toBe("[stack]");
  });

  it("goes on with the processor that the program was told of", () => {
    expect(program("power7").cpuModel).toBe("power7");
    expect(program("ppc-cell-be").cpuModel).toBe("power8");
    expect(program("", [{ type: 19, value: 32n }]).cpuModel).toBe("750");
  });

  it("has no vector where the stack does not look like one", () => {
    const again = restart(source(imageBytes(machine("ppc32"), { strict: true })));
    expect(again.processes[0].memory.auxv).toEqual([]);
    expect(again.cpuModel).toBe("750");
  });
});
