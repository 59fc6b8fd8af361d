/** Freezing while a system call waits: the call is begun again in the image's machine, and ends as it would have. */
import { beforeAll, expect, it } from "vitest";
import { nodeHost } from "../../emu/host/node/index.ts";
import { compilers, guestPath, type Target } from "../support/guests.ts";
import { freeze, load, type Subject, thaw } from "../support/machine.ts";
import { describeWithTools } from "../support/tools.ts";

const SIGUSR1 = 10;

/** Runs a machine until it waits, and stops it there. */
async function stopInWait({ machine, host }: Subject): Promise<void> {
  for (;;) {
    const running = machine.run();
    await host.sleep(5).done;
    machine.requestStop();
    expect(await running).toEqual({ reason: "stopped" });
    if (!host.stdout.text.includes("waiting\n")) continue;
    if (machine.freeze().processes[0].threads[0].blocked !== null) return;
  }
}

/** Time that stands still until it is let go, so that no wait ends while the test is slow. */
function heldClock() {
  const { clock } = nodeHost({ descriptors: [] });
  const start = clock.monotonic();
  let held = true;
  return {
    monotonic: () => (held ? start : clock.monotonic()),
    release: () => {
      held = false;
    },
  };
}

const signal = ({ machine }: Subject): void => machine.signal(SIGUSR1);
const input = ({ host }: Subject): void => host.stdin.feed("x");

/** What the program waits in, what ends the wait (time where nothing is said), and what it says then. */
const waits: [name: string, end: ((subject: Subject) => void) | undefined, said: RegExp][] = [
  ["nanosleep", undefined, /^nanosleep: 0, read -, handled 0, late\n$/],
  ["nanosleep", signal, /^nanosleep: interrupted, read -, handled 10, \w+\n$/],
  ["absolute", undefined, /^absolute: 0, read -, handled 0, late\n$/],
  ["absolute", signal, /^absolute: interrupted, read -, handled 10, \w+\n$/],
  ["pause", signal, /^pause: interrupted, read -, handled 10, \w+\n$/],
  ["sigsuspend", signal, /^blocked afterwards\nsigsuspend: interrupted, read -, handled 10, \w+\n$/],
  ["sigwait", signal, /^sigwait: 10, read -, handled 0, \w+\n$/],
  ["read", input, /^read: 1, read x, handled 0, \w+\n$/],
  ["read", signal, /^read: interrupted, read -, handled 10, \w+\n$/],
  ["read", ({ host }) => host.stdin.end(), /^read: 0, read -, handled 0, \w+\n$/],
  ["pipe", signal, /^pipe: interrupted, read -, handled 10, \w+\n$/],
  ["poll", undefined, /^poll: 0, read -, handled 0, late\n$/],
  ["poll", input, /^poll: 1, read -, handled 0, \w+\n$/],
  ["poll", signal, /^poll: interrupted, read -, handled 10, \w+\n$/],
  ["select", input, /^select: 1, read -, handled 0, \w+\n$/],
  ["select", signal, /^select: interrupted, read -, handled 10, \w+\n$/],
];

for (const target of ["ppc32", "ppc64"] satisfies Target[])
  describeWithTools(`a ${target} program frozen while it waits`, [compilers[target]], () => {
    let program = "";
    beforeAll(async () => {
      program = await guestPath("blocked", target);
    });
    for (const [name, end, said] of waits) {
      const what = end === undefined ? "its time" : end === signal ? "a signal" : "its input";
      it.concurrent(`goes on waiting in ${name} until ${what} comes`, async () => {
        const { monotonic, release } = heldClock();
        const limit = end === undefined ? "300" : "3600000";
        const first = load(program, { args: [name, limit], input: null, monotonic });
        await stopInWait(first);
        const image = freeze(first);
        release();
        const second = thaw(image, first);
        const running = second.machine.run();
        if (end !== undefined) {
          await second.host.sleep(20).done;
          expect(second.host.stdout.text).toBe("");
          end(second);
        }
        expect(await running).toEqual({ reason: "exit", status: 7 });
        expect(second.host.stdout.text).toMatch(said);
        // The machine that was frozen can go on as well.
        end?.(first);
        expect(await first.machine.run()).toEqual({ reason: "exit", status: 7 });
        expect(first.host.stdout.text).toMatch(new RegExp(`^waiting\n${said.source.slice(1)}`));
      });
    }

    if (target === "ppc64")
      it("can be frozen while it sleeps for longer than time can say", async () => {
        const first = load(program, { args: ["nanosleep", String(2n ** 63n - 1n)], input: null });
        await stopInWait(first);
        const second = thaw(freeze(first), first);
        const running = second.machine.run();
        await second.host.sleep(20).done;
        signal(second);
        expect(await running).toEqual({ reason: "exit", status: 7 });
        expect(second.host.stdout.text).toBe("nanosleep: interrupted, read -, handled 10, early\n");
      });

    it("can be frozen again as soon as it is thawed", async () => {
      const { monotonic } = heldClock();
      const first = load(program, { args: ["nanosleep", "300"], input: null, monotonic });
      await stopInWait(first);
      const second = thaw(freeze(first), first);
      const third = thaw(freeze(second), first);
      expect(await third.machine.run()).toEqual({ reason: "exit", status: 7 });
      expect(third.host.stdout.text).toBe("nanosleep: 0, read -, handled 0, late\n");
    });
  });
