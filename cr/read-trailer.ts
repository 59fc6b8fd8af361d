/** What follows TAIL: nothing, ppcr's trailer, or bytes that do not belong to the image. */
import type { Cursor } from "./cursor.ts";
import type { Trailer, TrailerRecord } from "./image.ts";
import { FLAG_TRAILER, type HeadValues } from "./records.ts";
import { digestOf, type ImageSource, type Sha256, segment } from "./stream.ts";
import * as K from "./trailer.ts";

const RECORD_LIMIT = 1 << 20;

/** How many bytes of the trailer's magic the next bytes have in place. */
function magicMatches(cursor: Cursor): number {
  const bytes = cursor.source.read(cursor.at, Math.min(K.TRAILER_MAGIC.length, cursor.left));
  return bytes.reduce((count, byte, index) => count + (byte === K.TRAILER_MAGIC[index] ? 1 : 0), 0);
}

function checkDigest(
  cursor: Cursor,
  source: ImageSource,
  end: number,
  stored: Uint8Array,
  sha256: Sha256 | undefined,
): void {
  if (sha256 === undefined) {
    cursor.note("warning", "digest", "END", end, "the digest was not checked: no SHA-256 function was given");
    return;
  }
  const digest = digestOf(source, end, sha256);
  if (digest.some((byte, index) => byte !== stored[index])) {
    cursor.note(
      "error",
      "digest",
      "END",
      end,
      "the digest does not match: the image was changed or damaged after it was written",
    );
  }
}

/** Takes the trailer's records up to END, whose digest is compared. */
function readRecords(cursor: Cursor, source: ImageSource, sha256: Sha256 | undefined): Trailer {
  const start = cursor.at;
  const head = cursor.decode(
    "TRAILER",
    start,
    K.TRAILER_HEAD,
    cursor.take(K.TRAILER_HEAD_SIZE, "TRAILER"),
  ).values;
  if (head.version !== K.TRAILER_VERSION) {
    throw cursor.fatal(
      "version",
      "TRAILER",
      start,
      `trailer version ${head.version}; only ${K.TRAILER_VERSION} can be read`,
    );
  }
  if (head.flags !== 0)
    cursor.note("error", "flags", "TRAILER", start, `unknown flags 0x${head.flags.toString(16)}`);
  const records: TrailerRecord[] = [];
  for (;;) {
    const offset = cursor.at;
    const bytes = cursor.take(K.TRAILER_HEADER_SIZE, "trailer");
    const header = cursor.decode("trailer", offset, K.TRAILER_HEADER, bytes).values;
    if (header.length > cursor.left)
      throw cursor.truncated(`trailer ${header.type}`, offset, header.length - cursor.left);
    if (header.type === K.END_TYPE) {
      if (header.length !== K.DIGEST_SIZE || header.version !== 1 || header.flags !== K.CRITICAL) {
        throw cursor.fatal("trailer", "END", offset, "the record that ends the trailer is damaged");
      }
      checkDigest(cursor, source, offset, new Uint8Array(cursor.take(K.DIGEST_SIZE, "END")), sha256);
      return { head, records };
    }
    if (records.length >= RECORD_LIMIT) {
      throw cursor.fatal("count", "trailer", offset, `more than ${RECORD_LIMIT} trailer records`);
    }
    records.push({ header, payload: segment(source, cursor.at, header.length), offset });
    cursor.at += header.length;
    cursor.index++;
  }
}

/** Reads on after TAIL. */
export function readAfterTail(
  cursor: Cursor,
  source: ImageSource,
  head: HeadValues,
  sha256: Sha256 | undefined,
): { trailer?: Trailer; rest: ImageSource } {
  const { length } = K.TRAILER_MAGIC;
  const matches = magicMatches(cursor);
  const needed = (head.flags & FLAG_TRAILER) !== 0n;
  let trailer: Trailer | undefined;
  if (matches === length) {
    trailer = readRecords(cursor, source, sha256);
  } else if (matches > 0 && matches === cursor.left) {
    throw cursor.truncated("TRAILER", cursor.at, K.TRAILER_HEAD_SIZE - cursor.left);
  } else if (matches >= length / 2) {
    throw cursor.fatal("magic", "TRAILER", cursor.at, "the trailer's magic is damaged");
  } else if (needed) {
    const message = "HEAD says that the process cannot be restarted without a trailer, and none follows TAIL";
    throw cursor.left === 0
      ? cursor.fatal("truncated", "TRAILER", cursor.at, `${message}; was the image copied completely?`)
      : cursor.fatal("trailer", "TRAILER", cursor.at, message);
  }
  if (cursor.left > 0) {
    cursor.note(
      "warning",
      "trailing-data",
      "",
      cursor.at,
      `${cursor.left} bytes follow the end of the image; ignored`,
    );
  }
  return { trailer, rest: segment(source, cursor.at, cursor.left) };
}
