/** The interpreter as a test driver. */
import { type FaultKind, GuestFault } from "../../emu/cpu/fault.ts";
import { Interpreter } from "../../emu/cpu/interpreter.ts";
import { modelFor, modelList } from "../../emu/cpu/models.ts";
import { MSR_SF } from "../../emu/cpu/registers.ts";
import { asm } from "../../emu/isa/encoder.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";
import { CODE, type CpuCase, type CpuResult, DATA, maskOf, type TestAbi, type TestDriver } from "./driver.ts";

const SIGNALS: Record<FaultKind, CpuResult["signal"]> = {
  "data-unmapped": "SIGSEGV",
  "data-protected": "SIGSEGV",
  "data-beyond-file": "SIGBUS",
  "out-of-memory": undefined,
  "fetch-unmapped": "SIGSEGV",
  "fetch-protected": "SIGSEGV",
  "fetch-beyond-file": "SIGBUS",
  alignment: "SIGBUS",
  illegal: "SIGILL",
  unavailable: "SIGILL",
  privileged: "SIGILL",
  trap: "SIGTRAP",
  "floating-point": "SIGFPE",
  breakpoint: "SIGTRAP",
};

/** No test's program is longer. */
const MOST_INSTRUCTIONS = 10_000;

/** tw 31,0,0 */
const TRAP = asm("tw 31,0,0");

/** What the interpreter's time base reads in tests: 2^32 and some. */
export const TIME_BASE = 0x1_2345_6789n;

function createMachine(abi: TestAbi, model: string) {
  const memory = new AddressSpace({ byteOrder: "big", size: 0x2100_0000 });
  memory.map({ start: CODE, end: CODE + PAGE_SIZE, prot: PROT_READ | PROT_WRITE | PROT_EXEC, offset: 0 });
  memory.map({ start: DATA, end: DATA + PAGE_SIZE, prot: PROT_READ | PROT_WRITE, offset: 0 });
  const cpu = {
    registers: memory.registers,
    memory,
    is64: abi === "ppc64",
    model: modelFor(model, abi),
    timeBase: () => TIME_BASE,
    random: () => 0x0123_4567_89ab_cdefn,
  };
  return new Interpreter(cpu);
}

interface CaseMachine {
  readonly interpreter: Interpreter;
  /** Words from CODE on that are no traps. */
  used: number;
}

const machines = new Map<string, CaseMachine>();
function machineFor(abi: TestAbi, model: string): CaseMachine {
  const key = `${abi} ${model}`;
  let machine = machines.get(key);
  // At first it is all traps.
  if (machine === undefined) {
    machine = { interpreter: createMachine(abi, model), used: PAGE_SIZE / 4 };
    machines.set(key, machine);
  }
  return machine;
}

function run(testCase: CpuCase): CpuResult {
  const {
    abi,
    model = abi === "ppc32" ? "750" : "power8",
    registers,
    exceptionMode = 0n,
    memory = [],
    words,
  } = testCase;
  const machine = machineFor(abi, model);
  const { interpreter } = machine;
  const { registers: block, memory: space } = interpreter.cpu;
  block.bytes.fill(0);
  // The upper halves of a 32-bit CPU's registers must not matter.
  if (abi === "ppc32") for (let n = 0; n < 32; n++) block.setGpr(n, 0xdead_beefn << 32n);
  for (const [n, value] of Object.entries(registers.gpr ?? {})) {
    block.setGpr(Number(n), abi === "ppc32" ? value | (0xdead_beefn << 32n) : value);
  }
  for (const [n, value] of Object.entries(registers.fpr ?? {})) block.setFpr(Number(n), value);
  block.cr = registers.cr ?? 0;
  block.xer = registers.xer ?? 0;
  block.lr = registers.lr ?? 0n;
  block.ctr = registers.ctr ?? 0n;
  block.fpscr = registers.fpscr ?? 0;
  block.msr = exceptionMode | (abi === "ppc64" ? MSR_SF : 0n);
  block.nia = BigInt(CODE);
  for (let i = 0; i < Math.max(words.length, machine.used); i++)
    space.store32(CODE + 4 * i, words[i] ?? TRAP);
  machine.used = words.length;
  for (const { address, bytes } of memory) space.write(address, Uint8Array.from(bytes));

  let signal: CpuResult["signal"];
  let faultAddress: bigint | undefined;
  try {
    for (let i = 0; signal === undefined; i++) {
      if (i === MOST_INSTRUCTIONS) throw new Error("the program does not end");
      if (interpreter.run(1) === "syscall") signal = "syscall";
    }
  } catch (error) {
    if (!(error instanceof GuestFault)) throw error;
    const isEnd = error.kind === "trap" && words[(Number(block.nia) - CODE) / 4] === undefined;
    if (!isEnd) {
      signal = SIGNALS[error.kind];
      faultAddress = error.address;
    }
  }
  const mask = maskOf(abi);
  return {
    registers: {
      gpr: Array.from({ length: 32 }, (_, n) => block.gpr(n) & mask),
      cr: block.cr,
      xer: block.xer,
      lr: block.lr & mask,
      ctr: block.ctr & mask,
      fpr: Array.from({ length: 32 }, (_, n) => block.fpr(n)),
      fpscr: block.fpscr,
    },
    memory: memory.map(({ address, bytes }) => ({
      address,
      bytes: [...space.read(address, bytes.length)],
    })),
    nia: block.nia,
    signal,
    faultAddress,
  };
}

export const interpreterDriver: TestDriver = {
  name: "interpreter",
  models: (abi) => modelList(abi).map(({ name }) => name),
  run,
};
