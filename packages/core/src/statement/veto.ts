import { createRequire } from 'node:module';
import type { Dialect } from './facts.ts';
import { fingerprint } from './fingerprint.ts';
import { VerdictTable } from './memo.ts';
import type { Tokens } from './tokens.ts';
import * as vocabulary from './vocabulary.ts';

/** What node-sql-parser saw where the lexer saw a plain read. */
export const vetoCauses = ['lock', 'into', 'variable', 'function', 'statement'] as const;

/** One of {@link vetoCauses}. */
export type VetoCause = (typeof vetoCauses)[number];

/** What became of the texts that the lexer let through. */
export interface VetoStats {
  /** Vetoes by cause; each fingerprint counts once. */
  readonly vetoes: Readonly<Record<VetoCause, number>>;
  /** Texts given to the parser. */
  readonly parsed: number;
  /** Texts that it could not parse: the lexer's verdict stands. */
  readonly parseErrors: number;
  /** Texts over the guard on length and nesting: the lexer's verdict stands. */
  readonly guarded: number;
  /** The parser could not be loaded. */
  readonly unavailable: boolean;
  /** Verdicts in memory. */
  readonly remembered: number;
}

/**
 * The parser's time grows exponentially with nesting. Under this guard the worst text found took
 * 29 ms; over it, minutes.
 */
const MAX_LENGTH = 4096;
const MAX_DEPTH = 4;

/**
 * Clause words that the parser takes for functions: its known false alarms. Each with a text in
 * which it does so.
 */
export const falseAlarms: ReadonlyMap<string, string> = new Map([
  ['all', 'SELECT 1 > ALL (SELECT a FROM t)'],
  ['any', 'SELECT 1 > ANY (SELECT a FROM t)'],
  ['cube', 'SELECT a FROM t GROUP BY CUBE (a)'],
  ['exists', 'SELECT 1 FROM t WHERE EXISTS (SELECT 1)'],
  ['limit', 'SELECT a FROM t WHERE b = LIMIT (1)'],
  ['nchar', 'SELECT CONVERT(a, NCHAR(10)) FROM t'],
  ['not', 'SELECT 1 FROM t WHERE NOT (a IS NULL)'],
  ['rollup', 'SELECT a FROM t GROUP BY ROLLUP (a)'],
  ['row', 'SELECT 1 FROM t WHERE ROW(a, b) = ROW(1, 2)'],
  ['select', 'SELECT 1 FROM t WHERE a IN (SELECT (?))'],
  ['some', 'SELECT 1 > SOME (SELECT a FROM t)'],
  ['straight_join', 'SELECT 1 FROM a STRAIGHT_JOIN (b)'],
  ['values', 'SELECT (VALUES (1)) AS r'],
]);

/** Statement types of the parser's tree that are no reads. */
const statements = new Set(
  (
    'alter analyze attach call create deallocate declare delete drop exec execute for grant ' +
    'insert load_data lock proc rename replace return revoke set transaction truncate unlock ' +
    'update use'
  ).split(' '),
);

const ALLOWED = 1;

/** The part of node-sql-parser that is used. */
interface AstParser {
  astify(sql: string, options: { readonly database: string }): unknown;
}

/** A second opinion on texts that the lexer finds safe: it can say no, never yes. */
export class ParserVeto {
  readonly #dialect: Dialect;
  readonly #verdicts = new VerdictTable();
  readonly #counts: Record<VetoCause, number> = {
    lock: 0,
    into: 0,
    variable: 0,
    function: 0,
    statement: 0,
  };
  #parser: AstParser | null | undefined;
  #parsed = 0;
  #parseErrors = 0;
  #guarded = 0;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** The cause of a veto of the text of these tokens, whose parentheses nest `depth` deep. */
  judge(tokens: Tokens, depth: number): VetoCause | null {
    if (depth > MAX_DEPTH || tokens.sql.length > MAX_LENGTH) {
      this.#guarded++;
      return null;
    }
    const key = fingerprint(tokens);
    const known = this.#verdicts.get(key);
    const verdict = known === 0 ? this.#ask(tokens) : known;
    if (known === 0) this.#verdicts.set(key, verdict);
    return verdict === ALLOWED ? null : (vetoCauses[verdict - ALLOWED - 1] ?? null);
  }

  stats(): VetoStats {
    return {
      vetoes: { ...this.#counts },
      parsed: this.#parsed,
      parseErrors: this.#parseErrors,
      guarded: this.#guarded,
      unavailable: this.#parser === null,
      remembered: this.#verdicts.count,
    };
  }

  #ask(tokens: Tokens): number {
    const tree = this.#parse(tokens.sql);
    if (tree === null) return ALLOWED;
    const cause = objectionIn(tree, tokens.vocabulary);
    if (cause === null) return ALLOWED;
    this.#counts[cause]++;
    return ALLOWED + 1 + vetoCauses.indexOf(cause);
  }

  #parse(sql: string): unknown {
    this.#parser ??= this.#parser === null ? null : loadParser(this.#dialect);
    if (this.#parser === null) return null;
    this.#parsed++;
    try {
      return this.#parser.astify(sql, { database: databaseOf(this.#dialect) });
    } catch {
      this.#parseErrors++;
      return null;
    }
  }
}

function databaseOf(dialect: Dialect): string {
  return dialect === 'mariadb' ? 'MariaDB' : 'MySQL';
}

/** Loads the build for one dialect, a sixth of the whole package's time and memory. */
function loadParser(dialect: Dialect): AstParser | null {
  const build = dialect === 'mariadb' ? 'mariadb' : 'mysql';
  try {
    const loaded: unknown = createRequire(import.meta.url)(`node-sql-parser/build/${build}`);
    const { Parser } = loaded as { Parser: new () => AstParser };
    return new Parser();
  } catch {
    return null;
  }
}

type Node = Readonly<Record<string, unknown>>;

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}

/** Walks the whole tree without recursion; it is as deep as the longest chain of operators. */
function objectionIn(tree: unknown, words: vocabulary.Vocabulary): VetoCause | null {
  if (Array.isArray(tree) && tree.length > 1) return 'statement';
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const node = open.pop();
    if (!isNode(node)) continue;
    const cause = objectionTo(node, words);
    if (cause !== null) return cause;
    for (const child of Object.values(node)) if (isNode(child)) open.push(child);
  }
  return null;
}

function objectionTo(node: Node, words: vocabulary.Vocabulary): VetoCause | null {
  const { type, into, locking_read: lock } = node;
  if (lock) return 'lock';
  if (isNode(into) && into['position']) return 'into';
  if (type === 'assign' || (type === 'var' && String(node['prefix']).startsWith('@'))) {
    return 'variable';
  }
  if (type === 'function' && !isKnownFunction(node['name'], words)) return 'function';
  return typeof type === 'string' && statements.has(type) ? 'statement' : null;
}

const KNOWN = vocabulary.PURE | vocabulary.PURE_TOUCHING | vocabulary.DECLARED_PURE;

/** Names are in `{ name: [{ value }], schema: { value } }`. */
function isKnownFunction(name: unknown, words: vocabulary.Vocabulary): boolean {
  if (!isNode(name) || !Array.isArray(name['name'])) return true;
  const parts = name['name'].map((part: unknown) => (isNode(part) ? String(part['value']) : ''));
  const schema = isNode(name['schema']) ? `${String(name['schema']['value'])}.` : '';
  const called = `${schema}${parts.join('.')}`.toLowerCase();
  if (called.includes('.')) return words.qualifiedPure.has(called);
  return falseAlarms.has(called) || ((words.flags[words.entryOf(called)] ?? 0) & KNOWN) !== 0;
}
