/** A qemu-user process that executes instruction tests' cases, by way of its gdb stub. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MSR_FE0, MSR_FE1 } from "../../emu/cpu/registers.ts";
import { decode } from "../../emu/isa/decoder.ts";
import { CODE, type CpuCase, type CpuResult, type TestAbi } from "./driver.ts";
import { GdbRemote, readMemory, writeMemory } from "./gdb-remote.ts";
import {
  AREA,
  FPSCR_AT,
  HANDLER,
  LOAD,
  qemuProgram,
  SIGNAL_STACK,
  SIGNAL_STACK_SIZE,
  STORE,
  SYSTEM_CALL,
  TRAP,
  WORDS_AT,
} from "./qemu-program.ts";

/** The signals a program can stop with, by the numbers that the protocol has for them. */
const SIGNALS = { 4: "SIGILL", 5: "SIGTRAP", 8: "SIGFPE", 10: "SIGBUS", 11: "SIGSEGV" } as const;
type StopSignal = (typeof SIGNALS)[keyof typeof SIGNALS];
/** Those that are about an address, by both sorts of numbers. */
const FAULTS = { SIGBUS: { gdb: "0a", linux: 7 }, SIGSEGV: { gdb: "0b", linux: 11 } } as const;

/** System calls, the same on both ABIs, and what is passed to them. */
const SETRLIMIT = 75;
const RT_SIGACTION = 173;
const SIGALTSTACK = 185;
const RLIMIT_CPU = 0;
const RLIMIT_CORE = 4;
const SA_SIGINFO = 4;
const SA_ONSTACK = 0x0800_0000;
const SA_NODEFER = 0x4000_0000;
/** Should the tests' process be killed while a program loops, qemu ends after as many seconds. */
const MOST_CPU_SECONDS = 1200;

/** Registers by their numbers in packets p and P. */
const FPR0_NUMBER = "47";
const FPSCR_NUMBER = "67";

/** What the packets g and G carry, in their order. */
interface CoreRegisters {
  gpr: bigint[];
  pc: bigint;
  msr: bigint;
  cr: number;
  lr: bigint;
  ctr: bigint;
  xer: number;
}

/** What is needed to set them: GPRs by number, zero where there is none. */
interface CoreInput {
  gpr?: Readonly<Record<number, bigint>>;
  pc: number;
  msr: bigint;
}

export class QemuMachine {
  private readonly remote: GdbRemote;
  private readonly width: 4 | 8;
  private readonly is64: boolean;
  /** MSR as qemu-user sets it up, but for FE0 and FE1. */
  private readonly msr: bigint;
  /** Words from CODE on that are no traps. */
  private used = 0;

  constructor(abi: TestAbi, cpu: string) {
    this.is64 = abi === "ppc64";
    this.width = this.is64 ? 8 : 4;
    const folder = mkdtempSync(join(tmpdir(), "ppcr-cpu-"));
    try {
      const file = join(folder, `cases-${abi}`);
      writeFileSync(file, qemuProgram(abi));
      chmodSync(file, 0o755);
      this.remote = new GdbRemote(this.is64 ? "qemu-ppc64" : "qemu-ppc", ["-cpu", cpu, file]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    this.msr = this.readCore(this.remote.exchange("g")[0]).msr & ~(MSR_FE0 | MSR_FE1);
    this.setUp();
  }

  close(): void {
    this.remote.close();
  }

  /** Executes a case. Throws GdbConnectionError if that kills qemu, which then is of no further use. */
  execute({ registers, exceptionMode = 0n, memory = [], words }: CpuCase): CpuResult {
    const packets = [
      ...this.load(registers.fpr ?? {}, registers.fpscr ?? 0, words),
      ...memory.map(({ address, bytes }) => writeMemory(address, Uint8Array.from(bytes))),
      this.core({ ...registers, pc: CODE, msr: this.msr | exceptionMode }),
      "c",
    ];
    const reads = [
      "g",
      `p${FPSCR_NUMBER}`,
      ...memory.map(({ address, bytes }) => readMemory(address, bytes.length)),
    ];
    const store = [...this.start(STORE, { 31: BigInt(AREA) }), readMemory(AREA, FPSCR_AT)];
    const replies = this.remote.exchange(...packets, ...reads, ...store).slice(packets.length - 1);
    const signal = signalOf(replies[0]);
    const [core, fpscr, ...blocks] = replies.slice(1, reads.length + 1);
    const { pc, msr: _, ...after } = this.readCore(core);
    const isData = (signal === "SIGSEGV" || signal === "SIGBUS") && isAmong(words, pc);
    return {
      registers: { ...after, fpr: doublewords(replies.at(-1) ?? ""), fpscr: Number.parseInt(fpscr, 16) },
      memory: memory.map(({ address }, i) => ({ address, bytes: [...Buffer.from(blocks[i], "hex")] })),
      nia: pc,
      signal: signal === "SIGTRAP" ? trapAt(pc, words) : signal,
      // Of a fetch that faults qemu-user tells no address.
      faultAddress: isData ? this.signalAddress(packets, signal) : undefined,
    };
  }

  /**
   * Packets that load the floating-point registers, and the case's words with traps for system calls and over what an earlier case left
   * behind them.
   */
  private load(fpr: Readonly<Record<number, bigint>>, fpscr: number, words: readonly number[]): string[] {
    const length = Math.max(words.length, this.used);
    this.used = words.length;
    const area = Buffer.alloc(WORDS_AT + 4 * length);
    for (let n = 0; n < 32; n++) area.writeBigUInt64BE(fpr[n] ?? 0n, 8 * n);
    area.writeBigUInt64BE(BigInt(fpscr), FPSCR_AT);
    for (let i = 0; i < length; i++) {
      const word = words[i];
      area.writeInt32BE((word === undefined || isSystemCall(word) ? TRAP : word) | 0, WORDS_AT + 4 * i);
    }
    const gpr = { 4: BigInt(CODE - 4), 5: BigInt(AREA + WORDS_AT - 4), 31: BigInt(AREA) };
    const fpr0 = `P${FPR0_NUMBER}=${area.toString("hex", 0, 8)}`;
    return [writeMemory(AREA, area), ...this.start(LOAD, gpr, BigInt(length)), fpr0];
  }

  /** Packets that execute a routine of the driver's. */
  private start(routine: number, gpr: Readonly<Record<number, bigint>>, ctr = 0n): string[] {
    return [this.core({ gpr, ctr, pc: routine, msr: this.msr }), "c"];
  }

  private systemCall(number: number, args: readonly number[], structure: readonly number[]): void {
    const bytes = Buffer.alloc(this.width * structure.length);
    for (const [i, value] of structure.entries()) this.put(bytes, i * this.width, BigInt(value));
    const gpr = Object.fromEntries([number, 0, 0, ...args].map((value, n) => [n, BigInt(value)]));
    const replies = this.remote.exchange(writeMemory(AREA, bytes), ...this.start(SYSTEM_CALL, gpr), "g");
    const answer = this.readCore(replies[3]).gpr[3];
    if (answer !== 0n) throw new Error(`system call ${number} answers ${answer}`);
  }

  private setUp(): void {
    this.systemCall(SETRLIMIT, [RLIMIT_CPU, AREA], [MOST_CPU_SECONDS, MOST_CPU_SECONDS]);
    this.systemCall(SETRLIMIT, [RLIMIT_CORE, AREA], [0, 0]);
    // stack_t: ss_sp, ss_flags (an int), ss_size.
    this.systemCall(SIGALTSTACK, [AREA, 0], [SIGNAL_STACK, 0, SIGNAL_STACK_SIZE]);
    const flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    for (const { linux } of Object.values(FAULTS))
      this.systemCall(RT_SIGACTION, [linux, AREA, 0, 8], [HANDLER, flags, 0, 0, 0]);
  }

  /** Runs the case again and lets the signal come through: its handler, at the first instruction of which this stops, gets si_addr. */
  private signalAddress(packets: readonly string[], name: keyof typeof FAULTS): bigint {
    const replies = this.remote.exchange(...packets, `C${FAULTS[name].gdb}`, "g");
    const { gpr, pc } = this.readCore(replies.at(-1) ?? "");
    if (Number(pc) !== HANDLER) throw new Error(`no handler of ${name} was entered`);
    const [address] = this.remote.exchange(readMemory(gpr[4] + BigInt(this.is64 ? 16 : 12), this.width));
    return BigInt(`0x${address}`);
  }

  private put(bytes: Buffer, at: number, value: bigint): number {
    if (this.is64) bytes.writeBigUInt64BE(BigInt.asUintN(64, value), at);
    else bytes.writeUInt32BE(Number(value & 0xffff_ffffn), at);
    return at + this.width;
  }

  /** The packet that sets all registers but the floating-point ones; what isn't given is zero. */
  private core(values: Partial<Omit<CoreRegisters, "gpr" | "pc">> & CoreInput): string {
    const { gpr = {}, pc, msr, cr = 0, lr = 0n, ctr = 0n, xer = 0 } = values;
    const bytes = Buffer.alloc(36 * this.width + 8);
    let at = 0;
    for (let n = 0; n < 32; n++) at = this.put(bytes, at, gpr[n] ?? 0n);
    at = this.put(bytes, at, BigInt(pc));
    at = this.put(bytes, at, msr);
    at = bytes.writeUInt32BE(cr, at);
    at = this.put(bytes, at, lr);
    at = this.put(bytes, at, ctr);
    bytes.writeUInt32BE(xer, at);
    return `G${bytes.toString("hex")}`;
  }

  private readCore(hex: string): CoreRegisters {
    const { width } = this;
    const bytes = Buffer.from(hex, "hex");
    const word = (at: number) => (this.is64 ? bytes.readBigUInt64BE(at) : BigInt(bytes.readUInt32BE(at)));
    const pc = 32 * width;
    return {
      gpr: Array.from({ length: 32 }, (_, n) => word(n * width)),
      pc: word(pc),
      msr: word(pc + width),
      cr: bytes.readUInt32BE(pc + 2 * width),
      lr: word(pc + 2 * width + 4),
      ctr: word(pc + 3 * width + 4),
      xer: bytes.readUInt32BE(pc + 4 * width + 4),
    };
  }
}

/** The signal that a stop reply tells. */
function signalOf(stop: string): StopSignal {
  const number = Number.parseInt(stop.slice(1, 3), 16);
  if (!stop.startsWith("T") || !(number in SIGNALS)) throw new Error(`qemu stops with "${stop}"`);
  return SIGNALS[number as keyof typeof SIGNALS];
}

const isAmong = (words: readonly number[], address: bigint): boolean =>
  address >= CODE && address < CODE + 4 * words.length;

/** What a trap means: that the program has ended, or wants a system call, or trapped. */
function trapAt(address: bigint, words: readonly number[]): CpuResult["signal"] {
  if (!isAmong(words, address)) return undefined;
  return isSystemCall(words[(Number(address) - CODE) / 4]) ? "syscall" : "SIGTRAP";
}

function doublewords(hex: string): bigint[] {
  const bytes = Buffer.from(hex, "hex");
  return Array.from({ length: bytes.length / 8 }, (_, n) => bytes.readBigUInt64BE(8 * n));
}

/** sc with LEV = 0. */
const isSystemCall = (word: number): boolean => decode(word)?.name === "sc" && (word & 0xfe0) === 0;
