/**
 * The compiled command: a script that every run takes, others with what few runs do, which are loaded when something of theirs is first
 * wanted (`scripts/deferred.mjs`), and beside each V8's code cache of it, which spares every start the parsing and compiling. V8 takes a cache only from its own version, so another
 * version of Node than the one that built ppcr compiles as usual; so does one that finds a cache damaged.
 */
import { join } from "node:path";
import { Script } from "node:vm";
import type * as Main from "./main.ts";
import { read, readSealed, sealed } from "./sealed.ts";

/** The scripts that the build leaves in dist/bin, as NAME.cjs with NAME.cache. One may need those before it to be loaded. */
export const SCRIPTS = ["main", "vectors", "translator", "calls", "rare", "options", "seldom"] as const;
export type ScriptName = (typeof SCRIPTS)[number];
/** The script of the thread that translates: it lies beside them, and takes none of them. */
export const THREAD_SCRIPT = "translating";
type AnyName = ScriptName | typeof THREAD_SCRIPT;

export const scriptFile = (name: AnyName): string => `${name}.cjs`;
export const cacheFile = (name: AnyName): string => `${name}.cache`;

interface Loaded {
  readonly script: Script;
  readonly module: { exports: unknown };
}

/** The code cache of a script as it is now, for V8 with the flags that it has. */
export const cacheOf = (script: Script): Buffer => sealed(script.createCachedData());

/** The scripts of a folder. */
export class Bundle {
  private readonly folder: string;
  private readonly loaded = new Map<AnyName, Loaded>();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Compiles a script, from its cache if there is one that fits. */
  compile(name: AnyName): Script {
    const filename = join(this.folder, scriptFile(name));
    // The script is ASCII: V8 then keeps a byte a character, and nothing is decoded.
    const source = read(filename).toString("latin1");
    return new Script(source, { filename, cachedData: readSealed(join(this.folder, cacheFile(name))) });
  }

  /** Executes a script as Node would a CommonJS module, when it is first asked for. */
  load(name: ScriptName): Loaded {
    const known = this.loaded.get(name);
    if (known !== undefined) return known;
    return name === "main"
      ? this.loadAlone(name)
      : this.execute(
          name,
          this.main.withPlainFlags(() => this.compile(name)),
        );
  }

  /** The same for one that takes no other, with V8's flags as they are. */
  loadAlone(name: AnyName): Loaded {
    return this.execute(name, this.compile(name));
  }

  private execute(name: AnyName, script: Script): Loaded {
    const module = { exports: {} };
    this.loaded.set(name, { script, module });
    const call = script.runInThisContext() as (...parameters: unknown[]) => void;
    const require = (wanted: string) => this.require(wanted);
    call(module.exports, require, module, join(this.folder, scriptFile(name)), this.folder);
    return { script, module };
  }

  /** The scripts that have been executed. */
  get names(): readonly ScriptName[] {
    return SCRIPTS.filter((name) => this.loaded.has(name));
  }

  /** What the first script exports. */
  private get main(): typeof Main {
    return this.load("main").module.exports as typeof Main;
  }

  /** The code cache of a script of the command as it is now. */
  cacheOf(name: ScriptName): Buffer {
    const { script } = this.load(name);
    return this.main.withPlainFlags(() => cacheOf(script));
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
