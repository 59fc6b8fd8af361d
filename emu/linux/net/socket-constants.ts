/** Numbers of the socket interface. powerpc has six SO_* of its own (arch/powerpc/include/uapi/asm/socket.h). */

export const AF_UNSPEC = 0;
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const AF_XDP = 44;

/** Protocols of AF_NETLINK: rtnetlink(7), sock_diag(7), notices of devices, families that are found by name. */
export const NETLINK_ROUTE = 0;
export const NETLINK_SOCK_DIAG = 4;
export const NETLINK_KOBJECT_UEVENT = 15;
export const NETLINK_GENERIC = 16;

export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_SEQPACKET = 5;
export const SOCK_TYPE_MASK = 0xf;
/** One more than the highest type there is (SOCK_PACKET). */
export const SOCK_MAX = 11;

export const SOL_SOCKET = 1;
export const IPPROTO_IP = 0;
export const IPPROTO_ICMP = 1;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_IPV6 = 41;
export const IPPROTO_ICMPV6 = 58;
export const IPPROTO_UDPLITE = 136;

export const SO_REUSEADDR = 2;
export const SO_BROADCAST = 6;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_OOBINLINE = 10;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const SO_RCVLOWAT = 16;
export const SO_PASSCRED = 20;
export const SO_BINDTODEVICE = 25;
export const SO_TIMESTAMP = 29;
export const SO_TIMESTAMPNS = 35;
export const SO_MARK = 36;
export const SO_TIMESTAMPING = 37;
export const SO_PEEK_OFF = 42;
/** The same with times of 64 bits in 32-bit programs. */
export const SO_TIMESTAMP_NEW = 63;
export const SO_TIMESTAMPNS_NEW = 64;
export const SO_TIMESTAMPING_NEW = 65;
/** SO_TIMESTAMPING: take times of what is sent (SOF_TIMESTAMPING_TX_*). */
export const SOF_TIMESTAMPING_TX = 0x303;
/** SO_TIMESTAMPING: tell of times that software has taken. */
export const SOF_TIMESTAMPING_SOFTWARE = 16;
export const IP_TOS = 1;
export const IP_TTL = 2;
export const IP_RETOPTS = 7;
export const IP_PKTINFO = 8;
export const IP_RECVTTL = 12;
export const IP_RECVTOS = 13;
export const IP_RECVORIGDSTADDR = 20;
export const IP_MULTICAST_IF = 32;
export const IP_MULTICAST_TTL = 33;
export const IP_MULTICAST_ALL = 49;
export const IPV6_2292PKTINFO = 2;
export const IPV6_2292HOPLIMIT = 8;
export const IPV6_UNICAST_HOPS = 16;
export const IPV6_V6ONLY = 26;
export const IPV6_RECVPKTINFO = 49;
export const IPV6_PKTINFO = 50;
export const IPV6_RECVHOPLIMIT = 51;
export const IPV6_HOPLIMIT = 52;
export const IPV6_RECVTCLASS = 66;
export const IPV6_TCLASS = 67;
export const IPV6_RECVORIGDSTADDR = 74;

/** The level and the option of UDP that cut what is sent into datagrams, and how many there may be. */
export const UDP_SEGMENT = 103;
export const UDP_SEGMENTS_MAX = 64;

export const SCM_RIGHTS = 1;
export const SCM_CREDENTIALS = 2;
/** Most descriptors in one message. */
export const SCM_MAX_FD = 253;

export const MSG_OOB = 0x1;
export const MSG_PEEK = 0x2;
export const MSG_CTRUNC = 0x8;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_EOR = 0x80;
export const MSG_WAITALL = 0x100;
export const MSG_ERRQUEUE = 0x2000;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_WAITFORONE = 0x10000;
export const MSG_FASTOPEN = 0x20000000;
export const MSG_CMSG_CLOEXEC = 0x40000000;

export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;

/** /proc/sys/net/core: the longest queue of connections, and the sizes of buffers. */
export const SOMAXCONN = 4096;
export const BUFFER_DEFAULT = 212992;
