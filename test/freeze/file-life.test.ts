/** What was opened or mapped stays what it is, frozen or not, whatever becomes of its name. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { defaultMounts } from "../../emu/machine.ts";
import { compilers, type Target } from "../support/guests.ts";
import { freeze, load, runToEnd, type Subject, thaw } from "../support/machine.ts";
import { describeWithTools, requireTool } from "../support/tools.ts";

const SOURCE = join(dirname(fileURLToPath(import.meta.url)), "guests", "file-life.c");

const EXPECTED: Readonly<Record<string, string>> = {
  map: "hello there jello 0",
  "map-fd": "JEllo JEllo",
  replaced: "hello NEW!!",
  link: "read 4 nlink 1",
  "write-only": "write 4 size 8 mode 100200",
  folder: "fstat 0 nlink 0 new no",
  cwd: "No such file or directory up",
  path: "size 3 old",
  forbidden: "write 4",
  "set-id": "mode 6755 755",
  "path-nodes": "where it leads 120777 size 14 10640 links 0",
  written: "JEllo JEllo",
};

for (const target of ["ppc32", "ppc64"] satisfies Target[]) {
  describeWithTools(`files of a ${target} program`, [compilers[target]], () => {
    let folder: string;
    let program: string;
    let area: string;
    beforeAll(() => {
      folder = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), "ppcr-life-")));
      program = join(folder, "prog");
      execFileSync(requireTool(compilers[target]), ["-O1", "-static", "-w", "-o", program, SOURCE]);
    });
    afterAll(() => fs.rmSync(folder, { recursive: true }));
    beforeEach(() => {
      area = fs.mkdtempSync(join(folder, "area-"));
    });

    /** The program in the middle of its wait. */
    async function waiting(what: string): Promise<Subject> {
      const subject = load(program, { args: [what], cwd: area, seed: 1n });
      expect((await subject.machine.run(150_000n)).reason).toBe("limit");
      expect(subject.host.stdout.text).toBe("");
      return subject;
    }

    it.each(Object.entries(EXPECTED))("are what they were: %s", async (what, expected) => {
      const { stdout } = await runToEnd(load(program, { args: [what], cwd: area, seed: 1n }));
      expect(stdout).toBe(`${expected}\n`);
    });
    it.each(Object.entries(EXPECTED))("are what they were after a thaw: %s", async (what, expected) => {
      const subject = await waiting(what);
      const image = freeze(subject);
      const again = freeze(thaw(image, subject));
      subject.machine.close();
      const { stdout, stderr } = await runToEnd(thaw(again, subject));
      expect([stdout, stderr]).toEqual([`${expected}\n`, ""]);
    });
    it("have no set-id bits on the host", async () => {
      await runToEnd(load(program, { args: ["set-id"], cwd: area, seed: 1n }));
      expect(fs.statSync(join(area, "x")).mode & 0o7777).toBe(0o755);
    });
    it("are refused where another program is in the program's place", async () => {
      const image = freeze(await waiting(""));
      const other = join(folder, "other");
      fs.writeFileSync(other, fs.readFileSync(program));
      const kept = join(folder, "kept");
      fs.renameSync(program, kept);
      try {
        // The same bytes are as good as the file.
        fs.renameSync(other, program);
        const mounts = defaultMounts({ program, cwd: area });
        expect((await runToEnd(thaw(image, { mounts }))).stdout).toBe("plain\n");
        const changed = fs.readFileSync(program);
        changed.fill(1, changed.length - 4);
        // Another build id too, where there is one.
        const note = changed.indexOf("\0\0\0\x03GNU\0");
        if (note > 0) changed[note + 8]++;
        fs.writeFileSync(program, changed);
        expect(() => thaw(image, { mounts })).toThrow(
          /\/prog was changed \S+ s later, and holds something else/,
        );
        fs.appendFileSync(program, "x");
        expect(() => thaw(image, { mounts })).toThrow(`${program} has`);
        fs.rmSync(program);
        expect(() => thaw(image, { mounts: defaultMounts({ cwd: area }) })).toThrow(`${program} is missing`);
      } finally {
        fs.renameSync(kept, program);
      }
    });
    it("need not be there where they were included", async () => {
      const subject = await waiting("");
      const image = freeze(subject, { includeFiles: true });
      const elsewhere = fs.mkdtempSync(join(folder, "elsewhere-"));
      const { stdout } = await runToEnd(thaw(image, { mounts: defaultMounts({ cwd: elsewhere }) }));
      expect(stdout).toBe("plain\n");
    });
    it("are refused to a second run from an image whose first one has written to them", async () => {
      const subject = await waiting("written");
      const image = freeze(subject);
      subject.machine.close();
      expect((await runToEnd(thaw(image, subject))).stdout).toBe(`${EXPECTED.written}\n`);
      expect(() => thaw(image, subject)).toThrow(
        /\/w was changed .*the program itself has it open for writing/,
      );
    });
    it("are the copies that were included, in every run from the image, what is written too", async () => {
      const subject = await waiting("written");
      const image = freeze(subject, { includeFiles: true });
      subject.machine.close();
      const path = join(area, "w");
      expect(subject.host.warnings).toEqual([
        `${path} is open for writing: what a thawed program writes there is in its copy only`,
      ]);
      const elsewhere = fs.mkdtempSync(join(folder, "elsewhere-"));
      for (let run = 0; run < 2; run++) {
        const { stdout } = await runToEnd(thaw(image, { mounts: defaultMounts({ cwd: elsewhere }) }));
        expect(stdout).toBe(`${EXPECTED.written}\n`);
      }
      expect(fs.readdirSync(elsewhere)).toEqual([]);
      expect(fs.readFileSync(path, "latin1").slice(0, 5)).toBe("hello");
    });
  });
}
