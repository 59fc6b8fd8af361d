/** --strace: a line a system call, its arguments as their types in the table say. */
import { decodeName } from "../host/names.ts";
import { errnoName, SysError } from "./errno.ts";
import { signalName } from "./signals/signal-numbers.ts";
import { REGISTERS_SET, type SyscallContext, type SyscallOutcome, THREAD_GONE } from "./syscall.ts";
import type { Thread } from "./thread.ts";

/** Bytes of a string that are shown. */
const SHOWN = 64;
/** Types of the arguments of a call that nobody knows. */
const UNKNOWN = "hex hex hex hex hex hex";

export class Tracer {
  private readonly write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.write = write;
  }

  /** Text of a call about to be made: arguments may be gone when it is over. */
  begin(context: SyscallContext, name: string, types = UNKNOWN): string {
    return `${name}(${formatArguments(context, types)})`;
  }

  /** Writes the line of a call that is complete. */
  end(thread: Thread, text: string | undefined, outcome: SyscallOutcome | SysError): void {
    const { processes } = thread.process.kernel;
    const several = processes.size > 1 || thread.process.threads.size > 1;
    this.write(`${several ? `[${thread.tid}] ` : ""}${text} = ${formatResult(outcome)}`);
  }
}

function formatResult(outcome: SyscallOutcome | SysError): string {
  if (outcome instanceof SysError) return `-1 ${errnoName(outcome.errno)}`;
  if (outcome === THREAD_GONE || outcome === REGISTERS_SET) return "?";
  const value = BigInt(outcome);
  return value >= 0x1_0000n ? `0x${value.toString(16)}` : value.toString();
}

function formatArguments(context: SyscallContext, types: string): string {
  const { args, abi } = context;
  let n = 0;
  const parts: string[] = [];
  for (const type of types.split(" ")) {
    if (type === "") continue;
    const at = n++;
    if (type === "pad") {
      // Only pairs of 32-bit registers are aligned.
      if (abi.is64) n--;
      continue;
    }
    if (type === "off64") {
      parts.push(args.offset64(at).toString());
      if (!abi.is64) n++;
    } else parts.push(formatArgument(context, type, at));
  }
  return parts.join(", ");
}

function formatArgument(context: SyscallContext, type: string, n: number): string {
  const { args } = context;
  switch (type) {
    case "int":
      return String(args.int(n));
    case "fd":
      return args.int(n) === -100 ? "AT_FDCWD" : String(args.int(n));
    case "uint":
      return String(args.uint(n));
    case "octal":
      return `0${args.uint(n).toString(8)}`;
    case "signal":
      return signalName(args.int(n));
    case "long":
      return args.long(n).toString();
    case "ulong":
      return args.ulong(n).toString();
    case "str":
      return formatString(context, args.word(n));
    case "ptr":
      return args.word(n) === 0n ? "NULL" : `0x${args.word(n).toString(16)}`;
    default:
      return `0x${args.word(n).toString(16)}`;
  }
}

/** A C string in quotes, or its address where it cannot be read. */
function formatString({ memory }: SyscallContext, address: bigint): string {
  if (address === 0n) return "NULL";
  if (address >= BigInt(memory.limit)) return `0x${address.toString(16)}`;
  const bytes: number[] = [];
  try {
    for (let at = Number(address); bytes.length <= SHOWN; at++) {
      const byte = memory.read(at, 1)[0];
      if (byte === 0) break;
      bytes.push(byte);
    }
  } catch {
    return `0x${address.toString(16)}`;
  }
  const text = JSON.stringify(decodeName(Uint8Array.from(bytes.slice(0, SHOWN))));
  return bytes.length > SHOWN ? `${text}...` : text;
}
