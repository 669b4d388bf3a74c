import { createRequire } from 'node:module';
import type { Dialect } from './facts.ts';
import { fingerprint } from './fingerprint.ts';
import { VerdictTable } from './memo.ts';
import { objectionIn, type VetoCause, vetoCauses } from './syntax-tree.ts';
import type { Tokens } from './tokens.ts';
import * as token from './tokens.ts';
import { QUERY_START } from './vocabulary.ts';

/** What became of the texts that the lexer let through. */
export interface VetoStats {
  /** Vetoes by cause; each fingerprint counts once. */
  readonly vetoes: Readonly<Record<VetoCause, number>>;
  /** Texts given to the parser. */
  readonly parsed: number;
  /** Texts that it could not parse: the lexer's verdict stands. */
  readonly parseErrors: number;
  /** Texts over the guard on length and nesting, those of one fingerprint once: the lexer's verdict stands. */
  readonly guarded: number;
  /** The parser could not be loaded. */
  readonly unavailable: boolean;
  /** Verdicts in memory. */
  readonly remembered: number;
}

/*
 * The parser's time grows exponentially with nesting: for each parenthesis around a token it takes
 * so many times as long. The factors and the limit are from a search for the worst texts (`npm run
 * bench:classify`): 10 ms under this guard, minutes over it.
 */
const MAX_LENGTH = 4096;
const MAX_COST = 2000;
const QUERY_FACTOR = 4;
const FACTOR = 2;
/** By the word before the parenthesis. */
const factors: ReadonlyMap<string, number> = new Map([
  ['cast', 10],
  ...['case', 'convert', 'else', 'interval', 'then', 'trim', 'when'].map(
    (word): [string, number] => [word, 5],
  ),
]);

const ALLOWED = 1;

/** Whether a text is too long, or its parentheses too many in one another, to be given to the parser. */
export function isOverGuard(tokens: Tokens): boolean {
  if (tokens.sql.length > MAX_LENGTH) return true;
  const enclosing: number[] = [];
  let weight = 1;
  let cost = 0;
  for (let at = 0; at < tokens.count && cost <= MAX_COST; at++) {
    if (tokens.type(at) === token.OPEN) {
      enclosing.push(weight);
      weight *= factorOf(tokens, at);
    } else if (tokens.type(at) === token.CLOSE) {
      weight = enclosing.pop() ?? 1;
    }
    cost += weight;
  }
  return cost > MAX_COST;
}

function factorOf(tokens: Tokens, open: number): number {
  const factor =
    tokens.type(open - 1) === token.WORD ? factors.get(tokens.word(open - 1)) : undefined;
  if (factor !== undefined) return factor;
  return tokens.flags(open + 1) & QUERY_START ? QUERY_FACTOR : FACTOR;
}

/** The part of node-sql-parser that is used. */
interface AstParser {
  astify(sql: string, options: { readonly database: string }): unknown;
}

/** node-sql-parser's build for one dialect, loaded when it is first needed. */
export class SyntaxParser {
  readonly #dialect: Dialect;
  /** `null` if it could not be loaded. */
  #parser: AstParser | null | undefined;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** Whether there is no parser to ask; loads it. */
  get isMissing(): boolean {
    if (this.#parser === undefined) this.#parser = loadParser(this.#dialect);
    return this.#parser === null;
  }

  /** Whether it was needed, and could not be loaded. */
  get hasFailed(): boolean {
    return this.#parser === null;
  }

  /** The tree of a text under the guard; `null` if it does not parse. */
  parse(sql: string): unknown {
    if (this.isMissing) return null;
    try {
      return this.#parser?.astify(sql, { database: databaseOf(this.#dialect) }) ?? null;
    } catch {
      return null;
    }
  }
}

/** A second opinion on texts that the lexer finds safe: it can say no, never yes. */
export class ParserVeto {
  readonly #parser: SyntaxParser;
  readonly #verdicts = new VerdictTable();
  readonly #counts: Record<VetoCause, number> = {
    lock: 0,
    into: 0,
    variable: 0,
    function: 0,
    statement: 0,
    table: 0,
  };
  #parsed = 0;
  #parseErrors = 0;
  #guarded = 0;

  constructor(dialect: Dialect) {
    this.#parser = new SyntaxParser(dialect);
  }

  /** The cause of a veto of the text of these tokens. */
  judge(tokens: Tokens): VetoCause | null {
    if (tokens.sql.length > MAX_LENGTH) {
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
      unavailable: this.#parser.hasFailed,
      remembered: this.#verdicts.count,
    };
  }

  #ask(tokens: Tokens): number {
    if (isOverGuard(tokens)) {
      this.#guarded++;
      return ALLOWED;
    }
    if (this.#parser.isMissing) return ALLOWED;
    this.#parsed++;
    const tree = this.#parser.parse(tokens.sql);
    if (tree === null) {
      this.#parseErrors++;
      return ALLOWED;
    }
    const cause = objectionIn(tree, tokens.vocabulary);
    if (cause === null) return ALLOWED;
    this.#counts[cause]++;
    return ALLOWED + 1 + vetoCauses.indexOf(cause);
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
