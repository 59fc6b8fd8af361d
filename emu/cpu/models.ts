/**
 * The CPU models. What one advertises (AT_HWCAP, AT_HWCAP2) is what there are handlers for: none has Altivec, VSX or decimal
 * floating-point bits, so that programs which ask take their scalar paths. The bits of whole architecture levels from 2.06 on are
 * left out too, since software takes VSX for granted where it sees them (glibc's logb_power7, logf_power8).
 */
import type { CpuModel } from "./cpu.ts";

/** Which programs a CPU is for. */
export type ModelAbi = "ppc32" | "ppc64" | "ppc64le";

/** AT_HWCAP bits, by Linux's names (PPC_FEATURE_...). */
const PPC_32 = 0x8000_0000;
const PPC_64 = 0x4000_0000;
const HAS_FPU = 0x0800_0000;
const HAS_MMU = 0x0400_0000;
const POWER4 = 0x0008_0000;
const ARCH_2_05 = 0x0000_1000;
/** AT_HWCAP2 bits (PPC_FEATURE2_...). */
const DSCR = 0x2000_0000;
const ISEL = 0x0800_0000;
const TAR = 0x0400_0000;

const SCALAR = ["base", "fp", "storage"];

interface ModelEntry extends CpuModel {
  readonly description: string;
}

/** A 64-bit server processor. */
const server = (
  name: string,
  description: string,
  pvr: number,
  version: string,
  hwcap: number,
  hwcap2: number,
): ModelEntry => ({
  name,
  description,
  pvr,
  version,
  facilities: new Set([...SCALAR, "64", "fp64"]),
  cacheBlock: 128,
  hwcap: (PPC_32 | PPC_64 | HAS_FPU | HAS_MMU | hwcap) >>> 0,
  hwcap2: hwcap2 >>> 0,
  platform: name,
});

const MODELS: readonly ModelEntry[] = [
  {
    name: "750",
    description: "PowerPC 750 (32-bit), the default for 32-bit programs",
    pvr: 0x0008_0301,
    version: "PPC",
    facilities: new Set(SCALAR),
    lacks: new Set(["fsqrt", "fsqrts"]),
    idleMonitor: [936, 937, 938, 939, 940, 941, 942],
    cacheBlock: 32,
    hwcap: (PPC_32 | HAS_FPU | HAS_MMU) >>> 0,
    hwcap2: 0,
    platform: "ppc750",
  },
  server("ppc970", "PowerPC 970 without Altivec (ISA 2.01)", 0x0039_0202, "2.01", POWER4, 0),
  server("power7", "POWER7, scalar (ISA 2.06)", 0x003f_0203, "2.06", ARCH_2_05, DSCR | ISEL),
  server(
    "power8",
    "POWER8, scalar (ISA 2.07), the default for 64-bit programs",
    0x004d_0200,
    "2.07",
    ARCH_2_05,
    DSCR | ISEL | TAR,
  ),
  server("power9", "POWER9, scalar (ISA 3.0B)", 0x004e_1200, "3.0B", ARCH_2_05, DSCR | ISEL | TAR),
];

/** The default model of an ABI's programs. */
export const defaultModel = (abi: ModelAbi): string => (abi === "ppc32" ? "750" : "power8");

/** Names and descriptions of the models that can run programs of `abi` (all models without it). */
export function modelList(abi?: ModelAbi): { name: string; description: string }[] {
  return MODELS.filter((model) => abi === undefined || suits(model, abi)).map(({ name, description }) => ({
    name,
    description,
  }));
}

const suits = (model: CpuModel, abi: ModelAbi): boolean => abi === "ppc32" || model.facilities.has("64");

/** The models as 32-bit programs see them. */
const MODELS_32: readonly CpuModel[] = MODELS.map((model) => ({
  ...model,
  facilities: new Set([...model.facilities].filter((facility) => facility !== "64")),
}));

/**
 * The model of that name (or the ABI's default) as programs of `abi` see it: for 32-bit programs a 64-bit processor is one without
 * the instructions on 64-bit GPRs. Undefined if there is none, or it can't run such programs.
 */
export function findModel(name: string | undefined, abi: ModelAbi): CpuModel | undefined {
  const wanted = name ?? defaultModel(abi);
  if (abi === "ppc32") return MODELS_32.find((model) => model.name === wanted);
  return MODELS.find((model) => model.name === wanted && suits(model, abi));
}

/** The same, with a RangeError that names the models there are. */
export function modelFor(name: string | undefined, abi: ModelAbi): CpuModel {
  const model = findModel(name, abi);
  if (model !== undefined) return model;
  const names = modelList(abi).map((entry) => entry.name);
  throw new RangeError(`no CPU model ${name} for ${abi} programs; there are ${names.join(", ")}`);
}
