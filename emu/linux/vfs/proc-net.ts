/** /proc/PID/net: the loopback interface, no routes or neighbours besides, and the machine's sockets. */
import { hexadecimal } from "../../hexadecimal.ts";
import { PLAIN_HEADER } from "../net/inbox.ts";
import { LOOPBACK } from "../net/loopback-interface.ts";
import { groupsOf } from "../net/multicast.ts";
import { StreamSocket, TCP_CLOSE_WAIT, TCP_ESTABLISHED } from "../net/stream-socket.ts";
import { type ProcSockets, socketTables } from "./proc-sockets.ts";
import { directoryOf, type SyntheticDirectory, textFile } from "./synthetic.ts";

/** Counters of /proc/net/dev: their names, and how wide they are. What is sent on the loopback is not counted. */
const RECEIVED = "bytes    packets errs drop fifo frame compressed multicast";
const SENT = "bytes    packets errs drop fifo colls carrier compressed";
const DEVICES =
  "Inter-|   Receive                                                |  Transmit\n" +
  ` face |${RECEIVED}|${SENT}\n` +
  `${LOOPBACK.name.padStart(6)}:       0       0    0    0    0     0          0         0` +
  "        0       0    0    0    0     0       0          0\n";

const ROUTES = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT";

const NEIGHBOURS = "IP address       HW type     Flags       HW address            Mask     Device\n";

/** ::1, number of the interface, length of the prefix, scope of the host, IFA_F_PERMANENT. */
const ADDRESSES6 = `${"1".padStart(32, "0")} ${String(LOOPBACK.index).padStart(2, "0")} 80 10 80 ${LOOPBACK.name.padStart(8)}\n`;

/** Routes to ::1 and to nowhere, as the loopback alone has them. */
const NOWHERE = `${"0".repeat(32)} 00 ${"0".repeat(32)} 00 ${"0".repeat(32)} ffffffff 00000001 00000000 00200200 ${LOOPBACK.name.padStart(8)}\n`;
const ROUTES6 =
  NOWHERE +
  `${"1".padStart(32, "0")} 80 ${"0".repeat(32)} 00 ${"0".repeat(32)} 00000000 00000002 00000000 80200001 ${LOOPBACK.name.padStart(8)}\n` +
  NOWHERE;

/** Groups of the interface, those of sockets first; the kernel itself is in that of all hosts. */
function groupsText({ list, littleEndian }: ProcSockets): string {
  const all = [...groupsOf(list(), 4), { group: Uint8Array.of(224, 0, 0, 1), users: 1 }];
  const lines = all.map(({ group, users }) => {
    const name = hexadecimal(littleEndian ? group.toReversed() : group).toUpperCase();
    return `\t\t\t\t${name} ${String(users).padStart(5)} 0:00000000\t\t0\n`;
  });
  const head = `${LOOPBACK.index}\t${LOOPBACK.name.padEnd(10)}:${String(all.length).padStart(6)}      V3\n`;
  return `Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n${head}${lines.join("")}`;
}
function groups6Text({ list }: ProcSockets): string {
  const line = (group: string, users: number, flags: number) =>
    `${String(LOOPBACK.index).padEnd(4)} ${LOOPBACK.name.padEnd(15)} ${group} ${String(users).padStart(5)} ${hexadecimal(Uint8Array.of(0, 0, 0, flags)).toUpperCase()} 0\n`;
  const own = ["ff02", "ff01"].map((scope, i) =>
    line(`${scope}${"1".padStart(28, "0")}`, 1, i === 0 ? 12 : 8),
  );
  return [...groupsOf(list(), 16).map(({ group, users }) => line(hexadecimal(group), users, 4)), ...own].join(
    "",
  );
}
/** Who is named in which group, and how many sockets hear it alone or not at all; `bytes` of an address, and how wide columns are. */
function sourcesText({ list }: ProcSockets, bytes: number): string {
  const counts = new Map<string, [include: number, exclude: number]>();
  for (const { group, include, sources } of list().flatMap(({ groups }) => groups)) {
    if (group.length !== bytes) continue;
    for (const source of sources ?? []) {
      const [before, after] = bytes === 4 ? ["0x", 10] : ["", 32];
      const [name, from] = [group, source].map((each) => `${before}${hexadecimal(each)}`.padStart(after));
      const key = `${String(LOOPBACK.index).padStart(3)} ${LOOPBACK.name.padStart(6)} ${name} ${from}`;
      const [included, excluded] = counts.get(key) ?? [0, 0];
      counts.set(key, include ? [included + 1, excluded] : [included, excluded + 1]);
    }
  }
  const title = (text: string) => text.padStart(bytes === 4 ? 10 : 32);
  const names = bytes === 4 ? ["MCA", "SRC"] : ["Multicast Address", "Source Address"];
  const head = `Idx Device ${names.map(title).join(" ")}    INC    EXC\n`;
  const lines = [...counts].map(
    ([key, both]) => `${key} ${both.map((n) => String(n).padStart(6)).join(" ")}\n`,
  );
  return head + lines.join("");
}

const UDP_COUNTERS =
  "InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors";
/** Names of counters of /proc/net/snmp, which stay 0 but for those that are said. */
const STATISTICS: Readonly<Record<string, string>> = {
  Ip:
    "Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests " +
    "OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates",
  Icmp:
    "InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps " +
    "InTimestampReps InAddrMasks InAddrMaskReps OutMsgs OutErrors OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs " +
    "OutRedirects OutEchos OutEchoReps OutTimestamps OutTimestampReps OutAddrMasks OutAddrMaskReps",
  Tcp:
    "RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs " +
    "InErrs OutRsts InCsumErrors",
  Udp: UDP_COUNTERS,
  UdpLite: UDP_COUNTERS,
};

/** /proc/net/snmp: packets are not counted, connections are. */
function statisticsText(sockets: ProcSockets): string {
  const established = sockets.list().filter((socket) => {
    const state = socket instanceof StreamSocket && !socket.isUnix ? socket.tcpState : 0;
    return state === TCP_ESTABLISHED || state === TCP_CLOSE_WAIT;
  }).length;
  const known: Readonly<Record<string, number>> = {
    ...{ Forwarding: 2, DefaultTTL: PLAIN_HEADER.hops },
    ...{ RtoAlgorithm: 1, RtoMin: 200, RtoMax: 120000, MaxConn: -1, CurrEstab: established },
  };
  return Object.entries(STATISTICS)
    .map(([name, counters]) => {
      const values = counters.split(" ").map((counter) => known[counter] ?? 0);
      return `${name}: ${counters}\n${name}: ${values.join(" ")}\n`;
    })
    .join("");
}

/** Of /proc/net/netstat what programs look for; all are 0. */
const EXTENDED = Object.entries({
  TcpExt:
    "SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts TW ListenOverflows ListenDrops TCPTimeouts",
  IpExt:
    "InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts InOctets OutOctets InMcastOctets OutMcastOctets " +
    "InBcastOctets OutBcastOctets InCsumErrors InNoECTPkts InECT1Pkts InECT0Pkts InCEPkts ReasmOverlaps",
})
  .map(([name, counters]) => `${name}: ${counters}\n${name}: ${counters.replace(/\w+/g, "0")}\n`)
  .join("");
const STATISTICS6 = [
  "Ip6InReceives Ip6InHdrErrors Ip6InTooBigErrors Ip6InNoRoutes Ip6InAddrErrors Ip6InUnknownProtos Ip6InTruncatedPkts Ip6InDiscards",
  "Ip6InDelivers Ip6OutForwDatagrams Ip6OutRequests Ip6OutDiscards Ip6OutNoRoutes Ip6ReasmTimeout Ip6ReasmReqds Ip6ReasmOKs",
  "Ip6ReasmFails Ip6FragOKs Ip6FragFails Ip6FragCreates Ip6InMcastPkts Ip6OutMcastPkts Ip6InOctets Ip6OutOctets Icmp6InMsgs",
  "Icmp6InErrors Icmp6OutMsgs Icmp6OutErrors Icmp6InCsumErrors Udp6InDatagrams Udp6NoPorts Udp6InErrors Udp6OutDatagrams",
  "Udp6RcvbufErrors Udp6SndbufErrors Udp6InCsumErrors Udp6IgnoredMulti Udp6MemErrors",
]
  .flatMap((line) => line.split(" "))
  .map((name) => `${name.padEnd(32)}\t0\n`)
  .join("");

export const netTree = (sockets: ProcSockets): SyntheticDirectory =>
  directoryOf({
    dev: textFile(DEVICES),
    route: textFile(`${ROUTES.padEnd(127)}\n`),
    arp: textFile(NEIGHBOURS),
    if_inet6: textFile(ADDRESSES6),
    ipv6_route: textFile(ROUTES6),
    igmp: textFile(() => groupsText(sockets)),
    igmp6: textFile(() => groups6Text(sockets)),
    ...Object.fromEntries(["anycast6", "dev_mcast"].map((name) => [name, textFile("")])),
    mcfilter: textFile(() => sourcesText(sockets, 4)),
    mcfilter6: textFile(() => sourcesText(sockets, 16)),
    packet: textFile("sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"),
    psched: textFile("000003e8 00000040 000f4240 3b9aca00\n"),
    ptype: textFile(
      "Type Device      Function\n0800          ip_rcv\n0806          arp_rcv\n86dd          ipv6_rcv\n",
    ),
    snmp: textFile(() => statisticsText(sockets)),
    netstat: textFile(EXTENDED),
    snmp6: textFile(STATISTICS6),
    ...socketTables(sockets),
  });
