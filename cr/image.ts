/**
 * An image as records in memory: what the reader makes of bytes and the writer makes bytes of. Everything that the
 * bytes say is here, padding and unknown trailer records too, so that reading and writing again gives the same bytes.
 * Page contents stay where they are until someone reads them.
 */
import type { CpuValues, Shape } from "./arch-ppc.ts";
import type { Format } from "./record-fields.ts";
import type {
  FdDataValues,
  FdEntValues,
  FilesValues,
  HeadValues,
  MmValues,
  PgarrValues,
  PidsValues,
  TailValues,
  TaskValues,
  TreeValues,
  VmaValues,
} from "./records.ts";
import type { ImageSource } from "./stream.ts";
import type { TrailerHeaderValues, TrailerHeadValues } from "./trailer.ts";

/** A record with a struct for payload. */
export interface Rec<V> {
  parent: number;
  values: V;
  /** The payload as it came, when its padding was not zero. */
  noise?: Uint8Array;
  /** Where it stood in the image that was read. */
  offset?: number;
  index?: number;
}

/** A record whose payload is bytes: STRING, FNAME, and the three dummies. */
export interface ByteRec {
  parent: number;
  bytes: Uint8Array;
  offset?: number;
  index?: number;
}

/** A PGARR record that counts pages, their addresses, and their contents. */
export interface PageRun {
  header: Rec<PgarrValues>;
  addresses: readonly number[];
  /** The page at `addresses[index]`; valid until the next call. */
  read(index: number): Uint8Array;
}

/** One mapping and its pages. */
export interface AreaImage {
  vma: Rec<VmaValues>;
  name?: ByteRec;
  runs: PageRun[];
  /** The PGARR that counts 0. */
  end: Rec<PgarrValues>;
}

/** One descriptor. */
export interface DescriptorImage {
  entry: Rec<FdEntValues>;
  /** Where the objref appears for the first time. */
  file?: { data: Rec<FdDataValues>; name: ByteRec };
}

/** The records of one task. */
export interface TaskImage {
  task: Rec<TaskValues>;
  comm: ByteRec;
  mm: Rec<MmValues>;
  areas: AreaImage[];
  mmContext?: ByteRec;
  files: Rec<FilesValues>;
  descriptors: DescriptorImage[];
  thread?: ByteRec;
  cpu: Rec<CpuValues>;
}

/** One record of the trailer, its payload where it lies. */
export interface TrailerRecord {
  header: TrailerHeaderValues;
  payload: ImageSource;
  offset?: number;
}

/** What follows TAIL. */
export interface Trailer {
  head: TrailerHeadValues;
  /** Without END. */
  records: TrailerRecord[];
}

/** A whole image. */
export interface Image {
  format: Format;
  shape: Shape;
  /** 4096, or 65536 in images of such kernels. */
  pageSize: number;
  head: Rec<HeadValues>;
  headArch?: ByteRec;
  tree: Rec<TreeValues>;
  pids: Rec<PidsValues>[];
  tasks: TaskImage[];
  tail: Rec<TailValues>;
  trailer?: Trailer;
  /** Bytes after the end. */
  rest: ImageSource;
}
