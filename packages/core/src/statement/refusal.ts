import type { TextReason } from './facts.ts';

/** Why a read may not run on a replica, and the word that says so. See `Facts`. */
export interface Refusal {
  readonly reason: TextReason;
  readonly word: string | null;
}
