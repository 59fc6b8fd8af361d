/** What can be wrong with an image, told apart: kind, record, offset, and a message for people. */

export type ImageErrorKind =
  /** Ends before it should. */
  | "truncated"
  /** Not a checkpoint image at all. */
  | "not-an-image"
  /** A linux-cr image of a later format (v14 and up). */
  | "newer-format"
  /** An image of another architecture. */
  | "architecture"
  /** Byte order differs from what the image's beginning says. */
  | "byte-order"
  /** A record id that the format does not have. */
  | "unknown-record"
  /** A known record where another must be. */
  | "record-order"
  | "record-length"
  | "record-parent"
  /** A field holds what it may not. */
  | "value"
  /** A count is beyond its limit. */
  | "count"
  /** Ranges overlap or do not ascend. */
  | "overlap"
  | "magic"
  | "version"
  | "flags"
  /** The trailer contradicts itself or the records before it. */
  | "trailer"
  | "digest"
  /** Bytes after the end of the image. */
  | "trailing-data"
  /** Right as an image, but this machine cannot run it. */
  | "unsupported"
  /** The state cannot be said in a plain v13 image. */
  | "not-plain";

/** One thing found wrong or odd. */
export interface Finding {
  severity: "error" | "warning";
  kind: ImageErrorKind;
  /** Name of the record ("VMA"), or "" when it is about the image as a whole. */
  record: string;
  /** How many records came before it; -1 when it is about the image as a whole. */
  index: number;
  /** Byte offset in the image; -1 when there is none. */
  offset: number;
  message: string;
}

/** The text of a finding with its place. */
export function describeFinding(finding: Finding): string {
  const place = [
    finding.record === "" ? "" : `${finding.record} record${finding.index < 0 ? "" : ` ${finding.index}`}`,
    finding.offset < 0 ? "" : `offset ${finding.offset}`,
  ].filter((part) => part !== "");
  return place.length === 0 ? finding.message : `${finding.message} (${place.join(", ")})`;
}

/** An image cannot be read, or state cannot be written as one. `message` says what, where, and what to do. */
export class ImageError extends Error implements Finding {
  readonly severity = "error";
  readonly kind: ImageErrorKind;
  readonly record: string;
  readonly index: number;
  readonly offset: number;
  /** All that was found, this error among it. */
  readonly findings: readonly Finding[];

  constructor(finding: Omit<Finding, "severity">, findings?: readonly Finding[]) {
    super(describeFinding({ severity: "error", ...finding }));
    this.name = "ImageError";
    this.kind = finding.kind;
    this.record = finding.record;
    this.index = finding.index;
    this.offset = finding.offset;
    this.findings = findings ?? [{ severity: "error", ...finding }];
  }
}

/** An error about the image (or the state) as a whole. */
export const imageError = (kind: ImageErrorKind, message: string): ImageError =>
  new ImageError({ kind, record: "", index: -1, offset: -1, message });

/** An error at a record, where its place is known. */
export const errorAt = (
  kind: ImageErrorKind,
  record: string,
  place: { offset?: number; index?: number },
  message: string,
): ImageError =>
  new ImageError({ kind, record, index: place.index ?? -1, offset: place.offset ?? -1, message });

/** The trailer says something that the v13 part or another trailer record denies. */
export const inconsistent = (message: string): ImageError =>
  imageError("trailer", `the trailer contradicts the image: ${message}`);
