import type { Tokens } from './tokens.ts';
import * as token from './tokens.ts';
import type { Refusal } from './verdicts.ts';
import * as vocabulary from './vocabulary.ts';

/*
 * What a parenthesis opens. MySQL manual, "Function Name Parsing and Resolution": a name before a
 * parenthesis is a call, of a built-in function if it is one (for some only when nothing stands
 * between them), else of a stored or loadable function. Quoted or qualified names are stored
 * functions, also those of built-ins.
 */

/** May stand between a function's closing parenthesis and OVER. */
const beforeOver = new Set(['nulls', 'first', 'last']);
const beforeTable = new Set(['from', 'join']);
/** Options of SELECT, any number of which may stand behind it. */
const selectOptions = new Set(
  (
    'all distinct distinctrow high_priority sql_big_result sql_buffer_result sql_no_cache ' +
    'sql_small_result'
  ).split(' '),
);
/** Words before OF where it opens no list of tables. */
const beforeOf = new Set(['member', 'as']);

/**
 * Judges the parenthesis at token `open`, whose statement begins at token `from`; `null` if what
 * it opens is clause syntax or the arguments of a pure function.
 */
export function judgeParenthesis(tokens: Tokens, open: number, from: number): Refusal | null {
  const before = open - 1;
  if (before < from) return null;
  switch (tokens.type(before)) {
    case token.WORD:
      return judgeWordBefore(tokens, before);
    case token.NAME:
    case token.QUOTED:
      return isColumnList(tokens, open) ? null : judgeStoredFunction(tokens, before);
    // Under ANSI_QUOTES "f"(1) is a stored function; with single quotes nothing sensible.
    case token.STRING:
    case token.DOUBLE_QUOTED:
      return { reason: 'unknown-function', word: null };
    // With no value, or a list in a list, the placeholder leaves or makes a call.
    case token.PLACEHOLDER:
    case token.NAME_PLACEHOLDER:
      return { reason: 'malformed', word: null };
    default:
      return null;
  }
}

function judgeWordBefore(tokens: Tokens, name: number): Refusal | null {
  const flags = tokens.flags(name);
  if (tokens.type(name - 1) === token.PERIOD) return judgeStoredFunction(tokens, name);
  if (flags & vocabulary.IMPURE) {
    const word = tokens.word(name);
    const reason = tokens.vocabulary.impure.get(word)?.reason ?? 'unsafe-function';
    return { reason, word };
  }
  if (flags & vocabulary.DECLARED_PURE) return null;
  if (flags & vocabulary.SHADOWED) return { reason: 'unknown-function', word: tokens.word(name) };
  if (flags & (vocabulary.PURE | vocabulary.QUERY_WORD | vocabulary.TYPE_WORD)) return null;
  if (flags & vocabulary.PURE_TOUCHING && tokens.touchesNext(name)) return null;
  if (flags & vocabulary.OPENING && opensClause(tokens, name)) return null;
  if (isColumnList(tokens, name + 1) || opensOuterJoin(tokens, name)) return null;
  return { reason: 'unknown-function', word: tokens.word(name) };
}

/** ODBC's `{ OJ (a LEFT JOIN b ON …) }` (MySQL manual, "JOIN Clause"): no name behind a brace is called. */
function opensOuterJoin(tokens: Tokens, name: number): boolean {
  return tokens.type(name - 1) === token.OPEN_BRACE && tokens.is(name, 'oj');
}

/**
 * Judges the number of arguments between tokens `open` and `close`, where it decides whether the
 * built-in function is called.
 *
 * @param commas Commas between them, but for those in further parentheses.
 * @param bound Whether a placeholder stands among them: with a list it becomes several arguments,
 *   with an empty one none.
 */
export function judgeCount(
  tokens: Tokens,
  open: number,
  close: number,
  commas: number,
  bound: boolean,
): Refusal | null {
  const word = tokens.word(open - 1);
  const [least, most] = tokens.vocabulary.argumentCounts.get(word) ?? [0, Infinity];
  const isEmpty = close === open + 1;
  const fewest = isEmpty || (bound && commas === 0) ? 0 : commas + 1;
  const greatest = bound ? Infinity : fewest;
  return fewest >= least && greatest <= most ? null : { reason: 'unknown-function', word };
}

/** The context in which the grammar has these words before a parenthesis. */
function opensClause(tokens: Tokens, name: number): boolean {
  const before = tokens.type(name - 1);
  switch (tokens.word(name)) {
    case 'against':
      return before === token.CLOSE || isMatchList(tokens, name - 1);
    case 'escape':
      return endsOperand(before);
    case 'columns':
      return before === token.STRING || before === token.DOUBLE_QUOTED;
    case 'sql_buffer_result':
    case 'sql_no_cache':
      return isSelectOption(tokens, name);
    case 'over':
      return before === token.CLOSE || tokens.isOneOf(name - 1, beforeOver);
    case 'json_table':
      return (
        (before === token.COMMA || tokens.isOneOf(name - 1, beforeTable)) &&
        hasColumns(tokens, name + 1)
      );
    case 'of':
      return tokens.isOneOf(name - 1, beforeOf);
    case 'sets':
      return tokens.is(name - 1, 'grouping');
    case 'cube':
    case 'rollup':
      return tokens.is(name - 1, 'by');
    default:
      // EXCEPT, INTERSECT, LATERAL: no function takes a query as its argument unless the query has
      // parentheses of its own. But VALUES(column) is a function, VALUES ROW(…) is none.
      return tokens.is(name + 2, 'values')
        ? tokens.is(name + 3, 'row')
        : isQueryStart(tokens, name + 2);
  }
}

/** Columns behind MATCH, whose parentheses may be left out: after them comes AGAINST and nothing else. */
function isMatchList(tokens: Tokens, last: number): boolean {
  let at = last;
  while (isColumnName(tokens.type(at))) {
    while (tokens.type(at - 1) === token.PERIOD) at -= 2;
    if (tokens.type(at - 1) !== token.COMMA) {
      return tokens.is(at - 1, 'match');
    }
    at -= 2;
  }
  return false;
}

/**
 * Whether this token ends an operand, whatever stands before it: no call can follow one. A placeholder
 * does not, because an empty list leaves nothing, nor a word, which may be an operator.
 */
function endsOperand(type: number): boolean {
  return (
    type === token.CLOSE ||
    type === token.NUMBER ||
    type === token.STRING ||
    type === token.QUOTED ||
    type === token.NAME
  );
}

function isSelectOption(tokens: Tokens, name: number): boolean {
  let at = name - 1;
  while (tokens.isOneOf(at, selectOptions)) at--;
  return tokens.is(at, 'select');
}

/** Tokens of JSON_TABLE's document and path that are looked through. */
const MAX_DOCUMENT = 32;

/**
 * Whether the parenthesis at `open` has `'path' COLUMNS (`: a list of arguments cannot, so it is
 * that of the table function, and no call of a stored function in `SELECT 1, json_table(2)` or
 * `TRIM('a' FROM json_table(2))`.
 */
function hasColumns(tokens: Tokens, open: number): boolean {
  let depth = 0;
  for (let at = open + 1; at <= open + MAX_DOCUMENT; at++) {
    const type = tokens.type(at);
    if (type === token.OPEN) {
      if (depth === 0 && tokens.is(at - 1, 'columns') && opensClause(tokens, at - 1)) return true;
      depth++;
    } else if (type === token.CLOSE && depth-- === 0) return false;
  }
  return false;
}

/** Whether a query, perhaps in parentheses of its own, begins at token `at`. */
export function startsQuery(tokens: Tokens, at: number): boolean {
  let first = at;
  while (tokens.type(first) === token.OPEN) first++;
  return isQueryStart(tokens, first);
}

function isQueryStart(tokens: Tokens, at: number): boolean {
  return tokens.type(at) === token.WORD && (tokens.flags(at) & vocabulary.QUERY_START) !== 0;
}

/** A name that is no built-in: the user may have declared the function pure. */
function judgeStoredFunction(tokens: Tokens, name: number): Refusal | null {
  const word = tokens.word(name);
  if (tokens.type(name - 1) !== token.PERIOD) {
    const declared = tokens.flags(name) & vocabulary.DECLARED_PURE;
    return declared ? null : { reason: 'unknown-function', word };
  }
  const database = tokens.word(name - 2);
  const twice = tokens.type(name - 3) === token.PERIOD;
  const declared = !twice && tokens.vocabulary.qualifiedPure.has(`${database}.${word}`);
  return declared ? null : { reason: 'unknown-function', word };
}

/**
 * Whether the parenthesis at `open` holds the column names of a common table expression,
 * `name (a, b) AS (`, or of a derived table, `) AS name (a, b)`. In no other place does the
 * grammar have these tokens in this order, so it can be no call.
 */
function isColumnList(tokens: Tokens, open: number): boolean {
  let at = open + 1;
  while (isColumnName(tokens.type(at)) && tokens.type(at + 1) === token.COMMA) at += 2;
  if (!isColumnName(tokens.type(at)) || tokens.type(at + 1) !== token.CLOSE) return false;
  return isTableExpression(tokens, at + 2) || isDerivedTable(tokens, open - 1);
}

function isColumnName(type: number): boolean {
  return type === token.WORD || type === token.QUOTED || type === token.NAME;
}

function isTableExpression(tokens: Tokens, behind: number): boolean {
  return tokens.is(behind, 'as') && tokens.type(behind + 1) === token.OPEN;
}

function isDerivedTable(tokens: Tokens, alias: number): boolean {
  const before = tokens.is(alias - 1, 'as') ? alias - 2 : alias - 1;
  return tokens.type(before) === token.CLOSE;
}

/**
 * Whether the argument at token `at` is an XPath that names no user variable: one string in
 * single quotes without `$`, nor a backslash that might hide one. (MySQL manual, "XML Functions":
 * `$@name` is a user variable.) In double quotes it may be a column, whose text we do not know.
 */
export function isPlainXpath(tokens: Tokens, at: number): boolean {
  const next = tokens.type(at + 1);
  if (tokens.type(at) !== token.STRING || (next !== token.COMMA && next !== token.CLOSE)) {
    return false;
  }
  const text = tokens.sql.slice(tokens.start(at), tokens.end(at));
  return !text.includes('$') && !text.includes('\\');
}
