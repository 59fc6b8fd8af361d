/** /proc/PID/net: the loopback interface, no routes or neighbours besides, and the machine's sockets. */
import { PLAIN_HEADER } from "../net/inbox.ts";
import { LOOPBACK } from "../net/loopback-interface.ts";
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

/** The group of all hosts, which every interface is in. */
const GROUPS =
  "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n" +
  `${LOOPBACK.index}\t${LOOPBACK.name.padEnd(10)}:     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n`;
const GROUPS6 = ["ff02", "ff01"]
  .map(
    (scope, i) =>
      `${String(LOOPBACK.index).padEnd(4)} ${LOOPBACK.name.padEnd(15)} ${scope}${"1".padStart(28, "0")}     1 ${i === 0 ? "0000000C" : "00000008"} 0\n`,
  )
  .join("");

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
    igmp: textFile(GROUPS),
    igmp6: textFile(GROUPS6),
    ...Object.fromEntries(["anycast6", "dev_mcast"].map((name) => [name, textFile("")])),
    mcfilter: textFile("Idx Device        MCA        SRC    INC    EXC\n"),
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
