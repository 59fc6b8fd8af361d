import { expect, it } from "vitest";
import { CallDriver } from "../../support/call-driver.ts";

const RW = 3;
const ANON = 0x22;
const PAGE = 4096;

it.each(["ppc32", "ppc64"] as const)(
  "process_vm_readv and process_vm_writev copy between buffers of %s",
  async (abi) => {
    const guest = new CallDriver(abi);
    const { memory } = guest.process;
    const at = await guest.ok("mmap", 0, 4 * PAGE, RW, ANON, -1, 0);
    await guest.ok("munmap", at + 3 * PAGE, PAGE);
    const size = abi === "ppc64" ? 8 : 4;
    const vector = (place: number, ...spans: [number, number][]) => {
      const view = new DataView(new ArrayBuffer(2 * size * spans.length));
      spans.flat().forEach((value, i) => {
        if (size === 8) view.setBigUint64(8 * i, BigInt(value));
        else view.setUint32(4 * i, value);
      });
      memory.write(place, new Uint8Array(view.buffer));
      return place;
    };
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => i);
    memory.write(at + PAGE - 100, bytes);
    const local = vector(at, [at + 2 * PAGE, 10], [at + 2 * PAGE + 50, 1000]);
    const remote = vector(at + 200, [at + PAGE - 100, 200], [at + PAGE + 100, 100]);
    const { pid } = guest.process;
    expect(await guest.call("process_vm_readv", pid, local, 2, remote, 2, 0)).toBe(300);
    expect(memory.read(at + 2 * PAGE, 10)).toEqual(bytes.subarray(0, 10));
    expect(memory.read(at + 2 * PAGE + 50, 290)).toEqual(bytes.subarray(10));
    // What cannot be reached ends it, or fails where nothing was copied.
    const beyond = vector(at + 400, [at + 3 * PAGE - 8, 16]);
    expect(await guest.call("process_vm_writev", pid, local, 2, beyond, 1, 0)).toBe(8);
    expect(memory.read(at + 3 * PAGE - 8, 8)).toEqual(bytes.subarray(0, 8));
    const nowhere = vector(at + 400, [at + 3 * PAGE, 16]);
    expect(await guest.call("process_vm_readv", pid, local, 2, nowhere, 1, 0)).toBe("EFAULT");
    expect(await guest.call("process_vm_readv", pid, local, 2, remote, 2, 1)).toBe("EINVAL");
    expect(await guest.call("process_vm_readv", 99_999, local, 2, remote, 2, 0)).toBe("ESRCH");
    expect(await guest.call("ptrace", 0, 0, 0, 0)).toBe("EPERM");
  },
);
