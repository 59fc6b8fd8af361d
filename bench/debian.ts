/** Programs built from Debian's sources, for the guests and for the host itself. */
import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { unpackSource } from "./debian-source.ts";

/** A program's source package, and how it is built in its folder: a shell script with $CC, $HOST and $OUT, the program's path. */
interface Recipe {
  readonly source: string;
  readonly script: string;
}

const CONFIGURE = "./configure --host=$HOST --disable-nls --disable-shared";

const RECIPES: Readonly<Record<string, Recipe>> = {
  bzip2: {
    source: "bzip2",
    script:
      "$CC -O2 -w -static -o $OUT blocksort.c bzip2.c bzlib.c compress.c crctable.c decompress.c huffman.c randtable.c",
  },
  minigzip: {
    source: "zlib",
    script: "$CC -O2 -w -static -DHAVE_UNISTD_H -I. -o $OUT *.c test/minigzip.c",
  },
  lua: {
    source: "lua5.4",
    script: "rm -f src/luac.c; $CC -O2 -w -static -DLUA_USE_POSIX -o $OUT src/*.c -lm",
  },
  mawk: {
    source: "mawk",
    script: "./configure --host=$HOST && make mawk LDFLAGS=-static && cp mawk $OUT",
  },
  xz: {
    source: "xz-utils",
    script: `${CONFIGURE} --enable-threads=no --disable-doc --disable-scripts && make -C src/liblzma && make -C src/xz LDFLAGS=-all-static && cp src/xz/xz $OUT`,
  },
  speedtest: {
    source: "sqlite3",
    script:
      "./configure --host=$HOST --disable-tcl && make sqlite3.c && $CC -O2 -w -static -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_THREADSAFE=0 -I. -o $OUT test/speedtest1.c sqlite3.c -lm",
  },
};

/** Builds a program for `host` (a GNU triplet; undefined for this machine), unless that is done, and returns its path; says why it can't be had. */
export function debianProgram(
  folder: string,
  program: string,
  host: string | undefined,
  say: (text: string) => void,
): string | undefined {
  const { source, script } = RECIPES[program];
  const out = join(folder, `${program}-${host ?? "native"}`);
  if (existsSync(out)) return out;
  try {
    const unpacked = join(folder, "sources", `${source}-${host ?? "native"}`);
    unpackSource(folder, source, unpacked);
    const CC = host === undefined ? "gcc" : `${host}-gcc`;
    const env = { ...process.env, CC, HOST: host ?? "", OUT: out };
    const own = host === undefined ? script.replaceAll("--host=$HOST", "") : script;
    execFileSync("sh", ["-ec", own], { cwd: unpacked, env, stdio: ["ignore", "ignore", "pipe"] });
    rmSync(unpacked, { recursive: true, force: true });
    return out;
  } catch (error) {
    const why = (error as Error).message.slice(0, 300);
    say(`${program} of ${source} can't be built for ${host ?? "this machine"}: ${why}`);
    return undefined;
  }
}
