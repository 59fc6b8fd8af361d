/** Where images come from and go to: random-access sources, sinks, and batching between them. */
import type { Host } from "../emu/host/host.ts";

export type Sha256 = Host["sha256"];

/** An image to read from. */
export interface ImageSource {
  /** Bytes in all. */
  readonly size: number;
  /**
   * The bytes from `offset`, fewer than `length` only at the end. They do not change afterwards, unless the caller lends
   * `into`, of at least that length, for them: fresh memory costs more than reading.
   */
  read(offset: number, length: number, into?: Uint8Array): Uint8Array;
}

/** Where an image goes. The bytes are valid only during the call. */
export interface ImageSink {
  write(bytes: Uint8Array): void;
}

/** A source over bytes in memory. */
export const sourceOf = (bytes: Uint8Array): ImageSource => ({
  size: bytes.length,
  read: (offset, length) => bytes.subarray(offset, offset + length),
});

const BATCH = 512 * 1024;
const WINDOW = 64 * 1024;

/** Gathers what is written into large pieces, counts it, and digests it where wanted. */
export class BatchWriter {
  private readonly sink: ImageSink;
  private readonly hash: ReturnType<Sha256> | undefined;
  private readonly batch = new Uint8Array(BATCH);
  private filled = 0;
  /** Bytes written so far. */
  written = 0;

  constructor(sink: ImageSink, sha256?: Sha256) {
    this.sink = sink;
    this.hash = sha256?.();
  }

  write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      if (this.filled === BATCH) this.flush();
      const piece = bytes.subarray(done, done + BATCH - this.filled);
      this.batch.set(piece, this.filled);
      this.filled += piece.length;
      done += piece.length;
    }
    this.written += bytes.length;
  }

  flush(): void {
    if (this.filled === 0) return;
    const bytes = this.batch.subarray(0, this.filled);
    this.hash?.update(bytes);
    this.sink.write(bytes);
    this.filled = 0;
  }

  /** SHA-256 of all that was written. Flushes; nothing digested may be written afterwards. */
  digest(): Uint8Array {
    this.flush();
    return this.hash!.digest();
  }
}

/** A source with a window, so that reading a record costs no read of the file. */
export class WindowedSource implements ImageSource {
  readonly size: number;
  private readonly source: ImageSource;
  private window: Uint8Array = new Uint8Array();
  private start = 0;

  constructor(source: ImageSource) {
    this.source = source;
    this.size = source.size;
  }

  read(offset: number, length: number): Uint8Array {
    const end = offset + length;
    if (offset < this.start || end > this.start + this.window.length) {
      this.window = this.source.read(offset, Math.max(length, WINDOW));
      this.start = offset;
    }
    return this.window.subarray(offset - this.start, end - this.start);
  }
}

/** SHA-256 of the first `length` bytes of a source. */
export function digestOf(source: ImageSource, length: number, sha256: Sha256): Uint8Array {
  const hash = sha256();
  for (const piece of piecesOf(segment(source, 0, length))) hash.update(piece);
  return hash.digest();
}

/** A range of a source. */
export const segment = (source: ImageSource, offset: number, size: number): ImageSource => ({
  size,
  read: (at, length, into) => source.read(offset + at, Math.min(length, size - at), into),
});

/** `prefix`, then `count` pages that are fetched when they are read. */
export function pagesAfter(
  prefix: Uint8Array,
  count: number,
  pageSize: number,
  page: (index: number) => Uint8Array,
): ImageSource {
  const size = prefix.length + count * pageSize;
  return {
    size,
    read(offset, length) {
      const bytes = new Uint8Array(Math.min(length, size - offset));
      if (offset < prefix.length) bytes.set(prefix.subarray(offset, offset + bytes.length));
      for (let at = Math.max(offset, prefix.length); at < offset + bytes.length; ) {
        const index = Math.floor((at - prefix.length) / pageSize);
        const start = (at - prefix.length) % pageSize;
        const piece = page(index).subarray(start, start + offset + bytes.length - at);
        bytes.set(piece, at - offset);
        at += piece.length;
      }
      return bytes;
    },
  };
}

/** The bytes of a source in order, a large piece at a time. */
export function* piecesOf(source: ImageSource): Iterable<Uint8Array> {
  const buffer = new Uint8Array(Math.min(BATCH, source.size));
  for (let at = 0; at < source.size; at += BATCH) {
    yield source.read(at, Math.min(BATCH, source.size - at), buffer);
  }
}

/** Page contents one after another in a source, read many at a time. `read` is valid until the next call. */
export function pagesIn(source: ImageSource, offset: number, pageSize: number, count: number) {
  const perRead = Math.max(1, Math.floor(BATCH / pageSize));
  let buffer: Uint8Array | undefined;
  let first = 0;
  let window: Uint8Array = new Uint8Array();
  return (index: number): Uint8Array => {
    if (index < first || index >= first + window.length / pageSize) {
      first = index;
      const pages = Math.min(perRead, count - index);
      buffer ??= new Uint8Array(Math.min(perRead, count) * pageSize);
      window = source.read(offset + index * pageSize, pages * pageSize, buffer);
    }
    const at = (index - first) * pageSize;
    return window.subarray(at, at + pageSize);
  };
}
