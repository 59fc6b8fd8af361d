/** CPUs without a machine around them. */
import type { Cpu, CpuModel } from "../../emu/cpu/cpu.ts";
import type { AddressSpace } from "../../emu/memory/address-space.ts";

/** A CPU of a model on a memory, whose time and random numbers stand still. */
export const cpuOn = (memory: AddressSpace, model: CpuModel, is64 = true): Cpu => ({
  registers: memory.registers,
  memory,
  is64,
  model,
  timeBase: () => 0n,
  random: () => 0n,
});
