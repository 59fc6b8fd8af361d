/** Memory policies (Linux: mm/mempolicy.c) of a machine whose memory is one node, 0: they are kept and told, and change nothing. */
import type { MemoryPolicy } from "../memory/vma.ts";

export const MPOL_DEFAULT = 0;
export const MPOL_PREFERRED = 1;
export const MPOL_BIND = 2;
export const MPOL_INTERLEAVE = 3;
export const MPOL_LOCAL = 4;
export const MPOL_PREFERRED_MANY = 5;
/** Modes from here on are unknown. */
export const MPOL_MAX = 6;

/** Flags of a mode: nodes are as given, or places among those allowed; pages go where they are used. */
export const MPOL_F_STATIC_NODES = 0x8000;
export const MPOL_F_RELATIVE_NODES = 0x4000;
export const MPOL_F_NUMA_BALANCING = 0x2000;
export const MPOL_MODE_FLAGS = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | MPOL_F_NUMA_BALANCING;

/** The mode of a policy without its flags. */
export const modeOf = ({ mode }: MemoryPolicy): number => mode & ~MPOL_MODE_FLAGS;

/** A policy of a snapshot. Throws RangeError for one that can't be. */
export function thawPolicy({ mode, nodes }: MemoryPolicy): MemoryPolicy {
  const kind = modeOf({ mode, nodes });
  if (kind <= MPOL_DEFAULT || kind >= MPOL_MAX) throw new RangeError(`memory policy ${mode}`);
  return { mode, nodes };
}
