import type { Dialect } from '../statement/facts.ts';
import { Lexer } from '../statement/lexer.ts';
import { defaultReading } from '../statement/readings.ts';
import { type TableName, tablesIn } from '../statement/syntax-tree.ts';
import type { Tokens } from '../statement/tokens.ts';
import * as token from '../statement/tokens.ts';
import { isOverGuard, SyntaxParser } from '../statement/veto.ts';
import { vocabularyOf } from '../statement/vocabularies.ts';
import { scanFunctions } from './function-scan.ts';
import { fingerprintOf, shapeOf } from './shape.ts';
import { type ScannedTables, scanTables } from './table-scan.ts';

/** Options of an {@link Inspector}. */
export interface InspectorOptions {
  readonly dialect: Dialect;
  readonly pureFunctions?: readonly string[];
}

/** How many shapes are kept with their tables, and the longest of them, in characters. */
const mostShapes = 1_000;
const longestShape = 4_096;

/** Statements that the parser knows well: of writes it takes IGNORE and aliases for tables. */
const parsed = new Set(['select', 'with']);

/**
 * Tells of a text what nobody needs to route it: its tables, its functions, its fingerprint. For
 * events and explanations; nothing of it happens before it is asked for.
 */
export class Inspector {
  readonly #lexer: Lexer;
  readonly #parser: SyntaxParser;
  readonly #tables = new Map<string, readonly TableName[]>();
  /** The text that the lexer has read last, and what was found in it. */
  #last: string | null = null;
  #shape: string | null = null;
  #scan: ScannedTables | null = null;

  constructor(options: InspectorOptions) {
    this.#lexer = new Lexer(vocabularyOf(options));
    this.#parser = new SyntaxParser(options.dialect);
  }

  /**
   * The tables that a text names, in its order: by the parser, or, where that cannot tell, by the
   * words in front of them. Names of WITH and aliases are no tables.
   */
  tables(sql: string): readonly TableName[] {
    const shape = this.#shapeOf(sql);
    const known = this.#tables.get(shape);
    if (known !== undefined) return known;
    const tables = this.#parsedTables() ?? this.#scanned().tables;
    if (shape.length <= longestShape) {
      if (this.#tables.size === mostShapes) this.#tables.clear();
      this.#tables.set(shape, tables);
    }
    return tables;
  }

  /**
   * The functions that a text calls with parentheses, in lower case, each once; with their database
   * if it is named.
   */
  functions(sql: string): readonly string[] {
    return scanFunctions(this.#read(sql), this.#scanned().nameEnds);
  }

  /** 16 hexadecimal digits, equal for texts that differ in literals, white space, comments and case. */
  fingerprint(sql: string): string {
    return fingerprintOf(this.#shapeOf(sql));
  }

  #read(sql: string): Tokens {
    if (this.#last !== sql) {
      this.#lexer.read(sql, defaultReading);
      this.#last = sql;
      this.#shape = null;
      this.#scan = null;
    }
    return this.#lexer.tokens;
  }

  #shapeOf(sql: string): string {
    const tokens = this.#read(sql);
    this.#shape ??= shapeOf(tokens, this.#lexer.failure === null);
    return this.#shape;
  }

  #scanned(): ScannedTables {
    this.#scan ??= scanTables(this.#lexer.tokens);
    return this.#scan;
  }

  #parsedTables(): TableName[] | null {
    const { tokens, failure, multiple, executableComment } = this.#lexer;
    // The parser drops executable comments, whose content is code.
    if (failure !== null || multiple || executableComment) return null;
    const isQuery = tokens.type(0) === token.OPEN;
    if (!isQuery && !tokens.isOneOf(0, parsed)) return null;
    if (isOverGuard(tokens)) return null;
    const tree = this.#parser.parse(tokens.sql);
    const tables = tree === null ? [] : tablesIn(tree);
    // To it `$t` is no table.
    return tables.length > 0 ? tables : null;
  }
}
