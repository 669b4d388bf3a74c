import type { Facts } from './facts.ts';
import type { Fingerprint } from './fingerprint.ts';

/** Slots of each table: powers of two. */
const DECISIONS = 1024;
const VERDICTS = 4096;
/** Longest text that is remembered, and the sum of all of them, in characters. */
const MAX_TEXT = 4096;
const MAX_TEXTS = 2 * 1024 * 1024;
const SAMPLES = 16;

/**
 * Facts of texts seen before. A text's slot comes from its length and sixteen of its characters,
 * because a `Map` would hash all of a fresh string; the text itself is compared in full, so no
 * two texts are taken for one. A text is kept from its second time on: texts with values inside
 * never come twice.
 */
export class DecisionTable {
  readonly #texts: (string | undefined)[] = new Array(DECISIONS);
  readonly #facts: (Facts | undefined)[] = new Array(DECISIONS);
  readonly #seen = new Int32Array(DECISIONS);
  #characters = 0;
  #count = 0;

  /** Number of texts kept. */
  get count(): number {
    return this.#count;
  }

  /** Sum of their lengths, in characters. */
  get characters(): number {
    return this.#characters;
  }

  get(sql: string): Facts | undefined {
    const slot = sampleHash(sql) & (DECISIONS - 1);
    return this.#texts[slot] === sql ? this.#facts[slot] : undefined;
  }

  /** Notes a text that {@link get} did not know. */
  note(sql: string, facts: Facts): void {
    if (sql.length > MAX_TEXT) return;
    const hash = sampleHash(sql);
    const slot = hash & (DECISIONS - 1);
    if (this.#seen[slot] !== hash) this.#seen[slot] = hash;
    else this.#keep(slot, sql, facts);
  }

  #keep(slot: number, sql: string, facts: Facts): void {
    const old = this.#texts[slot];
    this.#characters += sql.length - (old?.length ?? 0);
    if (old === undefined) this.#count++;
    // A copy: a text cut out of a larger one would keep all of that in memory.
    this.#texts[slot] = ` ${sql}`.slice(1);
    this.#facts[slot] = facts;
    if (this.#characters > MAX_TEXTS) this.#clear();
  }

  #clear(): void {
    this.#texts.fill(undefined);
    this.#facts.fill(undefined);
    this.#characters = 0;
    this.#count = 0;
  }
}

function sampleHash(sql: string): number {
  const length = sql.length;
  let hash = length | 0;
  // The tail tells apart what one builder compiles; the samples, different builders.
  for (let i = 1; i <= SAMPLES; i++) {
    const code = sql.charCodeAt(Math.floor((length * i) / SAMPLES) - 1);
    hash = Math.imul(hash ^ code, 0x01000193);
  }
  return hash ^ (hash >>> 15);
}

/** Verdicts by fingerprint, in arrays of a fixed size; a new one takes the place of an old one. */
export class VerdictTable {
  readonly #high = new Int32Array(VERDICTS);
  readonly #low = new Int32Array(VERDICTS);
  readonly #verdicts = new Uint8Array(VERDICTS);
  #count = 0;

  /** Number of verdicts kept. */
  get count(): number {
    return this.#count;
  }

  /** The verdict, a number above 0; 0 if there is none. */
  get(key: Fingerprint): number {
    const slot = (key.high ^ key.low) & (VERDICTS - 1);
    const same = this.#high[slot] === key.high && this.#low[slot] === key.low;
    return same ? (this.#verdicts[slot] as number) : 0;
  }

  set(key: Fingerprint, verdict: number): void {
    const slot = (key.high ^ key.low) & (VERDICTS - 1);
    if (this.#verdicts[slot] === 0) this.#count++;
    this.#high[slot] = key.high;
    this.#low[slot] = key.low;
    this.#verdicts[slot] = verdict;
  }
}
