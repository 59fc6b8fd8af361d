import { describe, expect, it } from "vitest";
import { CTR, LR, VRSAVE, VSCR, VSR } from "../../../emu/cpu/registers.ts";
import { noAltStack, SS_AUTODISARM } from "../../../emu/linux/signals/altstack.ts";
import { GuestBytes } from "../../../emu/linux/signals/bytes.ts";
import {
  type FrameThread,
  popOldFrame,
  popRtFrame,
  pushFrame,
  swapContext,
} from "../../../emu/linux/signals/frames.ts";
import type { KernelEntry, TaskModel } from "../../../emu/linux/signals/mcontext.ts";
import { signalInfo } from "../../../emu/linux/signals/pending.ts";
import { SA_ONSTACK, SA_SIGINFO, SEGV_MAPERR, SIGSEGV } from "../../../emu/linux/signals/signal-numbers.ts";
import { AddressSpace } from "../../../emu/memory/address-space.ts";
import { PROT_READ, PROT_WRITE } from "../../../emu/memory/vma.ts";

const PPC32: TaskModel = { is64: false, littleEndian: false, altivec: false, vsx: false, elfv2: false };
const PPC32_VSX: TaskModel = { ...PPC32, altivec: true, vsx: true };
const PPC64: TaskModel = { is64: true, littleEndian: false, altivec: true, vsx: true, elfv2: false };
const PPC64LE: TaskModel = { ...PPC64, littleEndian: true, elfv2: true };

/** Offsets that the C compiler sees in the kernel's <asm/ucontext.h>, <asm/siginfo.h> and <asm/ptrace.h>. */
const HEADERS_32 = {
  uc: { link: 4, stack: 8, regs: 48, sigmask: 52, mcontext: 192, size: 1184 },
  mc: { gp: 0, fp: 192, vr: 464 },
  si: { pid: 12, uid: 16, value: 20, addr: 12 },
};
const HEADERS_64 = {
  uc: { link: 8, stack: 16, sigmask: 40, mcontext: 168, size: 1696 },
  sc: { signal: 32, handler: 40, oldmask: 48, regs: 56, gp: 64, fp: 448, vRegs: 712, vmxReserve: 720 },
  si: { pid: 16, uid: 20, value: 24, addr: 16 },
};
const PT = { nip: 32, msr: 33, origR3: 34, ctr: 35, lnk: 36, xer: 37, ccr: 38, trap: 40, dar: 41, dsisr: 42 };

const STACK = 0x7000_0000;
const STACK_TOP = STACK + 0x10000;
const ENTRY: KernelEntry = {
  interrupt: { trap: 0x300, dar: 0x1234n, dsisr: 0x4000_0000n, srr1: 0n },
  origGpr3: 0x33n,
  result: 0n,
};
const MASK = (1n << 40n) | 0b101n;

function threadOf(model: TaskModel): FrameThread {
  const memory = new AddressSpace({ byteOrder: model.littleEndian ? "little" : "big" });
  memory.map({ start: STACK, end: STACK_TOP, prot: PROT_READ | PROT_WRITE, offset: 0 });
  const { registers } = memory;
  for (let n = 0; n < 32; n++) {
    registers.setGpr(n, 0x1000n + BigInt(n));
    registers.setFpr(n, 0x3ff0_0000_0000_0000n + BigInt(n));
    registers.u64[(VSR + 16 * n) / 8] = model.vsx ? 0x5500n + BigInt(n) : 0n;
    registers.u64[(VSR + 16 * (32 + n)) / 8] = model.altivec ? 0x6600n + BigInt(n) : 0n;
    registers.u64[(VSR + 16 * (32 + n)) / 8 + 1] = model.altivec ? 0x7700n + BigInt(n) : 0n;
  }
  registers.setGpr(1, BigInt(STACK_TOP - 0x1008));
  registers.nia = 0x1000_0444n;
  registers.lr = 0x1000_0888n;
  registers.ctr = 0x77n;
  registers.cr = 0x1234_5678;
  registers.xer = 0xa000_0011;
  registers.msr = 0xf932n;
  registers.wholeFpscr = 0x8004_4000n;
  registers.u32[VRSAVE / 4] = 0xff00_00ff;
  registers.u32[VSCR / 4] = 0x0001_0000;
  return { model, registers, memory, altStack: noAltStack() };
}

const INFO = signalInfo(SIGSEGV, SEGV_MAPERR, { value: 0x1234n });
const HANDLER = 0x1000_0100n;
const action = (flags: bigint, handler = HANDLER) => ({ handler, flags, restorer: 0n, mask: 0n });

const bytes = (thread: FrameThread, address: bigint, length: number): GuestBytes =>
  new GuestBytes(thread.model, thread.memory.read(Number(address), length));

/** The registers a frame must bring back. */
const architected = ({ registers: r, model }: FrameThread) => ({
  gpr: Array.from({ length: 32 }, (_, n) => r.gpr(n)),
  fpr: Array.from({ length: 32 }, (_, n) => r.fpr(n)),
  vr: Array.from({ length: 128 }, (_, n) => r.u64[VSR / 8 + n]),
  rest: [r.nia, r.lr, r.ctr, r.cr, r.xer, r.wholeFpscr, r.u32[VRSAVE / 4]],
  vscr: model.altivec ? r.u32[VSCR / 4] : 0,
});

describe.each([
  ["32-bit", PPC32],
  ["32-bit on a CPU with VSX", PPC32_VSX],
])("the rt frame of a %s task", (_name, model) => {
  const thread = threadOf(model);
  const sp = thread.registers.gpr(1);
  pushFrame(thread, action(SA_SIGINFO), INFO, MASK, ENTRY);
  const { registers } = thread;
  const info = registers.gpr(4);
  const uc = registers.gpr(5);
  const { uc: UC, mc: MC, si: SI } = HEADERS_32;

  it("puts the arguments where the handler expects them", () => {
    expect(registers.gpr(3)).toBe(BigInt(SIGSEGV));
    expect(uc - info).toBe(128n);
    expect(registers.gpr(6)).toBe(info);
    expect(registers.nia).toBe(HANDLER);
    expect(registers.wholeFpscr).toBe(0n);
  });
  it("leaves the red zone alone and aligns the frame and the stack pointer", () => {
    const vsx = model.vsx ? 256n : 0n;
    expect(info % 16n).toBe(0n);
    expect(info + 128n + BigInt(UC.size) + vsx).toBeLessThanOrEqual(sp - 224n);
    expect(info - registers.gpr(1)).toBe(80n);
    expect(bytes(thread, registers.gpr(1), 4).ulong(0)).toBe(sp);
  });
  it("returns to li r0,172; sc", () => {
    const code = bytes(thread, registers.u64[LR / 8], 8);
    expect([code.u32(0), code.u32(4)]).toEqual([0x380000ac, 0x44000002]);
  });
  it("lays siginfo, ucontext and mcontext out as the headers say", () => {
    const si = bytes(thread, info, 128);
    expect([si.u32(0), si.u32(4), si.u32(8), si.u32(SI.addr)]).toEqual([SIGSEGV, 0, SEGV_MAPERR, 0x1234]);
    const ctx = bytes(thread, uc, UC.size);
    expect(ctx.ulong(UC.regs)).toBe(uc + BigInt(UC.mcontext));
    expect([ctx.u32(UC.sigmask), ctx.u32(UC.sigmask + 4)]).toEqual([5, 0x100]);
    const gp = UC.mcontext + MC.gp;
    expect(ctx.u32(gp + 4 * 31)).toBe(0x101f);
    expect(ctx.u32(gp + 4 * PT.nip)).toBe(0x1000_0444);
    expect(ctx.u32(gp + 4 * PT.origR3)).toBe(0x33);
    expect(ctx.u32(gp + 4 * PT.ctr)).toBe(0x77);
    expect(ctx.u32(gp + 4 * PT.lnk)).toBe(0x1000_0888);
    expect(ctx.u32(gp + 4 * PT.xer)).toBe(0xa000_0011);
    expect(ctx.u32(gp + 4 * PT.ccr)).toBe(0x1234_5678);
    expect(ctx.u32(gp + 4 * PT.trap)).toBe(0x300);
    expect(ctx.u32(gp + 4 * PT.dar)).toBe(0x1234);
    expect(ctx.u32(gp + 4 * PT.dsisr)).toBe(0x4000_0000);
    expect(ctx.u64(UC.mcontext + MC.fp + 8 * 31)).toBe(0x3ff0_0000_0000_001fn);
    expect(ctx.u64(UC.mcontext + MC.fp + 8 * 32)).toBe(0x8004_4000n);
    expect(ctx.u32(UC.mcontext + MC.vr + 32 * 16)).toBe(0xff00_00ff);
  });
});

it("the old-style frame of a 32-bit task has sigcontext, then mcontext, and returns by sigreturn", () => {
  const thread = threadOf(PPC32);
  const before = architected(thread);
  pushFrame(thread, action(0n), INFO, MASK, ENTRY);
  const { registers } = thread;
  const sc = registers.gpr(4);
  expect(sc - registers.gpr(1)).toBe(64n);
  const frame = bytes(thread, sc, 32 + 992);
  expect([frame.u32(12), frame.u32(16), frame.u32(20), frame.u32(24)]).toEqual([
    0x100,
    SIGSEGV,
    Number(HANDLER),
    5,
  ]);
  expect(frame.ulong(28)).toBe(sc + 32n);
  const code = bytes(thread, registers.u64[LR / 8], 8);
  expect([code.u32(0), code.u32(4)]).toEqual([0x38000077, 0x44000002]);
  expect(popOldFrame(thread)).toMatchObject({ mask: MASK, origGpr3: 0x33n });
  expect(architected(thread)).toEqual(before);
});

describe.each([
  ["big-endian ELFv1", PPC64],
  ["little-endian ELFv2", PPC64LE],
])("the rt frame of a 64-bit %s task", (_name, model) => {
  const thread = threadOf(model);
  const { registers } = thread;
  const sp = registers.gpr(1);
  const descriptor = new GuestBytes(model, 16);
  descriptor.setU64(0, HANDLER);
  descriptor.setU64(8, 0x1002_8000n);
  thread.memory.write(STACK, descriptor.bytes);
  const handler = model.elfv2 ? HANDLER : BigInt(STACK);
  pushFrame(thread, action(SA_SIGINFO, handler), INFO, MASK, ENTRY);
  const uc = registers.gpr(5);
  const { uc: UC, sc: SC, si: SI } = HEADERS_64;

  it("enters the handler as the ABI wants it", () => {
    expect(registers.nia).toBe(HANDLER);
    expect(registers.u64[CTR / 8]).toBe(HANDLER);
    expect(registers.gpr(model.elfv2 ? 12 : 2)).toBe(model.elfv2 ? HANDLER : 0x1002_8000n);
    expect([registers.gpr(3), registers.gpr(6)]).toEqual([BigInt(SIGSEGV), uc]);
    expect(uc - registers.gpr(1)).toBe(128n);
    expect(bytes(thread, registers.gpr(1), 8).u64(0)).toBe(sp);
  });
  it("leaves 512 bytes of red zone alone", () => {
    expect(registers.gpr(4) + 128n).toBeLessThanOrEqual(sp - 512n);
  });
  it("returns to code that pops the dummy frame, marked for unwinders as the kernel's", () => {
    const code = bytes(thread, registers.u64[LR / 8], 40);
    expect([code.u32(0), code.u32(4), code.u32(8)]).toEqual([0x38210080, 0x380000ac, 0x44000002]);
    expect(BigInt.asIntN(64, code.u64(32))).toBe(-168n);
  });
  it("lays siginfo, ucontext and sigcontext out as the headers say", () => {
    const si = bytes(thread, registers.gpr(4), 128);
    expect([si.u32(0), si.u32(8), si.u64(SI.addr)]).toEqual([SIGSEGV, SEGV_MAPERR, 0x1234n]);
    const ctx = bytes(thread, uc, UC.size);
    expect(ctx.u64(UC.sigmask)).toBe(MASK);
    const sc = UC.mcontext;
    expect(ctx.u32(sc + SC.signal)).toBe(SIGSEGV);
    expect(ctx.u64(sc + SC.handler)).toBe(handler);
    expect(ctx.u64(sc + SC.regs)).toBe(uc + BigInt(sc + SC.gp));
    expect(ctx.u64(sc + SC.gp + 8 * PT.nip)).toBe(0x1000_0444n);
    expect(ctx.u64(sc + SC.gp + 8 * PT.trap)).toBe(0x300n);
    expect(ctx.u64(sc + SC.fp + 8 * 32)).toBe(0x8004_4000n);
    const vRegs = ctx.u64(sc + SC.vRegs);
    expect(vRegs % 16n).toBe(0n);
    expect(vRegs).toBe((uc + BigInt(sc + SC.vmxReserve) + 15n) & ~15n);
    const vr = Number(vRegs - uc);
    const [high, low] = model.littleEndian ? [8, 0] : [0, 8];
    expect([ctx.u64(vr + 16 * 5 + high), ctx.u64(vr + 16 * 5 + low)]).toEqual([0x7705n, 0x6605n]);
    expect(ctx.u32(vr + 16 * 33)).toBe(0xff00_00ff);
    expect(ctx.u64(vr + 16 * 34 + 8 * 7)).toBe(0x5507n);
  });
});

describe.each([
  ["ppc32", PPC32],
  ["ppc32 with VSX", PPC32_VSX],
  ["ppc64", PPC64],
  ["ppc64le", PPC64LE],
])("a return from a handler (%s)", (_name, model) => {
  const entered = () => {
    const thread = threadOf({ ...model, elfv2: true });
    const before = architected(thread);
    pushFrame(thread, action(SA_SIGINFO), INFO, MASK, ENTRY);
    // The trampoline of 64-bit tasks pops the dummy frame before the system call.
    if (model.is64) thread.registers.setGpr(1, thread.registers.gpr(1) + 128n);
    return { thread, before };
  };

  it("restores every register and the mask", () => {
    const { thread, before } = entered();
    for (let n = 0; n < 32; n++) {
      if (n !== 1) thread.registers.setGpr(n, 0n);
      thread.registers.setFpr(n, 0n);
    }
    const back = popRtFrame(thread);
    expect(back.mask).toBe(MASK);
    expect(architected(thread)).toEqual(before);
  });
  const word = model.is64 ? 8 : 4;
  const general = model.is64 ? 168 + 64 : 192;
  /** Changes a word of the frame that `thread` has entered its handler by. */
  const put = (thread: FrameThread, offset: number, value: bigint) => {
    const field = new GuestBytes(model, word);
    field.setUlong(0, value);
    thread.memory.write(Number(thread.registers.gpr(5)) + offset, field.bytes);
  };

  it("goes where the handler has changed nip to", () => {
    const { thread } = entered();
    put(thread, general + PT.nip * word, 0x1000_2000n);
    popRtFrame(thread);
    expect(thread.registers.nia).toBe(0x1000_2000n);
  });
  it("makes the summary bits of the FPSCR from those that the handler has left", () => {
    for (const [given, expected] of [
      [0x0200_0000n, 0x0200_0000n],
      [0x0200_0008n, 0x4200_0008n],
      [0x6000_0000n, 0n],
      [0x0100_0000n, 0x2100_0000n],
      [0x0000_0480n, 0x6000_0480n],
    ]) {
      const { thread } = entered();
      // The whole doubleword: its upper half comes first on big-endian 32-bit machines.
      const at = model.is64 ? 168 + HEADERS_64.sc.fp + 8 * 32 : 192 + HEADERS_32.mc.fp + 8 * 32 + 4;
      put(thread, at, given);
      popRtFrame(thread);
      expect(thread.registers.fpscr >>> 0).toBe(Number(expected));
    }
  });
  if (model.altivec) {
    it("clears VSCR where its frame has no vectors and the thread uses some now", () => {
      for (const uses of [true, false]) {
        const { thread } = entered();
        put(thread, general + PT.msr * word, 0xf932n);
        if (!uses) thread.registers.u64.fill(0n, VSR / 8 + 64, VSR / 8 + 128);
        popRtFrame(thread);
        expect(thread.registers.u32[VSCR / 4]).toBe(uses ? 0 : 0x1_0000);
      }
    });
  }
});

describe("the alternate stack", () => {
  it("takes the frame of a handler with SA_ONSTACK, and not when it is in use already", () => {
    const thread = threadOf(PPC32);
    Object.assign(thread.altStack, { sp: BigInt(STACK), size: 0x4000n });
    pushFrame(thread, action(SA_SIGINFO | SA_ONSTACK), INFO, MASK, ENTRY);
    const first = thread.registers.gpr(1);
    expect(first > BigInt(STACK) && first < BigInt(STACK + 0x4000)).toBe(true);
    pushFrame(thread, action(SA_SIGINFO | SA_ONSTACK), INFO, MASK, ENTRY);
    expect(first - thread.registers.gpr(1)).toBe(128n + 1184n + 224n + 80n);
  });
  it("is taken from the top again while SS_AUTODISARM has it disarmed", () => {
    const thread = threadOf(PPC32);
    Object.assign(thread.altStack, { sp: BigInt(STACK), size: 0x4000n, flags: SS_AUTODISARM });
    pushFrame(thread, action(SA_SIGINFO | SA_ONSTACK), INFO, MASK, ENTRY);
    const { altStack } = popRtFrame(thread);
    expect(altStack).toEqual({ sp: BigInt(STACK), size: 0x4000n, flags: SS_AUTODISARM });
  });
});

describe("a frame that cannot be built", () => {
  it("leaves the registers as they were when the stack is not mapped", () => {
    const thread = threadOf(PPC32);
    thread.registers.setGpr(1, 0x100n);
    const before = architected(thread);
    expect(pushFrame(thread, action(SA_SIGINFO), INFO, MASK, ENTRY)).toBe(false);
    expect(architected(thread)).toEqual(before);
  });
  it("leaves the registers as they were when the descriptor is not mapped", () => {
    const thread = threadOf(PPC64);
    const before = architected(thread);
    expect(pushFrame(thread, action(SA_SIGINFO), INFO, MASK, ENTRY)).toBe(false);
    expect(architected(thread)).toEqual(before);
  });
  it("is no frame to return to either: nothing changes", () => {
    const thread = threadOf(PPC64);
    thread.registers.setGpr(1, 0xffff_ffff_ffff_0000n);
    const before = architected(thread);
    expect(() => popRtFrame(thread)).toThrow("data-unmapped");
    expect(architected(thread)).toEqual(before);
  });
});

describe.each([
  ["ppc32", PPC32, 1184],
  ["ppc64", PPC64, 1696],
])("swapcontext (%s)", (_name, model, size) => {
  it("saves one context, loads another, and keeps the thread pointer", () => {
    const thread = threadOf(model);
    const { registers } = thread;
    const [first, second] = [STACK + 0x1008, STACK + 0x3000];
    const tls = model.is64 ? 13 : 2;
    expect(swapContext(thread, first, 0, size, MASK, ENTRY)).toBeUndefined();
    const saved = architected(thread);
    for (let n = 2; n < 32; n++) registers.setGpr(n, 0x9999n);
    registers.nia = 0x2000_0000n;
    expect(swapContext(thread, second, first, size, 0n, ENTRY)).toMatchObject({ mask: MASK });
    expect(registers.gpr(tls)).toBe(0x9999n);
    registers.setGpr(tls, saved.gpr[tls]);
    expect(architected(thread)).toEqual(saved);
  });
  it("refuses contexts that are too small or not there", () => {
    const thread = threadOf(model);
    expect(swapContext(thread, STACK, 0, 1000, 0n, ENTRY)).toBe("EINVAL");
    expect(swapContext(thread, 0x100, 0, size, 0n, ENTRY)).toBe("EFAULT");
    expect(swapContext(thread, 0, 0x100, size, 0n, ENTRY)).toBe("EFAULT");
  });
});
