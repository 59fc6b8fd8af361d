/** Signal numbers, flags and codes of Linux on powerpc, and what each signal does by default. */

export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGQUIT = 3;
export const SIGILL = 4;
export const SIGTRAP = 5;
export const SIGABRT = 6;
export const SIGBUS = 7;
export const SIGFPE = 8;
export const SIGKILL = 9;
export const SIGUSR1 = 10;
export const SIGSEGV = 11;
export const SIGUSR2 = 12;
export const SIGPIPE = 13;
export const SIGALRM = 14;
export const SIGTERM = 15;
export const SIGSTKFLT = 16;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;
export const SIGTSTP = 20;
export const SIGTTIN = 21;
export const SIGTTOU = 22;
export const SIGURG = 23;
export const SIGXCPU = 24;
export const SIGXFSZ = 25;
export const SIGVTALRM = 26;
export const SIGPROF = 27;
export const SIGWINCH = 28;
export const SIGIO = 29;
export const SIGPWR = 30;
export const SIGSYS = 31;
/** First and last realtime signal; these queue, the others coalesce. */
export const SIGRTMIN = 32;
export const SIGRTMAX = 64;

/** Handler values of struct sigaction. */
export const SIG_DFL = 0n;
export const SIG_IGN = 1n;

export const SA_NOCLDSTOP = 0x1n;
export const SA_NOCLDWAIT = 0x2n;
export const SA_SIGINFO = 0x4n;
export const SA_RESTORER = 0x0400_0000n;
export const SA_ONSTACK = 0x0800_0000n;
export const SA_RESTART = 0x1000_0000n;
export const SA_NODEFER = 0x4000_0000n;
export const SA_RESETHAND = 0x8000_0000n;
/** The flags Linux knows on powerpc; sigaction(2) clears the others, which is how a program probes for one. */
export const SA_KNOWN =
  SA_NOCLDSTOP |
  SA_NOCLDWAIT |
  SA_SIGINFO |
  SA_RESTORER |
  SA_ONSTACK |
  SA_RESTART |
  SA_NODEFER |
  SA_RESETHAND;

/** si_code values that do not depend on the signal. */
export const SI_USER = 0;
export const SI_KERNEL = 0x80;
export const SI_QUEUE = -1;
export const SI_TIMER = -2;
export const SI_MESGQ = -3;
export const SI_ASYNCIO = -4;
export const SI_SIGIO = -5;
export const SI_TKILL = -6;

export const ILL_ILLOPC = 1;
export const ILL_PRVOPC = 5;
export const FPE_FLTDIV = 3;
export const FPE_FLTOVF = 4;
export const FPE_FLTUND = 5;
export const FPE_FLTRES = 6;
export const FPE_FLTINV = 7;
export const FPE_FLTUNK = 14;
export const SEGV_MAPERR = 1;
export const SEGV_ACCERR = 2;
export const SEGV_BNDERR = 3;
export const BUS_ADRALN = 1;
export const BUS_ADRERR = 2;
export const TRAP_BRKPT = 1;
export const TRAP_TRACE = 2;
export const TRAP_HWBKPT = 4;
export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
export const CLD_DUMPED = 3;
export const CLD_TRAPPED = 4;
export const CLD_STOPPED = 5;
export const CLD_CONTINUED = 6;

/** The bits of signals in a mask, made once: every BigInt that is made costs V8 a call. */
const BITS = Array.from({ length: SIGRTMAX + 1 }, (_, signo) => (signo === 0 ? 0n : 1n << BigInt(signo - 1)));

/** Bit of signal `signo` in a mask: bit n - 1 is signal n. */
export const signalBit = (signo: number): bigint => BITS[signo];

const maskOf = (...signals: number[]): bigint => signals.reduce((mask, signo) => mask | signalBit(signo), 0n);

/** All 64 signals. */
export const ALL_SIGNALS = 2n ** 64n - 1n;
/** Cannot be blocked, ignored or caught. */
export const UNBLOCKABLE = maskOf(SIGKILL, SIGSTOP);
export const BLOCKABLE = ALL_SIGNALS & ~UNBLOCKABLE;
export const STOP_SIGNALS = maskOf(SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU);
/** Raised by the instruction being executed; taken before any other. */
export const SYNCHRONOUS = maskOf(SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS);

const IGNORED_BY_DEFAULT = maskOf(SIGCONT, SIGCHLD, SIGWINCH, SIGURG);
const CORE_BY_DEFAULT = maskOf(
  SIGQUIT,
  SIGILL,
  SIGTRAP,
  SIGABRT,
  SIGFPE,
  SIGSEGV,
  SIGBUS,
  SIGSYS,
  SIGXCPU,
  SIGXFSZ,
);

/** What SIG_DFL does; see signal(7). "core" ends the process like "terminate"; no core file is written. */
export type DefaultAction = "terminate" | "core" | "ignore" | "stop";

const DEFAULT_ACTIONS: readonly DefaultAction[] = BITS.map((bit) => {
  if (bit & IGNORED_BY_DEFAULT) return "ignore";
  if (bit & STOP_SIGNALS) return "stop";
  return bit & CORE_BY_DEFAULT ? "core" : "terminate";
});

export const defaultAction = (signo: number): DefaultAction => DEFAULT_ACTIONS[signo];

const NAMES = (
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU " +
  "URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
).split(" ");

/** "SIGSEGV"; "SIGRT_3" for realtime signals, counted from SIGRTMIN. */
export function signalName(signo: number): string {
  if (signo >= SIGRTMIN && signo <= SIGRTMAX) return `SIGRT_${signo - SIGRTMIN}`;
  const name = NAMES[signo - 1];
  return name === undefined ? String(signo) : `SIG${name}`;
}

/** Whether `signo` names a signal at all. */
export const isSignal = (signo: number): boolean => signo >= 1 && signo <= SIGRTMAX;

/** Throws RangeError where a snapshot says signal of what is none; 0 stands for no signal where that is allowed. */
export function checkSignal(signo: number, whose: string, mayBeNone = true): void {
  const isKnown = Number.isInteger(signo) && (isSignal(signo) || (mayBeNone && signo === 0));
  if (!isKnown) throw new RangeError(`signal ${signo} of ${whose}`);
}
