import type { CatalogueNames } from './catalogue-names.ts';
import * as characters from './characters.ts';
import type { Dialect } from './facts.ts';
import { type KnownFunctions, knownFunctions, type ServerVersions } from './functions/known.ts';
import type { ArgumentCounts, ImpureFunction } from './functions/table.ts';
import * as keywords from './keywords.ts';
import { foldName, TableNames } from './table-names.ts';
import { Text } from './text.ts';

// Constants of this module: see lexer.ts.
const { FOLD, HASH_SEED, hashStep } = characters;

/** A keyword of queries: harmless, also before a parenthesis or a bound value. */
export const QUERY_WORD = 1;
/** A reserved word that has no place in a read, unless it is called as a function. */
export const REFUSED = 2;
/** Opens a clause before a parenthesis, where the grammar has that clause. */
export const OPENING = 4;
export const TYPE_WORD = 8;
/** A pure built-in function. */
export const PURE = 16;
/** A pure built-in function if it touches its parenthesis. */
export const PURE_TOUCHING = 32;
export const IMPURE = 64;
/** Declared pure by the user. */
export const DECLARED_PURE = 128;
/** EXTRACTVALUE and UPDATEXML, whose XPath can hold a user variable. */
export const XPATH = 256;
export const GUARDED = 512;
export const SYSTEM_SCHEMA = 1024;
export const PRIMARY_TABLE = 2048;
export const SEQUENCE_COLUMN = 4096;
export const QUERY_START = 8192;
/** A table whose definition the catalogue calls unsafe. */
export const UNSAFE_TABLE = 16_384;
/** A stored or loadable function in the place of a built-in one. */
export const SHADOWED = 32_768;

/** A pure function that is the built-in one only with some numbers of arguments. */
export const COUNTED = 65_536;

/** Flags that an identifier has in whatever quotes it stands. */
export const ANY_NAME = SYSTEM_SCHEMA | PRIMARY_TABLE | SEQUENCE_COLUMN | UNSAFE_TABLE;
/** Flags for which a word needs a closer look. */
export const NEEDS_RULE = REFUSED | GUARDED | ANY_NAME;

/** Slots of the hash table: a power of two, several times the number of words. */
const MIN_SLOTS = 4096;

/** Options of a vocabulary; see `ClassifierOptions`. */
export interface VocabularyOptions extends ServerVersions {
  readonly pureFunctions?: readonly string[];
  readonly primaryTables?: readonly string[];
  readonly catalogue?: CatalogueNames;
}

/** Every word that a rule knows, with what the rules know of it. Entry 0 is "not here". */
export class Vocabulary {
  readonly dialect: Dialect;
  readonly words: string[] = [''];
  readonly flags: number[] = [0];
  /** By name: the built-in functions that are not pure. */
  readonly impure: ReadonlyMap<string, ImpureFunction>;
  /** By name: how many arguments make it the built-in function, where that matters. */
  readonly argumentCounts: ReadonlyMap<string, ArgumentCounts>;
  /** `db.f` of `pureFunctions`. */
  readonly qualifiedPure = new Set<string>();
  readonly primaryTables = new TableNames();
  readonly unsafeTables = new TableNames();
  /** For {@link entryOf}. */
  readonly #asked = new Text();
  #hashes = new Int32Array(MIN_SLOTS);
  /** The letters of all words one behind the other, and where each word begins. */
  #letters = new Uint16Array(MIN_SLOTS * 4);
  #offsets = new Int32Array(MIN_SLOTS);
  #slots = new Int32Array(MIN_SLOTS);

  constructor(options: VocabularyOptions) {
    const { catalogue, primaryTables = [], pureFunctions = [] } = options;
    this.dialect = options.dialect;
    this.#addKeywords();
    const functions = knownFunctions(options);
    this.impure = functions.impure;
    this.argumentCounts = functions.argumentCounts;
    this.#addFunctions(functions);
    this.#addDeclaredFunctions(pureFunctions);
    const migrationTables = keywords.migrationTables.split(' ');
    this.#addTables([...migrationTables, ...primaryTables], this.primaryTables, PRIMARY_TABLE);
    this.#addTables(catalogue?.unsafeTables ?? [], this.unsafeTables, UNSAFE_TABLE);
    for (const name of catalogue?.shadowingFunctions ?? []) this.#mark(foldName(name), SHADOWED);
  }

  /**
   * Entry of the identifier `text[start, end)` with this hash; 0 if it has none. Letters of any
   * case, compared in ASCII as the servers do.
   */
  find(text: Text, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot] as number;
      if (entry === 0) return 0;
      if (this.#hashes[entry] === hash && this.#isWord(entry, text, start, end)) return entry;
    }
  }

  #isWord(entry: number, { codes, sql }: Text, start: number, end: number): boolean {
    const letters = this.#letters;
    const offset = (this.#offsets[entry] as number) - start;
    if ((this.#offsets[entry + 1] as number) - offset !== end) return false;
    for (let at = start; at < end; at++) {
      const code = codes[at] as number;
      // Names beyond ASCII are those that the user gave.
      if (code > 127) return foldName(sql.slice(start, end)) === this.words[entry];
      if (letters[offset + at] !== (FOLD[code] || code)) return false;
    }
    return true;
  }

  /** Entry of a lower-case word; 0 if it has none. */
  entryOf(word: string): number {
    this.#asked.begin(word);
    return this.find(this.#asked, 0, word.length, hashOf(word));
  }

  #addKeywords(): void {
    const query = new Set(`${keywords.queryWords} ${keywords.newerQueryWords}`.split(' '));
    this.#markAll(keywords.queryWords, QUERY_WORD);
    this.#markAll(keywords.typeWords, TYPE_WORD);
    this.#markAll(keywords.openingWords, OPENING);
    this.#markAll(keywords.guardedWords, GUARDED);
    this.#markAll(keywords.systemSchemas, SYSTEM_SCHEMA);
    this.#markAll(keywords.queryStarts, QUERY_START);
    this.#markAll('extractvalue updatexml', XPATH);
    if (this.dialect !== 'mysql') {
      for (const word of keywords.calledInMariadb.split(' ')) {
        this.#unmark(word, QUERY_WORD | OPENING);
      }
      this.#markAll(keywords.openingInMariadb, OPENING);
      this.#markAll(keywords.guardedInMariadb, GUARDED);
      this.#markAll(keywords.sequenceColumns, SEQUENCE_COLUMN);
    }
    if (this.dialect === 'mariadb') this.#markAll(keywords.typeWordsInMariadb, TYPE_WORD);
    for (const word of this.#reservedWords()) {
      const known = query.has(word) || this.#flagsOf(word) & (TYPE_WORD | GUARDED);
      if (!known) this.#mark(word, REFUSED);
    }
  }

  #reservedWords(): string[] {
    const words = keywords.reserved.split(' ');
    if (this.dialect !== 'mariadb') words.push(...keywords.reservedInMysql.split(' '));
    if (this.dialect !== 'mysql') words.push(...keywords.reservedInMariadb.split(' '));
    return words;
  }

  #addFunctions({ pure, impure, argumentCounts, names }: KnownFunctions): void {
    const callOnly = new Set(keywords.callOnlyWords.split(' '));
    for (const name of names) {
      // A reserved word that is the name of a function, such as RANK, does nothing elsewhere.
      if (!callOnly.has(name)) this.#unmark(name, REFUSED);
    }
    for (const [name, touching] of pure) this.#mark(name, touching ? PURE_TOUCHING : PURE);
    for (const name of argumentCounts.keys()) this.#mark(name, COUNTED);
    for (const name of impure.keys()) {
      this.#unmark(name, PURE | PURE_TOUCHING);
      this.#mark(name, IMPURE);
    }
  }

  #addDeclaredFunctions(names: readonly string[]): void {
    for (const name of names) {
      const folded = foldName(name);
      if (folded.includes('.')) {
        this.qualifiedPure.add(folded);
        continue;
      }
      this.#mark(folded, DECLARED_PURE);
      this.#unmark(folded, COUNTED);
    }
  }

  #addTables(names: readonly string[], tables: TableNames, flag: number): void {
    for (const name of names) {
      for (const identifier of tables.add(name)) this.#mark(identifier, flag);
    }
  }

  #flagsOf(word: string): number {
    return this.flags[this.entryOf(word)] as number;
  }

  #markAll(words: string, flag: number): void {
    for (const word of words.split(' ')) this.#mark(word, flag);
  }

  #mark(word: string, flag: number): void {
    const entry = this.entryOf(word) || this.#add(word);
    this.flags[entry] = (this.flags[entry] as number) | flag;
  }

  #unmark(word: string, flag: number): void {
    const entry = this.entryOf(word);
    if (entry !== 0) this.flags[entry] = (this.flags[entry] as number) & ~flag;
  }

  #add(word: string): number {
    const entry = this.words.push(word) - 1;
    const hash = hashOf(word);
    this.flags.push(0);
    if (this.words.length * 3 > this.#slots.length) this.#grow();
    this.#hashes[entry] = hash;
    this.#spell(entry, word);
    this.#place(entry);
    return entry;
  }

  #grow(): void {
    const hashes = extended(this.#hashes, this.#slots.length * 2);
    this.#hashes = hashes;
    this.#offsets = extended(this.#offsets, hashes.length);
    this.#slots = new Int32Array(hashes.length);
    for (let entry = 1; entry < this.words.length - 1; entry++) this.#place(entry);
  }

  #spell(entry: number, word: string): void {
    const from = this.#offsets[entry] as number;
    const to = from + word.length;
    if (to > this.#letters.length) {
      const letters = new Uint16Array(to * 2);
      letters.set(this.#letters);
      this.#letters = letters;
    }
    for (let i = 0; i < word.length; i++) this.#letters[from + i] = word.charCodeAt(i);
    this.#offsets[entry + 1] = to;
  }

  #place(entry: number): void {
    const mask = this.#slots.length - 1;
    let slot = (this.#hashes[entry] as number) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = entry;
  }
}

function extended(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const result = new Int32Array(length);
  result.set(array);
  return result;
}

function hashOf(word: string): number {
  let hash = HASH_SEED;
  for (let i = 0; i < word.length; i++) hash = hashStep(hash, foldOf(word.charCodeAt(i)));
  return hash;
}

/**
 * Case-folded form of a character of an identifier; all beyond ASCII are one to the hash, but for the
 * two that the servers fold to letters of ASCII.
 */
export function foldOf(code: number): number {
  if (code < 128) return FOLD[code] || code;
  if (code === DOTTED_I) return SMALL_I;
  return code === KELVIN_SIGN ? SMALL_K : 1;
}

const DOTTED_I = 0x130;
const SMALL_I = 105;
const KELVIN_SIGN = 0x212a;
const SMALL_K = 107;
