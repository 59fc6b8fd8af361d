/** The topics of a trailer, decoded and held against each other: nothing comes twice, nothing points at nothing. */
import { PAGE_SIZE } from "../emu/snapshot.ts";
import { cpuSize } from "./arch-ppc.ts";
import { ImageError } from "./errors.ts";
import type { Image, TrailerRecord } from "./image.ts";
import { FieldError } from "./record-fields.ts";
import type { Fields, Layout, Values } from "./record-layout.ts";
import { type ImageSource, segment } from "./stream.ts";
import { CRITICAL } from "./trailer.ts";
import * as X from "./trailer-records.ts";

/** What belongs to one process. */
export interface ProcessTopics {
  process?: X.ProcessValues;
  signals?: X.SignalsValues;
  timers?: X.TimersValues;
  areas?: X.AreasValues;
  attributes?: X.AttributesValues;
  family?: X.FamilyValues;
  threads: X.ThreadValues[];
  /** By tid: payloads of CPU records. */
  registers: Map<number, Uint8Array>;
}

/** Something whose contents follow in records of pages. */
export interface PagedTopic<V> {
  values: V;
  /** Runs of pages: offsets in the object, and their contents one after another. */
  runs: { offsets: number[]; contents: ImageSource }[];
}

export interface Topics {
  machine?: X.MachineValues;
  /** By pid, in the order in which they appear. */
  processes: Map<number, ProcessTopics>;
  files?: X.OpenFilesValues;
  locks?: X.LocksValues;
  waits?: X.WaitsValues;
  traces?: X.TracesValues;
  filters?: X.FiltersValues;
  knownFiles?: X.KnownFilesValues;
  setIds?: X.SetIdsValues;
  identities?: X.IdentitiesValues;
  compared?: X.ComparedValues;
  privateFiles?: X.PrivateFilesValues;
  network?: X.NetworkValues;
  ipc?: X.IpcValues;
  queues?: X.QueuesValues;
  pipes: X.PipeValues[];
  shared: PagedTopic<X.SharedValues>[];
  unlinked: PagedTopic<X.UnlinkedValues>[];
}

const T = X.TRAILER_TYPES;
/** Longest prefix of a record of pages: the object, a count and the offsets. */
const PREFIX_MAX = 8 + 8 * X.PAGE_RUN;

const complain = (
  kind: "trailer" | "value" | "overlap",
  name: string,
  record: TrailerRecord,
  message: string,
): ImageError =>
  new ImageError({ kind, record: `trailer ${name}`, index: -1, offset: record.offset ?? -1, message });

class TopicReader {
  readonly topics: Topics = { processes: new Map(), pipes: [], shared: [], unlinked: [] };
  private readonly image: Image;

  constructor(image: Image) {
    this.image = image;
  }

  /** What to do with a record, by its type. */
  private readonly takers: Record<number, (record: TrailerRecord) => void> = {
    [T.MACHINE.type]: this.once(X.MACHINE, "machine", () => this.topics),
    [T.PROCESS.type]: this.once(X.PROCESS, "process", ({ pid }) => this.of(pid)),
    [T.SIGNALS.type]: this.once(X.SIGNALS, "signals", ({ pid }) => this.of(pid)),
    [T.TIMERS.type]: this.once(X.TIMERS, "timers", ({ pid }) => this.of(pid)),
    [T.ATTRIBUTES.type]: this.once(X.ATTRIBUTES, "attributes", ({ pid }) => this.of(pid)),
    [T.FAMILY.type]: this.once(X.FAMILY, "family", ({ pid }) => this.of(pid)),
    [T.WAITS.type]: this.once(X.WAITS, "waits", () => this.topics),
    [T.TRACES.type]: this.once(X.TRACES, "traces", () => this.topics),
    [T.FILTERS.type]: this.once(X.FILTERS, "filters", () => this.topics),
    [T.AREAS.type]: this.once(X.AREAS, "areas", ({ pid }) => this.of(pid)),
    [T.THREAD.type]: (record) => this.thread(record),
    [T.REGISTERS.type]: (record) => this.registers(record),
    [T.FILES.type]: this.once(X.OPEN_FILES, "files", () => this.topics),
    [T.LOCKS.type]: this.once(X.LOCKS, "locks", () => this.topics),
    [T.KNOWN_FILES.type]: this.once(X.KNOWN_FILES, "knownFiles", () => this.topics),
    [T.IDENTITIES.type]: this.once(X.IDENTITIES, "identities", () => this.topics),
    [T.COMPARED.type]: this.once(X.COMPARED, "compared", () => this.topics),
    [T.SET_IDS.type]: this.once(X.SET_IDS, "setIds", () => this.topics),
    [T.PRIVATE_FILES.type]: this.once(X.PRIVATE_FILES, "privateFiles", () => this.topics),
    [T.NETWORK.type]: this.once(X.NETWORK, "network", () => this.topics),
    [T.IPC.type]: this.once(X.IPC, "ipc", () => this.topics),
    [T.QUEUES.type]: this.once(X.QUEUES, "queues", () => this.topics),
    [T.PIPE.type]: (record) => {
      this.topics.pipes.push(this.decode(X.PIPE, record));
    },
    [T.SHARED.type]: (record) => {
      this.topics.shared.push({ values: this.decode(X.SHARED, record), runs: [] });
    },
    [T.SHARED_PAGES.type]: (record) => this.pages("SHARED", this.topics.shared, record),
    [T.UNLINKED.type]: (record) => {
      this.topics.unlinked.push({ values: this.decode(X.UNLINKED, record), runs: [] });
    },
    [T.UNLINKED_PAGES.type]: (record) => this.pages("UNLINKED", this.topics.unlinked, record),
  };

  private decode<F extends Fields>(
    layout: Layout<F>,
    record: TrailerRecord,
    payload?: Uint8Array,
  ): Values<F> {
    const bytes = payload ?? record.payload.read(0, record.payload.size);
    try {
      return layout.decode(bytes, this.image.format, record.header.version).values;
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      const message = `at byte ${error.at} of the payload: ${error.message}`;
      throw new ImageError({
        kind: error.kind,
        record: `trailer ${layout.type}`,
        index: -1,
        offset: record.offset ?? -1,
        message,
      });
    }
  }

  private of(pid: number): ProcessTopics {
    let topics = this.topics.processes.get(pid);
    if (topics === undefined) {
      topics = { threads: [], registers: new Map() };
      this.topics.processes.set(pid, topics);
    }
    return topics;
  }

  /** Takes records that come once: puts the values at `key` of what `holderOf` says. */
  private once<F extends Fields, K extends string>(
    layout: Layout<F>,
    key: K,
    holderOf: (values: Values<F>) => { [P in K]?: Values<F> },
  ): (record: TrailerRecord) => void {
    return (record) => {
      const values = this.decode(layout, record);
      const holder = holderOf(values);
      if (holder[key] !== undefined) throw complain("trailer", layout.type, record, "comes twice");
      holder[key] = values;
    };
  }

  /** Adds a record's pages to the one of `objects` that it names. */
  private pages(
    owner: "SHARED" | "UNLINKED",
    objects: readonly PagedTopic<{ size: number }>[],
    record: TrailerRecord,
  ): void {
    const name = `${owner}_PAGES` as const;
    const { payload } = record;
    const start = new Uint8Array(payload.read(0, Math.min(PREFIX_MAX, payload.size)));
    if (start.length < 8) throw complain("trailer", name, record, "is too short");
    const count = new DataView(start.buffer).getUint32(4, this.image.format.littleEndian);
    const length = 8 + 8 * Math.min(count, X.PAGE_RUN);
    const { object, offsets } = this.decode(X.PAGE_RECORDS[name], record, start.subarray(0, length));
    const topic = objects[object];
    if (topic === undefined)
      throw complain("trailer", name, record, `there is no ${owner} record ${object} before it`);
    if (payload.size !== length + count * PAGE_SIZE) {
      throw complain("trailer", name, record, `${count} pages do not make a record of ${payload.size} bytes`);
    }
    let above = BigInt((topic.runs.at(-1)?.offsets.at(-1) ?? -PAGE_SIZE) + PAGE_SIZE);
    for (const offset of offsets) {
      if (offset % BigInt(PAGE_SIZE) !== 0n || offset > Number.MAX_SAFE_INTEGER) {
        throw complain("value", name, record, `0x${offset.toString(16)} is not the offset of a page`);
      }
      if (offset < above)
        throw complain(
          "overlap",
          name,
          record,
          `offset 0x${offset.toString(16)} comes twice or out of order`,
        );
      above = offset + BigInt(PAGE_SIZE);
    }
    topic.runs.push({ offsets: offsets.map(Number), contents: segment(payload, length, count * PAGE_SIZE) });
  }

  private thread(record: TrailerRecord): void {
    const values = this.decode(X.THREAD_STATE, record);
    const { threads } = this.of(values.pid);
    if (threads.some((thread) => thread.tid === values.tid)) {
      throw complain("trailer", "THREAD", record, "comes twice");
    }
    threads.push(values);
  }

  private registers(record: TrailerRecord): void {
    const { pid, tid, cpu } = this.decode(X.REGISTERS, record);
    if (cpu.length !== cpuSize(this.image.shape)) {
      const message = `${cpu.length} bytes are not a CPU record of this image's shape`;
      throw complain("trailer", "REGISTERS", record, message);
    }
    const { registers } = this.of(pid);
    if (registers.has(tid)) throw complain("trailer", "REGISTERS", record, "comes twice");
    registers.set(tid, cpu);
  }

  take(record: TrailerRecord): void {
    const { type, version, flags } = record.header;
    const row = X.trailerType(type);
    if (row === undefined || version < 1 || version > row.layout.newest) {
      if ((flags & CRITICAL) === 0) return;
      const what = row === undefined ? `type ${type}` : `${row.layout.type} version ${version}`;
      throw complain("trailer", what, record, "is not known here and marked critical; a newer ppcr wrote it");
    }
    if ((flags & ~CRITICAL) !== 0) {
      throw complain("trailer", row.layout.type, record, `unknown flags 0x${flags.toString(16)}`);
    }
    this.takers[type]?.(record);
  }
}

/** Decodes the trailer of an image; without one every topic is absent. Throws ImageError. */
export function readTopics(image: Image): Topics {
  const reader = new TopicReader(image);
  for (const record of image.trailer?.records ?? []) reader.take(record);
  return reader.topics;
}
