/** Tables of sockets in /proc/PID/net, as Linux's tcp_ipv4.c, udp.c, ipv6/datagram.c and unix/af_unix.c write them. */
import { type Address, anyAddress, netlinkAddress } from "../net/address.ts";
import type { Socket } from "../net/socket.ts";
import { isListedNetlink } from "../net/socket-diagnosis.ts";
import { AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE } from "../net/socket-constants.ts";
import { StreamSocket, TCP_CLOSE, TCP_ESTABLISHED, TCP_LISTEN } from "../net/stream-socket.ts";
import { type SyntheticFile, textFile } from "./synthetic.ts";

/** The sockets of a machine. */
export interface ProcSockets {
  /** All that a process has open, and those that wait to be accepted. */
  list(): readonly Socket[];
  /** Whose a socket is. */
  ownerOf(socket: Socket): number;
  /** Addresses are written as numbers in the kernel's order. */
  readonly littleEndian: boolean;
}

const hex = (value: number | bigint, digits: number): string =>
  value.toString(16).toUpperCase().padStart(digits, "0");

/** What nobody may see of where the kernel has it. */
const POINTER = "0".repeat(16);
/** Lines of IPv4 are as long as this, and filled up with spaces. */
const WIDTH = { tcp: 149, udp: 127 };

const QUEUES = "st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const HEAD4 = `  sl  local_address rem_address   ${QUEUES}`;
const HEAD6 = `  sl  local_address                         remote_address                        ${QUEUES}`;
const DATAGRAMS = " ref pointer drops";

function endText({ name, port }: Address, littleEndian: boolean): string {
  const view = new DataView(name.buffer, name.byteOffset, name.length);
  let text = "";
  for (let at = 0; at < name.length; at += 4) text += hex(view.getUint32(at, littleEndian), 8);
  return `${text}:${hex(port, 4)}`;
}

/** What a socket is listed with; one that nobody has accepted yet belongs to nobody. */
export function listed(
  sockets: Pick<ProcSockets, "list" | "ownerOf">,
): { socket: Socket; ino: bigint; uid: number }[] {
  const all = sockets.list();
  const waiting = new Set(all.flatMap((each) => (each instanceof StreamSocket ? each.waiting : [])));
  return all.map((socket) =>
    waiting.has(socket as StreamSocket)
      ? { socket, ino: 0n, uid: 0 }
      : { socket, ino: socket.ino, uid: sockets.ownerOf(socket) },
  );
}

/** Beginning of a line, up to the inode. */
function lineOf(
  { socket, ino, uid }: { socket: Socket; ino: bigint; uid: number },
  { state, waiting, littleEndian }: { state: number; waiting: number; littleEndian: boolean },
): string {
  const { local, remote, domain } = socket;
  const ends = [local, remote].map((end) => endText(end ?? anyAddress(domain), littleEndian)).join(" ");
  const queues = `00000000:${hex(waiting, 8)} 00:00000000 00000000`;
  return `${ends} ${hex(state, 2)} ${queues} ${String(uid).padStart(5)} ${"0".padStart(8)} ${ino}`;
}

/** /proc/net/tcp or tcp6: those that listen first. */
function tcpText(sockets: ProcSockets, family: number): string {
  const { littleEndian } = sockets;
  const rows = listed(sockets).flatMap((row) => {
    const { socket } = row;
    if (!(socket instanceof StreamSocket) || socket.protocol !== IPPROTO_TCP) return [];
    const { domain, tcpState: state } = socket;
    return domain === family && state !== TCP_CLOSE ? [{ row, socket, state }] : [];
  });
  const listening = rows.filter(({ state }) => state === TCP_LISTEN);
  const others = rows.filter(({ state }) => state !== TCP_LISTEN);
  const lines = [...listening, ...others].map(({ row, socket, state }, index) => {
    const isListening = state === TCP_LISTEN;
    const waiting = isListening ? socket.waiting.length : socket.inbox.size;
    const times = isListening ? "100 0 0 10 0" : "20 0 0 10 -1";
    return `${String(index).padStart(4)}: ${lineOf(row, { state, waiting, littleEndian })} 1 ${POINTER} ${times}`;
  });
  return inTable([family === AF_INET ? HEAD4 : HEAD6, ...lines], family === AF_INET ? WIDTH.tcp : 0);
}

/** /proc/net/udp and its kin. */
function datagramText(sockets: ProcSockets, family: number, protocol: number): string {
  const { littleEndian } = sockets;
  const rows = listed(sockets).filter(
    ({ socket: { domain, protocol: its, local } }) =>
      domain === family && its === protocol && local !== undefined,
  );
  const lines = rows.map((row, index) => {
    const { remote, inbox } = row.socket;
    const state = remote === undefined ? TCP_CLOSE : TCP_ESTABLISHED;
    return `${String(index).padStart(5)}: ${lineOf(row, { state, waiting: inbox.size, littleEndian })} 2 ${POINTER} 0`;
  });
  const head = family === AF_INET ? ` ${HEAD4}` : HEAD6;
  return inTable([head + DATAGRAMS, ...lines], family === AF_INET ? WIDTH.udp : 0);
}

const inTable = (lines: readonly string[], width: number): string =>
  lines.map((line) => `${line.padEnd(width)}\n`).join("");

/** The path of a socket as its table shows it: what is abstract with @ for each NUL. */
function pathText({ local }: Socket): string {
  if (local === undefined || local.name.length === 0) return "";
  const bytes = local.name[0] === 0 ? local.name.map((byte) => byte || "@".charCodeAt(0)) : local.name;
  return ` ${new TextDecoder().decode(bytes)}`;
}

/** __SO_ACCEPTCON: it listens. */
const ACCEPTS = 0x1_0000;
/** SS_UNCONNECTED and its kin. */
const UNCONNECTED = 1;
const CONNECTING = 2;
const CONNECTED = 3;

/** /proc/net/unix. */
function unixText(sockets: ProcSockets): string {
  const lines = listed(sockets)
    .filter(({ socket }) => socket.isUnix)
    .map(({ socket, ino }) => {
      const isConnected =
        socket instanceof StreamSocket ? socket.phase === "connected" : socket.connected !== undefined;
      const state = isConnected ? (ino === 0n ? CONNECTING : CONNECTED) : UNCONNECTED;
      const count = hex(isConnected ? 3 : 2, 8);
      const flags = hex(socket.isListening ? ACCEPTS : 0, 8);
      const kind = `${hex(socket.type, 4)} ${hex(state, 2)} ${String(ino).padStart(5)}`;
      return `${POINTER}: ${count} 00000000 ${flags} ${kind}${pathText(socket)}`;
    });
  return inTable(["Num       RefCount Protocol Flags    Type St Inode Path", ...lines], 0);
}

/** /proc/net/sockstat: how many there are of each kind. */
function countsText(sockets: ProcSockets): string {
  const all = sockets.list();
  const count = (protocol: number) =>
    all.filter((each) => each.domain === AF_INET && each.protocol === protocol && each.local !== undefined)
      .length;
  const tcp = count(IPPROTO_TCP);
  return inTable(
    [
      `sockets: used ${all.length}`,
      `TCP: inuse ${tcp} orphan 0 tw 0 alloc ${tcp} mem 0`,
      `UDP: inuse ${count(IPPROTO_UDP)} mem 0`,
      `UDPLITE: inuse ${count(IPPROTO_UDPLITE)}`,
      "RAW: inuse 0",
      "FRAG: inuse 0 memory 0",
    ],
    0,
  );
}

/** /proc/net/sockstat6. */
function countsText6(sockets: ProcSockets): string {
  const count = (protocol: number) =>
    sockets
      .list()
      .filter((each) => each.domain === AF_INET6 && each.protocol === protocol && each.local !== undefined)
      .length;
  const [tcp, udp, lite] = [IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE].map(count);
  return inTable(
    [
      `TCP6: inuse ${tcp}`,
      `UDP6: inuse ${udp}`,
      `UDPLITE6: inuse ${lite}`,
      "RAW6: inuse 0",
      "FRAG6: inuse 0 memory 0",
    ],
    0,
  );
}

/** /proc/net/netlink: the sockets of programs; those of the kernel have no number. */
function netlinkText(sockets: ProcSockets): string {
  const { littleEndian } = sockets;
  const lines = listed(sockets)
    .filter(({ socket }) => isListedNetlink(socket))
    .map(({ socket, ino }) => {
      const view = new DataView((socket.local ?? netlinkAddress(0)).name.slice().buffer);
      const [pid, groups] = [0, 4].map((at) => view.getUint32(at, littleEndian));
      const counts = `${String(socket.inbox.size).padEnd(8)} ${"0".padEnd(8)} ${"0".padEnd(5)} ${"2".padEnd(8)} ${"0".padEnd(8)}`;
      return `${POINTER} ${String(socket.protocol).padEnd(3)} ${String(pid).padEnd(10)} ${groups.toString(16).padStart(8, "0")} ${counts} ${String(ino).padEnd(8)}`;
    });
  const head = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode";
  return inTable([head, ...lines], 0);
}

/** The tables by their names. There are no raw sockets to programs without privileges. */
export const socketTables = (sockets: ProcSockets): Record<string, SyntheticFile> => ({
  tcp: textFile(() => tcpText(sockets, AF_INET)),
  tcp6: textFile(() => tcpText(sockets, AF_INET6)),
  udp: textFile(() => datagramText(sockets, AF_INET, IPPROTO_UDP)),
  udp6: textFile(() => datagramText(sockets, AF_INET6, IPPROTO_UDP)),
  udplite: textFile(() => datagramText(sockets, AF_INET, IPPROTO_UDPLITE)),
  udplite6: textFile(() => datagramText(sockets, AF_INET6, IPPROTO_UDPLITE)),
  raw: textFile(inTable([HEAD4 + DATAGRAMS], 0)),
  raw6: textFile(inTable([HEAD6 + DATAGRAMS], 0)),
  icmp: textFile(inTable([HEAD4 + DATAGRAMS], WIDTH.udp)),
  icmp6: textFile(inTable([HEAD6 + DATAGRAMS], 0)),
  netlink: textFile(() => netlinkText(sockets)),
  sockstat: textFile(() => countsText(sockets)),
  sockstat6: textFile(() => countsText6(sockets)),
  unix: textFile(() => unixText(sockets)),
});
