import { expect, it } from "vitest";
import { GuestBytes } from "../../../emu/linux/signals/bytes.ts";
import { signalInfo } from "../../../emu/linux/signals/pending.ts";
import { encodeSigInfo, putSignalfdInfo, SIGNALFD_INFO_SIZE } from "../../../emu/linux/signals/siginfo.ts";
import { SI_QUEUE, SI_TIMER, SI_USER, SIGCHLD, SIGUSR1 } from "../../../emu/linux/signals/signal-numbers.ts";

const DATA = { pid: 11, uid: 12, value: 13n, timer: 14, overrun: 15 };
const CLD_EXITED = 1;

/** What `info` puts where, of the fields by their offsets (<asm-generic/siginfo.h>, <linux/signalfd.h>). */
const words = (from: GuestBytes, offsets: readonly number[]) => offsets.map((at) => from.u32(at));

it.each([
  ["kill", SIGUSR1, SI_USER, [11, 12, 0]],
  ["sigqueue", SIGUSR1, SI_QUEUE, [11, 12, 13]],
  ["a timer", SIGUSR1, SI_TIMER, [14, 15, 13]],
  ["a child", SIGCHLD, CLD_EXITED, [11, 12, 13]],
])("siginfo_t of %s", (_name, signo, code, expected) => {
  const info = signalInfo(signo, code, DATA);
  for (const is64 of [false, true]) {
    const model = { is64, littleEndian: true };
    const bytes = new GuestBytes(model, encodeSigInfo(model, info).slice());
    expect(words(bytes, [0, 8])).toEqual([signo, code >>> 0]);
    const union = is64 ? 16 : 12;
    expect(words(bytes, [union, union + 4, union + 8])).toEqual(expected);
  }
});

it.each([
  ["kill", SIGUSR1, SI_USER, { 12: 11, 16: 12 }],
  ["sigqueue", SIGUSR1, SI_QUEUE, { 12: 11, 16: 12, 44: 13, 48: 13 }],
  ["a timer", SIGUSR1, SI_TIMER, { 24: 14, 32: 15, 44: 13, 48: 13 }],
  ["a child", SIGCHLD, CLD_EXITED, { 12: 11, 16: 12, 40: 13 }],
])("signalfd_siginfo of %s", (_name, signo, code, expected) => {
  const bytes = new GuestBytes({ is64: true, littleEndian: true }, SIGNALFD_INFO_SIZE);
  putSignalfdInfo(bytes, signalInfo(signo, code, DATA));
  const found = Array.from({ length: 29 }, (_, n) => 12 + 4 * n).filter((at) => bytes.u32(at) !== 0);
  expect(Object.fromEntries(found.map((at) => [at, bytes.u32(at)]))).toEqual(expected);
});
