/** The vdso, as readelf sees it. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ABIS, type AbiInfo } from "../../../emu/linux/abi.ts";
import { returnPoint, vdsoImage } from "../../../emu/linux/vdso/vdso-image.ts";
import { inTemporaryDirectory } from "../../support/guests.ts";
import { describeWithTools, requireTool } from "../../support/tools.ts";

const readelf = "powerpc64-linux-gnu-readelf";

/** What readelf prints of an image, warnings included. */
const read = (image: Uint8Array, ...options: string[]): Promise<string> =>
  inTemporaryDirectory(async (directory) => {
    const path = join(directory, "vdso.so");
    writeFileSync(path, image);
    return execFileSync(requireTool(readelf), ["-W", ...options, path], { encoding: "utf8", stdio: "pipe" });
  });

const trailingZeros = (image: Uint8Array): number =>
  image.length - 1 - image.findLastIndex((byte) => byte !== 0);

/** What a C library finds by the dynamic section: the symbols that its hash table has in its one chain. */
function symbolsOf(image: Uint8Array<ArrayBuffer>, { is64, littleEndian }: AbiInfo) {
  const view = new DataView(image.buffer);
  const u32 = (at: number) => view.getUint32(at, littleEndian);
  const long = (at: number) => u32(at + (is64 && !littleEndian ? 4 : 0));
  const word = is64 ? 8 : 4;
  const segment = (is64 ? 64 : 52) + (is64 ? 56 : 32);
  const tags = new Map<number, number>();
  for (let at = long(segment + (is64 ? 8 : 4)); long(at) !== 0; at += 2 * word)
    tags.set(long(at), long(at + word));
  const [hash, strings, table, versions] = [4, 5, 6, 0x6fff_fff0].map((tag) => tags.get(tag)!);
  const found = [];
  for (let i = u32(hash + 8); i !== 0; i = u32(hash + 12 + 4 * i)) {
    const at = table + i * (is64 ? 24 : 16);
    const name = strings + u32(at);
    found.push({
      name: new TextDecoder().decode(image.subarray(name, image.indexOf(0, name))),
      value: long(at + (is64 ? 8 : 4)),
      size: long(at + (is64 ? 16 : 8)),
      info: image[at + (is64 ? 4 : 12)],
      version: view.getUint16(versions + 2 * i, littleEndian),
    });
  }
  expect(found.length).toBe(u32(hash + 4) - 1);
  return found;
}

describeWithTools("the vdso", [readelf], () => {
  for (const abi of Object.values(ABIS)) {
    it(`is a shared object with a name for ${abi.name}`, async () => {
      const text = await read(vdsoImage(abi), "--file-header", "--dynamic", "--segments");
      expect(text).not.toMatch(/warning|error/i);
      expect(text).toMatch(/Type: +DYN/);
      expect(text).toMatch(abi.is64 ? /soname: \[linux-vdso64\.so\.1\]/ : /soname: \[linux-vdso32\.so\.1\]/);
      expect(text).toMatch(/GNU_EH_FRAME/);
      if (abi.is64) expect(text).toMatch(abi.elfv2 ? /abiv2/ : /abiv1/);
    });
    it(`has each way back from a handler, and the word before it, in its table of frames for ${abi.name}`, () => {
      const image = vdsoImage(abi);
      const view = new DataView(image.buffer);
      const u32 = (at: number) => view.getUint32(at, abi.littleEndian);
      const phdr = (abi.is64 ? 64 : 52) + 2 * (abi.is64 ? 56 : 32);
      const header = u32(phdr + (abi.is64 ? (abi.littleEndian ? 16 : 20) : 8));
      expect([...image.subarray(header, header + 4)]).toEqual([1, 0x1b, 3, 0x3b]);
      const entries = Array.from({ length: u32(header + 8) }, (_, i) => header + 12 + 8 * i);
      const starts = entries.map((at) => (u32(at) + header) >>> 0);
      const expected = (abi.is64 ? [true] : [false, true]).map((rt) => returnPoint(abi, rt) - 4);
      expect(starts.slice(0, expected.length)).toEqual(expected);
      expect(starts).toEqual([...starts].sort((a, b) => a - b));
      for (const [i, at] of entries.entries()) {
        const frame = (u32(at + 4) + header) >>> 0;
        expect((u32(frame + 8) + frame + 8) >>> 0).toBe(starts[i]);
        if (i < expected.length) expect(u32(frame + 12)).toBe(abi.is64 ? 16 : 12);
        else expect(starts[i] + u32(frame + 12)).toBe(starts[i + 1] ?? 4096 - trailingZeros(image));
      }
    });
    it(`has Linux's functions, all of a version, for ${abi.name}`, async () => {
      const image = vdsoImage(abi);
      const symbols = symbolsOf(image, abi);
      const names = [
        "clock_gettime",
        "clock_getres",
        "gettimeofday",
        "time",
        "getcpu",
        "get_tbfreq",
        "sync_dicache",
      ];
      const trampolines = abi.is64 ? ["sigtramp_rt64"] : ["sigtramp32", "sigtramp_rt32"];
      const own = [...names, ...trampolines, ...(abi.is64 ? [] : ["clock_gettime64"])];
      expect(symbols.map(({ name }) => name).sort()).toEqual(own.map((name) => `__kernel_${name}`).sort());
      for (const { value, size, info, version } of symbols) {
        expect([info, version]).toEqual([0x12, 2]);
        expect(value % 4).toBe(0);
        expect(size).toBeGreaterThan(0);
      }
      for (const name of ["sigtramp_rt32", "sigtramp_rt64"])
        for (const found of symbols.filter((symbol) => symbol.name === `__kernel_${name}`))
          expect(found.value).toBe(returnPoint(abi, true));
    });
  }
});
