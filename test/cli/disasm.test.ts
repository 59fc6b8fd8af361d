import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { disassembleFile } from "../../cli/disasm.ts";
import { objdump, STATIC_TARGETS } from "../isa/binutils.ts";
import { inTemporaryDirectory } from "../support/guests.ts";
import { describeWithTools } from "../support/tools.ts";

interface Line {
  address: string;
  bytes: string;
  text: string;
}

/** The instruction lines of a disassembly, and the names of the sections. */
function disassembly(file: Uint8Array): { lines: Line[]; sections: string[] } {
  const lines: Line[] = [];
  const sections: string[] = [];
  disassembleFile(file, (line) => {
    const [, section] = /^Disassembly of section (.*):$/.exec(line) ?? [];
    if (section !== undefined) sections.push(section);
    const [, address, bytes, text] = /^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+)(?:\t(.*))?$/.exec(line) ?? [];
    if (address !== undefined) lines.push({ address, bytes, text: text ?? "" });
  });
  return { lines, sections };
}

for (const { name, tools, is64, build, objdump } of STATIC_TARGETS) {
  describeWithTools(`disassembling a static ${name} program`, tools, () => {
    it("shows the executable sections as objdump -d does", () =>
      inTemporaryDirectory(async (directory) => {
        const path = await build(directory);
        const { lines, sections } = disassembly(await readFile(path));
        expect(sections).toContain(".init");
        expect(sections).toContain(".text");
        const expected = (await objdump(path)).map(({ address, text }) => `${address.toString(16)} ${text}`);
        const ours = lines.map(({ address, text }) => `${address} ${text}`);
        expect(ours.length).toBe(expected.length);
        expect(ours.filter((line, i) => line !== expected[i])).toEqual([]);
      }));

    it("shows the executable segment of a file without a section table", () =>
      inTemporaryDirectory(async (directory) => {
        const file = await readFile(await build(directory));
        const whole = disassembly(file).lines;
        const bare = new Uint8Array(file);
        // e_shoff, e_shnum and e_shstrndx.
        if (is64) bare.fill(0, 40, 48).fill(0, 60, 64);
        else bare.fill(0, 32, 36).fill(0, 48, 52);
        const { lines, sections } = disassembly(bare);
        expect(sections[0]).toMatch(/^LOAD at 0x10000000$/);
        const found = new Map(lines.map(({ address, text }) => [address, text]));
        expect(whole.filter(({ address, text }) => found.get(address) !== text)).toEqual([]);
      }));
  });
}

/** Code for POWER10: prefixed instructions, their masked forms among them. */
const POWER10 = `
extern double table[];
__vector_quad sum;
double at(long i) { return table[i + 100000] + 3.5; }
long far(char *p) { return p[1000000] + *(int *)(p + 5000001) + 0x123456789; }
void outer(vector unsigned char a, vector unsigned char b) { __builtin_mma_pmxvi8ger4pp(&sum, a, b, 3, 5, 9); }
vector int words(void) { return (vector int){0x12345678, 0x12345678, 0x12345678, 0x12345678}; }
double table[200000];
void _start(void) { table[far((char *)table)] = at(3); outer((vector unsigned char)words(), (vector unsigned char)words()); }
`;

for (const prefix of ["powerpc64-linux-gnu", "powerpc64le-linux-gnu"]) {
  describeWithTools(
    `disassembling ${prefix} code for POWER10`,
    [`${prefix}-gcc`, `${prefix}-objdump`],
    () => {
      it("shows prefixed instructions as objdump -d does", () =>
        inTemporaryDirectory(async (directory) => {
          const [source, path] = [join(directory, "power10.c"), join(directory, "power10")];
          await writeFile(source, POWER10);
          const flags = ["-mcpu=power10", "-O2", "-nostdlib", "-static", "-w"];
          expect(spawnSync(`${prefix}-gcc`, [...flags, "-o", path, source]).stderr.toString()).toBe("");
          const expected = await objdump(`${prefix}-objdump`, path);
          const { lines } = disassembly(await readFile(path));
          expect(lines.map(({ text }) => text)).toEqual(expected.map(({ text }) => text));
          expect(lines.filter(({ text }) => text.startsWith("p")).length).toBeGreaterThan(4);
        }));
    },
  );
}

it("refuses what is no PowerPC ELF file", () => {
  expect(() => disassembleFile(new Uint8Array(100), () => {})).toThrow(/ELF/i);
});
