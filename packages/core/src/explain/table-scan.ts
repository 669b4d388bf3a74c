import type { TableName } from '../statement/syntax-tree.ts';
import { foldName } from '../statement/table-names.ts';
import type { Tokens } from '../statement/tokens.ts';
import * as token from '../statement/tokens.ts';
import { Levels } from './levels.ts';
import {
  clauses,
  columnWords,
  definitions,
  described,
  directly,
  explained,
  isVerb,
  manyTables,
  modifiers,
  noTables,
  routines,
  setOperators,
} from './table-words.ts';

/*
 * Finds the tables of a text without a grammar: by the words in front of them. It serves where
 * the parser cannot: definitions, what it does not parse, what is over its guard. No
 * statement is routed by it; the catalogue asks it which tables a view reads, beside the names in
 * the view's text. Linear in the number of tokens.
 */

/** What a scan found. */
export interface ScannedTables {
  /** Each once, in the order of the text. */
  readonly tables: readonly TableName[];
  /** Tokens that end the name of a table: a parenthesis behind one opens no call. */
  readonly nameEnds: ReadonlySet<number>;
}

function isNameType(type: number): boolean {
  return (
    type === token.WORD ||
    type === token.NAME ||
    type === token.QUOTED ||
    type === token.DOUBLE_QUOTED
  );
}

/** An identifier without its quotes. */
function nameAt(tokens: Tokens, at: number): string {
  const text = tokens.sql.slice(tokens.start(at), tokens.end(at));
  const quote = text[0] === '`' || text[0] === '"' ? text[0] : '';
  return quote === '' ? text : text.slice(1, -1).replaceAll(quote + quote, quote);
}

/** Finds the tables that a text names. */
export function scanTables(tokens: Tokens): ScannedTables {
  return new Scan(tokens).run();
}

class Scan {
  readonly #tokens: Tokens;
  readonly #tables = new Map<string, TableName>();
  readonly #nameEnds = new Set<number>();
  readonly #levels = new Levels();
  /** The next name is that of a table. */
  #isExpecting = false;
  /** First word of the statement; behind EXPLAIN and WITH, that of what they are about. */
  #verb = '';
  /** An INDEX or TRIGGER, whose table stands behind ON. */
  #hasOn = false;
  /** Name in WITH whose body stands behind the next AS. */
  #expressionName: string | null = null;
  /** Name in WITH whose body comes next. */
  #nextBody: string | null = null;

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  run(): ScannedTables {
    const tokens = this.#tokens;
    for (let at = 0; at < tokens.count; at++) {
      const type = tokens.type(at);
      if (type === token.OPEN) this.#open();
      else if (type === token.CLOSE) this.#close();
      else if (type === token.SEMICOLON_TOKEN) this.#endStatement();
      else if (type === token.COMMA) at = this.#comma(at);
      else if (isNameType(type)) at = this.#name(at, type);
      else this.#isExpecting = false;
    }
    return { tables: [...this.#tables.values()], nameEnds: this.#nameEnds };
  }

  #open(): void {
    this.#levels.open(this.#nextBody);
    this.#levels.current.isList = this.#isExpecting;
    this.#nextBody = null;
  }

  #close(): void {
    this.#levels.close();
    this.#isExpecting = false;
  }

  #endStatement(): void {
    this.#levels.clear();
    this.#isExpecting = false;
    this.#verb = '';
    this.#hasOn = false;
    this.#expressionName = null;
    this.#nextBody = null;
  }

  #comma(at: number): number {
    if (this.#levels.current.isWith) return this.#expression(at + 1);
    this.#isExpecting = this.#levels.current.isList;
    return at;
  }

  /** The name of a table expression in WITH; returns its token. */
  #expression(at: number): number {
    if (!isNameType(this.#tokens.type(at))) return at - 1;
    // Only the parenthesis behind AS is its body; another one has the names of its columns.
    this.#expressionName = foldName(nameAt(this.#tokens, at));
    return at;
  }

  #name(at: number, type: number): number {
    const word = type === token.WORD ? this.#tokens.word(at) : '';
    if (this.#isExpecting && !noTables.has(word)) {
      if (modifiers.has(word)) return at;
      this.#isExpecting = false;
      return this.#table(at);
    }
    this.#isExpecting = false;
    if (type === token.WORD) return this.#word(at, word);
    return at;
  }

  /** Takes the name of a table from token `at` on; returns its last token. */
  #table(at: number): number {
    const tokens = this.#tokens;
    const names = [nameAt(tokens, at)];
    let end = at;
    while (tokens.type(end + 1) === token.PERIOD && isNameType(tokens.type(end + 2))) {
      end += 2;
      names.push(nameAt(tokens, end));
    }
    // JSON_TABLE (…), or a table function of a later version.
    const isCall = tokens.type(end + 1) === token.OPEN && this.#levels.current.isList;
    // GRANT ALL ON db.*
    if (isCall || tokens.type(end + 1) === token.PERIOD) return end;
    this.#nameEnds.add(end);
    const table = names.at(-1) ?? '';
    const db = names.at(-2) ?? null;
    const isHidden = db === null && this.#levels.isHidden(foldName(table));
    if (!isHidden) this.#tables.set(JSON.stringify([db, table]), { db, table });
    return end;
  }

  #word(at: number, word: string): number {
    if (word === 'as' && this.#expressionName !== null) {
      this.#nextBody = this.#expressionName;
      this.#expressionName = null;
      return at;
    }
    if (word === 'with' && this.#beginsWith(at)) return this.#with(at);
    if (this.#levels.isTop && this.#verb === '') this.#begin(at, word);
    this.#clause(at, word);
    return at;
  }

  #beginsWith(at: number): boolean {
    const tokens = this.#tokens;
    const name = tokens.is(at + 1, 'recursive') ? at + 2 : at + 1;
    const behind = tokens.type(name + 1) === token.OPEN || tokens.is(name + 1, 'as');
    return isNameType(tokens.type(name)) && behind;
  }

  #with(at: number): number {
    this.#levels.current.isWith = true;
    const isRecursive = this.#tokens.is(at + 1, 'recursive');
    const name = this.#expression(isRecursive ? at + 2 : at + 1);
    if (isRecursive) this.#levels.hide(foldName(nameAt(this.#tokens, name)));
    return name;
  }

  /** The first word of a statement. */
  #begin(at: number, word: string): void {
    const tokens = this.#tokens;
    if (described.has(word)) {
      this.#isExpecting = isNameType(tokens.type(at + 1)) && !tokens.isOneOf(at + 1, explained);
      if (this.#isExpecting) this.#verb = word;
      return;
    }
    // EXPLAIN FORMAT=TREE ANALYZE …
    const isOption = explained.has(word) ? !isVerb(word) : tokens.type(at - 1) === token.EQUALS;
    if (isOption && at > 0) return;
    this.#verb = word;
    this.#levels.current.isWith = false;
    this.#levels.current.isList = word === 'update';
    this.#isExpecting = directly.has(word);
  }

  #clause(at: number, word: string): void {
    const tokens = this.#tokens;
    const level = this.#levels.current;
    switch (word) {
      case 'select':
      case 'values':
        level.isQuery = true;
        level.isList = false;
        level.isWith = false;
        break;
      case 'from':
        this.#from(at);
        break;
      case 'join':
      case 'straight_join':
        // Not in USE INDEX FOR JOIN (i), nor in SELECT STRAIGHT_JOIN a.
        this.#isExpecting = level.isList && !tokens.is(at - 1, 'for');
        break;
      case 'using':
        if (this.#verb === 'delete' && tokens.type(at + 1) !== token.OPEN) this.#startList();
        break;
      case 'table':
      case 'tables':
      case 'sequence':
      case 'view':
        this.#definition(at, word);
        break;
      case 'index':
      case 'trigger':
        this.#hasOn = this.#levels.isTop && ['create', 'drop'].includes(this.#verb);
        break;
      case 'on':
        this.#on(at);
        break;
      case 'references':
        this.#isExpecting = true;
        break;
      case 'to':
        this.#isExpecting =
          tokens.is(at - 1, 'rename') || (level.isList && this.#verb === 'rename');
        break;
      case 'in':
        this.#isExpecting = this.#verb === 'show' && tokens.isOneOf(at - 1, columnWords);
        break;
      case 'for':
        // NEXT VALUE FOR s
        this.#isExpecting = tokens.is(at - 1, 'value');
        if (this.#endsList(at, word)) level.isList = false;
        break;
      case 'like':
        this.#isExpecting = this.#verb === 'create' && this.#isBehindTable(at);
        break;
      default:
        if (this.#endsList(at, word)) level.isList = false;
    }
  }

  #startList(): void {
    this.#levels.current.isList = true;
    this.#isExpecting = true;
  }

  #from(at: number): void {
    const tokens = this.#tokens;
    if (this.#verb === 'show') {
      // SHOW COLUMNS FROM t FROM db
      this.#isExpecting = tokens.isOneOf(at - 1, columnWords);
      return;
    }
    // TRIM (a FROM b); a IS DISTINCT FROM b
    const isClause = this.#levels.current.isQuery || this.#levels.isTop;
    const isComparison = tokens.is(at - 1, 'distinct') && !tokens.is(at - 2, 'select');
    if (isClause && !isComparison) this.#startList();
  }

  #definition(at: number, word: string): void {
    const tokens = this.#tokens;
    if (this.#verb === 'show') {
      this.#isExpecting = tokens.is(at - 1, 'create');
    } else if (!this.#levels.isTop) {
      // TABLE t is a query, too.
      const begins = !this.#levels.current.isQuery || tokens.isOneOf(at - 1, setOperators);
      this.#isExpecting = word === 'table' && begins;
      this.#levels.current.isQuery ||= word === 'table';
    } else {
      const verbs = word === 'tables' ? manyTables : definitions;
      this.#isExpecting = word === 'table' || verbs.has(this.#verb);
      if (this.#isExpecting) this.#levels.current.isList = manyTables.has(this.#verb);
    }
  }

  /** CREATE INDEX i ON t; GRANT SELECT ON t TO u. */
  #on(at: number): void {
    const isGrant = this.#verb === 'grant' || this.#verb === 'revoke';
    this.#isExpecting = (this.#hasOn || isGrant) && !this.#tokens.isOneOf(at + 1, routines);
    if (this.#isExpecting) this.#hasOn = false;
  }

  /** CREATE TABLE a LIKE b, CREATE TABLE a (LIKE b). */
  #isBehindTable(at: number): boolean {
    const before = this.#tokens.type(at - 1) === token.OPEN ? at - 2 : at - 1;
    return this.#nameEnds.has(before);
  }

  #endsList(at: number, word: string): boolean {
    const tokens = this.#tokens;
    // USE INDEX FOR ORDER BY (i) is within the list, FOR UPDATE OF a, b behind it.
    if (word === 'for') return tokens.is(at + 1, 'update') || tokens.is(at + 1, 'share');
    const isOnDuplicate = word === 'update' && tokens.is(at - 1, 'key');
    return isOnDuplicate || (clauses.has(word) && !tokens.is(at - 1, 'for'));
  }
}
