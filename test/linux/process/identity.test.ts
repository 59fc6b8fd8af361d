import { describe, expect, it } from "vitest";
import { checkpoint } from "../../../cr/checkpoint.ts";
import { restart } from "../../../cr/restart.ts";
import { sourceOf } from "../../../cr/stream.ts";
import { modelFor } from "../../../emu/cpu/models.ts";
import { ABIS } from "../../../emu/linux/abi.ts";
import { freezeKernel, thawKernel } from "../../../emu/linux/freeze.ts";
import { ordinaryUser } from "../../../emu/linux/credentials.ts";
import { readCString } from "../../../emu/memory/c-strings.ts";
import { CallDriver } from "../../support/call-driver.ts";

const BUFFER = 0x1001_0100;

describe.each(["ppc32", "ppc64"] as const)("calls about the process, %s", (abi) => {
  const { wordSize, is64 } = ABIS[abi];
  const word = ({ memory }: CallDriver, at: number): number =>
    is64 ? Number(memory.load64(at)) : memory.load32(at) >>> 0;
  const text = ({ memory }: CallDriver, at: number): string =>
    Buffer.from(readCString(memory, at, 100)!).toString();

  it("gives the machine's name as uname(2) has it", async () => {
    const guest = new CallDriver(abi);
    expect(await guest.call("uname", BUFFER)).toBe(0);
    expect([0, 2, 4].map((i) => text(guest, BUFFER + 65 * i))).toEqual([
      "Linux",
      "6.1.0",
      is64 ? "ppc64" : "ppc",
    ]);
    expect(await guest.call("uname", 0x10)).toBe("EFAULT");
  });

  it("lets an ordinary user change ids only among its own", async () => {
    const guest = new CallDriver(abi);
    expect(await guest.call("setuid", 0)).toBe("EPERM");
    expect(await guest.call("setuid", 1000)).toBe(0);
    expect(await guest.call("setresuid", -1, 1000, -1)).toBe(0);
    expect(await guest.call("setreuid", 5, -1)).toBe("EPERM");
    expect(await guest.call("setgroups", 0, 0)).toBe("EPERM");
    expect(await guest.call("setfsuid", 7)).toBe(1000);
    expect(await guest.call("getgroups", 0, 0)).toBe(1);
  });

  it("lets root become somebody else for good", async () => {
    const guest = new CallDriver(abi, { credentials: ordinaryUser(0, 0) });
    expect(await guest.call("setresgid", 5, 6, 7)).toBe(0);
    expect(await guest.call("getresgid", BUFFER, BUFFER + 4, BUFFER + 8)).toBe(0);
    expect([0, 4, 8].map((at) => guest.memory.load32(BUFFER + at))).toEqual([5, 6, 7]);
    // PR_GET_DUMPABLE, PR_SET_DUMPABLE: only who acts as another is looked into no more.
    expect(await guest.call("prctl", 3)).toBe(0);
    expect(await guest.call("prctl", 4, 1)).toBe(0);
    expect(await guest.call("setresuid", 8, -1, 9)).toBe(0);
    expect(await guest.call("prctl", 3)).toBe(1);
    expect(await guest.call("setuid", 33)).toBe(0);
    expect(await guest.call("prctl", 3)).toBe(0);
    expect(await guest.call("setuid", 0)).toBe("EPERM");
    expect(await guest.call("geteuid")).toBe(33);
  });

  it("keeps limits, raised only by root, infinity as wide as the call has it", async () => {
    const guest = new CallDriver(abi);
    expect(await guest.call("ugetrlimit", 3, BUFFER)).toBe(0);
    expect(word(guest, BUFFER)).toBe(8 << 20);
    expect(word(guest, BUFFER + wordSize)).toBe(is64 ? 2 ** 64 : 2 ** 32 - 1);
    guest.memory.store64(BUFFER, 100n);
    guest.memory.store64(BUFFER + 8, 200n);
    expect(await guest.call("prlimit64", 0, 7, BUFFER, BUFFER + 16)).toBe(0);
    expect(guest.memory.load64(BUFFER + 16)).toBe(1024n);
    guest.memory.store64(BUFFER + 8, 300n);
    expect(await guest.call("prlimit64", 0, 7, BUFFER, 0)).toBe("EPERM");
    guest.memory.store64(BUFFER, 400n);
    expect(await guest.call("prlimit64", 0, 7, BUFFER, 0)).toBe("EINVAL");
    expect(await guest.call("prlimit64", 0, 16, 0, BUFFER)).toBe("EINVAL");
    expect(await guest.call("prlimit64", 4242, 7, 0, BUFFER)).toBe("ESRCH");
  });

  it("keeps the name and the floating-point exception mode that prctl(2) sets, across a freeze too", async () => {
    const guest = new CallDriver(abi);
    guest.memory.write(BUFFER, Buffer.from("a name that is too long\0"));
    expect(await guest.call("prctl", 15, BUFFER)).toBe(0);
    expect(await guest.call("prctl", 12, 3)).toBe(0);
    expect(guest.thread.registers.msr & 0x900n).toBe(0x900n);
    expect(await guest.call("prctl", 12, 1)).toBe(0);
    expect(guest.thread.registers.msr & 0x900n).toBe(0x100n);
    expect(await guest.call("prctl", 11, BUFFER + 32)).toBe(0);
    expect(guest.memory.load32(BUFFER + 32)).toBe(1);
    expect(await guest.call("prctl", 12, 0x80)).toBe("EINVAL");
    expect(await guest.call("prctl", 38, 1)).toBe(0);
    const snapshot = freezeKernel(guest.kernel);
    const thawed = thawKernel(snapshot, {
      host: guest.host,
      abi: ABIS[abi],
      cpuModel: modelFor(undefined, abi),
      mounts: [],
    });
    const [process] = thawed.processes.values();
    expect(process.comm).toBe("a name that is ");
    expect(process.leader!.noNewPrivs).toBe(true);
    expect(process.leader!.fpexcMode).toBe(0x100);
    expect(process.leader!.registers.msr & 0x900n).toBe(0x100n);
  });

  it("wakes a futex that others may share only where it is mapped, and waits by CLOCK_REALTIME only till a moment", async () => {
    const guest = new CallDriver(abi);
    const [WAKE, WAIT, WAIT_BITSET, PRIVATE, REALTIME] = [1, 0, 9, 128, 256];
    expect(await guest.call("futex", 16, WAKE, 1)).toBe("EFAULT");
    expect(await guest.call("futex", 16, WAKE | PRIVATE, 1)).toBe(0);
    expect(await guest.call("futex", BUFFER, WAIT | REALTIME, 1)).toBe("ENOSYS");
    expect(await guest.call("futex", BUFFER, WAIT_BITSET | REALTIME, 1, 0, 0, -1)).toBe("EAGAIN");
  });

  it("changes how others are scheduled for their owner and for root only", async () => {
    const guest = new CallDriver(abi, { credentials: ordinaryUser(0, 0) });
    const child = await guest.ok("clone", 17, 0, 0, 0, 0);
    guest.memory.store32(BUFFER, 0);
    guest.memory.store64(BUFFER + 8, is64 ? 1n : 1n << 32n);
    const changes: Parameters<CallDriver["call"]>[] = [
      ["setpriority", 0, child, 5],
      ["setpriority", 1, 0, 5],
      ["ioprio_set", 1, child, 0x4003],
      ["sched_setscheduler", child, 3, BUFFER],
      ["sched_setparam", child, BUFFER],
      ["sched_setaffinity", child, 8, BUFFER + 8],
    ];
    const all = async () => {
      const results = [];
      for (const change of changes) results.push(await guest.call(...change));
      return results;
    };
    guest.process.leader!.credentials = ordinaryUser(7, 7);
    expect(await all()).toEqual(Array(6).fill("EPERM"));
    expect(guest.process.scheduling.nice).toBe(5);
    guest.kernel.thread(child)!.credentials = { ...ordinaryUser(7, 7), euid: 8 };
    expect(await all()).toEqual(Array(6).fill(0));
    expect(await guest.call("setpriority", 0, child, 4)).toBe("EACCES");
    guest.process.leader!.credentials = ordinaryUser(0, 0);
    expect(await guest.call("setpriority", 0, child, 4)).toBe(0);
  });

  it("keeps niceness, policy and what prctl(2) sets, across a freeze too", async () => {
    const guest = new CallDriver(abi);
    expect(await guest.call("nice", 3)).toBe(0);
    expect(await guest.call("getpriority", 0, 0)).toBe(17);
    expect(await guest.call("setpriority", 0, 0, 10)).toBe(0);
    expect(await guest.call("setpriority", 0, 0, 9)).toBe("EACCES");
    expect(await guest.call("nice", -1)).toBe("EPERM");
    expect(await guest.call("nice", 1000)).toBe(0);
    expect(await guest.call("getpriority", 1, 0)).toBe(1);
    guest.memory.store32(BUFFER, 0);
    expect(await guest.call("sched_setscheduler", 0, 3, BUFFER)).toBe(0);
    expect(await guest.call("sched_getscheduler", 0)).toBe(3);
    expect(await guest.call("sched_setscheduler", 0, 5, BUFFER)).toBe(0);
    expect(await guest.call("sched_setscheduler", 0, 0, BUFFER)).toBe("EPERM");
    expect(await guest.call("sched_getattr", 0, BUFFER, 48, 0)).toBe(0);
    expect([guest.memory.load32(BUFFER + 4), guest.memory.load32(BUFFER + 16)]).toEqual([5, 19]);
    expect(await guest.call("prctl", 29, 1234)).toBe(0);
    expect(await guest.call("prctl", 8, 1)).toBe(0);
    expect(await guest.call("prctl", 36, 7)).toBe(0);
    expect(await guest.call("prctl", 41, 1)).toBe(0);
    const image: Uint8Array[] = [];
    const snapshot = freezeKernel(guest.kernel);
    checkpoint(snapshot, { write: (bytes) => image.push(bytes.slice()) }, guest.host.sha256);
    const thawed = thawKernel(restart(sourceOf(Buffer.concat(image))), {
      host: guest.host,
      abi: ABIS[abi],
      cpuModel: modelFor(undefined, abi),
      mounts: [],
    });
    const [process] = thawed.processes.values();
    expect(process.credentials.securebits).toBe(16);
    expect({ ...process.attributes, ...process.scheduling }).toEqual({
      nice: 19,
      policy: 5,
      timerSlack: 1234n,
      childSubreaper: true,
      noHugePages: true,
    });
  });

  it.each([
    ["prctl", [9999], "EINVAL"],
    ["prctl", [22, 3], "EINVAL"],
    ["prctl", [23, 64], "EINVAL"],
    ["prctl", [38, 2], "EINVAL"],
    ["wait4", [-1, 0, 0, 0], "ECHILD"],
    ["wait4", [-1, 0, 0x100, 0], "EINVAL"],
    ["getpgid", [77], "ESRCH"],
    ["setpgid", [0, -1], "EINVAL"],
    ["setsid", [], "EPERM"],
    ["sched_setscheduler", [0, 1, BUFFER], "EINVAL"],
    ["sched_getscheduler", [-1], "EINVAL"],
    ["sched_get_priority_max", [1], 99],
    ["sched_get_priority_max", [77], "EINVAL"],
    ["getpriority", [0, 0], 20],
    ["getpriority", [3, 0], "EINVAL"],
    ["getrandom", [BUFFER, 5, 0x10], "EINVAL"],
    ["getrandom", [BUFFER, 5, 0], 5],
    ["getrandom", [0x10, 5, 0], "EFAULT"],
    ["membarrier", [0, 0], 0x7f],
    ["membarrier", [3, 0], "EINVAL"],
    ["reboot", [1, 2, 3, 0], "EPERM"],
    ["rseq", [BUFFER, 32, 0, 0], "ENOSYS"],
    ["set_robust_list", [BUFFER, 5], "EINVAL"],
    ["personality", [0xffff_ffff], 0],
    ["capget", [0x10, 0], "EFAULT"],
    ["keyctl", [0, 0], "ENOSYS"],
  ] as const)("%s(%j) is %s", async (name, args, result) => {
    const guest = new CallDriver(abi);
    expect(await guest.call(name, ...args)).toBe(result);
  });

  it("gives the CPU mask in the guest's word order", async () => {
    const guest = new CallDriver(abi);
    expect(await guest.call("sched_getaffinity", 0, 128, BUFFER)).toBe(8);
    expect(word(guest, BUFFER)).toBe(1);
    expect(await guest.call("sched_getaffinity", 0, 3, BUFFER)).toBe("EINVAL");
  });

  it("gives memory and time of the machine as sysinfo(2) has them", async () => {
    const guest = new CallDriver(abi);
    expect(await guest.call("sysinfo", BUFFER)).toBe(0);
    const unit = guest.memory.load32(BUFFER + (is64 ? 104 : 52));
    expect(word(guest, BUFFER + 4 * wordSize) * unit).toBe(2 ** 30);
    expect(word(guest, BUFFER)).toBe(1);
  });

  it("waits on futexes: EAGAIN for another value, ETIMEDOUT in virtual time, 0 woken for none", async () => {
    const guest = new CallDriver(abi);
    expect(await guest.call("futex", BUFFER, 0, 5, 0)).toBe("EAGAIN");
    expect(await guest.call("futex", BUFFER, 1, 10)).toBe(0);
    expect(await guest.call("futex", BUFFER + 1, 0, 0, 0)).toBe("EINVAL");
    if (is64) guest.memory.store64(BUFFER + 16, 3n);
    else guest.memory.store32(BUFFER + 16, 3);
    const before = guest.kernel.clock.monotonic();
    expect(await guest.call("futex", BUFFER, 128, 0, BUFFER + 16)).toBe("ETIMEDOUT");
    expect(guest.kernel.clock.monotonic() - before).toBe(3_000_000_001n);
    expect(await guest.call("futex", BUFFER, 6, 0, 0)).toBe(0);
    expect(guest.memory.load32(BUFFER)).toBe(guest.thread.tid);
    expect(await guest.call("futex", BUFFER, 6, 0, 0)).toBe("EDEADLK");
    expect(await guest.call("futex", BUFFER, 7)).toBe(0);
    expect(guest.memory.load32(BUFFER)).toBe(0);
    const [word, load] = is64
      ? ([8, guest.memory.load64.bind(guest.memory)] as const)
      : ([4, guest.memory.load32.bind(guest.memory)] as const);
    expect(await guest.call("set_robust_list", BUFFER + 64, 3 * word + 1)).toBe("EINVAL");
    expect(await guest.call("set_robust_list", BUFFER + 64, 3 * word)).toBe(0);
    expect(await guest.call("get_robust_list", 0, BUFFER + 16, BUFFER + 24)).toBe(0);
    expect([load(BUFFER + 16), load(BUFFER + 24)].map(Number)).toEqual([BUFFER + 64, 3 * word]);
    expect(await guest.call("get_robust_list", 99, BUFFER + 16, BUFFER + 24)).toBe("ESRCH");
    // FUTEX_WAKE_OP: the second word's old value 0 + 3, compared with 0.
    expect(await guest.call("futex", BUFFER, 5, 1, 1, BUFFER + 4, (1 << 28) | (3 << 12))).toBe(0);
    expect(guest.memory.load32(BUFFER + 4)).toBe(3);
  });

  it("ends with the low eight bits of the exit code", async () => {
    expect(await new CallDriver(abi).last("exit_group", 0x1_02)).toEqual({ reason: "exit", status: 2 });
    expect(await new CallDriver(abi).last("exit", -1)).toEqual({ reason: "exit", status: 255 });
  });

  it("traces calls with the arguments as their types say", async () => {
    const lines: string[] = [];
    const guest = new CallDriver(abi, { strace: (line) => lines.push(line) });
    guest.memory.write(BUFFER, Buffer.from('a "path"\0'));
    await guest.call("unlink", BUFFER);
    await guest.call("mmap", 0, 4096, 3, 0x22, -1, 0);
    await guest.call("keyctl", 17, 0);
    await guest.last("exit_group", 4);
    expect(lines[0]).toBe('unlink("a \\"path\\"") = -1 ENOENT');
    expect(lines[1]).toMatch(/^mmap\(NULL, 4096, 0x3, 0x22, -1, 0\) = 0x[0-9a-f]+$/);
    expect(lines[2]).toMatch(/^keyctl\(0x11, 0x0, .*\) = -1 ENOSYS$/);
    expect(lines[3]).toBe("exit_group(4) = ?");
  });
});
