import { describe, expect, it } from "vitest";
import { modelFor } from "../../../emu/cpu/models.ts";
import { DABR } from "../../../emu/cpu/registers.ts";
import { memoryDigest, registersDigest } from "../../../emu/digest.ts";
import { ABIS } from "../../../emu/linux/abi.ts";
import { freezeKernel, thawKernel } from "../../../emu/linux/freeze.ts";
import { Kernel, type KernelOptions } from "../../../emu/linux/kernel.ts";
import { SIGALRM, SIGINT, SIGKILL, SIGTRAP, SIGXCPU } from "../../../emu/linux/signals/signal-numbers.ts";
import type { Abi } from "../../../emu/snapshot.ts";
import { memoryHost } from "../../support/memory-host.ts";
import { DATA, tinyElf } from "../../support/tiny-elf.ts";

/** exit(r3) */
const EXIT = ["li 0,1", "sc"];
/** A loop of 3 * `turns` + 1 instructions that leaves its sum in r3. */
const loop = (turns: number) => [
  "li 3,0",
  `li 4,${turns}`,
  "mtctr 4",
  "addi 3,3,1",
  "xori 3,3,64",
  "bdnz -8",
];
/** Where the data of `tinyElf` begins, in r31. */
const DATA_IN_R31 = ["lis 31,0x1001"];
/** nanosleep({1, 0}, NULL) with the timespec at 64(r31). */
const sleepOneSecond = (abi: Abi) => [
  "li 5,1",
  "li 6,0",
  ...(abi === "ppc32" ? ["stw 5,64(31)", "stw 6,68(31)"] : ["std 5,64(31)", "std 6,72(31)"]),
  "addi 3,31,64",
  "li 4,0",
  "li 0,162",
  "sc",
];

function start(abi: Abi, code: readonly string[], options: Partial<KernelOptions> = {}) {
  const host = options.host ?? memoryHost();
  const settings: KernelOptions = {
    host,
    abi: ABIS[abi],
    cpuModel: modelFor(undefined, abi),
    mounts: [],
    seed: 1n,
    addressSpaceSize: 2 ** 30,
    ...options,
  };
  const kernel = new Kernel(settings);
  const bytes = tinyElf(abi, code);
  kernel.start({ path: "/tiny", argv: [], env: [], bytes });
  return { kernel, settings, host };
}

/**
 * A host whose time stands still but for a microsecond (or `tick` nanoseconds) whenever somebody looks, and for what is slept. What it is asked to
 * sleep is in `sleeps`, in milliseconds; `onSleep` may end a sleep before its time.
 */
function fakeHost(onSleep: (sleeps: number[]) => boolean = () => true, tick = 1_000n) {
  let now = 5_000_000_000n;
  const base = memoryHost();
  const sleeps: number[] = [];
  const host = {
    ...base,
    clock: { ...base.clock, monotonic: () => (now += tick) },
    sleep(milliseconds: number) {
      sleeps.push(milliseconds);
      if (onSleep(sleeps)) now += BigInt(Math.ceil(milliseconds * 1e6));
      return { done: Promise.resolve(), cancel() {} };
    },
    yield: async (): Promise<void> => {},
  };
  return { host, sleeps };
}

function stateOf(kernel: Kernel) {
  const snapshot = freezeKernel(kernel);
  const { sha256 } = kernel.host;
  return {
    instructions: snapshot.instructions,
    registers: registersDigest(snapshot, sha256),
    memory: memoryDigest(snapshot, sha256),
    monotonic: snapshot.clock.monotonic,
    random: snapshot.clock.random,
  };
}

describe.each(["ppc32", "ppc64"] as const)("the run loop with a %s program", (abi) => {
  it("returns the exit status, and counts the last system call", async () => {
    const { kernel } = start(abi, ["li 3,300", ...EXIT]);
    expect(await kernel.run()).toEqual({ reason: "exit", status: 300 & 0xff });
    expect(kernel.instructions).toBe(3n);
  });

  it("stops after exactly the instructions asked for, wherever pieces and turns end", async () => {
    const whole = start(abi, [...loop(20_000), ...EXIT]);
    await whole.kernel.run(50_001n);
    const parts = start(abi, [...loop(20_000), ...EXIT]);
    for (const count of [1n, 2n, 7n, 990n, 49_001n]) {
      expect(await parts.kernel.run(count)).toEqual({ reason: "limit" });
    }
    expect(parts.kernel.instructions).toBe(50_001n);
    expect(stateOf(parts.kernel)).toEqual(stateOf(whole.kernel));
  });

  it("says death by signal with its number", async () => {
    const { kernel } = start(abi, ["li 4,0", "lwz 3,0(4)"]);
    expect(await kernel.run()).toEqual({ reason: "signal", signo: 11, core: true });
    expect(kernel.instructions).toBe(1n);
  });

  it("names a missing system call once and answers ENOSYS", async () => {
    const { kernel, host } = start(abi, ["li 0,271", "sc", "li 0,271", "sc", ...EXIT]);
    expect(await kernel.run()).toEqual({ reason: "exit", status: 38 });
    expect((host as ReturnType<typeof memoryHost>).warnings).toEqual([
      "system call keyctl is not there: ENOSYS",
    ]);
  });

  it("jumps virtual time over a sleep, to the nanosecond", async () => {
    const { host, sleeps } = fakeHost();
    const { kernel } = start(abi, [...DATA_IN_R31, ...sleepOneSecond(abi), ...EXIT], { host });
    const before = kernel.clock.monotonic();
    expect(await kernel.run()).toEqual({ reason: "exit", status: 0 });
    const slept = kernel.clock.monotonic() - before - kernel.instructions;
    expect(slept).toBe(1_000_000_000n);
    expect(sleeps).toEqual([]);
  });

  it("sleeps in real time without a seed, and spends no CPU time on it", async () => {
    const { host, sleeps } = fakeHost();
    const code = [...DATA_IN_R31, ...sleepOneSecond(abi), ...EXIT];
    const { kernel } = start(abi, code, { host, seed: undefined });
    const before = kernel.clock.monotonic();
    expect(await kernel.run()).toEqual({ reason: "exit", status: 0 });
    expect(kernel.clock.monotonic() - before).toBeGreaterThan(1_000_000_000n);
    expect(sleeps).toEqual([1000]);
    expect([...kernel.processes.values()][0].cpuTime).toBeLessThan(1_000_000n);
  });

  it("reads the same time base wherever pieces end", async () => {
    const code = [...loop(100), "mftb 20", ...loop(333), "mftb 21", "subf 3,20,21", ...EXIT];
    const bases = async (steps: bigint[]) => {
      const { kernel } = start(abi, code);
      const thread = [...kernel.processes.values()][0].leader!;
      for (const step of steps) await kernel.run(step);
      await kernel.run(2000n - kernel.instructions);
      return [thread.registers.gpr(20), thread.registers.gpr(21)];
    };
    const once = await bases([]);
    expect(once[0]).not.toBe(0n);
    expect(await bases([303n, 1n, 1n, 500n])).toEqual(once);
    expect(await bases(Array(1999).fill(1n))).toEqual(once);
  });

  it("goes on from a snapshot at every boundary to the same end", async () => {
    const code = [
      ...DATA_IN_R31,
      ...loop(5),
      ...sleepOneSecond(abi),
      "stw 3,80(31)",
      "mftb 9",
      ...loop(4),
      ...EXIT,
    ];
    const reference = start(abi, code);
    const end = await reference.kernel.run();
    const total = reference.kernel.instructions;
    const last = start(abi, code);
    await last.kernel.run(total - 1n);
    const state = stateOf(last.kernel);
    for (let at = 0n; at < total - 1n; at++) {
      const { kernel, settings } = start(abi, code);
      await kernel.run(at);
      const thawed = thawKernel(freezeKernel(kernel), { ...settings, seed: undefined });
      expect(thawed.instructions).toBe(at);
      await thawed.run(total - 1n - at);
      expect(stateOf(thawed)).toEqual(state);
      expect(await thawed.run()).toEqual(end);
    }
  });

  it("stops on request while it waits for the host, and goes on waiting afterwards", async () => {
    const first = fakeHost(() => {
      kernel.requestStop();
      return false;
    });
    const code = [...DATA_IN_R31, ...sleepOneSecond(abi), ...EXIT];
    const { kernel } = start(abi, code, { host: first.host, seed: undefined });
    expect(await kernel.run()).toEqual({ reason: "stopped" });
    const second = fakeHost();
    const { settings } = start(abi, EXIT, { host: second.host, seed: undefined });
    const thawed = thawKernel(freezeKernel(kernel), settings);
    expect(await thawed.run()).toEqual({ reason: "exit", status: 0 });
    // Of the second a little has passed before the freeze.
    expect(second.sleeps).toEqual([1000]);
  });

  it("lets the host have its turn in a busy loop, and takes a signal from it before it runs on", async () => {
    const { host } = fakeHost(undefined, 1_000_000n);
    const { kernel } = start(abi, ["b 0"], { host, seed: undefined });
    let sent = 0n;
    host.yield = async () => {
      sent = kernel.instructions;
      kernel.signal(SIGINT);
    };
    expect(await kernel.run()).toEqual({ reason: "signal", signo: SIGINT, core: false });
    expect(sent).toBeGreaterThan(0n);
    expect(kernel.instructions).toBe(sent);
  });

  it("lets the host have its turn though the program asks for its CPU time all the while", async () => {
    const { host } = fakeHost(undefined, 1_000_000n);
    // clock_gettime(CLOCK_PROCESS_CPUTIME_ID, 64(r31))
    const code = [...DATA_IN_R31, "li 3,2", "addi 4,31,64", "li 0,246", "sc", "b -16"];
    const { kernel } = start(abi, code, { host, seed: undefined });
    host.yield = async () => kernel.signal(SIGINT);
    expect(await kernel.run(10_000n)).toEqual({ reason: "signal", signo: SIGINT, core: false });
  });

  it("charges threads that take turns with what each has used", async () => {
    const { host } = fakeHost();
    // clone(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, 0), and sched_yield() for ever.
    const code = ["lis 3,1", "ori 3,3,0xf00", "li 4,0", "li 0,120", "sc", "li 0,158", "sc", "b -8"];
    const { kernel } = start(abi, code, { host, seed: undefined });
    await kernel.run(10_000n);
    const times = [...kernel.tasks.threads.values()].map(({ cpuTime }) => Number(cpuTime));
    expect(times).toHaveLength(2);
    // To look at the clock takes time here, and is not always followed by a switch.
    expect(Math.min(...times) / Math.max(...times)).toBeGreaterThan(0.7);
  });

  it("completes a call whose access the data breakpoint matches, and sends SIGTRAP then", async () => {
    // time(64(r31)), and the doubleword at r31 + 64 is watched for stores.
    const { kernel } = start(abi, [...DATA_IN_R31, "addi 3,31,64", "li 0,13", "sc", "b 0"]);
    await kernel.run(1n);
    const [process] = kernel.processes.values();
    process.memory.registers.u64[DABR / 8] = BigInt(DATA + 64) | 6n;
    process.memory.setBreakpoint(BigInt(DATA + 64) | 6n);
    expect(await kernel.run()).toEqual({ reason: "signal", signo: SIGTRAP, core: true });
    expect(kernel.instructions).toBe(4n);
    const at = DATA + 64 + (abi === "ppc64" ? 4 : 0);
    expect(process.memory.load32(at)).toBe(Number(process.leader?.registers.gpr(3)));
    expect(process.memory.load32(at)).toBeGreaterThan(0);
  });

  it("expires an alarm at its instruction, in every run", async () => {
    // alarm(1), then a loop without end: a virtual second is 10^9 instructions, skipped by sleeping most of it.
    const sleep = [...sleepOneSecond(abi)].map((line) => (line === "li 5,1" ? "li 5,0" : line));
    const nearly = sleep.map((line) => (line === "li 6,0" ? "lis 6,0x3b9a" : line));
    const { kernel } = start(abi, [...DATA_IN_R31, "li 3,1", "li 0,27", "sc", ...nearly, "b 0"]);
    expect(await kernel.run()).toEqual({ reason: "signal", signo: SIGALRM, core: false });
    const again = start(abi, [...DATA_IN_R31, "li 3,1", "li 0,27", "sc", ...nearly, "b 0"]);
    await again.kernel.run(12n);
    await again.kernel.run();
    expect(again.kernel.instructions).toBe(kernel.instructions);
    // The call at instruction 4 set it; what the sleep took is not counted.
    expect(kernel.instructions).toBe(4n + 1_000_000_000n - 0x3b9a_0000n - 1n);
  });
});

describe("RLIMIT_CPU", () => {
  /** A loop without end that has used all but 1000 ns of `seconds`. */
  const begin = (seconds: bigint, soft: bigint, hard: bigint) => {
    const { kernel } = start("ppc64", ["b 0"]);
    const [process] = kernel.processes.values();
    process.cpuTime = seconds * 1_000_000_000n - 1000n;
    Object.assign(process.limits[0], { soft, hard });
    return { kernel, process };
  };

  it("sends SIGXCPU at the soft limit, at its instruction", async () => {
    const { kernel, process } = begin(1n, 1n, 5n);
    expect(await kernel.run()).toEqual({ reason: "signal", signo: SIGXCPU, core: true });
    expect(kernel.instructions).toBe(1000n);
    expect(process.limits[0]).toEqual({ soft: 2n, hard: 5n });
  });

  it("sends SIGKILL at the hard limit", async () => {
    const { kernel } = begin(2n, 2n, 2n);
    expect(await kernel.run()).toEqual({ reason: "signal", signo: SIGKILL, core: false });
    expect(kernel.instructions).toBe(1000n);
  });
});

describe("machines beside each other", () => {
  it("do not disturb each other", async () => {
    const one = start("ppc32", [...loop(3000), ...EXIT]);
    const two = start("ppc64", [...loop(3000), ...EXIT]);
    const alone = start("ppc32", [...loop(3000), ...EXIT]);
    await alone.kernel.run(5000n);
    await Promise.all([one.kernel.run(5000n), two.kernel.run(4000n)]);
    expect(stateOf(one.kernel)).toEqual(stateOf(alone.kernel));
    expect(two.kernel.instructions).toBe(4000n);
  });

  it("with the same seed have the same random numbers, with another others", async () => {
    const random = (seed: bigint) => {
      const { kernel } = start("ppc32", EXIT, { seed });
      const bytes = new Uint8Array(20);
      kernel.random.fill(bytes);
      return Buffer.from(bytes).toString("hex");
    };
    expect(random(5n)).toBe(random(5n));
    expect(random(5n)).not.toBe(random(6n));
  });
});
