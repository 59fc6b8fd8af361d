/** Where the vdso is, and what its data are called. */

/** The data before it, which a thawed program has system calls for until they are written again. */
export const DATA_NAME = "[vvar]";
/** Where 32-bit and early 64-bit kernels have it. */
export const PREFERRED = 0x10_0000;
