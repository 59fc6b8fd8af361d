/** What is measured: kernels of one kind of work each, programs as people use them, and what is hard for a translator. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bigCode } from "./big-code.ts";
import { COMPILERS, compile, isThere, type Target, TRIPLETS } from "./builds.ts";
import { debianProgram } from "./debian.ts";

export type Kind = "integer" | "float" | "vector" | "real" | "short";

export interface BenchProgram {
  readonly name: string;
  readonly kind: Kind;
  /** Paths by ABI, and of the same source for this machine. */
  readonly paths: ReadonlyMap<Target, string>;
  /** Arguments for so much work; 1 takes qemu-user about half a second. */
  args(work: number): string[];
}

/** The kernels of kernels.c, by how often their work is done. */
const KERNELS: Readonly<Record<string, readonly [Kind, number]>> = {
  crc32: ["integer", 8],
  sieve: ["integer", 6],
  sort: ["integer", 6],
  sha256: ["integer", 8],
  recursion: ["integer", 5],
  matrix: ["integer", 6],
  collatz: ["integer", 6],
  division: ["integer", 6],
  strings: ["integer", 8],
  lists: ["integer", 4],
  indirect: ["integer", 6],
  bytecode: ["integer", 5],
  wide: ["integer", 16],
  allocation: ["integer", 10],
  syscalls: ["integer", 8],
  copies: ["integer", 20],
  products: ["float", 3],
  bodies: ["float", 2],
  singles: ["float", 3],
  functions: ["float", 2],
  fft: ["float", 5],
};

/** The kernels of vectors.c, which are for 64 bits. */
const VECTORS: Readonly<Record<string, number>> = {
  memcpy: 16,
  strlen: 40,
  saxpy: 2,
  dot: 6,
  aes: 5,
  sha512: 12,
  transposition: 10,
};

const LUA = {
  "lua fib": `local function fib(n) if n < 2 then return n end return fib(n-1) + fib(n-2) end
for i = 1, tonumber(arg[1]) do print(fib(27)) end
`,
  "lua mix": `local t = {}
for i = 1, 20000 do t[i] = (i * 7919) % 10007 end
for k = 1, tonumber(arg[1]) do
  table.sort(t, function(a, b) return a > b end)
  local s = {}
  for i = 1, 20000 do s[#s + 1] = tostring(t[i]) end
  local c = 0
  for w in table.concat(s, ","):gmatch("%d+") do c = c + #w end
  local x = 0.0
  for i = 1, 20000 do x = x + math.sin(i) * t[i] / 3 end
  for i = 1, 20000 do t[i] = (t[i] * 31 + k) % 10007 end
  print(k, c, x)
end
`,
  "lua nbody": `local function step(b)
  for i = 1, #b do
    local p = b[i]
    for j = i + 1, #b do
      local q = b[j]
      local dx, dy = p.x - q.x, p.y - q.y
      local f = 1e-4 / (dx * dx + dy * dy + 0.01) ^ 1.5
      p.u, p.v, q.u, q.v = p.u - dx * f, p.v - dy * f, q.u + dx * f, q.v + dy * f
    end
  end
  for _, p in ipairs(b) do p.x, p.y = p.x + p.u, p.y + p.v end
end
local b = {}
for i = 1, 8 do b[i] = { x = i * 1.5 % 4, y = i * 2.5 % 3, u = 0, v = 0 } end
for i = 1, 9000 * tonumber(arg[1]) do step(b) end
print(b[1].x, b[2].y)
`,
};

const AWK = `BEGIN { n = WORK * 40000; for (i = 0; i < n; i++) { k = "key" (i * 7919 % 5003); count[k]++; s = s substr(k, 4, 1)
  if (length(s) > 200) { gsub(/[13579]/, "odd", s); sum += length(s); s = "" } }
  for (k in count) if (match(k, /9+$/)) sum += count[k]; print sum }
`;

/** Text with the statistics of text: words of a vocabulary, some of them often. */
function text(bytes: number): string {
  let state = 1;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const letters = "etaoinshrdlucmfwypvbgkjqxz";
  const words = Array.from({ length: 2000 }, () =>
    Array.from({ length: 2 + next(8) }, () => letters[Math.min(next(26), next(26))]).join(""),
  );
  let result = "";
  while (result.length < bytes)
    result += `${words[Math.min(next(2000), next(2000))]}${next(12) === 0 ? ".\n" : " "}`;
  return result;
}

/**
 * All programs that can be had here and whose names are wanted; `say` is told what can't be had. Files for them are put into `folder`.
 */
export function benchPrograms(
  root: string,
  folder: string,
  isWanted: (name: string) => boolean,
  say: (text: string) => void,
): BenchProgram[] {
  const abis: readonly Target[] = ["ppc32", "ppc64", "native"];
  mkdirSync(folder, { recursive: true });
  const compiled = (file: string): BenchProgram["paths"] => {
    const paths = new Map<Target, string>();
    for (const abi of abis) if (isThere(COMPILERS[abi])) paths.set(abi, compile(root, abi, file));
    return paths;
  };
  const programs: BenchProgram[] = [];
  const timesOf = (name: string, times: number) => (work: number) => [
    name,
    String(Math.max(1, Math.round(work * times))),
  ];
  const kernel = (name: string, kind: Kind, times: number): void => {
    if (!isWanted(name)) return;
    programs.push({ name, kind, paths: compiled("bench/kernels.c"), args: timesOf(name, times) });
  };
  for (const [name, [kind, times]] of Object.entries(KERNELS)) kernel(name, kind, times);
  kernel("nothing", "short", 0);
  for (const [name, times] of Object.entries(VECTORS)) {
    if (!isWanted(name) || !isThere(COMPILERS.ppc64)) continue;
    const flags = ["-O3", "-mcpu=power8"];
    const paths = new Map<Target, string>([["ppc64", compile(root, "ppc64", "bench/vectors.c", flags)]]);
    programs.push({ name, kind: "vector", paths, args: timesOf(name, times) });
  }
  if (isWanted("big code")) {
    const source = join(folder, "big-code.c");
    if (!existsSync(source)) writeFileSync(source, bigCode());
    programs.push({ name: "big code", kind: "short", paths: compiled(source), args: () => [] });
  }

  const built = (program: string, abi: Target) => debianProgram(folder, program, TRIPLETS[abi], say);
  const real = (name: string, program: string, args: (work: number) => string[]): void => {
    if (!isWanted(name)) return;
    const paths = new Map<Target, string>();
    for (const abi of abis) {
      const path = built(program, abi);
      if (path !== undefined) paths.set(abi, path);
    }
    if (paths.size > 0) programs.push({ name, kind: "real", paths, args });
  };
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const once = (name: string, make: () => string | Buffer): string =>
    existsSync(join(folder, name)) ? join(folder, name) : file(name, make());
  const script = (name: string, content: string) => {
    const path = file(`${name.replace(" ", "-")}.lua`, content);
    real(name, "lua", (work) => [path, String(Math.max(1, Math.round(work * SCRIPTS[name])))]);
  };
  for (const [name, content] of Object.entries(LUA)) script(name, content);
  const plain = (work: number) => once(`text-${work}`, () => text(Math.round(work * 1_500_000)));
  const packed = (work: number, program: string, args: string[]) => {
    const native = built(program, "native");
    return native === undefined
      ? plain(work)
      : once(`${program}-${work}.packed`, () =>
          execFileSync(native, [...args, plain(work)], { maxBuffer: 2 ** 28 }),
        );
  };
  real("bzip2", "bzip2", (work) => ["-kc", plain(work)]);
  real("bunzip2", "bzip2", (work) => ["-dkc", packed(3 * work, "bzip2", ["-kc"])]);
  real("gzip", "minigzip", (work) => ["-c", plain(3 * work)]);
  real("gunzip", "minigzip", (work) => ["-d", "-c", packed(8 * work, "minigzip", ["-c"])]);
  real("xz", "xz", (work) => ["-kc", "-2", plain(work)]);
  real("unxz", "xz", (work) => ["-dkc", packed(6 * work, "xz", ["-kc", "-2"])]);
  real("mawk", "mawk", (work) => [AWK.replace("WORK", String(Math.max(1, Math.round(4 * work))))]);
  real("sqlite", "speedtest", (work) => ["--size", String(Math.max(1, Math.round(5 * work))), ":memory:"]);
  return programs;
}

/** How often scripts do their work. */
const SCRIPTS: Readonly<Record<string, number>> = { "lua fib": 3, "lua mix": 2, "lua nbody": 2 };
