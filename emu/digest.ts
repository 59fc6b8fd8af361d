/**
 * Digests of a stopped machine's state, equal for equal states in every engine, on every host, and on both sides
 * of a freeze and thaw. They are what `--stats` prints as `registers_sha256` and `memory_sha256`.
 */
import { hexadecimal } from "./hexadecimal.ts";
import type { Host } from "./host/host.ts";
import type { MachineSnapshot, PageSource, RegistersSnapshot } from "./snapshot.ts";

/** What registers are digested, in this order: one line of hexadecimal text a thread. */
function registerText(r: RegistersSnapshot): string {
  const values: (bigint | number)[] = [
    ...r.gpr,
    r.nia,
    r.lr,
    r.ctr,
    r.cr,
    r.xer,
    r.fpscr,
    ...r.vsr.flat(),
    r.vscr,
    r.vrsave,
    r.tar,
    r.dscr,
    r.ppr,
    r.fpexcMode,
  ];
  return values.map((value) => value.toString(16)).join(" ");
}

const isZero = (bytes: Uint8Array): boolean => {
  if (bytes.byteOffset % 4 !== 0) return bytes.every((byte) => byte === 0);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return words.every((word) => word === 0);
};

/** SHA-256 (hexadecimal) over the registers of every thread, by process and thread id. */
export function registersDigest(snapshot: MachineSnapshot, sha256: Host["sha256"]): string {
  const hash = sha256();
  const text = new TextEncoder();
  for (const process of snapshot.processes) {
    for (const thread of process.threads) {
      hash.update(text.encode(`${process.pid} ${thread.tid} ${registerText(thread.registers)}\n`));
    }
  }
  return hexadecimal(hash.digest());
}

/**
 * SHA-256 (hexadecimal) over the memory of every process: a line of text an area, then a line and 4096 bytes for each
 * page that holds anything but zeros; shared memory follows by object. Whether a page of zeros was ever written makes
 * no difference.
 */
export function memoryDigest(snapshot: MachineSnapshot, sha256: Host["sha256"]): string {
  const hash = sha256();
  const text = new TextEncoder();
  const line = (...words: (string | number)[]) => hash.update(text.encode(`${words.join(" ")}\n`));
  const pages = (source: PageSource) => {
    source.addresses.forEach((address, index) => {
      const bytes = source.read(index);
      if (isZero(bytes)) return;
      line("page", address.toString(16));
      hash.update(bytes);
    });
  };
  for (const process of snapshot.processes) {
    for (const area of process.memory.areas) {
      line("area", process.pid, area.start.toString(16), area.end.toString(16), area.prot);
      pages(area.pages);
    }
  }
  snapshot.sharedObjects.forEach((object, index) => {
    line("shared", index);
    pages(object.pages);
  });
  return hexadecimal(hash.digest());
}
