/** The tools from outside that tests and benchmarks use, and the Debian packages that hold them. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Program to package. */
export const packageOf = /** @type {Record<string, string>} */ ({
  "powerpc-linux-gnu-gcc": "gcc-powerpc-linux-gnu",
  "powerpc64-linux-gnu-gcc": "gcc-powerpc64-linux-gnu",
  "powerpc64le-linux-gnu-gcc": "gcc-powerpc64le-linux-gnu",
  "powerpc-linux-gnu-objdump": "binutils-powerpc-linux-gnu",
  "powerpc64-linux-gnu-objdump": "binutils-powerpc64-linux-gnu",
  "powerpc64-linux-gnu-readelf": "binutils-powerpc64-linux-gnu",
  "qemu-ppc": "qemu-user",
  "qemu-ppc64": "qemu-user",
  "gdb-multiarch": "gdb-multiarch",
});

/** C libraries of the cross compilers, which only recommend them. */
const libraries = ["libc6-dev-powerpc-cross", "libc6-dev-ppc64-cross", "libc6-dev-ppc64el-cross"];

/** Everything there is to install. */
export const packages = [...new Set(Object.values(packageOf)), ...libraries];

/** Absolute path of a program on PATH, or undefined. @param {string} name @returns {string | undefined} */
export function findTool(name) {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    if (directory === "") continue;
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this directory
    }
  }
  return undefined;
}

/** The tools that are not on PATH. */
export function missingTools() {
  return Object.keys(packageOf).filter((name) => findTool(name) === undefined);
}
