/** The vdso, as readelf sees it. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ABIS } from "../../../emu/linux/abi.ts";
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
      const expected = abi.is64 ? [true] : [false, true];
      expect(starts).toEqual(expected.map((rt) => returnPoint(abi, rt) - 4));
      for (const [i, at] of entries.entries()) {
        const frame = (u32(at + 4) + header) >>> 0;
        expect((u32(frame + 8) + frame + 8) >>> 0).toBe(starts[i]);
        expect(u32(frame + 12)).toBe(abi.is64 ? 16 : 12);
      }
    });
  }
});
