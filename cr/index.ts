/** Checkpoint images: the face of `cr/`. */
export { type CheckedRestart, check } from "./check.ts";
export { type CheckpointOptions, checkpoint, FLAVOUR_NAMES, type Flavour, imageOf } from "./checkpoint.ts";
export { compare, type Difference } from "./compare-images.ts";
export type { RestartDefaults } from "./defaults.ts";
export { type Finding, ImageError, type ImageErrorKind } from "./errors.ts";
export type { Image } from "./image.ts";
export { imageJson, imageText, SCHEMA_VERSION } from "./inspect.ts";
export { type CheckedImage, checkImage, type ReadOptions, readImage } from "./reader.ts";
export { restart, snapshotOf } from "./restart.ts";
export { type ImageSink, type ImageSource, type Sha256, sourceOf } from "./stream.ts";
export { writeImage } from "./writer.ts";
