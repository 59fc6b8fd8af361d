/** What a restart takes for granted where an image without a trailer says nothing: a fresh program's state. */
import type {
  Abi,
  MachineSnapshot,
  OpenFileSnapshot,
  ProcessSnapshot,
  SignalActionSnapshot,
  ThreadSnapshot,
} from "../emu/snapshot.ts";

/** What the restarting side can say for a plain image. */
export interface RestartDefaults {
  /** CPU model by ABI. */
  cpuModel?: Partial<Record<Abi, string>>;
  addressSpaceSize?: number;
  /** CLOCK_REALTIME and CLOCK_MONOTONIC, nanoseconds; by default the moment of the checkpoint, and one second. */
  clock?: { realtime: bigint; monotonic: bigint };
  cwd?: string;
  umask?: number;
  nodename?: string;
  credentials?: ProcessSnapshot["credentials"];
  /** Descriptors of the restarting side to attach where the image leaves them closed; by default 0, 1 and 2. */
  attach?: readonly number[];
}

const CPU_MODELS: Record<Abi, string> = { ppc32: "750", ppc64: "power8", ppc64le: "power8" };
/** AT_PLATFORM of the models that are not the default of any ABI. */
const PLATFORMS: Readonly<Record<string, string>> = {
  ppc7400: "7400",
  ppc7450: "7450",
  ppc970: "970",
  power7: "power7",
  power8: "power8",
  power9: "power9",
  power10: "power10",
};
const SERVER_BLOCK = 128;

/**
 * The CPU model to go on with. What the program was told decides: it clears memory a cache block at a time, and a 32-bit
 * program that a 64-bit processor started knows blocks of 128 bytes.
 */
export function cpuModel(abi: Abi, told: { platform?: string; cacheBlock?: number }): string {
  const named = PLATFORMS[told.platform ?? ""];
  if (named !== undefined) return named;
  return told.cacheBlock === SERVER_BLOCK ? CPU_MODELS.ppc64 : CPU_MODELS[abi];
}

export const ADDRESS_SPACE = 2 ** 32;
export const ATTACH = [0, 1, 2] as const;
export const SECOND = 1_000_000_000n;
export const UMASK = 0o022;
/** Nanoseconds of uptime that a restarted plain image begins with. */
export const UPTIME = SECOND;

/** Instructions of a time slice where the image has none begun. */
export const SLICE_LEFT = 0;

const SIGNALS = 64;
export const signalActions = (): SignalActionSnapshot[] =>
  Array.from({ length: SIGNALS }, () => ({ handler: 0n, flags: 0n, restorer: 0n, mask: 0n }));

export const intervalTimers = (): ProcessSnapshot["intervalTimers"] =>
  Array.from({ length: 3 }, () => ({ remaining: 0n, interval: 0n }));

export const credentials = (): ProcessSnapshot["credentials"] => ({
  uid: 1000,
  euid: 1000,
  suid: 1000,
  fsuid: 1000,
  gid: 1000,
  egid: 1000,
  sgid: 1000,
  fsgid: 1000,
  groups: [1000],
});

/** All of a thread but its registers. */
export const thread = (tid: number): Omit<ThreadSnapshot, "registers"> => ({
  tid,
  signalMask: 0n,
  savedMask: null,
  pendingSignals: [],
  altStack: { sp: 0n, flags: 0, size: 0n },
  clearTid: 0n,
  robustList: { head: 0n, length: 0n },
  blocked: null,
  cpuTime: 0n,
});

const FMODE_READ = 1;
const FMODE_WRITE = 2;

/** A stream of the restarting side, where the image has no descriptor `fd`: 0 for reading, the others for writing. */
export const attached = (fd: number): OpenFileSnapshot => ({
  kind: "inherited",
  path: "",
  flags: fd === 0 ? 0 : 1,
  mode: fd === 0 ? FMODE_READ : FMODE_WRITE,
  position: 0n,
  deleted: false,
  inherited: fd,
  pipe: -1,
  unlinked: -1,
  state: null,
});

/** uname of a machine that an image's HEAD describes. */
export const uts = (
  head: { release: string; version: string; machine: string },
  nodename: string,
): MachineSnapshot["uts"] => ({ sysname: "Linux", nodename, ...head });
