import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { READ_IMPLIES_EXEC } from "../../../emu/linux/process.ts";
import type { Abi } from "../../../emu/snapshot.ts";
import { CallDriver } from "../../support/call-driver.ts";
import { tinyElf } from "../../support/tiny-elf.ts";

const BUFFER = 0x1001_0100;

describe.each(["ppc32", "ppc64"] as const)("execve of %s", (abi: Abi) => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "ppcr-exec-"));
    const program = (name: string, bytes: Uint8Array | string, mode = 0o755) => {
      writeFileSync(join(folder, name), bytes);
      chmodSync(join(folder, name), mode);
    };
    // Exits with its argc.
    const load = abi === "ppc32" ? "lwz 3,0(1)" : "ld 3,0(1)";
    program("argc", tinyElf(abi, [load, "li 0,1", "sc"], { stack: abi === "ppc32" ? null : 6 }));
    program("private", tinyElf(abi, ["sc"]), 0o644);
    program("text", "hello\n");
    const other = abi === "ppc32" ? "ppc64" : "ppc32";
    const loadOther = abi === "ppc32" ? "ld 3,0(1)" : "lwz 3,0(1)";
    program("other", tinyElf(other, [loadOther, "li 0,1", "sc"]));
    program("script", "#! /x/argc  two words \nrest\n");
    program("nested", "#!/x/script\n");
    program("circle", "#!/x/circle\n");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const driver = () => {
    const guest = new CallDriver(abi, { mounts: [{ host: folder, guest: "/x", readOnly: true }] });
    const { memory } = guest;
    let at = BUFFER;
    const string = (text: string): number => {
      const here = at;
      memory.write(here, Buffer.from(`${text}\0`));
      at += (text.length + 8) & ~7;
      return here;
    };
    const vector = (texts: string[]): number => {
      const pointers = [...texts.map(string), 0];
      const here = at;
      for (const pointer of pointers) {
        if (abi === "ppc32") memory.store32(at, pointer);
        else memory.store64(at, BigInt(pointer));
        at += abi === "ppc32" ? 4 : 8;
      }
      at = (at + 7) & ~7;
      return here;
    };
    const prepare = (path: string, argv: string[] | null = ["a"]) =>
      guest.prepare("execve", string(path), argv === null ? 0 : vector(argv), vector(["E=1"]));
    return { guest, prepare };
  };

  it("runs the new program with its arguments, in a fresh address space, and goes on counting", async () => {
    const { guest, prepare } = driver();
    const [old] = [guest.memory];
    guest.process.comm = "before";
    prepare("/x/argc", ["one", "two", "three"]);
    await guest.kernel.run(1n);
    expect(guest.memory).not.toBe(old);
    expect(guest.process).toMatchObject({ comm: "argc", exe: "/x/argc" });
    expect(guest.kernel.instructions).toBe(1n);
    expect(guest.process.personality & READ_IMPLIES_EXEC).toBe(abi === "ppc32" ? READ_IMPLIES_EXEC : 0);
    expect(await guest.kernel.run()).toEqual({ reason: "exit", status: 3 });
    expect(guest.kernel.instructions).toBe(4n);
  });

  it("gives a program without arguments an empty one", async () => {
    const { guest, prepare } = driver();
    prepare("/x/argc", null);
    expect(await guest.kernel.run()).toEqual({ reason: "exit", status: 1 });
  });

  it.each([
    ["a script with one argument of its own", "/x/script", 1 + 1 + 1 + 1],
    ["a script whose interpreter is a script", "/x/nested", 1 + 1 + 1 + 1 + 1],
  ])("runs %s", async (_, path, argc) => {
    const { guest, prepare } = driver();
    prepare(path, ["name", "argument"]);
    expect(await guest.kernel.run()).toEqual({ reason: "exit", status: argc });
  });

  it.each([
    ["what is not there", "/x/nothing", "ENOENT"],
    ["what may not be executed", "/x/private", "EACCES"],
    ["a folder", "/x", "EACCES"],
    ["what is no program", "/x/text", "ENOEXEC"],
    ["a script that is its own interpreter", "/x/circle", "ELOOP"],
  ])("refuses %s, and the old program goes on", async (_, path, error) => {
    const { guest, prepare } = driver();
    prepare(path);
    const { memory } = guest;
    await guest.kernel.run(1n);
    expect(guest.result).toBe(error);
    expect(guest.memory).toBe(memory);
  });

  it("runs a program of another width, with that one's system calls and registers", async () => {
    const { guest, prepare } = driver();
    prepare("/x/other", ["one", "two"]);
    await guest.kernel.run(1n);
    expect(guest.process.abi.name).toBe(abi === "ppc32" ? "ppc64" : "ppc32");
    expect(await guest.kernel.run()).toEqual({ reason: "exit", status: 2 });
  });

  it("refuses pointers that lead nowhere", async () => {
    const { guest } = driver();
    guest.memory.write(BUFFER, Buffer.from("/x/argc\0"));
    expect(await guest.call("execve", BUFFER, 0x10, 0)).toBe("EFAULT");
    expect(await guest.call("execve", 0x10, 0, 0)).toBe("EFAULT");
  });
});
