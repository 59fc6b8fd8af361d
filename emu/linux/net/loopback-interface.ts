/** The loopback interface, which every machine has, as netdevice(7) and rtnetlink(7) tell of it. */
export const LOOPBACK = {
  name: "lo",
  index: 1,
  /** ARPHRD_LOOPBACK. */
  type: 772,
  /** IFF_UP, LOOPBACK, RUNNING, LOWER_UP; ioctl(2) tells the lower sixteen bits. */
  flags: 0x10049,
  mtu: 65536,
  queue: 1000,
} as const;
