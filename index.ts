/** The library's public face: the machine, its snapshots, and images of them. */
export { type CheckpointOptions, checkpoint } from "./cr/checkpoint.ts";
export type { RestartDefaults } from "./cr/defaults.ts";
export { ImageError } from "./cr/errors.ts";
export { checkImage } from "./cr/reader.ts";
export { restart } from "./cr/restart.ts";
export { type ImageSink, type ImageSource, sourceOf } from "./cr/stream.ts";
export { memoryDigest, registersDigest } from "./emu/digest.ts";
export type { Host } from "./emu/host/host.ts";
export { nodeHost } from "./emu/host/node/index.ts";
export {
  type Checkpointer,
  CPU_MODELS,
  defaultMounts,
  type LoadOptions,
  Machine,
  type MachineOptions,
  type MachineStop,
  type MountConfig,
  ProgramError,
  parseMount,
  ThawError,
} from "./emu/machine.ts";
export type { MachineSnapshot } from "./emu/snapshot.ts";
