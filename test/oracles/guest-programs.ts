/**
 * Where qemu-user 7.2 is wrong about a guest program. Each entry says what it does, what Linux on powerpc does, and
 * turns the one output into the other; an entry whose pattern is no longer found fails the test, so that a mended
 * qemu is noticed.
 */
import type { Target } from "../../guest-bins/build.mjs";

interface Defect {
  program: string;
  targets: readonly Target[];
  reason: string;
  replace: readonly (readonly [RegExp, string])[];
}

const all: readonly Target[] = ["ppc32", "ppc64", "ppc64le"];

export const qemuDefects: readonly Defect[] = [
  {
    program: "segv",
    targets: all,
    reason:
      "qemu's ppc signal code reports SEGV_MAPERR for protection faults too; Linux's bad_area and bad_access " +
      "(arch/powerpc/mm/fault.c) tell SEGV_ACCERR apart",
    replace: [
      [
        /((?:write to a read-only page|read of a page without access|double in a page without access|copy to a read-only page)\n {2}signal 11 )SEGV_MAPERR/g,
        "$1SEGV_ACCERR",
      ],
    ],
  },
  {
    program: "segv",
    targets: ["ppc32", "ppc64"],
    reason: "qemu fills si_addr of SIGBUS with another value than the address that was touched",
    replace: [
      [/(page beyond the end of the file\n {2}signal 7 BUS_ADRERR at base).*/, "$1+4099"],
      [/(write beyond the end of the file\n {2}signal 7 BUS_ADRERR at base).*/, "$1+4105"],
    ],
  },
  {
    program: "sigfpe",
    targets: all,
    reason:
      "qemu reports FPE_FLTDIV for 0/0 and a code that is not FPE_FLTINV for the square root of a negative number; " +
      "Linux's __parse_fpscr (arch/powerpc/kernel/traps.c) answers FPE_FLTINV whenever VE and VX are set",
    replace: [
      [/(invalid\n {2}signal 8 )FPE_FLTDIV/g, "$1FPE_FLTINV"],
      [/(square root of a negative number\n {2}signal 8 )another code/g, "$1FPE_FLTINV"],
    ],
  },
  {
    program: "mmap",
    targets: ["ppc32"],
    reason:
      "qemu reserves the whole 32-bit address space with one host mapping, so that mprotect over a hole and mremap " +
      "of one succeed; Linux answers ENOMEM and EFAULT",
    replace: [
      [/protecting a hole fails: 0/, "protecting a hole fails: 1"],
      [/bad remap 0/, "bad remap 1"],
    ],
  },
];

/** What the program would have printed on Linux, from what it printed under qemu-user. */
export function withoutQemuDefects(program: string, target: Target, stdout: string): string {
  let result = stdout;
  for (const defect of qemuDefects) {
    if (defect.program !== program || !defect.targets.includes(target)) continue;
    for (const [pattern, replacement] of defect.replace) {
      const mended = result.replace(pattern, replacement);
      if (mended === result)
        throw new Error(`qemu no longer shows its defect in ${program} for ${target}: ${defect.reason}`);
      result = mended;
    }
  }
  return result;
}
