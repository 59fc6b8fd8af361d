/**
 * The compiled command: a script that every run takes, others with what few runs do, which are loaded when something of theirs is first
 * wanted (`scripts/deferred.mjs`), and beside each V8's code cache of it, which spares every start the parsing and compiling. V8 takes a cache only from its own version, so another
 * version of Node than the one that built ppcr compiles as usual; so does one that finds a cache damaged.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";
import type * as Main from "./main.ts";

/** The scripts that the build leaves in dist/bin, as NAME.cjs with NAME.cache. One may need those before it to be loaded. */
export const SCRIPTS = ["main", "vectors", "translator", "calls", "rare", "options", "seldom"] as const;
export type ScriptName = (typeof SCRIPTS)[number];

export const scriptFile = (name: ScriptName): string => `${name}.cjs`;
export const cacheFile = (name: ScriptName): string => `${name}.cache`;

interface Loaded {
  readonly script: Script;
  readonly module: { exports: unknown };
}

/** The scripts of a folder. */
export class Bundle {
  private readonly folder: string;
  private readonly loaded = new Map<ScriptName, Loaded>();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Compiles a script, from its cache if there is one that fits. */
  compile(name: ScriptName): Script {
    const filename = join(this.folder, scriptFile(name));
    // The script is ASCII: V8 then keeps a byte a character, and nothing is decoded.
    const source = read(filename).toString("latin1");
    return new Script(source, { filename, cachedData: readCache(join(this.folder, cacheFile(name))) });
  }

  /** Executes a script as Node would a CommonJS module, when it is first asked for. */
  load(name: ScriptName): Loaded {
    const known = this.loaded.get(name);
    if (known !== undefined) return known;
    const script = name === "main" ? this.compile(name) : this.main.withPlainFlags(() => this.compile(name));
    const module = { exports: {} };
    this.loaded.set(name, { script, module });
    const call = script.runInThisContext() as (...parameters: unknown[]) => void;
    const require = (wanted: string) => this.require(wanted);
    call(module.exports, require, module, join(this.folder, scriptFile(name)), this.folder);
    return { script, module };
  }

  /** The scripts that have been executed. */
  get names(): readonly ScriptName[] {
    return [...this.loaded.keys()];
  }

  /** What the first script exports. */
  private get main(): typeof Main {
    return this.load("main").module.exports as typeof Main;
  }

  /** The code cache of a script as it is now. */
  cacheOf(name: ScriptName): Buffer {
    const { script } = this.load(name);
    return sealed(this.main.withPlainFlags(() => script.createCachedData()));
  }

  /** Runs the command. The scripts ask for each other only now, when the first is complete. */
  start(): void {
    void this.main.main();
  }

  /** What a script gets by a name: another one, or a module of Node's. There is nothing else that they ask for. */
  private require(wanted: string): unknown {
    const name = SCRIPTS.find((each) => wanted === `./${scriptFile(each)}`);
    return name === undefined ? process.getBuiltinModule(wanted) : this.load(name).module.exports;
  }
}

/** What files are read into, one after the other: fresh memory for each would take as long as reading it. */
let buffer = Buffer.alloc(0);
/** Bytes that the first script and its cache fit into. */
const ROOM = 2 ** 20;

/** The bytes of a file, until the next one is read. */
function read(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    if (buffer.length < size) buffer = Buffer.allocUnsafeSlow(Math.max(size, ROOM));
    return buffer.subarray(0, readSync(file, buffer, 0, size, 0));
  } finally {
    closeSync(file);
  }
}

/** Bytes that a disk loses together. */
const SECTOR = 512;

/**
 * By which a cache is known to be what was made. V8 looks at its length, and for whom it is, and dies of what is damaged farther on. So this is a
 * word of every sector, which takes some 0.4 ms; all of them would take 3.
 */
function digestOf(cache: Buffer): number {
  const words = new Int32Array(cache.buffer, cache.byteOffset, cache.length >>> 2);
  let digest = cache.length;
  for (let i = 0; i < words.length; i += SECTOR / 4) digest = (Math.imul(digest, 31) + words[i]) | 0;
  return digest;
}

/** What is to be kept of a cache: all of it, and its digest. */
function sealed(cache: Buffer): Buffer {
  const end = Buffer.alloc(4);
  end.writeInt32LE(digestOf(cache));
  return Buffer.concat([cache, end]);
}

/** The cache in a file; undefined where there is none, or not as it was made. */
function readCache(path: string): Buffer | undefined {
  try {
    const kept = read(path);
    const cache = kept.subarray(0, -4);
    return kept.readInt32LE(cache.length) === digestOf(cache) ? cache : undefined;
  } catch {
    return undefined;
  }
}
