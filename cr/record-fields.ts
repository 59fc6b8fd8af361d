/**
 * Fields: how one value lies in bytes. A record layout (`record-layout.ts`) is a list of them; decoding, encoding, checking,
 * showing and the tables of docs/image-format.md all follow from that list.
 */
import { decodeName, encodeName } from "../emu/host/names.ts";

/** What an image's bytes depend on besides the layout. */
export interface Format {
  littleEndian: boolean;
  /** Bytes of the kernel's `long`. */
  longSize: 4 | 8;
}

/** Why a payload does not fit its layout: caught where record and offset are known. */
export class FieldError extends Error {
  readonly kind: "value" | "count" | "record-length";
  /** Byte offset within the payload. */
  readonly at: number;
  constructor(kind: FieldError["kind"], at: number, message: string) {
    super(message);
    this.kind = kind;
    this.at = at;
  }
}

/** Takes values from a payload, in order. */
export class Input {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly format: Format;
  /** Version of the record that the payload is of. */
  readonly version: number;
  at = 0;

  constructor(bytes: Uint8Array, format: Format, version = 1) {
    this.version = version;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.format = format;
  }

  /** Offset of the next `size` bytes, which are thereby taken. */
  take(size: number): number {
    const at = this.at;
    if (size > this.bytes.length - at) {
      throw new FieldError(
        "record-length",
        at,
        `wants ${size} more bytes where ${this.bytes.length - at} are left`,
      );
    }
    this.at = at + size;
    return at;
  }
}

/** Takes values into a payload, in order; grows as needed. */
export class Output {
  readonly format: Format;
  /** Version of the record that the payload is of. */
  readonly version: number;
  private buffer = new Uint8Array(256);
  private data = new DataView(this.buffer.buffer);
  private length = 0;

  constructor(format: Format, version = 1) {
    this.format = format;
    this.version = version;
  }

  /** Offset of `size` new bytes, zero so far. */
  give(size: number): number {
    const at = this.length;
    this.length += size;
    if (this.length > this.buffer.length) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.buffer.length));
      larger.set(this.buffer);
      this.buffer = larger;
      this.data = new DataView(larger.buffer);
    }
    return at;
  }

  get view(): DataView {
    return this.data;
  }

  put(bytes: Uint8Array): void {
    const at = this.give(bytes.length);
    this.buffer.set(bytes, at);
  }

  finish(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }
}

/** One field of a layout: how a value of type T lies in bytes, and what it is called. */
export interface Field<T> {
  /** The C-like name of the type, for documentation: "u32", "char[64]", "list of signal". */
  readonly type: string;
  readonly doc: string;
  /** Bytes, where that does not depend on the value. */
  size(format: Format): number | undefined;
  alignment(format: Format): number;
  read(input: Input): T;
  /** Throws FieldError when the value does not fit. */
  write(output: Output, value: T): void;
  /** As JSON has it: 64-bit numbers as hexadecimal strings, text as text, bytes in hexadecimal. */
  json(value: T): unknown;
  /** The first version of its record that has this field; 1 when absent. */
  readonly since?: number;
  /** The value that older versions, which lack the field, stand for. */
  readonly otherwise?: unknown;
  /** The newest version of its record that adds something to it; 1 when absent. */
  readonly newest?: number;
  /** The oldest version of its record that can hold a value; 1 when absent. */
  oldest?(value: unknown): number;
}

const sameValue = (a: unknown, b: unknown): boolean =>
  a === b || (Array.isArray(a) && Array.isArray(b) && a.length === 0 && b.length === 0);

/** A field that its record has from a version on; before that its value was always `otherwise`. */
export const since = <T>(version: number, field: Field<T>, otherwise: T): Field<T> => ({
  ...field,
  doc: `${field.doc}${field.doc === "" ? "" : "; "}since version ${version}`,
  since: version,
  newest: Math.max(version, field.newest ?? 1),
  otherwise,
  oldest: (value) => (sameValue(value, otherwise) ? 1 : Math.max(version, field.oldest?.(value) ?? 1)),
});

export type FieldValue<F> = F extends Field<infer T> ? T : never;

export const hexadecimal = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

const hexNumber = (value: bigint): string =>
  value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;

/** Builds a field of a fixed size from what differs between the numeric types. */
function numeric<T extends number | bigint>(
  type: string,
  doc: string,
  size: (format: Format) => number,
  low: (format: Format) => T,
  high: (format: Format) => T,
  get: (view: DataView, at: number, format: Format) => T,
  set: (view: DataView, at: number, value: T, format: Format) => void,
): Field<T> {
  return {
    type,
    doc,
    size,
    alignment: size,
    read: (input) => get(input.view, input.take(size(input.format)), input.format),
    write: (output, value) => {
      const { format } = output;
      const at = output.give(size(format));
      if (
        typeof value !== typeof low(format) ||
        value < low(format) ||
        value > high(format) ||
        (typeof value === "number" && !Number.isInteger(value))
      ) {
        throw new FieldError("value", at, `${value} does not fit ${type}`);
      }
      set(output.view, at, value, format);
    },
    json: (value) => (typeof value === "bigint" ? hexNumber(value) : value),
  };
}

type Getter = "getUint8" | "getUint16" | "getInt16" | "getUint32" | "getInt32";
type Setter = "setUint8" | "setUint16" | "setInt16" | "setUint32" | "setInt32";

const small =
  (type: string, size: number, low: number, high: number, get: Getter, set: Setter) =>
  (doc: string): Field<number> =>
    numeric(
      type,
      doc,
      () => size,
      () => low,
      () => high,
      (view, at, format) => view[get](at, format.littleEndian),
      (view, at, value, format) => view[set](at, value, format.littleEndian),
    );

export const u8 = small("u8", 1, 0, 0xff, "getUint8", "setUint8");
export const u16 = small("u16", 2, 0, 0xffff, "getUint16", "setUint16");
export const s16 = small("s16", 2, -0x8000, 0x7fff, "getInt16", "setInt16");
export const u32 = small("u32", 4, 0, 0xffff_ffff, "getUint32", "setUint32");
export const s32 = small("s32", 4, -0x8000_0000, 0x7fff_ffff, "getInt32", "setInt32");

const U64_MAX = (1n << 64n) - 1n;

export const u64 = (doc: string): Field<bigint> =>
  numeric(
    "u64",
    doc,
    () => 8,
    () => 0n,
    () => U64_MAX,
    (view, at, format) => view.getBigUint64(at, format.littleEndian),
    (view, at, value, format) => view.setBigUint64(at, value, format.littleEndian),
  );

export const s64 = (doc: string): Field<bigint> =>
  numeric(
    "s64",
    doc,
    () => 8,
    () => -(1n << 63n),
    () => (1n << 63n) - 1n,
    (view, at, format) => view.getBigInt64(at, format.littleEndian),
    (view, at, value, format) => view.setBigInt64(at, value, format.littleEndian),
  );

/** The kernel's `unsigned long`: 4 bytes in a ppc32 kernel's image, 8 in a ppc64 kernel's. */
export const long = (doc: string): Field<bigint> =>
  numeric(
    "long",
    doc,
    (format) => format.longSize,
    () => 0n,
    (format) => (format.longSize === 8 ? U64_MAX : 0xffff_ffffn),
    (view, at, format) =>
      format.longSize === 8
        ? view.getBigUint64(at, format.littleEndian)
        : BigInt(view.getUint32(at, format.littleEndian)),
    (view, at, value, format) =>
      format.longSize === 8
        ? view.setBigUint64(at, value, format.littleEndian)
        : view.setUint32(at, Number(value), format.littleEndian),
  );

/** A 64-bit signed number that is a JavaScript number: sizes, offsets, counts. */
export const size64 = (doc: string): Field<number> => {
  const wide = s64(doc);
  return {
    ...wide,
    type: "size64",
    read: (input) => {
      const at = input.at;
      const value = Number(wide.read(input));
      if (!Number.isSafeInteger(value)) throw new FieldError("value", at, `${value} is beyond 2^53`);
      return value;
    },
    write: (output, value) => {
      if (!Number.isSafeInteger(value))
        throw new FieldError("value", 0, `${value} is not a whole number below 2^53`);
      wide.write(output, BigInt(value));
    },
    json: (value) => value,
  };
};

/** A byte that is 0 or 1. */
export const flag = (doc: string): Field<boolean> => {
  const byte = u8(doc);
  return {
    ...byte,
    type: "flag",
    read: (input) => {
      const at = input.at;
      const value = byte.read(input);
      if (value > 1) throw new FieldError("value", at, `a flag of ${value}: want 0 or 1`);
      return value === 1;
    },
    write: (output, value) => byte.write(output, value ? 1 : 0),
    json: (value) => value,
  };
};

/** A byte that stands for one of a list of words. */
export const word = <W extends string>(words: readonly W[], doc: string): Field<W> => {
  const byte = u8(doc);
  return {
    ...byte,
    type: `u8 of ${words.map((name, index) => `${index} ${name}`).join(", ")}`,
    read: (input) => {
      const at = input.at;
      const value = byte.read(input);
      if (value >= words.length)
        throw new FieldError("value", at, `${value} where at most ${words.length - 1} is known`);
      return words[value];
    },
    write: (output, value) => byte.write(output, words.indexOf(value)),
    json: (value) => value,
  };
};

/** Bytes up to the first NUL, as text. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeName(end < 0 ? bytes : bytes.subarray(0, end));
}

/** `text` in exactly `size` bytes, cut or filled with NULs. */
export function charsOf(text: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(encodeName(text).subarray(0, size));
  return bytes;
}

/** A `char` array of a fixed size; kept as bytes, since what follows the first NUL may be anything. */
export const chars = (size: number, doc: string): Field<Uint8Array> => ({
  type: `char[${size}]`,
  doc,
  size: () => size,
  alignment: () => 1,
  read: (input) => {
    const at = input.take(size);
    return new Uint8Array(input.bytes.subarray(at, at + size));
  },
  write: (output, value) => {
    if (value.length !== size) throw new FieldError("value", 0, `${value.length} bytes where ${size} belong`);
    output.put(value);
  },
  json: textOf,
});

/** A fixed number of values of one type. */
export const array = <T>(element: Field<T>, count: number, doc: string): Field<T[]> => ({
  type: `${element.type}[${count}]`,
  doc,
  size: (format) => {
    const one = element.size(format);
    return one === undefined ? undefined : one * count;
  },
  alignment: (format) => element.alignment(format),
  read: (input) => Array.from({ length: count }, () => element.read(input)),
  write: (output, values) => {
    if (values.length !== count)
      throw new FieldError("value", 0, `${values.length} values where ${count} belong`);
    for (const value of values) element.write(output, value);
  },
  json: (values) => values.map((value) => element.json(value)),
});

/** Fields of a size that depends on the value: the parts that all of them share. */
const variable = { size: () => undefined, alignment: () => 1 };

function readCount(input: Input, max: number, smallest: number, what: string): number {
  const at = input.take(4);
  const count = input.view.getUint32(at, input.format.littleEndian);
  if (count > max) throw new FieldError("count", at, `${count} ${what} where at most ${max} are allowed`);
  if (count * smallest > input.bytes.length - input.at) {
    throw new FieldError("record-length", at, `${count} ${what} do not fit into the rest of the record`);
  }
  return count;
}

function writeCount(output: Output, count: number, max: number, what: string): void {
  if (count > max) throw new FieldError("count", 0, `${count} ${what} where at most ${max} are allowed`);
  const at = output.give(4);
  output.view.setUint32(at, count, output.format.littleEndian);
}

/** u32 count, then that many bytes. */
export const blob = (max: number, doc: string): Field<Uint8Array> => ({
  ...variable,
  type: "bytes",
  doc,
  read: (input) => {
    const at = input.take(readCount(input, max, 1, "bytes"));
    return new Uint8Array(input.bytes.subarray(at, input.at));
  },
  write: (output, value) => {
    writeCount(output, value.length, max, "bytes");
    output.put(value);
  },
  json: hexadecimal,
});

/** u32 count, then that many bytes of UTF-8 (or whatever bytes a file name has). */
export const text = (max: number, doc: string): Field<string> => {
  const bytes = blob(max, doc);
  return {
    ...bytes,
    type: "text",
    read: (input) => decodeName(bytes.read(input)),
    write: (output, value) => {
      if (typeof value !== "string") throw new FieldError("value", 0, `${value} is no text`);
      bytes.write(output, encodeName(value));
    },
    json: (value) => value,
  };
};

/** A whole number of any size: u32 count, then its bytes in two's complement, most significant first; none for 0. */
export const integer = (doc: string): Field<bigint> => {
  const bytes = blob(256, doc);
  return {
    ...bytes,
    type: "integer",
    read: (input) => {
      const stored = bytes.read(input);
      const value = stored.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
      return BigInt.asIntN(8 * stored.length, value);
    },
    write: (output, value) => {
      const digits: number[] = [];
      for (let rest = value; ; rest >>= 8n) {
        const sign = (digits[0] ?? 0) >= 0x80 ? -1n : 0n;
        if (rest === sign) break;
        digits.unshift(Number(rest & 0xffn));
      }
      bytes.write(output, Uint8Array.from(digits));
    },
    json: hexNumber,
  };
};

/** u32 count, then that many elements. */
export const list = <T>(element: Field<T>, max: number, doc: string): Field<T[]> => ({
  ...variable,
  type: `list of ${element.type}`,
  doc,
  read: (input) => {
    const smallest = Math.max(1, element.size(input.format) ?? 1);
    const count = readCount(input, max, smallest, "elements");
    const values: T[] = [];
    for (let index = 0; index < count; index++) values.push(element.read(input));
    return values;
  },
  write: (output, values) => {
    writeCount(output, values.length, max, "elements");
    for (const value of values) element.write(output, value);
  },
  json: (values) => values.map((value) => element.json(value)),
  newest: element.newest,
  oldest: (values) =>
    (values as T[]).reduce((most, value) => Math.max(most, element.oldest?.(value) ?? 1), 1),
});

/** A flag, then the value if the flag is 1. */
export const maybe = <T>(element: Field<T>, doc: string): Field<T | null> => {
  const present = flag(doc);
  return {
    ...variable,
    type: `maybe ${element.type}`,
    doc,
    read: (input) => (present.read(input) ? element.read(input) : null),
    write: (output, value) => {
      present.write(output, value !== null);
      if (value !== null) element.write(output, value);
    },
    json: (value) => (value === null ? null : element.json(value)),
    newest: element.newest,
    oldest: (value) => (value === null ? 1 : (element.oldest?.(value) ?? 1)),
  };
};

/**
 * One of several layouts: a byte says which, its number in the list, then come its fields. A value has the layout's name as
 * its `kind`. Layouts are only ever added at the end of the list.
 */
export const variant = <V extends { kind: string }>(
  what: string,
  layouts: { readonly [K in V["kind"]]: Field<Omit<Extract<V, { kind: K }>, "kind">> },
): Field<V> => {
  const kinds = Object.keys(layouts) as V["kind"][];
  const layoutOf = (kind: V["kind"]): Field<object> => layouts[kind] as Field<object>;
  return {
    ...variable,
    type: `u8 of ${kinds.map((kind, index) => `${index} ${kind}`).join(", ")}; then the part of that name`,
    doc: "",
    read: (input) => {
      const at = input.take(1);
      const kind = kinds[input.bytes[at]];
      if (kind === undefined) {
        const message = `${what} of kind ${input.bytes[at]} is not known here: a newer ppcr wrote it`;
        throw new FieldError("value", at, message);
      }
      return { kind, ...layoutOf(kind).read(input) } as V;
    },
    write: (output, value) => {
      output.put(Uint8Array.of(kinds.indexOf(value.kind)));
      layoutOf(value.kind).write(output, value);
    },
    json: (value) => ({ kind: value.kind, ...(layoutOf(value.kind).json(value) as object) }),
    newest: kinds.reduce((most, kind) => Math.max(most, layoutOf(kind).newest ?? 1), 1),
    oldest: (value) => layoutOf((value as V).kind).oldest?.(value) ?? 1,
  };
};
