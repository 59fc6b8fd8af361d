/** Snapshots for the tests of images, and what is needed to write and read them. */
import { createHash } from "node:crypto";
import { type CheckpointOptions, checkpoint, sourceOf } from "../../cr/index.ts";
import type {
  Abi,
  AreaSnapshot,
  MachineSnapshot,
  OpenFileSnapshot,
  PageSource,
  ProcessSnapshot,
  RegistersSnapshot,
  ThreadSnapshot,
} from "../../emu/snapshot.ts";

export const sha256 = () => {
  const hash = createHash("sha256");
  return {
    update: (bytes: Uint8Array) => {
      hash.update(bytes);
    },
    digest: () => new Uint8Array(hash.digest()),
  };
};

/** The bytes of a snapshot's image. */
export function imageBytes(snapshot: MachineSnapshot, options?: CheckpointOptions): Uint8Array {
  const pieces: Uint8Array[] = [];
  checkpoint(snapshot, { write: (bytes) => void pieces.push(bytes.slice()) }, sha256, options);
  return new Uint8Array(Buffer.concat(pieces));
}

export const source = (bytes: Uint8Array) => sourceOf(bytes);

/** Pages whose contents follow from their address and `salt`. */
export function pages(addresses: number[], salt = 0): PageSource {
  const buffer = new Uint8Array(4096);
  return {
    addresses,
    read: (index) => {
      const seed = addresses[index] / 4096 + salt;
      for (let at = 0; at < 4096; at++) buffer[at] = (seed * 31 + at * 7 + (at >> 8)) & 0xff;
      return buffer;
    },
  };
}

export const area = (start: number, end: number, more: Partial<AreaSnapshot> = {}): AreaSnapshot => ({
  start,
  end,
  prot: 3,
  growsDown: false,
  file: null,
  sharedObject: null,
  name: "",
  pages: pages([]),
  ...more,
});

export const openFile = (path: string, more: Partial<OpenFileSnapshot> = {}): OpenFileSnapshot => ({
  kind: "file",
  path,
  flags: 0o200002,
  mode: 0x1f,
  position: 0n,
  deleted: false,
  inherited: -1,
  pipe: -1,
  unlinked: -1,
  state: null,
  ...more,
});

export const registers = (abi: Abi, more: Partial<RegistersSnapshot> = {}): RegistersSnapshot => {
  const wide = abi !== "ppc32";
  const wordMask = wide ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  return {
    gpr: Array.from({ length: 32 }, (_, n) => (BigInt(n) * 0x0101_0101_0101_0101n) & wordMask),
    nia: 0x1000_0400n,
    msr: wide ? 0x8000_0000_0000_d032n | (abi === "ppc64le" ? 1n : 0n) : 0xd032n,
    ctr: 0x1000_0500n,
    lr: 0x1000_0600n,
    xer: 0x2000_0011,
    cr: 0x2400_0028,
    vsr: Array.from({ length: 64 }, (_, n): [bigint, bigint] => [n < 32 ? BigInt(n) << 52n : 0n, 0n]),
    fpscr: 0x8200_4000n,
    vrsave: 0,
    vscr: 0x0001_0000,
    tar: 0n,
    dscr: 0n,
    ppr: 0x000c_0000_0000_0000n,
    dabr: 0n,
    fpexcMode: 0x900,
    reservation: null,
    instructions: 1234n,
    ...more,
  };
};

export const thread = (abi: Abi, tid: number, more: Partial<ThreadSnapshot> = {}): ThreadSnapshot => ({
  tid,
  registers: registers(abi),
  signalMask: 0n,
  savedMask: null,
  pendingSignals: [],
  altStack: { sp: 0n, flags: 0, size: 0n },
  clearTid: 0n,
  robustList: { head: 0n, length: 0n },
  blocked: null,
  cpuTime: 5n,
  ...more,
});

export const process = (abi: Abi, pid: number, more: Partial<ProcessSnapshot> = {}): ProcessSnapshot => ({
  pid,
  ppid: 1,
  pgid: pid,
  sid: pid,
  comm: "self",
  exe: "/tmp/self",
  cwd: "/tmp",
  umask: 0o22,
  credentials: { uid: 1, euid: 2, suid: 3, fsuid: 4, gid: 5, egid: 6, sgid: 7, fsgid: 8, groups: [9, 10] },
  limits: Array.from({ length: 16 }, (_, n) => ({ soft: BigInt(n), hard: 2n ** 64n - 1n })),
  memory: {
    startCode: 0x1000_0000,
    endCode: 0x1000_0800,
    startData: 0x1001_0000,
    endData: 0x1001_0100,
    startBrk: 0x1002_0000,
    brk: 0x1002_0000,
    startStack: 0xbfff_f000,
    argStart: 0xbfff_f100,
    argEnd: 0xbfff_f110,
    envStart: 0xbfff_f110,
    envEnd: 0xbfff_f200,
    auxv: [{ type: 6, value: 4096n }],
    areas: [
      area(0x1000_0000, 0x1000_1000, { prot: 5, file: { path: "/tmp/self", offset: 0 } }),
      area(0x1001_0000, 0x1001_1000, { pages: pages([0x1001_0000]) }),
    ],
  },
  descriptors: [{ fd: 0, closeOnExec: false, openFile: 0 }],
  signalActions: Array.from({ length: 64 }, () => ({ handler: 0n, flags: 0n, restorer: 0n, mask: 0n })),
  pendingSignals: [],
  intervalTimers: Array.from({ length: 3 }, () => ({ remaining: 0n, interval: 0n })),
  posixTimers: [],
  prctl: { pdeathsig: 0, dumpable: 1, noNewPrivs: false },
  cpuTime: 77n,
  exitStatus: null,
  threads: [thread(abi, pid)],
  ...more,
});

/** The worked example: pid 1234, comm "self", a file mapping, one page of data, one descriptor. */
export const machine = (abi: Abi, more: Partial<MachineSnapshot> = {}): MachineSnapshot => ({
  abi,
  cpuModel: "power8",
  addressSpaceSize: 2 ** 32,
  instructions: 1234n,
  clock: { seed: null, random: [], realtime: 0x497f_3d00n * 1_000_000_000n, monotonic: 99n },
  uts: {
    sysname: "Linux",
    nodename: "node",
    release: "6.1.0",
    version: "#1",
    machine: abi === "ppc32" ? "ppc" : abi,
  },
  processes: [process(abi, 1234)],
  openFiles: [openFile("/tmp/out.self")],
  pipes: [],
  unlinkedFiles: [],
  sharedObjects: [],
  scheduler: { tid: 1234, sliceLeft: 500 },
  nextPid: 1235,
  ...more,
});

/** A snapshot that compares with toEqual: every page's contents in place of its source. */
export function withContents(snapshot: MachineSnapshot): unknown {
  const contents = (from: PageSource) =>
    from.addresses.map((address, index) => [
      address,
      createHash("md5").update(from.read(index)).digest("hex"),
    ]);
  return {
    ...snapshot,
    processes: snapshot.processes.map((one) => ({
      ...one,
      memory: {
        ...one.memory,
        areas: one.memory.areas.map((part) => ({ ...part, pages: contents(part.pages) })),
      },
    })),
    sharedObjects: snapshot.sharedObjects.map((object) => ({ ...object, pages: contents(object.pages) })),
    unlinkedFiles: snapshot.unlinkedFiles.map((file) => ({ ...file, pages: contents(file.pages) })),
  };
}
