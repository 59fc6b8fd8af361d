/**
 * Every number that was chosen for speed or for patience: how long things run before something else has its turn, how much is
 * kept, when code is translated. None of them changes what a program does, but those of turns, which decide the order of its threads.
 */

// ---- turns ---------------------------------------------------------------------------------------------------

/** Instructions of a thread's turn. Counted, so that the order of threads does not depend on the host. */
export const SLICE = 1_000_000;
/**
 * Turns are shorter than that by a number of so many bits, a quarter of it. With equal turns ruby's TestIO#test_select_memory_leak did not end
 * within 100 s; it takes 5.
 */
export const SLICE_SPREAD_BITS = 18;
/** The host gets a turn after this much work, in nanoseconds. */
export const HOST_SHARE = 10_000_000n;
/** Nanoseconds that a system call may keep the host waiting. */
export const LONGEST_STRETCH = 5_000_000n;
/** Longest sleep at a stretch, in milliseconds; a timer also keeps the host's event loop alive. */
export const LONGEST_SLEEP = 3_600_000n;

/**
 * What a piece, between two looks at the clock, is to take, in nanoseconds. Much less than the host's share, because a program may become slower
 * all of a sudden (denormals, say) while the length of a piece still goes by how fast it was.
 */
export const PIECE_TIME = 1_000_000n;
/** Instructions of a piece before it is known how fast they run, at the least, and at most. */
export const FIRST_PIECE = 20_000;
export const LEAST_PIECE = 1_000;
export const MOST_PIECE = 2_000_000;
/** Pieces of less than LEAST_PIECE, up to a system call each, before the clock is read: that takes 50 to 250 ns, as long as a short call. */
export const MOST_UNSEEN = 8;

// ---- paths -----------------------------------------------------------------------------------------------------

/** Ways of walks along paths that are kept. */
export const MOST_WALKS = 512;
/** Nanoseconds until somebody outside who forbids a folder on a known way is noticed. */
export const WALK_TRUSTED = 100_000_000n;
/** Nanoseconds after which a folder that has been changed once more has other times than before. */
export const LISTING_SETTLED = 3_000_000_000n;
/** Entries of a folder that are kept. */
export const MOST_LISTED = 4096;

// ---- profiles --------------------------------------------------------------------------------------------------

/** Instructions between two looks at where a program is: a prime, so that no loop keeps in step with it. */
export const PROFILE_INTERVAL = 200_003;

// ---- address spaces that are kept for use again ----------------------------------------------------------------

/** Most address spaces kept. */
export const MOST_SPACES_KEPT = 8;
/** A space that has had so many pages cleared is not kept: the host has memory for all of them. */
export const MOST_PAGES_CLEARED = 16_384;

/**
 * Bytes set, copied or reversed in memories by typed arrays before WebAssembly does it, some ten times as quickly. Its first module takes
 * V8 about 3 ms of processor time; the guard tables of the first address space are 2 MiB, and take 0.4 ms without.
 */
export const MOVED_PLAINLY = 4 * 1024 * 1024;

// ---- translations that are kept for later runs ------------------------------------------------------------------

/** Bytes of a program's translations at the most: 40 MiB are some 3,000 functions with their optimised code. */
export const MOST_KEPT_OF_PROGRAM = 64 * 1024 * 1024;
/** Bytes of all programs' translations in a folder. */
export const MOST_KEPT_BYTES = 512 * 1024 * 1024;

// ---- the host's engine -------------------------------------------------------------------------------------------

/**
 * Bytes of bytecode after which V8 optimises a function of ppcr's own, in the command with the translator: eight times as many as by itself. The
 * translator runs for a moment, in hundreds of functions, and what optimising them takes other threads is more than they gain: 0.1 to 0.7 s of
 * processor time in runs of two seconds. python's `print(1)` took 3.1 s so, with four times 3.4, with twice 3.6 and with V8's own 4.2; the
 * guest's thread 2.0 to 2.1 with each.
 */
export const OPTIMIZE_AFTER = 528_000;

// ---- translated code -------------------------------------------------------------------------------------------

/** Every number by which the translator decides, each with what it was measured to do. */
export interface Tuning {
  /**
   * Instructions of an address space after which the host's engine is told how to treat ppcr's own functions. Where that means to load node:v8, as it
   * did in Node 20 too (`emu/host/node/v8-flags.ts`), it takes 3 ms, which a program that does less need not spend: a dynamic hello, of 210,000, took 96 ms
   * with 20,000 and 93 with 300,000, a static one of 14,000 69 and 68.
   */
  startAfter: number;
  /**
   * Instructions of an address space after which the quick loop takes over from the interpreter, of which V8 finds so much worth optimising in the
   * first 20,000 that it spends more on that than on running them: with 20,000 a dynamic hello took 125 ms of processor time, with 3,000 it took 107
   * and with 1,000 or 200 about 105; a static one of 14,000 instructions 80, 76, 70 and 73. With the quick loop python's `print(1)` took 1.9 to 2.3
   * instead of 2.6 to 2.9 s, perl's loop and mawk 15 % less.
   */
  quickAfter: number;
  /**
   * Instructions of an address space, or of a machine once it is quick, after which what is hot is translated: to load the translator and to have
   * it make its first function takes 20 ms, and one more to look for what earlier runs have made.
   */
  translateAfter: number;
  /**
   * Arrivals at a place by a backward branch, a call or a return before it is translated. 100 and 300 took as long, within 10 %, with eight
   * programs of half a second to five.
   */
  threshold: number;
  /** The same for a place of which there is translated code already, made by another process or an earlier run. */
  reuseThreshold: number;
  /**
   * Arrivals at a place inside a translated function, where the code can't be entered, before it is made an entry; four times as many each
   * time that the function is translated again, which costs more than the interpreter loses on the way to the next entry.
   */
  entryThreshold: number;
  /**
   * The same for each instruction of that function, where it is more: translating one again takes as long as some hundred such arrivals take.
   * Of the loop of sqlite's virtual machine, two thousand instructions, there were three translations for entries alone.
   */
  entryThresholdEach: number;
  /** Loop heads and places after calls at which a function can be entered, at the most; twice as many with those that prove hot later. */
  mostEntries: number;
  /**
   * Code that has never been run is left out of a translated function, until it has been arrived at so many times for each instruction of the function,
   * which is what translating it again costs; twice as many each time that this happens. 0: nothing is left out. 4 was 10 % slower with sqlite and bzip2,
   * as fast with Lua. 32 gained sqlite's first run and lost unxz's. What is left out is two thirds of the instructions there, and with them a quarter to
   * a half of the run.
   */
  coldThreshold: number;
  /**
   * The same for a function that an earlier run or another process has translated: what this run arrives at and finds left out, further ones will
   * too. With 16 sqlite came to such places 297,000 times in every warm run; with 4 the second run translated 8 functions again and further ones
   * came there 246,000 times; with 1 it was 9 functions and 90,000 times, and 0.2 to 0.3 of 2.8 s less.
   */
  reuseColdThreshold: number;
  /**
   * Instructions of an address space that are translated as soon as they are hot, and how many have to be executed for each further one, so that a program
   * does not spend longer on being translated than on running. 6,000 and 10,000, chosen before there was the quick loop, took python's `print(1)`
   * 1.65 s of processor time (44 million instructions in as many places), these take it 1.29 and nothing translated at all 1.1; bzip2 1.09 and
   * 1.06, sqlite 4.3 and 4.5. With 2,000 and 40,000 sqlite took 30 % longer.
   */
  translatedFreely: number;
  executedPerTranslated: number;
  /**
   * How many have to be executed for each one translated where so much was taken over from earlier runs or other processes that nothing is due
   * by the numbers above. Where these did not count that, a second run translated half as much again as the first and was over before that paid:
   * of python's json it took 3.6 s of processor time, with this 2.5, with nothing added 2.1; ruby's 5.5 and 3.8, python's `print(1)` 0.83 and
   * 0.69; sqlite and Lua as long as before. With nothing added a program stays where its first run has left it: python's json at 1.9, not 1.3.
   */
  executedPerAdded: number;
  /**
   * Instructions executed that one counts as there which the quick loop leaves to its handler: that takes some 10 to 100 times as long as one of its own.
   * Of a product of two matrices of 256 by 256 doubles by OpenBLAS, on power9, 5.3 instead of 11.6 of 22 million instructions are executed there,
   * and it takes 7 to 10 % less processor time; python, perl, awk, sort and Lua take as long.
   */
  executedPerHandled: number;
  /** Instructions of a function at the most; what lies beyond is left to the interpreter or to a function of its own. */
  mostInstructions: number;
  /**
   * Bytes of a function's module above which fewer instructions are taken. V8 took more than a minute of processor time, and
   * the command with it to end, for one of 749,000 (the loop of guile's virtual machine: each operation jumps by one table to all the others).
   */
  mostModuleBytes: number;
  /**
   * Guest instructions that a machine has had translated before another thread is begun to go on with that, which takes 45 ms of processor time to
   * begin, and some more until V8 has compiled the translator there, too. With 2,000 Lua's mix of tables and strings (10,000 in all) took 2 % longer by
   * the clock on two cores, with 6,000 2 % less; sqlite's first run (48,000) takes 5 % less with 6,000 and 4 % with 12,000.
   */
  threadAfter: number;
  /**
   * Milliseconds that this thread may leave all that it is asked for undone, before the guest's goes on without it. It answers every 6 ms while it
   * begins; where others keep the processors busy it may come to nothing for seconds, in which a program takes its hot code by the slow way.
   */
  mostSilent: number;
  /**
   * Milliseconds that the guest's thread translates at a stretch, where it is to do so itself. What takes longer is gone on with when the program has
   * had a part of that time: see TRANSLATED_WITHIN.
   */
  longestStretch: number;
  /** Registers that an innermost loop keeps in locals at the most. */
  mostPromoted: number;
  /** Incoming edges of a join over which unsaved registers are carried in locals; with more, each edge saves them. */
  mostCarried: number;
  /** Bytes of host stack that calls from translated code to translated code may use, by estimate. */
  stack: number;
  /** Slots of the table of all functions at first; it doubles. Modules that look functions up pay 0.2 us for every slot. */
  slots: number;
  /** Bytes of modules after which everything is dropped and translated again. */
  mostBytes: number;
}

export const TUNING: Tuning = {
  startAfter: 300_000,
  quickAfter: 1000,
  translateAfter: 500_000,
  threshold: 1000,
  reuseThreshold: 16,
  entryThreshold: 4000,
  entryThresholdEach: 60,
  mostEntries: 100,
  coldThreshold: 16,
  reuseColdThreshold: 1,
  translatedFreely: 2000,
  executedPerTranslated: 15_000,
  executedPerAdded: 100_000,
  executedPerHandled: 20,
  mostInstructions: 4000,
  mostModuleBytes: 250_000,
  threadAfter: 6_000,
  mostSilent: 100,
  longestStretch: 8,
  mostPromoted: 40,
  mostCarried: 8,
  stack: 400_000,
  slots: 256,
  mostBytes: 64 * 1024 * 1024,
};

// What bounds the translator's own work. They were chosen and not measured one by one.

/** A function of no more than this is not made smaller for the size of its module. */
export const LEAST_INSTRUCTIONS = 250;
/** Arrivals after which a place that can't be translated is tried again. */
export const RETRY_AFTER = 1_000_000;
/** Cases of a table of jump targets at the most; a longer one is left to the interpreter. */
export const MOST_CASES = 600;
/**
 * Jumps through one table, times the places it leads to, from which on they share the way there. With 50 and with 3,000 Lua, awk, python and guile took
 * as long; never shared, guile's (fib 22) took 10.1 s instead of 1.0.
 */
export const LEAST_SHARED_JUMPS = 400;
/** Instructions before a bctr in which the loading from such a table is looked for. */
export const TABLE_REACH = 14;
/** Addresses known to have been tested, at one place of the code, at the most. */
export const MOST_FACTS = 24;
/** Bytes that are tested together with accesses of further blocks at the most: these may not come to it, and the page after may be bad. */
export const MOST_AHEAD = 256;
/** Ranges that are tested before a loop at the most; as many addresses known to have been tested are left to what is in it. */
export const MOST_INVARIANTS = 8;
/** Ranges that a loop comes to in strides, and that are tested for many turns at once, at the most. */
export const MOST_STRIDES = 6;
/** Tables of a loop whose guards are looked at before it, at the most. */
export const MOST_TABLES = 6;
/** Accesses of further blocks that are looked at. */
export const MOST_LATER = 48;
/** Instructions of a function that becomes part of its callers at the most; with half of theirs as many as all such functions have in one of them. */
export const MOST_INLINED = 40;
/** Functions that a call through a register is compared with at the most, each of which becomes part of the caller. */
export const MOST_GUESSES = 6;
/** Instructions that are copied at the most to give a loop one entry, and with a quarter of the region's all of its loops. */
export const MOST_SPLIT = 64;
/** Functions that another thread has been asked to translate, at a time, before more are left until later. */
export const MOST_ORDERS = 8;
/**
 * Parts of a function (a block, an end of one, a way out) that are emitted in one step: to stop after each took 6 to 12 % of what translating takes, after
 * so many nothing that could be measured.
 */
export const PARTS_IN_A_STEP = 16;
/** Milliseconds that the guest's thread may translate for each that the program has had. */
export const TRANSLATED_WITHIN = 8;
/**
 * How much less of a processor than others that thread wants, as nice(1) has it. Where there are two cores it would keep the guest's thread waiting,
 * and those in which V8 optimises: sqlite's first run took 3 % more by the clock with 0, 2 % with 5.
 */
export const THREAD_NICENESS = 10;
/** Translations of one place that are kept beside each other: of programs that have other code there, or more of it. */
export const MOST_ALIKE = 4;
/** Ways out that are left in a block where a landing is opened in its middle. */
export const LEAST_LEAVES = 2;
/** Slots that make a landing of its own worth its while. */
export const LEAST_SHARED = 2;
/** Words before a loop in which the beginning of its function is looked for. */
export const MOST_BEFORE = 2000;
/** Calls of a function before it is translated for a loop in it: with 2, and with 16, bzip2 took 1.2 to 1.3 times as long, with 300 as long as before. */
export const LEAST_CALLS = 300;
/** Words from the beginning of a function in which the making of its stack frame is looked for. */
export const FRAME_WITHIN = 16;
/** Places that are tried as the beginning of a loop's function. */
export const MOST_BEGINNINGS = 4;
/**
 * Paths of folders that are read as links of /proc after one was longer than a path may be: to ask for the working directory there lists all the
 * folders above, which took six hundred folders in each other 30 s. Reading a link takes two to four times as long as a short path of that kind.
 */
export const LINKS_AFTER_A_LONG_PATH = 1000;
