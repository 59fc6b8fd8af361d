/** Writes an image, record by record, to a sink. Pages are fetched as they are written. */
import { finished } from "../emu/snapshot.ts";
import { cpuLayout } from "./arch-ppc.ts";
import { ImageError, imageError } from "./errors.ts";
import type { AreaImage, ByteRec, Image, PageRun, Rec, TaskImage, Trailer } from "./image.ts";
import { FieldError, type Format } from "./record-fields.ts";
import type { Fields, Layout, Values } from "./record-layout.ts";
import * as R from "./records.ts";
import { BatchWriter, type ImageSink, piecesOf, type Sha256 } from "./stream.ts";
import {
  CRITICAL,
  DIGEST_SIZE,
  END_TYPE,
  TRAILER_HEAD,
  TRAILER_HEADER,
  type TrailerHeaderValues,
} from "./trailer.ts";

const TYPES = R.RECORD_TYPES;

class Writer {
  private readonly out: BatchWriter;
  private readonly format: Format;
  private readonly image: Image;
  private index = 0;

  constructor(image: Image, out: BatchWriter) {
    this.image = image;
    this.format = image.format;
    this.out = out;
  }

  private encode<F extends Fields>(
    name: string,
    layout: Layout<F>,
    values: Values<F>,
    noise?: Uint8Array,
  ): Uint8Array {
    try {
      return layout.encode(values, this.format, noise);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      throw new ImageError({
        kind: error.kind,
        record: name,
        index: this.index,
        offset: this.out.written,
        message: `cannot be written: ${error.message}`,
      });
    }
  }

  private header(type: R.RecordType, len: number, parent: number): void {
    this.out.write(this.encode(type.name, R.RECORD_HEADER, { type: type.id, len, parent }));
    this.index++;
  }

  private record<F extends Fields>(type: R.RecordType, layout: Layout<F>, record: Rec<Values<F>>): void {
    const payload = this.encode(type.name, layout, record.values, record.noise);
    this.header(type, payload.length, record.parent);
    this.out.write(payload);
  }

  private bytes(type: R.RecordType, record: ByteRec | undefined): void {
    if (record === undefined) return;
    this.header(type, record.bytes.length, record.parent);
    this.out.write(record.bytes);
  }

  *write(): Generator<void> {
    const { image } = this;
    this.record(TYPES.HEAD, R.HEAD, image.head);
    this.bytes(TYPES.HEAD_ARCH, image.headArch);
    this.record(TYPES.TREE, R.TREE, image.tree);
    for (const pid of image.pids) this.out.write(this.encode("TREE", R.PIDS, pid.values, pid.noise));
    for (const task of image.tasks) yield* this.task(task);
    this.record(TYPES.TAIL, R.TAIL, image.tail);
  }

  private *task(task: TaskImage): Generator<void> {
    this.record(TYPES.TASK, R.TASK, task.task);
    this.bytes(TYPES.STRING, task.comm);
    this.record(TYPES.MM, R.MM, task.mm);
    for (const area of task.areas) yield* this.area(area);
    this.bytes(TYPES.MM_CONTEXT, task.mmContext);
    this.record(TYPES.FILES, R.FILES, task.files);
    for (const { entry, file } of task.descriptors) {
      this.record(TYPES.FD_ENT, R.FD_ENT, entry);
      if (file === undefined) continue;
      this.record(TYPES.FD_DATA, R.FD_DATA, file.data);
      this.bytes(TYPES.FNAME, file.name);
    }
    this.bytes(TYPES.THREAD, task.thread);
    this.record(TYPES.CPU, cpuLayout(this.image.shape), task.cpu);
  }

  private *area(area: AreaImage): Generator<void> {
    this.record(TYPES.VMA, R.VMA, area.vma);
    this.bytes(TYPES.FNAME, area.name);
    for (const run of area.runs) {
      this.pages(run);
      yield;
    }
    this.record(TYPES.PGARR, R.PGARR, area.end);
  }

  private pages(run: PageRun): void {
    this.record(TYPES.PGARR, R.PGARR, run.header);
    this.out.write(encodeAddresses(run.addresses, this.format));
    for (let index = 0; index < run.addresses.length; index++) {
      const page = run.read(index);
      if (page.length !== this.image.pageSize) {
        throw imageError(
          "truncated",
          `the page at 0x${run.addresses[index].toString(16)} could not be read whole`,
        );
      }
      this.out.write(page);
    }
  }

  *trailer(trailer: Trailer): Generator<void> {
    this.out.write(this.encode("TRAILER", TRAILER_HEAD, trailer.head));
    for (const { header, payload } of trailer.records) {
      this.out.write(this.encode("trailer", TRAILER_HEADER, header));
      for (const piece of piecesOf(payload)) {
        this.out.write(piece);
        yield;
      }
    }
  }
}

/** The raw addresses after a PGARR: a long each. */
function encodeAddresses(addresses: readonly number[], format: Format): Uint8Array {
  const { littleEndian, longSize } = format;
  const bytes = new Uint8Array(addresses.length * longSize);
  const view = new DataView(bytes.buffer);
  addresses.forEach((address, index) => {
    const at = index * longSize;
    if (longSize === 4) view.setUint32(at, address, littleEndian);
    else view.setBigUint64(at, BigInt(address), littleEndian);
  });
  return bytes;
}

const END_HEADER: TrailerHeaderValues = { type: END_TYPE, version: 1, flags: CRITICAL, length: DIGEST_SIZE };

/**
 * Writes an image. An image with a trailer needs `sha256` for its digest. Returns the number of bytes. Throws
 * ImageError when a value does not fit its field, and whatever the sink or a page source throws.
 */
export const writeImage = (image: Image, sink: ImageSink, sha256?: Sha256): number =>
  finished(writeInSteps(image, sink, sha256));

/** As `writeImage`, in steps between which others can have their turn. */
export function* writeInSteps(image: Image, sink: ImageSink, sha256?: Sha256): Generator<void, number> {
  const out = new BatchWriter(sink, image.trailer === undefined ? undefined : sha256);
  const writer = new Writer(image, out);
  yield* writer.write();
  if (image.trailer === undefined) {
    for (const piece of piecesOf(image.rest)) out.write(piece);
    out.flush();
    return out.written;
  }
  if (sha256 === undefined) throw imageError("digest", "an image with a trailer needs a SHA-256 function");
  yield* writer.trailer(image.trailer);
  const digest = out.digest();
  const last = new BatchWriter(sink);
  last.write(TRAILER_HEADER.encode(END_HEADER, image.format));
  last.write(digest);
  for (const piece of piecesOf(image.rest)) last.write(piece);
  last.flush();
  return out.written + last.written;
}
