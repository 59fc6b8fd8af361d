/** Sockets back from a snapshot. */
import type { OpenFileSnapshot } from "../../snapshot.ts";
import { O_NONBLOCK } from "../vfs/constants.ts";
import { isSoundProgram } from "../classic-bpf.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import type { SocketKind } from "./make-socket.ts";
import type { Socket } from "./socket.ts";
import { needState, type ThawContext } from "../vfs/thaw-context.ts";

/** A socket; what it has to do with others comes when all are open. */
export function thawSocket(
  snapshot: OpenFileSnapshot,
  context: ThawContext<{ socket(kind: SocketKind): Socket }>,
): OpenFile {
  const state = needState(snapshot, "socket");
  const { domain, type, protocol } = state;
  const { system, littleEndian } = context;
  const flags = snapshot.flags & O_NONBLOCK;
  const socket = system.socket({
    domain,
    type,
    protocol,
    flags,
    littleEndian,
    ino: system.sameInode(state.ino),
  });
  if (state.filter.length > 0) {
    if (!isSoundProgram(state.filter, undefined)) throw new RangeError("a socket's filter makes no sense");
    socket.filter = { program: state.filter, littleEndian };
  }
  context.whenOpened((opened) => socket.resume(state, opened));
  return socket;
}
