/** What the engine has translated, while that goes on. */
import type { Piece } from "./piece.ts";
import type { Order, Product } from "./produce.ts";

/** A translation under way. */
export interface Job {
  readonly wanted: readonly number[];
  /** What had its place, if anything, and what it takes the place of besides. */
  readonly before: Piece | undefined;
  readonly replaced: readonly Piece[];
  readonly order: Order;
  /** Its own instructions, without those of functions that become part of it. */
  readonly instructions: number;
  /** Places that wait for it, for they share code with it. */
  readonly waiting: number[];
}

/** What has been made of one, if anything has; the piece of it unless that is too large. */
export interface Received {
  readonly job: Job;
  readonly product: Product | undefined;
  readonly piece: Piece | undefined;
  /** Others could not make it. */
  readonly isRefused: boolean;
}
