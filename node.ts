/** The library's Node side: the host that this process offers to a machine. */
export { type NodeHostOptions, nodeHost } from "./emu/host/node/index.ts";
