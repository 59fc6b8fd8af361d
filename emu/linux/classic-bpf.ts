/**
 * Programs of the classic Berkeley packet filter, as seccomp(2) and sockets have them: a word A, an index X, sixteen words of memory, jumps
 * forward only (Linux: net/core/filter.c, kernel/seccomp.c).
 */

/** struct sock_filter. */
export interface BpfInstruction {
  code: number;
  jt: number;
  jf: number;
  k: number;
}

/** Instructions of a program (BPF_MAXINSNS), and words of its memory. */
export const MOST_INSTRUCTIONS = 4096;
const MEMORY = 16;

/** Classes, in bits 0 to 2 of a code. */
const LD = 0;
const LDX = 1;
const ST = 2;
const STX = 3;
const ALU = 4;
const JMP = 5;
const RET = 6;
const MISC = 7;
/** Operand X in place of k; of RET, A. */
const X = 0x08;
const A = 0x10;
/** Modes of loads. */
const IMM = 0x00;
const ABS = 0x20;
const IND = 0x40;
const MEM = 0x60;
const LEN = 0x80;
const MSH = 0xa0;
/** Sizes of loads, which are words otherwise. */
const H = 0x08;
const B = 0x10;
const TXA = 0x80;
/** What ALU and JMP do, in bits 4 to 7. */
const [ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, NEG, MOD, XOR] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const [JA, JEQ, JGT, JGE, JSET] = [0, 1, 2, 3, 4];

const KNOWN: ReadonlySet<number> = new Set([
  ...[LD | ABS, LD | IMM, LD | MEM, LD | LEN, LDX | IMM, LDX | MEM, LDX | LEN, ST, STX],
  ...[ADD, SUB, MUL, DIV, OR, AND, LSH, RSH].flatMap((what) => [ALU | (what << 4), ALU | (what << 4) | X]),
  ...[JEQ, JGT, JGE, JSET].flatMap((what) => [JMP | (what << 4), JMP | (what << 4) | X]),
  ...[ALU | (NEG << 4), JMP | (JA << 4), RET, RET | A, MISC, MISC | TXA],
]);

/** What only filters of sockets have. */
const OF_PACKETS: ReadonlySet<number> = new Set([
  ...[H, B].map((size) => LD | ABS | size),
  ...[0, H, B].map((size) => LD | IND | size),
  LDX | MSH | B,
  ...[MOD, XOR].flatMap((what) => [ALU | (what << 4), ALU | (what << 4) | X]),
]);

/** How a program reads a packet. */
export interface PacketReader {
  readonly length: number;
  /** So many bytes at an offset, most significant first; undefined where they are not there. */
  load(offset: number, size: number): number | undefined;
  /** What stands in no header; undefined where there is none of it. */
  ancillary(k: number, a: number, x: number): number | undefined;
}

/** Where loads from a packet find what stands in no header, a word each (SKF_AD_OFF). */
const ANCILLARY = -0x1000;
const LAST_ANCILLARY = 60;
const isAncillary = (k: number): boolean =>
  (k | 0) >= ANCILLARY && (k | 0) <= ANCILLARY + LAST_ANCILLARY && (k & 3) === 0;

/**
 * Whether an instruction that is `left` in front of the last makes sense; `size`: bytes of the data that it may load, undefined where
 * that is a packet.
 */
function isSound({ code, jt, jf, k }: BpfInstruction, left: number, size: number | undefined): boolean {
  if (!KNOWN.has(code) && (size !== undefined || !OF_PACKETS.has(code))) return false;
  const [kind, what] = [code & 7, code >> 4];
  if (code === (LD | ABS) && size !== undefined) return k % 4 === 0 && k < size;
  if (kind === LD && (code & 0xe0) === ABS) return k >>> 0 < ANCILLARY >>> 0 || isAncillary(k);
  if (code === (LD | MEM) || code === (LDX | MEM) || kind === ST || kind === STX) return k < MEMORY;
  if (kind === ALU && (code & X) === 0)
    return what === DIV || what === MOD ? k !== 0 : what !== LSH && what !== RSH ? true : k < 32;
  if (kind !== JMP) return true;
  return what === JA ? k < left : jt < left && jf < left;
}

/** Whether each word of memory is stored on all ways that lead to where it is loaded (check_load_and_stores). */
function loadsWhatIsStored(program: readonly BpfInstruction[]): boolean {
  const stored = new Uint16Array(program.length).fill(0xffff);
  let valid = 0;
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    valid &= stored[at];
    const kind = code & 7;
    if (kind === ST || kind === STX) valid |= 1 << k;
    if ((code === (LD | MEM) || code === (LDX | MEM)) && (valid & (1 << k)) === 0) return false;
    if (kind !== JMP) continue;
    for (const skipped of code >> 4 === JA ? [k] : [jt, jf]) stored[at + 1 + skipped] &= valid;
    valid = 0xffff;
  }
  return true;
}

/** Whether a program ends, and touches nothing but its memory and `size` bytes of data; or, with undefined, a packet, in which it may miss. */
export function isSoundProgram(program: readonly BpfInstruction[], size: number | undefined): boolean {
  const { length } = program;
  if (length === 0 || length > MOST_INSTRUCTIONS || (program[length - 1].code & 7) !== RET) return false;
  return (
    program.every((instruction, at) => isSound(instruction, length - 1 - at, size)) &&
    loadsWhatIsStored(program)
  );
}

function compute(what: number, a: number, operand: number): number {
  switch (what) {
    case ADD:
      return a + operand;
    case SUB:
      return a - operand;
    case MUL:
      return Math.imul(a, operand);
    case DIV:
      return Math.floor(a / operand);
    case OR:
      return a | operand;
    case AND:
      return a & operand;
    case LSH:
      return a << operand;
    case RSH:
      return a >>> operand;
    case MOD:
      return a % operand;
    case XOR:
      return a ^ operand;
    default:
      return -a;
  }
}

function holds(what: number, a: number, operand: number): boolean {
  switch (what) {
    case JEQ:
      return a === operand;
    case JGT:
      return a > operand;
    case JGE:
      return a >= operand;
    case JSET:
      return (a & operand) !== 0;
    default:
      return true;
  }
}

/** What a load of a packet gives; undefined ends the program. */
function loadPacket(packet: PacketReader, code: number, k: number, a: number, x: number): number | undefined {
  const mode = code & 0xe0;
  if (mode === LEN) return packet.length;
  if (mode === MSH) {
    const byte = packet.load(k | 0, 1);
    return byte === undefined ? undefined : (byte & 15) << 2;
  }
  if (mode === ABS && isAncillary(k)) return packet.ancillary((k | 0) - ANCILLARY, a, x);
  return packet.load((mode === IND ? k + x : k) | 0, code & B ? 1 : code & H ? 2 : 4);
}

/**
 * Runs a sound program on `data`, words as a load gives them, or on a packet; the word that it returns. It is 0 where a load misses the
 * packet.
 */
export function runProgram(
  program: readonly BpfInstruction[],
  data: Uint32Array,
  packet?: PacketReader,
): number {
  const memory = new Uint32Array(MEMORY);
  let [a, x] = [0, 0];
  for (let at = 0; ; at++) {
    const { code, jt, jf, k } = program[at];
    const operand = code & X ? x : k;
    switch (code & 7) {
      case LD:
      case LDX: {
        const mode = code & 0xe0;
        if (packet !== undefined && mode !== MEM && mode !== IMM) {
          const loaded = loadPacket(packet, code, k, a, x);
          if (loaded === undefined) return 0;
          if ((code & 7) === LD) a = loaded;
          else x = loaded;
          break;
        }
        const value =
          mode === ABS ? data[k / 4] : mode === MEM ? memory[k] : mode === LEN ? data.byteLength : k;
        if ((code & 7) === LD) a = value;
        else x = value;
        break;
      }
      case ST:
        memory[k] = a;
        break;
      case STX:
        memory[k] = x;
        break;
      case ALU:
        // A division by zero ends the program.
        if ((code >> 4 === DIV || code >> 4 === MOD) && operand === 0) return 0;
        a = compute(code >> 4, a, operand) >>> 0;
        break;
      case JMP:
        if (code >> 4 === JA) at += k;
        else at += holds(code >> 4, a, operand) ? jt : jf;
        break;
      case RET:
        return code & A ? a : k;
      default:
        if (code & TXA) a = x;
        else x = a;
    }
  }
}
