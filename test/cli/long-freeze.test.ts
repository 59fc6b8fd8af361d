/** A freeze that takes long: the host has its turns, and who ends it early loses nothing. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { compilers, inTemporaryDirectory } from "../support/guests.ts";
import { startPpcr } from "../support/live.ts";
import { describeWithTools } from "../support/tools.ts";

/** A guest that takes minutes to freeze, a client that has begun to freeze it, and the folder of an old image. */
async function begunFreeze(folder: string) {
  const program = join(folder, "sparse");
  const source = join(dirname(fileURLToPath(import.meta.url)), "guests", "sparse.c");
  execFileSync(compilers.ppc64, ["-O2", "-static", "-o", program, source]);
  const images = join(folder, "images");
  execFileSync("mkdir", [images]);
  writeFileSync(join(images, "image"), "old");
  const guest = startPpcr("run", "--dir", folder, program, join(folder, "hole"));
  await guest.says(/ready/);
  const client = startPpcr("checkpoint", String(guest.pid), "-o", join(images, "image"));
  await client.until(() => readdirSync(images).length > 1);
  const expectOld = () => {
    expect(readdirSync(images)).toEqual(["image"]);
    expect(readFileSync(join(images, "image"), "utf8")).toBe("old");
  };
  return { guest, client, expectOld, left: () => readdirSync(images).length };
}

describeWithTools("a freeze that takes long", [compilers.ppc64], () => {
  it("ends when the guest's ppcr gets ^C, of which the guest dies", () =>
    inTemporaryDirectory(async (folder) => {
      const { guest, client, expectOld } = await begunFreeze(folder);
      guest.child.kill("SIGINT");
      expect(await guest.status).toBe(130);
      expect(await client.status).toBe(125);
      expect(client.stderr).toMatch(/could not be frozen and goes on: cannot write .*: SIGINT came first/);
      expectOld();
    }));

  it("ends when the client gets ^C, and the guest goes on", () =>
    inTemporaryDirectory(async (folder) => {
      const { guest, client, expectOld, left } = await begunFreeze(folder);
      client.child.kill("SIGINT");
      expect(await client.status).toBe(130);
      await guest.until(() => left() === 1);
      expectOld();
      guest.child.kill("SIGUSR1");
      expect(await guest.status).toBe(4);
      expect(guest.stdout).toBe("ready\ngoes on\n");
    }));
});
