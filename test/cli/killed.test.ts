/** kill -9 of whole commands in the middle of a freeze: the old image stays whole, and nobody else is the worse for it. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { compilers, guestPath, inTemporaryDirectory } from "../support/guests.ts";
import { type Live, startPpcr } from "../support/live.ts";
import { ppcr } from "../support/ppcr.ts";
import { describeWithTools } from "../support/tools.ts";

/** Resolves when a temporary file of `bytes` or more is beside the image, or the command has ended. */
async function writesBeside(image: string, bytes: number, command: Live): Promise<void> {
  const folder = dirname(image);
  const sizeOf = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  await command.until(() =>
    readdirSync(folder).some((name) => name.endsWith(".tmp") && sizeOf(name) >= bytes),
  );
}

/** A ppcr's control socket, if it listens by now, and the connections that it has not taken yet when it is stopped. */
function controlSockets({ pid }: Live): string[] {
  return readFileSync("/proc/net/unix", "utf8").match(new RegExp(`^.*/${pid}\\.sock$`, "gm")) ?? [];
}
/** __SO_ACCEPTCON among a socket's flags there: it has a name for a moment before it listens. */
const listens = (line: string): boolean => line.split(/\s+/)[3] === "00010000";

/** Runs `use` with the path of an old image, alone in its folder. */
const withOldImage = (use: (image: string) => Promise<void>): Promise<void> =>
  inTemporaryDirectory(async (folder) => {
    const image = join(folder, "image");
    writeFileSync(image, "old");
    await use(image);
  });

/** A guest with 48 MiB of memory that waits for SIGUSR1. */
async function startResident(): Promise<Live> {
  const guest = startPpcr("run", await guestPath("resident", "ppc64"), "48", "wait");
  await guest.says(/resident/);
  return guest;
}

/** Fails unless a file is the old one or a whole new one: a command may be quicker than the signal. Says whether it is the old one. */
async function staysOldOrWhole(image: string): Promise<boolean> {
  if (statSync(image).size === 3) return true;
  expect((await ppcr(["image", "check", image])).status).toBe(0);
  return false;
}

/** All of a list once, and again while `more` holds. */
function* repeated<T>(list: readonly T[], more: () => boolean): Generator<T> {
  do yield* list;
  while (more());
}

describeWithTools("kill -9 in the middle of a freeze", [compilers.ppc64], () => {
  it("of the client leaves the old image whole and the guest running", () =>
    withOldImage(async (image) => {
      const guest = await startResident();
      let killed = 0;
      // Over again where every client was quicker than its signal.
      for (const bytes of repeated([0, 1 << 20, 16 << 20, 40 << 20, 48 << 20], () => killed === 0)) {
        const client = startPpcr("checkpoint", String(guest.pid), "-o", image, "--leave-running");
        await writesBeside(image, bytes, client);
        await client.kill();
        if (await staysOldOrWhole(image)) killed++;
      }
      guest.child.kill("SIGUSR1");
      expect(await guest.status).toBe(0);
      expect(guest.stdout).toBe("resident\nintact\n");
    }));

  it("of the guest's ppcr is told by the client, which leaves the old image whole", () =>
    withOldImage(async (image) => {
      const guest = await startResident();
      await guest.until(() => controlSockets(guest).some(listens));
      const stopped = guest.child.kill("SIGSTOP");
      const client = startPpcr("checkpoint", String(guest.pid), "-o", image);
      await client.until(() => controlSockets(guest).length === 2);
      await guest.kill();
      expect(stopped).toBe(true);
      expect(await client.status).toBe(125);
      expect(client.stderr).toBe("ppcr: the other ppcr went away before it had answered\n");
      expect(readdirSync(dirname(image))).toEqual(["image"]);
      expect(statSync(image).size).toBe(3);
    }));

  it("of a run that freezes itself leaves the old image whole", () =>
    withOldImage(async (image) => {
      const program = await guestPath("resident", "ppc64");
      const run = startPpcr("run", "--checkpoint-at", "4000000", "-o", image, program, "48");
      await writesBeside(image, 8 << 20, run);
      await run.kill();
      await staysOldOrWhole(image);
    }));
});
