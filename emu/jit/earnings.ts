/** Whether a program has run for long enough, by what has been translated of it, that translating more will pay. */
import type { Tuning } from "../tuning.ts";
import type { Piece } from "./piece.ts";

/** What an address space has had translated so far, and what it has taken over from others. */
export class Earnings {
  private readonly tuning: Tuning;
  /** Instructions translated for it, and those of what earlier runs and other processes had translated. */
  private translated = 0;
  private takenOver = 0;
  /** Whose instructions have been counted: what is dropped may come again. */
  private readonly counted = new WeakSet<Piece>();

  constructor(tuning: Tuning) {
    this.tuning = tuning;
  }

  noteTranslated(piece: Piece, instructions: number): void {
    this.counted.add(piece);
    this.translated += instructions;
  }
  noteTakenOver(piece: Piece): void {
    if (this.counted.has(piece)) return;
    this.counted.add(piece);
    this.takenOver += piece.words.length;
  }

  /**
   * Whether more will pay once so many instructions have been executed. What was taken over counts, for that was the hottest: what is left of it
   * pays as late as it did where that was made. Of new code there may be a little early.
   */
  suffice(executed: number): boolean {
    const { translated, takenOver } = this;
    const { translatedFreely, executedPerTranslated, executedPerAdded } = this.tuning;
    return (
      (translated + takenOver - translatedFreely) * executedPerTranslated <= executed ||
      translated * executedPerAdded <= executed
    );
  }
}
