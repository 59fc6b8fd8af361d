/**
 * Record layouts as data: named fields in order. Two kinds: `struct`, laid out as a C compiler lays it out on powerpc
 * (natural alignment, padding), for the v13 records; and `message`, its fields one after another, for the trailer.
 */
import { type Field, FieldError, type FieldValue, type Format, Input, Output } from "./record-fields.ts";

export type Fields = Record<string, Field<unknown>>;
export type Values<F extends Fields> = { [K in keyof F]: FieldValue<F[K]> };
export type LayoutValues<L> = L extends Layout<infer F> ? Values<F> : never;

/** One field's place, for documentation and display. */
export interface FieldPlace {
  name: string;
  type: string;
  doc: string;
  /** Undefined after a field of variable size. */
  offset: number | undefined;
  size: number | undefined;
}

/** A decoded payload. */
export interface Decoded<V> {
  values: V;
  /** The payload's bytes as they came, kept only when some padding byte in it is not zero. */
  noise: Uint8Array | undefined;
}

const alignUp = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment;

export class Layout<F extends Fields> implements Field<Values<F>> {
  readonly type: string;
  readonly doc: string;
  readonly fields: F;
  /** Alignment of the whole (C: the struct's aligned attribute, at least); 0 for a packed message. */
  readonly aligned: number;
  private readonly entries: [string, Field<unknown>][];
  private readonly placesByLong: Partial<Record<number, FieldPlace[]>> = {};

  constructor(name: string, doc: string, fields: F, aligned: number) {
    this.type = name;
    this.doc = doc;
    this.fields = fields;
    this.aligned = aligned;
    this.entries = Object.entries(fields);
  }

  /** Every field with its offset and size under `format`. */
  places(format: Format): readonly FieldPlace[] {
    return (this.placesByLong[format.longSize] ??= this.place(format));
  }

  private place(format: Format): FieldPlace[] {
    let at: number | undefined = 0;
    return this.entries.map(([name, field]) => {
      const size = field.size(format);
      if (at !== undefined && this.aligned > 0) at = alignUp(at, field.alignment(format));
      const place = { name, type: field.type, doc: field.doc, offset: at, size };
      at = at === undefined || size === undefined ? undefined : at + size;
      return place;
    });
  }

  size(format: Format): number | undefined {
    const last = this.places(format).at(-1);
    if (last === undefined) return 0;
    if (last.offset === undefined || last.size === undefined) return undefined;
    return this.aligned > 0
      ? alignUp(last.offset + last.size, this.alignment(format))
      : last.offset + last.size;
  }

  /** Bytes of a struct under `format`. */
  fixedSize(format: Format): number {
    return this.size(format)!;
  }

  alignment(format: Format): number {
    if (this.aligned === 0) return 1;
    return this.entries.reduce((most, [, field]) => Math.max(most, field.alignment(format)), this.aligned);
  }

  read(input: Input): Values<F> {
    const start = input.at;
    const values: Record<string, unknown> = {};
    for (const [name, field] of this.entries) {
      if ((field.since ?? 1) > input.version) {
        values[name] = field.otherwise;
        continue;
      }
      if (this.aligned > 0) input.at = start + alignUp(input.at - start, field.alignment(input.format));
      values[name] = field.read(input);
    }
    if (this.aligned > 0) input.at = start + this.fixedSize(input.format);
    return values as Values<F>;
  }

  write(output: Output, values: Values<F>): void {
    let at = 0;
    for (const [name, field] of this.entries) {
      if ((field.since ?? 1) > output.version) continue;
      try {
        if (this.aligned > 0) {
          const place = alignUp(at, field.alignment(output.format));
          output.give(place - at);
          at = place + field.size(output.format)!;
        }
        field.write(output, values[name]);
      } catch (error) {
        if (!(error instanceof FieldError)) throw error;
        throw new FieldError(error.kind, error.at, `${name}: ${error.message}`);
      }
    }
    if (this.aligned > 0) output.give(this.fixedSize(output.format) - at);
  }

  /** The newest version of a record of this layout that is known here. */
  get newest(): number {
    return this.entries.reduce((most, [, field]) => Math.max(most, field.newest ?? 1), 1);
  }

  /** The oldest version of a record of this layout that can hold `values`: nothing newer is written than is needed. */
  oldest(values: Values<F>): number {
    return this.entries.reduce((most, [name, field]) => Math.max(most, field.oldest?.(values[name]) ?? 1), 1);
  }

  json(values: Values<F>): Record<string, unknown> {
    return Object.fromEntries(this.entries.map(([name, field]) => [name, field.json(values[name])]));
  }

  /** Values of a whole payload. Throws FieldError when it is too short or too long for this layout. */
  decode(payload: Uint8Array, format: Format, version = 1): Decoded<Values<F>> {
    // An older record lacks what came later: how long it must be is seen at its end.
    const size = version < this.newest ? undefined : this.size(format);
    if (size !== undefined && payload.length !== size) {
      throw new FieldError("record-length", 0, `is ${payload.length} bytes long where ${size} belong`);
    }
    const input = new Input(payload, format, version);
    const values = this.read(input);
    if (input.at !== payload.length) {
      throw new FieldError(
        "record-length",
        input.at,
        `has ${payload.length - input.at} bytes more than its fields`,
      );
    }
    return { values, noise: this.hasNoise(payload, format) ? new Uint8Array(payload) : undefined };
  }

  /** The payload of `values`; padding is zero, or as in `noise`. Throws FieldError when a value does not fit. */
  encode(values: Values<F>, format: Format, noise?: Uint8Array): Uint8Array {
    const output = new Output(format, this.oldest(values));
    this.write(output, values);
    const payload = output.finish();
    if (noise !== undefined) {
      for (const [start, end] of this.padding(format)) payload.set(noise.subarray(start, end), start);
    }
    return payload;
  }

  /** Ranges of bytes that no field covers (C padding). */
  padding(format: Format): [number, number][] {
    if (this.aligned === 0) return [];
    const gaps: [number, number][] = [];
    let at = 0;
    for (const place of this.places(format)) {
      if (place.offset! > at) gaps.push([at, place.offset!]);
      at = place.offset! + place.size!;
    }
    const size = this.fixedSize(format);
    if (size > at) gaps.push([at, size]);
    return gaps;
  }

  private hasNoise(payload: Uint8Array, format: Format): boolean {
    return this.padding(format).some(([start, end]) =>
      payload.subarray(start, end).some((byte) => byte !== 0),
    );
  }
}

/** A C struct; `aligned` is its aligned attribute (1: none). */
export const struct = <F extends Fields>(name: string, doc: string, fields: F, aligned = 1): Layout<F> =>
  new Layout(name, doc, fields, aligned);

/** Fields one after another without padding; any field may be of variable size. */
export const message = <F extends Fields>(name: string, doc: string, fields: F): Layout<F> =>
  new Layout(name, doc, fields, 0);
