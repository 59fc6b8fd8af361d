/** By a default import the bundler would go through all names of the module, some of which load others. */
export const fs = process.getBuiltinModule("node:fs");

/** Modules of Node that are loaded when they are first needed: most runs never need them, and each costs milliseconds at start-up. */
export const builtins = {
  get childProcess() {
    return process.getBuiltinModule("node:child_process");
  },
  get crypto() {
    return process.getBuiltinModule("node:crypto");
  },
  get dgram() {
    return process.getBuiltinModule("node:dgram");
  },
  get net() {
    return process.getBuiltinModule("node:net");
  },
  get os() {
    return process.getBuiltinModule("node:os");
  },
  get tty() {
    return process.getBuiltinModule("node:tty");
  },
  get v8() {
    return process.getBuiltinModule("node:v8");
  },
  get workerThreads() {
    return process.getBuiltinModule("node:worker_threads");
  },
};
