/**
 * What the command's first script leaves out, though its modules import it like anything else: what the smallest programs do without. Most
 * of a short run is the loading of code, and V8 pays for each function of a script, called or not.
 *
 * The modules named here make scripts of their own, and such a script is loaded when something of it is first reached for. So the others name
 * what is deferred inside functions, not in code that runs when a module is loaded: the build fails where a small program takes more than
 * the first script (`code-cache.ts`).
 */
import { existsSync } from "node:fs";
import { Module } from "node:module";

/** The modules, by their folders; `*` is all of a folder. */
const DEFERRED = {
  /** What runs when something is hot: the translator but for the engine, which finds out what is. */
  translator: `
    emu/jit: access-ranges archive comparisons directed-sum double-expressions entrances flow fp-record generator guards helper-functions inline kept-by-calls orders piece probe produce
      quick-code quick-rows quick-vectors scan settle slots state stretches translate values wasm
    emu/jit/rows: *
    emu/host/node: translator-thread`,
  /** Instructions other than those of integers. */
  vectors: `
    emu/cpu: prefixed
    emu/isa/table: decimal vector-integer vector-other vector-permute vsx-quad vsx-scalar vsx-vector
    emu/cpu/decimal: *
    emu/cpu/floating-point: *
    emu/cpu/vector: *`,
  /** What programs with a C library take, dynamic linkers before all: the second stage of `syscall-table.ts`, /proc, more of the instruction table. */
  calls: `
    emu/isa/table: fixed-storage floating-point matrix storage supervisor vector-storage
    emu/host/node: terminal
    cli: prepared sealed
    emu/jit: linker quick-loop
    emu/linux: cpu-sets
    emu/memory: shared-object
    emu/linux/syscalls: files-attributes files-locks files-names files-open files-stat futex futex-common futex-pi futex-waitv identity
      ioctl ioctl-clones ioctl-interfaces ioctl-numbers ioctl-sockets ioctl-terminal limits memory memory-advice memory-locks misc named-pipes signals time time-format
    emu/linux/net: loopback-interface
    emu/linux/signals: bytes deliver faults frame-layout frames mcontext post send siginfo
    emu/linux/vdso: clock-data unwind vdso-functions vdso-image
    emu/linux/vfs: anonymous-file file-status known-files mount-table namespace-file proc proc-locks proc-maps proc-net proc-outside proc-pages proc-process proc-sched proc-sockets proc-source proc-system proc-view special-files sysctls sysfs`,
  /** What few do: calls of the third stage, and what their objects are; freezing, tracing, debugging. */
  rare: `
    emu: cpu-models debug digest trace
    cli: atomic-file
    emu/isa: aliases disassembler encoder operands
    emu/linux: classic-bpf fork freeze freeze-memory freeze-registers freeze-seccomp profiler strace symbol-tables
    emu/linux/elf: build-id sections symbols
    emu/linux/net: address datagram-socket gateway inbox make-socket multicast netlink-message netlink-socket packet-filter socket-diagnosis stream-socket thaw-socket
    emu/linux/signals: children
    emu/linux/syscalls: aio checkpoint-restart clone confinement epoll file-handles filter-programs inotify io-priority kcmp mempolicy mqueue pidfd poll prctl
      priority process-vm ptrace sched signalfd socketcall sockets sockets-common sockets-control sockets-multicast sockets-options sockets-transfer splice
      sysv sysv-common sysv-memory sysv-messages sysv-semaphores timerfd timers wait
    emu/linux/tracing: freeze-traces trace-registers
    emu/linux/vfs: epoll-file freeze-context freeze-files inotify-file line-discipline other-names pid-file pipe proc-sysvipc
      readiness ring seals signal-file thaw-context thaw-files timer-file travelling`,
  /** The command line's options, which the shortest runs have none of. */
  options: `
    cli: commands options
    node_modules/commander: *
    node_modules/commander/lib: *`,
};

/** What stands for those modules of Node's that dependencies ask for too early (`rolldown.config.mjs`); commander is the first that does. */
const STANDS_FOR = "^\\0seldom ";

/** What the paths of a list's modules match. @param {string} list */
function patternOf(list) {
  const folders = [...list.matchAll(/(\S+):([^:]*)(?=\s\S+:|$)/g)].map(([, folder, text]) => {
    const names = text.trim().split(/\s+/);
    for (const name of names)
      if (name !== "*" && !existsSync(`${folder}/${name}.ts`))
        throw new Error(`no ${folder}/${name}.ts to defer`);
    return `${folder}/(${names.join("|").replace("*", "[^/]*")})`;
  });
  return `/(${folders.join("|")})\\.[cm]?[jt]s$`;
}

/** The groups of modules that become scripts, as Rolldown takes them. */
export const deferredGroups = Object.entries(DEFERRED).map(([name, list]) => ({
  name,
  test: new RegExp(name === "options" ? `${patternOf(list)}|${STANDS_FOR}` : patternOf(list)),
  priority: 1,
}));

const RUNTIME = "rolldown-runtime";
/** @param {string} name */
const required = (name) => new RegExp(`const (require_\\w+)=require\\("\\./${name}\\.cjs"\\);`);

/** @param {string} code */
const plain = (code) =>
  code.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/**
 * Rewrites how the scripts ask for each other. Rolldown has each begin with `const require_x=require("./x.cjs")`, and name what is in another as
 * `require_x.y`. Deferred scripts are asked for at each such place instead. What is in the first script, which is complete before
 * any other is loaded, is taken from it once: V8 then knows it for constant, as inside the script. And each script gets Rolldown's own few
 * helpers, and becomes what its launcher takes: the function that Node makes of a CommonJS module, in ASCII.
 */
export const deferring = {
  name: "deferring",
  /** @param {unknown} _options @param {Record<string, { type: string, name: string, code: string }>} bundle */
  generateBundle(_options, bundle) {
    const runtime = bundle[`${RUNTIME}.cjs`]?.code ?? "";
    delete bundle[`${RUNTIME}.cjs`];
    for (const chunk of Object.values(bundle)) {
      let code = chunk.name === "main" ? sharing(chunk.code) : fromMain(chunk.code);
      code = code.replace(
        required(RUNTIME),
        (_, id) => `const ${id}=(exports=>{${runtime};return exports})({});`,
      );
      for (const name of Object.keys(DEFERRED)) code = lazily(code, name);
      chunk.code = Module.wrap(plain(code));
    }
  },
};

/** Makes a script that needs no other what a launcher takes. */
export const alone = {
  name: "alone",
  /** @param {unknown} _options @param {Record<string, { code: string }>} bundle */
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) chunk.code = Module.wrap(plain(chunk.code));
  },
};

/**
 * The first script gives the others what they name of it by one function: to export hundreds of names one by one takes a millisecond. What its
 * entry exports keeps its name. @param {string} code
 */
function sharing(code) {
  // What is assigned again is exported by a getter, which the others would not follow.
  if (/defineProperty\(exports,["'`]/.test(code))
    throw new Error("an export of the first script is assigned again");
  const [block] = /(exports\.[\w$]+=[\w$]+;)+\s*$/.exec(code) ?? [""];
  const exported = [...block.matchAll(/exports\.([\w$]+)=([\w$]+);/g)];
  const own = exported.filter(([, name, local]) => name === local).map(([statement]) => statement);
  const shared = exported.map(([, name, local]) => `${name}:${local}`);
  return `${code.slice(0, code.length - block.length)}${own.join("")}exports.shared=()=>({${shared}});`;
}

/** @param {string} code @param {string} name */
function lazily(code, name) {
  const [statement, id] = required(name).exec(code) ?? [];
  if (statement === undefined) return code;
  const [before, after] = code.split(statement);
  const asked = after.replaceAll(`${id}.`, `(${id}()).`);
  return `${before}let ${name}_;const ${id}=()=>${name}_??=require("./${name}.cjs");${asked}`;
}

/** @param {string} code */
function fromMain(code) {
  const [statement, id] = required("main").exec(code) ?? [];
  if (statement === undefined) return code;
  const names = new Set();
  const known = code.replace(new RegExp(`\\b${id}\\.([\\w$]+)`, "g"), (_, name) => {
    names.add(name);
    return `main_${name}`;
  });
  const taken = [...names].map((name) => `${name}:main_${name}`).join();
  return known.replace(statement, () => `const {${taken}}=require("./main.cjs").shared();`);
}
