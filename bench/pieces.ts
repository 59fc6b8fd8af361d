/** Single pieces of the machine, timed with tinybench. */
import { Bench } from "tinybench";
import { decode } from "../emu/isa/decoder.ts";
import { disassemble } from "../emu/isa/disassembler.ts";
import { AddressSpace } from "../emu/memory/address-space.ts";
import { PROT_READ, PROT_WRITE } from "../emu/memory/vma.ts";
import { figure, table } from "./table.ts";

/** Runs all pieces for about `milliseconds` each and returns a table of them. */
export async function benchPieces(milliseconds: number): Promise<string> {
  const space = new AddressSpace({ byteOrder: "big" });
  const base = 0x1000_0000;
  space.map({ start: base, end: base + 0x10_0000, prot: PROT_READ | PROT_WRITE, offset: 0 });
  const words = Int32Array.from({ length: 1000 }, (_, i) => (0x7c00_0214 + i * 0x0010_2801) | 0);
  const page = new Uint8Array(4096).fill(7);
  const bench = new Bench({ time: milliseconds });
  bench
    .add("decode 1000 words", () => {
      for (const word of words) decode(word);
    })
    .add("disassemble 1000 words", () => {
      for (const word of words) disassemble(word, base);
    })
    .add("1000 word loads", () => {
      for (let i = 0; i < 1000; i++) space.load32(base + 4 * i);
    })
    .add("1000 word stores", () => {
      for (let i = 0; i < 1000; i++) space.store32(base + 4 * i, i);
    })
    .add("copy a page in", () => space.write(base, page))
    .add("copy a page out", () => void space.read(base, 4096))
    .add("make an address space", () => void new AddressSpace({ byteOrder: "big" }));
  await bench.run();
  const rows = bench.tasks.map((task) => {
    const { result } = task;
    if (result?.state !== "completed") throw new Error(`${task.name}: ${result?.state}`);
    return [task.name, figure(result.latency.p50 * 1000), figure(result.throughput.mean)];
  });
  return table(["piece", "median µs", "times a second"], rows);
}
