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
  if (isColumnList(tokens, name + 1)) return null;
  return { reason: 'unknown-function', word: tokens.word(name) };
}

/** The context in which the grammar has these words before a parenthesis. */
function opensClause(tokens: Tokens, name: number): boolean {
  switch (tokens.word(name)) {
    case 'over':
      return tokens.type(name - 1) === token.CLOSE || tokens.isOneOf(name - 1, beforeOver);
    case 'json_table':
      return tokens.type(name - 1) === token.COMMA || tokens.isOneOf(name - 1, beforeTable);
    case 'of':
      return tokens.isOneOf(name - 1, beforeOf);
    case 'sets':
      return tokens.is(name - 1, 'grouping');
    case 'cube':
    case 'rollup':
      return tokens.is(name - 1, 'by');
    default:
      // EXCEPT, INTERSECT, LATERAL: no function takes a query as its argument unless the query has
      // parentheses of its own.
      return isQueryStart(tokens, name + 2);
  }
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
