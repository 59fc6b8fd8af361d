/**
 * File names are bytes to Linux and strings to JavaScript. A name that is valid UTF-8 is its text; a byte that is
 * not stands as the lone surrogate U+DC00 + byte, so that every name survives the way there and back.
 */

import { lazily } from "../lazily.ts";

const strict = lazily(() => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }));
const encoder = new TextEncoder();
const ESCAPE = 0xdc00;

/** Bytes of the UTF-8 sequence that starts at `at`, or 0 when none does. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  try {
    strict().decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

/** Bytes of a name up to which it is put together by hand if it is ASCII: to start a decoder or encoder takes longer. */
const SHORT = 128;

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] >= 0x80) return false;
  return true;
}

/** The string that stands for the bytes of a file name. */
export function decodeName(bytes: Uint8Array): string {
  // To spread them takes V8 five times as long.
  if (bytes.length <= SHORT && isAscii(bytes))
    return String.fromCharCode.apply(null, bytes as unknown as number[]);
  try {
    return strict().decode(bytes);
  } catch {
    let text = "";
    for (let at = 0; at < bytes.length; ) {
      const length = sequenceLength(bytes, at);
      text +=
        length === 0
          ? String.fromCharCode(ESCAPE + bytes[at])
          : strict().decode(bytes.subarray(at, at + length));
      at += length || 1;
    }
    return text;
  }
}

/** Whether a name holds bytes that no UTF-8 text has. */
export const isRawName = (name: string): boolean => /[\udc80-\udcff]/u.test(name);

/** The bytes of a name that is ASCII. */
function encodeAscii(name: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(name.length);
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code >= 0x80) return undefined;
    bytes[i] = code;
  }
  return bytes;
}

/** The bytes that a string from `decodeName` stands for. */
export function encodeName(name: string): Uint8Array<ArrayBuffer> {
  const ascii = name.length <= SHORT ? encodeAscii(name) : undefined;
  if (ascii !== undefined) return ascii;
  if (!isRawName(name)) return encoder.encode(name);
  const parts: number[] = [];
  for (const character of name) {
    const code = character.codePointAt(0)!;
    if (code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff) parts.push(code - ESCAPE);
    else parts.push(...encoder.encode(character));
  }
  return Uint8Array.from(parts);
}
