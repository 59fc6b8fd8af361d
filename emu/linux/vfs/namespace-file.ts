/** Namespaces as descriptors: /proc/PID/ns. There is one of each, with the number that Linux's first ones have. */
import type { OpenFileSnapshot } from "../../snapshot.ts";
import { O_RDONLY } from "./constants.ts";
import { type FileStat, syntheticStat } from "./file-status.ts";
import { OpenFile } from "./open-file.ts";
import { cannot, needState } from "./thaw-context.ts";

/** Number of the file system that they are on (nsfs). */
const NSFS = 4n;

/** By their names: their numbers, and by which flag clone(2) makes one. */
const NAMESPACES = {
  cgroup: { ino: 4026531835n, type: 0x0200_0000 },
  ipc: { ino: 4026531839n, type: 0x0800_0000 },
  mnt: { ino: 4026531841n, type: 0x0002_0000 },
  net: { ino: 4026531840n, type: 0x4000_0000 },
  pid: { ino: 4026531836n, type: 0x2000_0000 },
  time: { ino: 4026531834n, type: 0x0000_0080 },
  user: { ino: 4026531837n, type: 0x1000_0000 },
  uts: { ino: 4026531838n, type: 0x0400_0000 },
} as const;
type NamespaceName = keyof typeof NAMESPACES;

export const NAMESPACE_NAMES = Object.keys(NAMESPACES) as NamespaceName[];

export class NamespaceFile extends OpenFile {
  readonly kind = "special";
  readonly name: NamespaceName;

  constructor(name: NamespaceName, flags = O_RDONLY) {
    super("", flags);
    this.name = name;
  }

  /** The CLONE_NEW* flag of its kind. */
  get type(): number {
    return NAMESPACES[this.name].type;
  }
  override get canPoll(): boolean {
    return false;
  }
  override get label(): string {
    return `${this.name}:[${NAMESPACES[this.name].ino}]`;
  }
  override stat(): FileStat {
    return syntheticStat("file", 0o444, NAMESPACES[this.name].ino, { dev: NSFS });
  }
  override freeze(): Partial<OpenFileSnapshot> {
    return { state: { kind: "namespace", name: this.name } };
  }
}

/** The namespace of that name. */
export function thawNamespace(snapshot: OpenFileSnapshot): OpenFile {
  const { name } = needState(snapshot, "namespace");
  const known = NAMESPACE_NAMES.find((each) => each === name);
  return known === undefined
    ? cannot(snapshot, `there is no namespace ${name}`)
    : new NamespaceFile(known, snapshot.flags);
}
