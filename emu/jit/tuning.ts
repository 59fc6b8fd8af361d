/** Every number by which the translator decides, each with what it was measured to do. */
export interface Tuning {
  /** Arrivals at a place by a backward branch, a call or a return before it is translated. */
  threshold: number;
  /**
   * Arrivals at a place inside a translated function, where the code can't be entered, before it is made an entry; four times as many each
   * time that the function is translated again, which costs more than the interpreter loses on the way to the next entry.
   */
  entryThreshold: number;
  /** Instructions of a function at the most; what lies beyond is left to the interpreter or to a function of its own. */
  mostInstructions: number;
  /** Registers that an innermost loop keeps in locals at the most. */
  mostPromoted: number;
  /** Incoming edges of a join over which unsaved registers are carried in locals; with more, each edge saves them. */
  mostCarried: number;
  /** Bytes of host stack that calls from translated code to translated code may use, by estimate. */
  stack: number;
  /** Slots of the function table at first; it doubles. Instances pay for every slot. */
  slots: number;
  /** Bytes of modules after which everything is dropped and translated again. */
  mostBytes: number;
}

export const TUNING: Tuning = {
  threshold: 1000,
  entryThreshold: 4000,
  mostInstructions: 4000,
  mostPromoted: 40,
  mostCarried: 3,
  stack: 400_000,
  slots: 1024,
  mostBytes: 64 * 1024 * 1024,
};
