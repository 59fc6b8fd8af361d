/**
 * The CPU models: what a processor has and how Linux describes it to programs (cpu_specs of arch/powerpc/kernel: AT_HWCAP, AT_HWCAP2,
 * AT_PLATFORM). None advertises transactional memory, which no instruction here provides.
 */
import { lazily } from "../lazily.ts";
import type { CpuModel } from "./cpu.ts";
import { OF_UPPER_HALVES } from "./narrow.ts";
import { includes } from "./versions.ts";

/** Which programs a CPU is for. */
export type ModelAbi = "ppc32" | "ppc64" | "ppc64le";

/** AT_HWCAP bits, by Linux's names (PPC_FEATURE_...). */
const PPC_32 = 0x8000_0000;
const PPC_64 = 0x4000_0000;
const HAS_ALTIVEC = 0x1000_0000;
const HAS_FPU = 0x0800_0000;
const HAS_MMU = 0x0400_0000;
const POWER4 = 0x0008_0000;
const SMT = 0x4000;
const ICACHE_SNOOP = 0x2000;
const HAS_DFP = 0x400;
const ARCH_2_06 = 0x100;
const HAS_VSX = 0x80;
const PERFMON_COMPAT = 0x40;
const TRUE_LE = 0x2;
/** AT_HWCAP2 bits (PPC_FEATURE2_...). */
const ARCH_2_07 = 0x8000_0000;
const DSCR = 0x2000_0000;
const ISEL = 0x0800_0000;
const TAR = 0x0400_0000;
const VEC_CRYPTO = 0x0200_0000;
const ARCH_3_00 = 0x0080_0000;
const HAS_IEEE128 = 0x0040_0000;
const DARN = 0x0020_0000;
const SCV = 0x0010_0000;
const ARCH_3_1 = 0x0004_0000;
const MMA = 0x0002_0000;

const POWER7_HWCAP =
  HAS_ALTIVEC | SMT | ICACHE_SNOOP | HAS_DFP | ARCH_2_06 | HAS_VSX | PERFMON_COMPAT | TRUE_LE;
const POWER8_HWCAP2 = ARCH_2_07 | DSCR | ISEL | TAR | VEC_CRYPTO;
const POWER9_HWCAP2 = POWER8_HWCAP2 | ARCH_3_00 | HAS_IEEE128 | DARN | SCV;

/** Facilities of every model, and those that `--cpu help` names. */
const SCALAR = ["base", "fp", "storage"];
const SHOWN: Readonly<Record<string, string>> = {
  "64": "64-bit",
  altivec: "Altivec",
  vsx: "VSX",
  dfp: "decimal",
  crypto: "cryptography",
  mma: "matrix",
};

interface ModelEntry extends CpuModel {
  readonly description: string;
}

type Differences = Partial<CpuModel> & { readonly has: readonly string[] };

/** A model with what `has` names beyond the scalar facilities. */
function entry(
  name: string,
  title: string,
  pvr: number,
  version: string,
  hwcap: number,
  { has, ...differs }: Differences,
): ModelEntry {
  const named = has.flatMap((facility) => SHOWN[facility] ?? []);
  return {
    name,
    description: [title, ...(named.length > 0 ? [named.join(", ")] : [])].join(": "),
    pvr,
    version,
    facilities: new Set([...SCALAR, ...has]),
    cacheBlock: has.includes("64") ? 128 : 32,
    hwcap: (PPC_32 | HAS_FPU | HAS_MMU | hwcap) >>> 0,
    hwcap2: 0,
    ...differs,
  };
}

/** Performance monitor registers of the classic processors that programs may read. */
const CLASSIC_MONITOR = [936, 937, 938, 939, 940, 941, 942];
/** The classic processors have no floating-point square root. */
const CLASSIC_LACKS = new Set(["fsqrt", "fsqrts"]);

const server = (
  name: string,
  title: string,
  pvr: number,
  version: string,
  hwcap2: number,
  has: readonly string[],
): ModelEntry =>
  entry(name, title, pvr, version, PPC_64 | POWER7_HWCAP, {
    has: ["64", "fp64", "altivec", "vsx", "dfp", ...has],
    hwcap2: hwcap2 >>> 0,
    hasRadix: (hwcap2 & ARCH_3_00) !== 0,
    platform: name,
  });

const models = lazily((): readonly ModelEntry[] => [
  entry("750", "PowerPC 750", 0x0008_0301, "PPC", 0, {
    has: [],
    lacks: CLASSIC_LACKS,
    classicEstimates: true,
    idleMonitor: CLASSIC_MONITOR,
    platform: "ppc750",
  }),
  entry("7400", "PowerPC 7400", 0x000c_0209, "PPC", HAS_ALTIVEC, {
    has: ["altivec"],
    lacks: CLASSIC_LACKS,
    idleMonitor: CLASSIC_MONITOR,
    platform: "ppc7400",
  }),
  entry("7450", "PowerPC 7450", 0x8000_0201, "PPC", HAS_ALTIVEC, {
    has: ["altivec"],
    lacks: CLASSIC_LACKS,
    idleMonitor: CLASSIC_MONITOR,
    platform: "ppc7450",
  }),
  entry("970", "PowerPC 970, ISA 2.01", 0x0039_0202, "2.01", PPC_64 | POWER4 | HAS_ALTIVEC, {
    has: ["64", "fp64", "altivec"],
    platform: "ppc970",
  }),
  server("power7", "POWER7, ISA 2.06", 0x003f_0203, "2.06", DSCR | ISEL, []),
  server("power8", "POWER8, ISA 2.07", 0x004d_0200, "2.07", POWER8_HWCAP2, ["crypto"]),
  server("power9", "POWER9, ISA 3.0B, the default", 0x004e_1200, "3.0B", POWER9_HWCAP2, ["crypto"]),
  server("power10", "POWER10, ISA 3.1", 0x0080_0200, "3.1", POWER9_HWCAP2 | ARCH_3_1 | MMA, [
    "crypto",
    "mma",
  ]),
]);

/** Names that models had in earlier versions, which images still have. */
const FORMER_NAMES: Readonly<Record<string, string>> = { ppc970: "970" };

/** The model that programs get by default; a 32-bit one sees what a 64-bit kernel shows it. */
export const DEFAULT_MODEL = "power9";

/** Names and descriptions of the models that can run programs of `abi` (all models without it). */
export function modelList(abi?: ModelAbi): { name: string; description: string }[] {
  return models()
    .filter((model) => abi === undefined || suits(model, abi))
    .map(({ name, description }) => ({
      name,
      description,
    }));
}

const suits = (model: CpuModel, abi: ModelAbi): boolean => abi === "ppc32" || model.facilities.has("64");

const narrowedModel = (wide: CpuModel): CpuModel => ({
  ...wide,
  facilities: new Set([...wide.facilities].filter((facility) => facility !== "64")),
  lacks: new Set([...(wide.lacks ?? []), ...OF_UPPER_HALVES]),
  wide,
});

/** The models as the programs of each ABI see them. */
const SEEN = new Map<string, CpuModel>();

/** The model of that name (or the default) as programs of `abi` see it; undefined if there is none, or it can't run them. */
export function findModel(name: string | undefined, abi: ModelAbi): CpuModel | undefined {
  const wanted = name === undefined ? DEFAULT_MODEL : (FORMER_NAMES[name] ?? name);
  const model = models().find((model) => model.name === wanted);
  if (model === undefined || !suits(model, abi)) return undefined;
  const key = `${abi} ${wanted}`;
  let seen = SEEN.get(key);
  if (seen === undefined) {
    seen = abi === "ppc32" && model.facilities.has("64") ? narrowedModel(model) : model;
    SEEN.set(key, seen);
  }
  return seen;
}

/** Whether Linux has a radix tree of page tables on such a processor, not a hashed table. */
export const isRadix = ({ version }: CpuModel): boolean => includes(version, "3.0");

/** Whether accesses to pages can be strongly ordered there (PROT_SAO; Linux: CPU_FTR_SAO). */
export const hasStrongOrdering = ({ version }: CpuModel): boolean => includes(version, "2.06");

/** The same, with a RangeError that names the models there are. */
export function modelFor(name: string | undefined, abi: ModelAbi): CpuModel {
  const model = findModel(name, abi);
  if (model !== undefined) return model;
  const names = modelList(abi).map((entry) => entry.name);
  throw new RangeError(`no CPU model ${name} for ${abi} programs; there are ${names.join(", ")}`);
}
