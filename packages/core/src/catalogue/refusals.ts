import { fingerprint } from '../statement/fingerprint.ts';
import { Lexer } from '../statement/lexer.ts';
import { defaultReading } from '../statement/readings.ts';
import { plainVocabulary } from './plain-vocabulary.ts';

/** How many are remembered. */
const most = 1_000;

/**
 * Statements that a replica refused as writes, by fingerprint: what differs from one only in its
 * literals goes to the primary at once. Beyond the limit the oldest is forgotten, and refused again.
 */
export class Refusals {
  readonly #known = new Set<string>();
  #lexer: Lexer | null = null;

  get count(): number {
    return this.#known.size;
  }

  has(sql: string): boolean {
    return this.#known.size > 0 && this.#known.has(this.#keyOf(sql));
  }

  add(sql: string): void {
    this.#known.add(this.#keyOf(sql));
    if (this.#known.size > most) {
      const [oldest = ''] = this.#known;
      this.#known.delete(oldest);
    }
  }

  /** By a vocabulary of its own: that of the classifier changes with the catalogue. */
  #keyOf(sql: string): string {
    this.#lexer ??= new Lexer(plainVocabulary());
    this.#lexer.read(sql, defaultReading);
    const { high, low } = fingerprint(this.#lexer.tokens);
    return `${high}:${low}`;
  }
}
