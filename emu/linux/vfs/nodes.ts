/**
 * Sockets and named pipes in granted folders. Only the guest knows what they are: on the host each is an empty file, so that nobody outside can be
 * at the other end and nothing is needed that a host may not have.
 */
import type { HostStat } from "../../host/host.ts";
import type { NodeSnapshot } from "../../snapshot.ts";
import { Socket } from "../net/socket.ts";
import { fileKey } from "./folder.ts";
import type { FreezeContext } from "./freeze-context.ts";
import type { Statuses } from "./location.ts";
import { afterRename } from "./mounts.ts";
import { hold, type OpenFile, release } from "./open-file.ts";
import { Pipe, PipeEnd, type PipeKind } from "./pipe.ts";
import { fail } from "./synthetic.ts";

export interface Node {
  readonly kind: NodeSnapshot["kind"];
  /** Guest path. */
  path: string;
  /** The socket that is bound to it, while that is open. */
  socket?: Socket;
  /** The pipe, while somebody has it open. */
  pipe?: Pipe;
}

interface Opener {
  readonly node: Node;
  /** What the thread will get. */
  readonly end: PipeEnd;
  /** Somebody has come to the other end. */
  met: boolean;
}

const MOST = 65536;

export class Nodes {
  /** By what names a file. */
  private readonly known = new Map<string, Node>();
  /** Threads by their ids that wait in open(2) for somebody at the other end of a pipe, which may have lost its name since. */
  private readonly openers = new Map<number, Opener>();

  get isEmpty(): boolean {
    return this.known.size + this.openers.size === 0;
  }

  /** The empty file with this status is a node. */
  add(stat: Pick<HostStat, "dev" | "ino">, kind: NodeSnapshot["kind"], path: string): Node {
    const node: Node = { kind, path };
    this.known.set(fileKey(stat), node);
    return node;
  }
  get(key: string): Node | undefined {
    return this.known.get(key);
  }
  /** The file of this key is another one by now, or gone. */
  forget(key: string): void {
    this.known.delete(key);
  }
  /** What has this key, or lies below it, has gone from one path to another. */
  moved(moved: string, from: string, to: string): void {
    for (const [key, node] of this.known) node.path = key === moved ? to : afterRename(node.path, from, to);
  }
  /** A socket is closed: its name stays, and leads to nobody. */
  unbind(socket: Socket): void {
    for (const node of this.known.values()) if (node.socket === socket) node.socket = undefined;
  }

  private openersOf(node: Node): [tid: number, Opener][] {
    return [...this.openers].filter(([, opener]) => opener.node === node);
  }
  /** The pipe that a thread waits in open(2) for. */
  awaitedBy(tid: number): Node | undefined {
    return this.openers.get(tid)?.node;
  }

  /**
   * An end of a named pipe for a thread, and whether the thread may have it: somebody is at the other end, or has been meanwhile, or nobody need be.
   */
  open(
    node: Node,
    { tid, kind, flags, waits }: { tid: number; kind: PipeKind; flags: number; waits: boolean },
    { newInode, statusAt }: { newInode: () => bigint; statusAt: (path: string) => HostStat | undefined },
  ): Opener {
    const waiting = this.openers.get(tid);
    if (waiting?.met) this.openers.delete(tid);
    if (waiting !== undefined) return waiting;
    if (node.pipe === undefined || node.pipe.readers + node.pipe.writers === 0)
      node.pipe = new Pipe(newInode());
    const { pipe } = node;
    const isMet = kind === "pipe-read" ? pipe.writers > 0 : pipe.readers > 0;
    if (kind === "pipe-write" && !waits && !isMet) fail("ENXIO", `nobody reads ${node.path}`);
    const end = hold(new PipeEnd(pipe, kind, flags, { name: node, statusAt }));
    for (const [, opener] of this.openersOf(node))
      opener.met ||= kind === "pipe-both" || opener.end.kind !== kind;
    pipe.queue.wake();
    const opener = { node, end, met: isMet || !waits || kind === "pipe-both" };
    if (!opener.met) this.openers.set(tid, opener);
    return opener;
  }
  /** A thread does not wait in open(2) any more. */
  giveUp(tid: number): void {
    const opener = this.openers.get(tid);
    this.openers.delete(tid);
    if (opener !== undefined) release(opener.end);
  }

  /** A status as the guest sees it. */
  shown<S extends Pick<HostStat, "kind" | "dev" | "ino">>(stat: S): S {
    if (this.known.size === 0 || stat.kind !== "file") return stat;
    const node = this.known.get(fileKey(stat));
    return node === undefined ? stat : { ...stat, kind: node.kind };
  }

  /** Those that are still where they were, and without a path those that have no name any more and are waited for. */
  freeze(system: Statuses, tables: FreezeContext): NodeSnapshot[] {
    const named = [...this.known].filter(([key, { path }]) => {
      const stat = system.statusAt(path);
      return stat !== undefined && fileKey(stat) === key;
    });
    const paths = new Map(named.map(([, node]) => [node, node.path]));
    for (const { node } of this.openers.values()) if (!paths.has(node)) paths.set(node, "");
    return [...paths].map(([node, path]) => {
      const { kind, socket, pipe } = node;
      const isOpen = pipe !== undefined && pipe.readers + pipe.writers > 0;
      return {
        kind,
        path,
        openFile: socket === undefined ? -1 : tables.indexOf(socket),
        pipe: isOpen ? tables.pipe(pipe) : -1,
        openers: this.openersOf(node).map(([tid, { end, met }]) => ({ tid, met, openFile: tables.add(end) })),
      };
    });
  }

  /**
   * Takes those of a snapshot again, whose files are still there and empty, so that what is opened next sees what they
   * are. The function that it returns joins them with what has been opened. Both throw EINVAL for what makes no sense.
   */
  thaw(
    system: Statuses,
    nodes: readonly NodeSnapshot[],
  ): (opened: { files: readonly OpenFile[]; pipes: readonly Pipe[] }) => void {
    if (nodes.length > MOST) fail("EINVAL", `${nodes.length} sockets and named pipes`);
    const there = nodes.flatMap((snapshot): [Node, NodeSnapshot][] => {
      const { kind, path } = snapshot;
      if (path === "") return [[{ kind, path }, snapshot]];
      const stat = system.statusAt(path);
      if (stat?.kind !== "file" || stat.size !== 0n) return [];
      return [[this.add(stat, kind, path), snapshot]];
    });
    return ({ files, pipes }) => {
      const names = new Map<Pipe, Node>();
      for (const [node, { path, openFile, pipe, openers }] of there) {
        const file = files[openFile];
        if (file instanceof Socket) node.socket = file;
        else if (openFile >= 0) fail("EINVAL", `${path} is bound to no socket`);
        for (const { tid, openFile: index, met } of openers) {
          const end = files[index];
          if (!(end instanceof PipeEnd)) fail("EINVAL", `thread ${tid} opens no end of ${path}`);
          this.openers.set(tid, { node, end: hold(end), met });
        }
        if (pipe < 0) continue;
        node.pipe = pipes[pipe] ?? fail("EINVAL", `the pipe of ${path} is missing`);
        if (path !== "") names.set(node.pipe, node);
      }
      for (const file of files) if (file instanceof PipeEnd) file.name = names.get(file.pipe) ?? file.name;
    };
  }
}
