/** `--dump-regions`: guest code that was translated, beside the text of the WebAssembly it became. */
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type loadWabt from "wabt";
import { toHost } from "../emu/host/node/files.ts";
import { disassembleWords } from "../emu/isa/disassembler.ts";
import type { TranslatedRegion } from "../emu/machine.ts";
import { describeSystemError, Failure } from "./failure.ts";

type Wabt = Awaited<ReturnType<typeof loadWabt>>;

/** What WebAssembly's text needs to be told of the features that modules use. */
const FEATURES = {
  tail_call: true,
  threads: true,
  simd: true,
  relaxed_simd: true,
  multi_value: true,
  bulk_memory: true,
};

/** The regions of a run, and the folder they are written to when it has ended. */
export class Regions {
  private readonly folder: string;
  private readonly regions: TranslatedRegion[] = [];

  /** Throws Failure for a folder that can't be had. */
  constructor(folder: string) {
    this.folder = folder;
    try {
      mkdirSync(toHost(folder), { recursive: true });
    } catch (error) {
      throw new Failure(`cannot make ${folder}: ${describeSystemError(error)}`);
    }
  }

  readonly add = (region: TranslatedRegion): void => {
    this.regions.push(region);
  };

  /** A file a region, by the address where it begins; what was translated once more has a number behind it. */
  async write(is64: boolean): Promise<void> {
    const toText = await textMaker();
    const times = new Map<string, number>();
    for (const region of this.regions) {
      const name = hexWord(region.entries[0]);
      const time = times.get(name) ?? 0;
      times.set(name, time + 1);
      const file = join(this.folder, time === 0 ? `${name}.txt` : `${name}.${time}.txt`);
      try {
        writeFileSync(toHost(file), `${guestText(region, is64)}\n${toText(region.module)}`);
      } catch (error) {
        throw new Failure(`cannot write ${file}: ${describeSystemError(error)}`);
      }
    }
  }
}

async function textMaker(): Promise<(module: Uint8Array) => string> {
  try {
    // As Node does it for scripts: the command's own is compiled without a way to import().
    const load = createRequire(import.meta.url)("wabt") as () => Promise<Wabt>;
    const wabt = await load();
    return (bytes) => {
      // It reads the whole buffer of a view.
      const module = wabt.readWasm(bytes.slice(), FEATURES);
      const text = module.toText({ foldExprs: true, inlineExport: false });
      module.destroy();
      return text;
    };
  } catch {
    throw new Failure("--dump-regions needs the npm package wabt, which is not installed");
  }
}

const hexWord = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");

/** The blocks of guest code, the places where it can be entered marked. */
function guestText({ entries, blocks, isReused }: TranslatedRegion, is64: boolean): string {
  const lines = [`;; ${isReused ? "translated before" : "translated in this run"}`];
  for (const { address, words } of blocks) {
    if (entries.includes(address)) lines.push(";; entry");
    for (let i = 0; i < words.length; ) {
      const at = address + 4 * i;
      const instruction = disassembleWords(words[i], () => words[i + 1], at, { is64 });
      const code = Array.from(words.slice(i, i + instruction.words), hexWord).join(" ");
      lines.push(`;; ${hexWord(at)}  ${code}  ${instruction.text}`);
      i += instruction.words;
    }
    lines.push(";;");
  }
  return `${lines.join("\n")}\n`;
}
