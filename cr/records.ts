/**
 * The generic records of linux-cr "v13" (January 2009): ids, payloads, and what the header's `parent` means. A record is
 * a header of 8 bytes and `len` bytes of payload; records follow each other without padding. Raw data that no
 * record frames comes after TREE (the pids) and after each PGARR that counts pages (addresses, then contents).
 */
import { chars, s16, s32, u16, u32, u64 } from "./record-fields.ts";
import { type LayoutValues, struct } from "./record-layout.ts";

/** cr_hdr, before every payload. */
export const RECORD_HEADER = struct("cr_hdr", "before every payload", {
  type: s16("record id"),
  len: s16("bytes of payload, without this header"),
  parent: u32("owner, as the record's row says"),
});
export const HEADER_SIZE = 8;

export const HEAD_MAGIC = 0x00feed0cc0a2d200n;
export const TAIL_MAGIC = 0x002d2a0cc0deef00n;
/** The kernel v13 stands on, and the format's revision. */
export const VERSION = { major: 2, minor: 6, patch: 28, rev: 3 } as const;
/** HEAD.flags: the image was written by a checkpoint (always set). */
export const FLAG_CHECKPOINT = 1n;
/** HEAD.flags: the process cannot be restarted correctly without the trailer, so v13 readers must refuse. */
export const FLAG_TRAILER = 0x100n;
/** What the seed patch writes where it has nothing to say. */
export const UNIMPLEMENTED = 0xdeadbeef;

export const HEAD = struct(
  "HEAD",
  "begins the image",
  {
    magic: u64("0x00feed0cc0a2d200"),
    major: u16("kernel version: 2"),
    minor: u16("6"),
    patch: u16("28"),
    rev: u16("format revision: 3"),
    time: u64("seconds since the epoch"),
    flags: u64("1 = written by a checkpoint; 0x100 = cannot be restarted without ppcr's trailer"),
    release: chars(64, "uname: release"),
    version: chars(64, "uname: version"),
    machine: chars(64, 'uname: machine of the kernel, "ppc" or "ppc64" ("ppc64le")'),
  },
  8,
);

export const TREE = struct(
  "TREE",
  "the tasks; `tasks_nr` pids follow, raw",
  { tasks_nr: u32("number of tasks") },
  8,
);

export const PIDS = struct(
  "PIDS",
  "one task's entry in the raw array after TREE",
  {
    vpid: s32("process id"),
    vtgid: s32("thread group id"),
    vppid: s32("process id of the parent"),
  },
  8,
);

export const TASK = struct(
  "TASK",
  "begins a task; a STRING with the comm follows",
  {
    state: u32("0 running, 1 sleeping; ignored on restart"),
    exit_state: u32("0; ignored on restart"),
    exit_code: u32("0; ignored on restart"),
    exit_signal: u32("17 (SIGCHLD); ignored on restart"),
    task_comm_len: s32("16"),
  },
  8,
);

export const MM = struct(
  "MM",
  "the address space; `map_count` areas follow",
  {
    objref: u32("0: address spaces are not shared"),
    map_count: u32("number of VMA records"),
    start_code: u64("program text"),
    end_code: u64(""),
    start_data: u64("program data"),
    end_data: u64(""),
    start_brk: u64("heap"),
    brk: u64("present program break"),
    start_stack: u64("stack pointer at the start"),
    arg_start: u64("argument strings"),
    arg_end: u64(""),
    env_start: u64("environment strings"),
    env_end: u64(""),
  },
  8,
);

export const VMA_ANON = 1;
export const VMA_FILE = 2;

export const VMA = struct(
  "VMA",
  "one mapping; an FNAME follows when it has a file, then its pages in PGARR records, the last one counting 0",
  {
    vma_type: u32("1 anonymous, 2 private mapping of a file"),
    _padding: u32("not set by the kernel; ignored"),
    vm_start: u64("first byte"),
    vm_end: u64("one past the last byte"),
    vm_page_prot: u64("hardware protection bits; ignored"),
    vm_flags: u64("VM_* bits"),
    vm_pgoff: u64("page offset in the file; address / page size when anonymous"),
  },
  8,
);

export const PGARR = struct(
  "PGARR",
  "`nr_pages` addresses (each a long) and as many pages follow, raw; 0 ends the mapping's pages",
  { nr_pages: u64("number of pages") },
  8,
);

export const FILES = struct(
  "FILES",
  "the descriptors; `nfds` of them follow",
  {
    objref: u32("0: descriptor tables are not shared"),
    nfds: u32("number of FD_ENT records"),
  },
  8,
);

export const FD_ENT = struct(
  "FD_ENT",
  "one descriptor; an FD_DATA follows where its objref appears for the first time",
  {
    objref: u32("number of the open file, from 1 in order of appearance"),
    fd: s32("descriptor"),
    close_on_exec: u32("1 = closed on exec"),
  },
  8,
);

export const FD_FILE = 1;
export const FD_DIR = 2;

export const FD_DATA = struct(
  "FD_DATA",
  "an open file; its FNAME follows",
  {
    fd_type: u16("1 regular file, 2 directory"),
    f_mode: u16("READ 1, WRITE 2, LSEEK 4, PREAD 8, PWRITE 0x10"),
    f_flags: u32("O_* bits as powerpc has them"),
    f_pos: u64("file offset"),
    f_version: u64("0; ignored"),
  },
  8,
);

export const TAIL = struct("TAIL", "ends the v13 image", { magic: u64("0x002d2a0cc0deef00") }, 8);

export type HeadValues = LayoutValues<typeof HEAD>;
export type TreeValues = LayoutValues<typeof TREE>;
export type PidsValues = LayoutValues<typeof PIDS>;
export type TaskValues = LayoutValues<typeof TASK>;
export type MmValues = LayoutValues<typeof MM>;
export type VmaValues = LayoutValues<typeof VMA>;
export type PgarrValues = LayoutValues<typeof PGARR>;
export type FilesValues = LayoutValues<typeof FILES>;
export type FdEntValues = LayoutValues<typeof FD_ENT>;
export type FdDataValues = LayoutValues<typeof FD_DATA>;
export type TailValues = LayoutValues<typeof TAIL>;

/** Bytes of a task's comm, the NUL among them. */
export const COMM_SIZE = 16;
/** Bytes of a path, the NUL among them. */
export const PATH_SIZE = 4096;

/** One row a record: id, name, payload, and what `parent` holds. */
export interface RecordType {
  id: number;
  name: string;
  /** Payload sizes: fixed, or the range that is allowed. */
  size: { least: number; most: number };
  parent: "0" | "pid" | "objref";
}

const row = (
  id: number,
  name: string,
  parent: RecordType["parent"],
  least: number,
  most = least,
): RecordType => ({ id, name, parent, size: { least, most } });

/** Every record id that v13 defines. The three dummies are 4 bytes in the seed patch, absent or empty after its review. */
export const RECORD_TYPES = {
  HEAD: row(1, "HEAD", "0", 224),
  HEAD_ARCH: row(2, "HEAD_ARCH", "0", 0, 8),
  BUFFER: row(3, "BUFFER", "0", 0, 32767),
  STRING: row(4, "STRING", "0", 0, PATH_SIZE),
  FNAME: row(5, "FNAME", "0", 1, PATH_SIZE),
  TREE: row(101, "TREE", "0", 8),
  TASK: row(102, "TASK", "0", 24),
  THREAD: row(103, "THREAD", "pid", 0, 8),
  CPU: row(104, "CPU", "pid", 448, 880),
  MM: row(201, "MM", "pid", 96),
  VMA: row(202, "VMA", "0", 48),
  PGARR: row(203, "PGARR", "0", 8),
  MM_CONTEXT: row(204, "MM_CONTEXT", "0", 0, 8),
  FILES: row(301, "FILES", "pid", 8),
  FD_ENT: row(302, "FD_ENT", "0", 16),
  FD_DATA: row(303, "FD_DATA", "objref", 24),
  TAIL: row(5001, "TAIL", "0", 8),
} as const satisfies Record<string, RecordType>;

const byId = new Map<number, RecordType>(Object.values(RECORD_TYPES).map((type) => [type.id, type]));

/** The record type with this id, if v13 has one. */
export const recordType = (id: number): RecordType | undefined => byId.get(id);

/** VM_* bits of vm_flags (2.6.28). */
export const VM = {
  READ: 0x1n,
  WRITE: 0x2n,
  EXEC: 0x4n,
  SHARED: 0x8n,
  MAYREAD: 0x10n,
  MAYWRITE: 0x20n,
  MAYEXEC: 0x40n,
  MAYSHARE: 0x80n,
  GROWSDOWN: 0x100n,
  PFNMAP: 0x400n,
  DENYWRITE: 0x800n,
  EXECUTABLE: 0x1000n,
  LOCKED: 0x2000n,
  IO: 0x4000n,
  SEQ_READ: 0x8000n,
  RAND_READ: 0x10000n,
  DONTCOPY: 0x20000n,
  DONTEXPAND: 0x40000n,
  RESERVED: 0x80000n,
  ACCOUNT: 0x100000n,
  NORESERVE: 0x200000n,
  HUGETLB: 0x400000n,
  NONLINEAR: 0x800000n,
  MAPPED_COPY: 0x1000000n,
  INSERTPAGE: 0x2000000n,
  ALWAYSDUMP: 0x4000000n,
  CAN_NONLINEAR: 0x8000000n,
  MIXEDMAP: 0x10000000n,
  SAO: 0x20000000n,
} as const;

/** What mlock(2) and madvise(2) ask for that a 2.6.28 kernel knows of. */
export const ASKED_IN_V13 = VM.LOCKED | VM.DONTCOPY;

/** Mappings that v13 refuses. */
export const VM_REFUSED = VM.SHARED | VM.MAYSHARE | VM.IO | VM.HUGETLB | VM.NONLINEAR;

/** Names of the bits set in `flags`, lowest first, joined with "|"; unknown bits in hexadecimal. */
export function vmFlagNames(flags: bigint): string {
  const names = Object.entries(VM)
    .filter(([, bit]) => (flags & bit) !== 0n)
    .map(([name]) => name);
  const rest = Object.values(VM).reduce((left, bit) => left & ~bit, flags);
  if (rest !== 0n) names.push(`0x${rest.toString(16)}`);
  return names.join("|");
}

/** Upper bounds of what a reader accepts, whatever an image says. */
export const LIMITS = {
  tasks: 4096,
  areas: 65536,
  descriptors: 1 << 20,
  threads: 32768,
} as const;
