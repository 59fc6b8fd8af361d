/** /proc/PID/net: the loopback interface, no routes or neighbours besides, and the machine's sockets. */
import { LOOPBACK } from "../net/loopback-interface.ts";
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

export const netTree = (sockets: ProcSockets): SyntheticDirectory =>
  directoryOf({
    dev: textFile(DEVICES),
    route: textFile(`${ROUTES.padEnd(127)}\n`),
    arp: textFile(NEIGHBOURS),
    if_inet6: textFile(ADDRESSES6),
    ...socketTables(sockets),
  });
