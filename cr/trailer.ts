/**
 * The frame of the trailer: what ppcr writes after TAIL for the state that v13 has no records for. A head with magic and
 * version, then records with type, version, flags and length (so that an unknown one can be skipped unless it
 * is marked critical), then END with the SHA-256 of every byte of the image before it. The records' contents
 * are in `trailer-records.ts`.
 */
import { chars, u16, u32 } from "./record-fields.ts";
import { type LayoutValues, message } from "./record-layout.ts";

/** Not text, and text-mode transfers break it visibly. */
export const TRAILER_MAGIC: Uint8Array = Uint8Array.from([0x89, 0x50, 0x50, 0x43, 0x52, 0x0d, 0x0a, 0x1a]);
export const TRAILER_VERSION = 1;

export const TRAILER_HEAD = message("TRAILER", "begins the trailer, right after TAIL", {
  magic: chars(8, "89 50 50 43 52 0d 0a 1a"),
  version: u32("1"),
  flags: u32("0"),
});
export const TRAILER_HEAD_SIZE = 16;

/** A reader that does not know the record must refuse the image; otherwise it may skip it. */
export const CRITICAL = 1;

export const TRAILER_HEADER = message("header", "before every trailer record", {
  type: u16("record type"),
  version: u16("version of its contents: the oldest that can hold them"),
  flags: u32("1 = critical: who does not know it must refuse the image"),
  length: u32("bytes of payload that follow"),
});
export const TRAILER_HEADER_SIZE = 12;

export const END_TYPE = 0xffff;
export const DIGEST_SIZE = 32;

export type TrailerHeadValues = LayoutValues<typeof TRAILER_HEAD>;
export type TrailerHeaderValues = LayoutValues<typeof TRAILER_HEADER>;
