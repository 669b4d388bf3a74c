import type { StatementKind, StatePin, TextReason } from './facts.ts';

/** Why a read may not run on a replica, and the word that says so. See `Facts`. */
export interface Refusal {
  readonly reason: TextReason;
  readonly word: string | null;
}

/** What the first words of a text say. */
export interface Opening {
  readonly kind: StatementKind;
  /** Why this is no read; `null` if it begins like one. */
  readonly reason: TextReason | null;
  readonly pin: StatePin | null;
  /** Token whose word says so. */
  readonly at: number;
  /** First token of the read, behind EXPLAIN and its options; -1 if it is no read. */
  readonly body: number;
  /** EXPLAIN ANALYZE or WITH: a write in the body is executed. */
  readonly executes: boolean;
  /** Text about later statements (a routine, a view): nothing in it happens now. */
  readonly definition: boolean;
}
