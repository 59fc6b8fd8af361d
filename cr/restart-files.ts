/** Open files and descriptors of a restarted machine: v13's, and those that only the trailer has. */
import type { FilesSnapshot, OpenFileSnapshot, ProcessSnapshot, ThreadSnapshot } from "../emu/snapshot.ts";
import * as D from "./defaults.ts";
import { inconsistent } from "./errors.ts";
import type { DescriptorImage, Image, TaskImage } from "./image.ts";
import { textOf } from "./record-fields.ts";
import * as R from "./records.ts";
import { unlinkedOf } from "./restart-memory.ts";
import { fileStateOf } from "./text-states.ts";
import type { Topics } from "./trailer-read.ts";
import type { ProcessValues, ThreadValues } from "./trailer-records.ts";

/** What is said of a current directory that had been removed. */
export function removedOf(
  topics: Topics,
  files: Pick<ProcessValues, "cwdRemoved" | "cwdUnlinked"> | undefined,
): Pick<FilesSnapshot, "cwdRemoved" | "cwdUnlinked"> {
  const { unlinked } = unlinkedOf(topics, files?.cwdUnlinked ?? null, "a current directory");
  return {
    ...(files?.cwdRemoved ? { cwdRemoved: true } : {}),
    ...(unlinked === undefined ? {} : { cwdUnlinked: unlinked }),
  };
}

/** What v13 says about an open file. */
function v13File({ data, name }: NonNullable<DescriptorImage["file"]>): OpenFileSnapshot {
  const { fd_type, f_mode, f_flags, f_pos } = data.values;
  return {
    kind: fd_type === R.FD_DIR ? "directory" : "file",
    path: textOf(name.bytes),
    flags: f_flags,
    mode: f_mode,
    position: f_pos,
    deleted: false,
    inherited: -1,
    pipe: -1,
    unlinked: -1,
    state: null,
  };
}

/** Throws ImageError when trailer and v13 part do not fit together. */
export class FileTables {
  readonly openFiles: OpenFileSnapshot[] = [];
  private readonly topics: Topics;
  /** Descriptors of the restarting side to attach. */
  private readonly attached: readonly number[];
  /** Index in `openFiles` by objref. */
  private readonly fileOfObjref = new Map<number, number>();

  constructor(image: Image, topics: Topics, defaults: D.RestartDefaults) {
    this.topics = topics;
    this.attached = defaults.attach ?? D.ATTACH;
    this.build(image);
  }

  private build(image: Image): void {
    const known = new Map<number, OpenFileSnapshot>();
    for (const task of image.tasks) {
      for (const { entry, file } of task.descriptors) {
        if (file !== undefined) known.set(entry.values.objref, v13File(file));
      }
    }
    const topic = this.topics.files;
    if (topic === undefined) {
      for (const [objref, file] of known) {
        this.fileOfObjref.set(objref, this.openFiles.length);
        this.openFiles.push(file);
      }
      return;
    }
    topic.openFiles.forEach((entry, index) => {
      const { objref, own: typed, state: text, signals, writeHint, ...rest } = entry;
      const told = {
        ...(signals === null ? {} : { signals }),
        ...(writeHint === 0 ? {} : { writeHint }),
      };
      const own = { ...rest, ...told, state: typed ?? fileStateOf(text, entry) };
      const shared = known.get(objref);
      if (objref !== 0 && (shared === undefined || this.fileOfObjref.has(objref))) {
        throw inconsistent(
          `open file ${index} names objref ${objref}, which ${shared ? "another has" : "does not exist"}`,
        );
      }
      if (own.pipe !== -1 && this.topics.pipes[own.pipe] === undefined) {
        throw inconsistent(`open file ${index} is an end of pipe ${own.pipe}, which does not exist`);
      }
      if (own.unlinked !== -1 && this.topics.unlinked[own.unlinked] === undefined) {
        throw inconsistent(`open file ${index} is unlinked file ${own.unlinked}, which does not exist`);
      }
      if (shared === undefined) {
        this.openFiles.push(own);
      } else {
        const { path, flags, mode, position } = shared;
        this.openFiles.push({ ...own, path, flags, mode, position });
        this.fileOfObjref.set(objref, index);
      }
    });
    for (const objref of known.keys()) {
      if (!this.fileOfObjref.has(objref)) throw inconsistent(`no open file names objref ${objref}`);
    }
  }

  /** Index of the open file for a stream of the restarting side. */
  private attach(fd: number): number {
    const found = this.openFiles.findIndex((file) => file.kind === "inherited" && file.inherited === fd);
    return found >= 0 ? found : this.openFiles.push(D.attached(fd)) - 1;
  }

  /** The descriptors of one process, ascending. */
  descriptors(pid: number, task: TaskImage | undefined): ProcessSnapshot["descriptors"] {
    const all: ProcessSnapshot["descriptors"] = (task?.descriptors ?? []).map(({ entry }) => ({
      fd: entry.values.fd,
      closeOnExec: entry.values.close_on_exec !== 0,
      openFile: this.fileOfObjref.get(entry.values.objref)!,
    }));
    const taken = new Set(all.map(({ fd }) => fd));
    const topic = this.topics.files;
    if (topic === undefined) {
      for (const fd of this.attached) {
        if (!taken.has(fd)) all.push({ fd, closeOnExec: false, openFile: this.attach(fd) });
      }
    }
    for (const { pid: owner, ...descriptor } of topic?.descriptors ?? []) {
      if (owner !== pid) continue;
      this.check(`process ${pid}`, descriptor, taken);
      all.push(descriptor);
    }
    return all.sort((a, b) => a.fd - b.fd);
  }

  private check(
    owner: string,
    { fd, openFile }: ProcessSnapshot["descriptors"][number],
    taken: Set<number>,
  ): void {
    if (fd < 0 || fd >= R.LIMITS.descriptors || taken.has(fd) || this.openFiles[openFile] === undefined) {
      throw inconsistent(`descriptor ${fd} of ${owner} is out of range, comes twice, or has no open file`);
    }
    taken.add(fd);
  }

  /** The files of a thread that has its own. */
  own({ tid, files }: ThreadValues): { files?: ThreadSnapshot["files"] } {
    if (files === null) return {};
    const { cwd, umask, descriptors, sharesDescriptors, sharesFs } = files;
    const taken = new Set<number>();
    for (const each of descriptors) this.check(`thread ${tid}`, each, taken);
    const shares = { descriptors: sharesDescriptors, fs: sharesFs };
    return { files: { cwd, ...removedOf(this.topics, files), umask, descriptors, shares } };
  }
}
