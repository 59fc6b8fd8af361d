/** The library's public face: the machine, its snapshots, and images of them. Nothing in it needs Node; `node.ts` has what does. */
export { CPU_MODELS } from "./emu/cpu-models.ts";
export { type CheckpointOptions, checkpoint } from "./cr/checkpoint.ts";
export type { RestartDefaults } from "./cr/defaults.ts";
export { ImageError } from "./cr/errors.ts";
export { checkImage } from "./cr/reader.ts";
export { restart } from "./cr/restart.ts";
export { type ImageSink, type ImageSource, sourceOf } from "./cr/stream.ts";
export { memoryDigest, registersDigest } from "./emu/digest.ts";
export {
  type Host,
  type HostClock,
  HostError,
  type HostFiles,
  type HostFolder,
  type HostOpenFlags,
  type HostStat,
  type HostStream,
  type HostTranslations,
  type HostTranslator,
  type HostWhereabouts,
  type Interest,
  type TerminalSettings,
} from "./emu/host/host.ts";
export { fulfil } from "./emu/jit/orders.ts";
export {
  type Abi,
  type Checkpointer,
  defaultMounts,
  type EngineName,
  type JitStatistics,
  type LoadOptions,
  Machine,
  type MachineOptions,
  type MachineStop,
  type MountConfig,
  ProgramError,
  type ProgramFacts,
  parseMount,
  ThawError,
  type TranslatedRegion,
} from "./emu/machine.ts";
export type { MachineSnapshot } from "./emu/snapshot.ts";
