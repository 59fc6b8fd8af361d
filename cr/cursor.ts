/** Steps through an image record by record, noting where it is and what is wrong. */
import { type Finding, ImageError, type ImageErrorKind } from "./errors.ts";
import type { ByteRec, Rec } from "./image.ts";
import { FieldError, type Format } from "./record-fields.ts";
import type { Fields, Layout, Values } from "./record-layout.ts";
import { HEADER_SIZE, RECORD_HEADER, type RecordType, recordType } from "./records.ts";
import { type ImageSource, WindowedSource } from "./stream.ts";

export interface RecordHeader {
  type: number;
  len: number;
  parent: number;
}

const nameOf = (id: number): string => recordType(id)?.name ?? `id ${id}`;
const swap16 = (value: number): number => ((((value & 0xff) << 8) | ((value >> 8) & 0xff)) << 16) >> 16;

/** Where something is wrong: in a record that has been taken, or at an offset in what comes next. */
export type Place = number | Pick<Rec<unknown>, "offset" | "index">;

export class Cursor {
  readonly source: ImageSource;
  readonly findings: Finding[] = [];
  format: Format = { littleEndian: false, longSize: 4 };
  /** Offset of the next byte. */
  at = 0;
  /** Records taken so far. */
  index = 0;

  constructor(source: ImageSource) {
    this.source = new WindowedSource(source);
  }

  get left(): number {
    return this.source.size - this.at;
  }

  private locate(place: Place): { index: number; offset: number } {
    if (typeof place === "number") return { index: this.index, offset: place };
    return { index: place.index ?? this.index, offset: place.offset ?? -1 };
  }

  /** Notes something wrong that does not keep the rest from being read. */
  note(
    severity: Finding["severity"],
    kind: ImageErrorKind,
    record: string,
    place: Place,
    message: string,
  ): void {
    this.findings.push({ severity, kind, record, ...this.locate(place), message });
  }

  /** An error after which the rest has no meaning. */
  fatal(kind: ImageErrorKind, record: string, place: Place, message: string): ImageError {
    return new ImageError({ kind, record, ...this.locate(place), message });
  }

  truncated(record: string, place: Place, missing: number): ImageError {
    const bytes = missing === 1 ? "1 byte is" : `at least ${missing} bytes are`;
    return this.fatal(
      "truncated",
      record,
      place,
      `the image ends in the middle: ${bytes} missing; was it copied completely?`,
    );
  }

  /** The next `length` bytes, which are thereby taken. `what` names the record they belong to. */
  take(length: number, what: string): Uint8Array {
    if (length > this.left) throw this.truncated(what, this.at, length - this.left);
    const bytes = this.source.read(this.at, length);
    if (bytes.length < length) throw this.truncated(what, this.at, length - bytes.length);
    this.at += length;
    return bytes;
  }

  /** The header of the record at `offset`; undefined where too few bytes are left for one. */
  peek(offset = this.at): RecordHeader | undefined {
    if (offset + HEADER_SIZE > this.source.size) return undefined;
    return RECORD_HEADER.decode(this.source.read(offset, HEADER_SIZE), this.format).values;
  }

  /** Whether the next record is of this type. */
  next(type: RecordType): boolean {
    return this.peek()?.type === type.id;
  }

  /** Takes the header of a record that must be of `type`; `others` might have come as well. */
  private header(type: RecordType, others: readonly RecordType[]): RecordHeader {
    const header = this.peek();
    if (header === undefined) throw this.truncated(type.name, this.at, HEADER_SIZE - this.left);
    if (header.type !== type.id) {
      const wanted = [type, ...others].map((one) => one.name).join(" or ");
      if (recordType(header.type) !== undefined) {
        throw this.fatal("record-order", nameOf(header.type), this.at, `stands where ${wanted} belongs`);
      }
      const swapped = recordType(swap16(header.type));
      if (swapped !== undefined) {
        throw this.fatal(
          "byte-order",
          swapped.name,
          this.at,
          "has the other byte order than the image's beginning",
        );
      }
      throw this.fatal(
        "unknown-record",
        "",
        this.at,
        `unknown record id ${header.type} where ${wanted} belongs`,
      );
    }
    if (header.len < type.size.least || header.len > type.size.most) {
      const { least, most } = type.size;
      const want = least === most ? `${least}` : `${least} to ${most}`;
      throw this.fatal(
        "record-length",
        type.name,
        this.at,
        `is ${header.len} bytes long where ${want} belong`,
      );
    }
    if (HEADER_SIZE + header.len > this.left) {
      throw this.truncated(type.name, this.at, HEADER_SIZE + header.len - this.left);
    }
    return header;
  }

  /** Takes a record of bytes. */
  bytes(type: RecordType, others: readonly RecordType[] = []): ByteRec {
    const { len, parent } = this.header(type, others);
    const { at: offset, index } = this;
    this.at += HEADER_SIZE;
    const bytes = new Uint8Array(this.take(len, type.name));
    this.index++;
    return { parent, bytes, offset, index };
  }

  /** Takes a record with a struct for payload. */
  record<F extends Fields>(
    type: RecordType,
    layout: Layout<F>,
    others: readonly RecordType[] = [],
  ): Rec<Values<F>> {
    const { len, parent } = this.header(type, others);
    const { at: offset, index } = this;
    this.at += HEADER_SIZE;
    const payload = this.take(len, type.name);
    const record = { parent, ...this.decode(type.name, offset, layout, payload), offset, index };
    this.index++;
    return record;
  }

  /** Values of a payload; what does not fit becomes an ImageError at `offset`. */
  decode<F extends Fields>(
    name: string,
    offset: number,
    layout: Layout<F>,
    payload: Uint8Array,
  ): { values: Values<F>; noise?: Uint8Array } {
    try {
      const { values, noise } = layout.decode(payload, this.format);
      return noise === undefined ? { values } : { values, noise };
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      throw this.fatal(error.kind, name, offset, error.message);
    }
  }
}
