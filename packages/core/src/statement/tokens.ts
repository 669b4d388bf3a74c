import type { Vocabulary } from './vocabulary.ts';

/** Token types. A punctuation character is its own character code; the others are above ASCII. */
export const WORD = 128;
/** An identifier that no rule takes for a keyword: next to a dot, after `@`, or not plain ASCII. */
export const NAME = 129;
/** `` `name` `` */
export const QUOTED = 130;
/** `'text'` */
export const STRING = 131;
/** `"text"`: a string, or under ANSI_QUOTES an identifier. */
export const DOUBLE_QUOTED = 132;
export const NUMBER = 133;
/** `?` or `:name` */
export const PLACEHOLDER = 134;
/** `??` */
export const NAME_PLACEHOLDER = 135;
/** `@` */
export const VARIABLE = 136;
/** `@@` */
export const SYSTEM_VARIABLE = 137;
/** `:=` */
export const ASSIGN = 138;

export const OPEN = 40;
export const CLOSE = 41;
export const COMMA = 44;
export const PERIOD = 46;
export const SEMICOLON_TOKEN = 59;
export const EQUALS = 61;
export const OPEN_BRACE = 123;
/** What {@link Tokens.type} answers before the first and after the last token. */
export const NO_TOKEN = 0;

const SMALL = 256;
/** Capacity that is kept between texts; a larger one is given back. */
const KEPT = 16_384;
/** Texts over this length get room for all the tokens they can have: growing would copy too much. */
const LONG = 65_536;
const MAX_WORD = 64;

/** The tokens of one text, in parallel arrays that are used again for the next text. */
export class Tokens {
  readonly vocabulary: Vocabulary;
  sql = '';
  count = 0;
  types = new Uint8Array(SMALL);
  starts = new Int32Array(SMALL);
  ends = new Int32Array(SMALL);
  /** Index of a word or name in the vocabulary; 0 if it is not there. */
  entries = new Int32Array(SMALL);
  /** Hash of a word or name, for the fingerprint; 0 for literals and punctuation. */
  hashes = new Int32Array(SMALL);

  constructor(vocabulary: Vocabulary) {
    this.vocabulary = vocabulary;
  }

  /** Forgets the tokens of the previous text. */
  begin(sql: string): void {
    this.sql = sql;
    this.count = 0;
    const room = this.types.length;
    if (sql.length > Math.max(LONG, room)) this.#resize(sql.length);
    else if (room > KEPT && sql.length <= LONG) this.#resize(SMALL);
  }

  push(type: number, start: number, end: number, entry: number, hash: number): void {
    const at = this.count;
    if (at === this.types.length) this.#resize(at * 2);
    this.types[at] = type;
    this.starts[at] = start;
    this.ends[at] = end;
    this.entries[at] = entry;
    this.hashes[at] = hash;
    this.count = at + 1;
  }

  /** Type of token `t`, or {@link NO_TOKEN}. */
  type(t: number): number {
    return t >= 0 && t < this.count ? (this.types[t] as number) : NO_TOKEN;
  }

  start(t: number): number {
    return this.starts[t] as number;
  }

  end(t: number): number {
    return this.ends[t] as number;
  }

  entry(t: number): number {
    return this.entries[t] as number;
  }

  /** Flags of token `t` in the vocabulary; 0 if it is no word or name of it. */
  flags(t: number): number {
    return t < this.count ? (this.vocabulary.flags[this.entry(t)] ?? 0) : 0;
  }

  /** Whether token `t` is the unquoted keyword `word` (lower case, in the vocabulary). */
  is(t: number, word: string): boolean {
    return this.type(t) === WORD && this.word(t) === word;
  }

  /** Whether token `t` is one of these unquoted keywords. */
  isOneOf(t: number, words: ReadonlySet<string>): boolean {
    return this.type(t) === WORD && words.has(this.word(t));
  }

  /**
   * Token `t` as a word of {@link Facts.word}: an identifier without its quotes in lower case, at
   * most 64 characters; empty for what is no identifier.
   */
  word(t: number): string {
    const type = this.type(t);
    if (type !== WORD && type !== NAME && type !== QUOTED) return '';
    const entry = this.entry(t);
    if (entry !== 0) return (this.vocabulary.words[entry] as string).slice(0, MAX_WORD);
    const quote = type === QUOTED ? 1 : 0;
    const from = this.start(t) + quote;
    return this.sql
      .slice(from, Math.min(this.end(t) - quote, from + MAX_WORD))
      .toLowerCase()
      .slice(0, MAX_WORD);
  }

  /** Whether nothing stands between token `t` and the one after it. */
  touchesNext(t: number): boolean {
    return this.ends[t] === this.starts[t + 1];
  }

  #resize(capacity: number): void {
    const kept = capacity > this.count ? this.count : 0;
    const grow = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const array = new Int32Array(capacity);
      array.set(old.subarray(0, kept));
      return array;
    };
    const types = new Uint8Array(capacity);
    types.set(this.types.subarray(0, kept));
    this.types = types;
    this.starts = grow(this.starts);
    this.ends = grow(this.ends);
    this.entries = grow(this.entries);
    this.hashes = grow(this.hashes);
  }
}
