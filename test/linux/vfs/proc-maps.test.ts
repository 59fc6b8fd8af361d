import { describe, expect, it } from "vitest";
import { mapsText, smapsText } from "../../../emu/linux/vfs/proc-maps.ts";
import { Identities } from "../../../emu/linux/vfs/identities.ts";
import { AddressSpace } from "../../../emu/memory/address-space.ts";
import { PAGE_SIZE } from "../../../emu/memory/layout.ts";
import { SharedObject } from "../../../emu/memory/shared-object.ts";

const memory = new AddressSpace({ byteOrder: "big", size: 16 * 1024 * 1024 });
const segment = new SharedObject();
const process = {
  areas: memory.areas,
  identities: new Identities(),
  segment: (object: SharedObject) => (object === segment ? { key: 0x1234, id: 5 } : undefined),
  usage: ({ start, end }: { start: number; end: number }) => memory.usage(start, end),
};
const file = {
  path: "/lib/a\nb",
  key: `${0xfe00 + 3}:77`,
  size: () => 4 * PAGE_SIZE,
  read: (_: number, into: Uint8Array) => into.length,
  write() {},
};
memory.map({ start: 0x10_0000, end: 0x10_4000, prot: 5, file, offset: 0x1000 });
memory.load8(0x10_0000);
memory.load8(0x10_2000);
memory.map({ start: 0x20_0000, end: 0x20_4000, prot: 3, offset: 0, name: "[heap]" });
memory.store8(0x20_1000, 1);
memory.map({ start: 0x30_0000, end: 0x30_2000, prot: 1, shared: new SharedObject(), offset: 0 });
memory.map({ start: 0x40_0000, end: 0x40_2000, prot: 1, shared: segment, offset: 0 });

/** The areas of smaps: the values of each, by name. */
const areas = () =>
  smapsText(process)
    .split(/^(?=[0-9a-f]+-)/m)
    .map((text) =>
      Object.fromEntries([...text.matchAll(/^(\w+): +(.*?)(?: kB)?$/gm)].map((m) => [m[1], m[2]])),
    );

describe("/proc/PID/smaps", () => {
  it("begins each area with its line of maps", () => {
    const lines = smapsText(process).match(/^[0-9a-f]+-.*\n/gm);
    expect(lines?.join("")).toBe(mapsText(process));
    expect(mapsText(process).split("\n")).toEqual([
      `${"00100000-00104000 r-xp 00001000 fe:03 77".padEnd(73)}/lib/a\\012b`,
      `${"00200000-00204000 rw-p 00000000 00:00 0".padEnd(73)}[heap]`,
      `${"00300000-00302000 r--s 00000000 00:01 1".padEnd(73)}/dev/zero (deleted)`,
      `${"00400000-00402000 r--s 00000000 00:01 5".padEnd(73)}/SYSV00001234 (deleted)`,
      "",
    ]);
  });

  it("counts the pages that are present, and those written", () => {
    const [text, heap, shared] = areas();
    expect(text).toMatchObject({ Size: "16", Rss: "8", Private_Clean: "8", Private_Dirty: "0" });
    expect(heap).toMatchObject({ Size: "16", Rss: "4", Private_Dirty: "4", Anonymous: "4" });
    expect(shared).toMatchObject({ Size: "8", Rss: "0" });
    expect([text.VmFlags, heap.VmFlags, shared.VmFlags].map((flags) => flags.trim())).toEqual([
      "rd ex mr mw me",
      "rd wr mr mw me ac",
      "rd sh mr mw me ms",
    ]);
  });

  it("is laid out as the kernel lays it out", () => {
    const text = smapsText(process);
    const heap = text.slice(text.indexOf("00200000"), text.indexOf("00300000"));
    expect(heap.split("\n").slice(1, 5)).toEqual([
      "Size:                 16 kB",
      "KernelPageSize:        4 kB",
      "MMUPageSize:           4 kB",
      "Rss:                   4 kB",
    ]);
    expect(heap).toMatch(/\nTHPeligible: {4}0\nVmFlags: rd wr mr mw me ac \n$/);
  });
});
