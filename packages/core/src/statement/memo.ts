import { hashStep } from './characters.ts';
import type { Facts } from './facts.ts';
import type { Fingerprint } from './fingerprint.ts';

/*
 * The bounds of a classifier's memory: 1,024 texts of together 2 Mi characters (4 MiB, or half if
 * all are of one byte each), and 4,096 verdicts (36 KiB).
 */

/** Sets of two decisions each, and slots for verdicts: powers of two. */
const SETS = 512;
const VERDICTS = 4096;
/** Longest text that is remembered, and the sum of all of them, in characters. */
const MAX_TEXT = 4096;
const MAX_TEXTS = 2 * 1024 * 1024;
/** Characters of a text that find its set: some all over it, and its last ones. */
const SPREAD = 24;
const TAIL = 8;

/**
 * Facts of texts seen before. A text's set comes from its length and some of its characters,
 * because a `Map` would hash all of a fresh string; the text itself is compared in full, so no
 * two texts are taken for one. A text is kept from its second time on, as far as the samples
 * tell: texts with values inside rarely come twice.
 */
export class DecisionTable {
  readonly #texts: (string | undefined)[] = new Array(2 * SETS);
  readonly #facts: (Facts | undefined)[] = new Array(2 * SETS);
  readonly #seen = new Int32Array(SETS);
  #characters = 0;
  #count = 0;
  /** Of the text that {@link get} was last asked for. */
  #hash = 0;

  /** Number of texts kept. */
  get count(): number {
    return this.#count;
  }

  /** Sum of their lengths, in characters. */
  get characters(): number {
    return this.#characters;
  }

  get(sql: string): Facts | undefined {
    const hash = sampleHash(sql);
    this.#hash = hash;
    const first = (hash & (SETS - 1)) * 2;
    if (this.#texts[first] === sql) return this.#facts[first];
    return this.#texts[first + 1] === sql ? this.#facts[first + 1] : undefined;
  }

  /** Notes the text that {@link get} was just asked for, and did not know. */
  note(sql: string, facts: Facts): void {
    if (sql.length > MAX_TEXT) return;
    const hash = this.#hash;
    const set = hash & (SETS - 1);
    if (this.#seen[set] !== hash) this.#seen[set] = hash;
    else this.#keep(set * 2, sql, facts);
  }

  /** Of the two in a set, the older one goes. */
  #keep(first: number, sql: string, facts: Facts): void {
    const newer = this.#texts[first];
    const older = this.#texts[first + 1];
    this.#texts[first + 1] = newer;
    this.#facts[first + 1] = this.#facts[first];
    // A copy: a text cut out of a larger one would keep all of that in memory.
    this.#texts[first] = ` ${sql}`.slice(1);
    this.#facts[first] = facts;
    this.#characters += sql.length - (older?.length ?? 0);
    if (older === undefined) this.#count++;
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
  const step = Math.max(1, (length / SPREAD) | 0);
  for (let at = 0; at < length; at += step) hash = hashStep(hash, sql.charCodeAt(at));
  for (let at = Math.max(0, length - TAIL); at < length; at++) {
    hash = hashStep(hash, sql.charCodeAt(at));
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
