import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { ABIS, type Fields, type Layout } from "../../../emu/linux/abi.ts";
import {
  STAT_OF_64,
  STAT32,
  STAT64,
  STATFS,
  STATFS64,
  STATX,
} from "../../../emu/linux/syscalls/files-stat.ts";
import { FIOCLEX, FIONBIO } from "../../../emu/linux/syscalls/ioctl.ts";
import { FIONREAD } from "../../../emu/linux/syscalls/ioctl-sockets.ts";
import { TCGETS, TERMIO, TIOCGWINSZ } from "../../../emu/linux/syscalls/ioctl-terminal.ts";
import * as constants from "../../../emu/linux/vfs/constants.ts";
import { TERMIOS } from "../../../emu/linux/vfs/terminal-settings.ts";
import { describeWithTools, requireTool } from "../../support/tools.ts";

/** Structs as the kernel's headers name them; statx's timestamps are nested there. */
const structs: Record<"ppc32" | "ppc64", [string, Layout<Fields>][]> = {
  ppc32: [
    ["struct stat", STAT32 as unknown as Layout<Fields>],
    ["struct stat64", STAT64 as unknown as Layout<Fields>],
  ],
  ppc64: [["struct stat", STAT_OF_64 as unknown as Layout<Fields>]],
};
const both: [string, Layout<Fields>][] = [
  ["struct statfs", STATFS as unknown as Layout<Fields>],
  ["struct statfs64", STATFS64 as unknown as Layout<Fields>],
  ["struct termios", TERMIOS as unknown as Layout<Fields>],
  ["struct termio", TERMIO as unknown as Layout<Fields>],
  ["struct statx", STATX as unknown as Layout<Fields>],
];
const numbers: Record<string, number> = {
  TCGETS,
  TIOCGWINSZ,
  FIONREAD,
  FIONBIO,
  FIOCLEX,
  ...Object.fromEntries(
    Object.entries(constants).filter(([name]) => /^O_(?!VALID)|^S_IF|^SEEK|^AT_/.test(name)),
  ),
};
/** In libc's headers alone, or with other values there: not of the kernel's headers used here. */
const notInHeaders = /^(O_VALID|O_ASYNC|O_SYNC|O_TMPFILE|S_IF.*|SEEK_.*|O_RDONLY)$/;

const target = {
  ppc32: ["powerpc-linux-gnu-gcc", "qemu-ppc"],
  ppc64: ["powerpc64-linux-gnu-gcc", "qemu-ppc64"],
};

describeWithTools("structs and numbers of powerpc's headers", Object.values(target).flat(), () => {
  it.each(["ppc32", "ppc64"] as const)("are ours on %s", (abi) => {
    const rows = [...structs[abi], ...both];
    const prints = rows.flatMap(([name, layout]) => [
      `printf("sizeof ${name} %zu\\n", sizeof(${name}));`,
      ...Object.keys(layout.fields)
        .filter((field) => !/^(pad|spare|stx_.time_(sec|nsec|pad))/.test(field))
        .map((field) => `printf("${name}.${field} %zu\\n", offsetof(${name}, ${field}));`),
    ]);
    const names = Object.keys(numbers).filter((name) => !notInHeaders.test(name));
    const values = names.map((name) => `printf("${name} %lld\\n", (long long)(${name}));`);
    const source = `#include <stddef.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/termios.h>
#include <asm/ioctls.h>
#include <asm/fcntl.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
int printf(const char *, ...);
int main(void) { ${[...prints, ...values].join("\n")} return 0; }`;
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ppcr-layouts-"));
    try {
      fs.writeFileSync(`${folder}/layout.c`, source);
      const [compiler, emulator] = target[abi];
      execFileSync(requireTool(compiler), ["-static", "-o", `${folder}/layout`, `${folder}/layout.c`]);
      const theirs = execFileSync(requireTool(emulator), [`${folder}/layout`], { encoding: "utf8" })
        .trim()
        .split("\n");
      const ours = rows.flatMap(([name, layout]) => [
        `sizeof ${name} ${layout.size(ABIS[abi])}`,
        ...Object.keys(layout.fields)
          .filter((field) => !/^(pad|spare|stx_.time_(sec|nsec|pad))/.test(field))
          .map((field) => `${name}.${field} ${layout.offset(ABIS[abi], field)}`),
      ]);
      expect([...ours, ...names.map((name) => `${name} ${numbers[name]}`)]).toEqual(theirs);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
