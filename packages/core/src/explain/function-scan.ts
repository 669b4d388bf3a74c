import { judgeParenthesis } from '../statement/calls.ts';
import type { Tokens } from '../statement/tokens.ts';
import * as token from '../statement/tokens.ts';
import * as vocabulary from '../statement/vocabulary.ts';

/*
 * The functions that a text calls, by name. For people, and for texts of every kind: what decides
 * about a call is statement/calls.ts.
 */

const { DECLARED_PURE, GUARDED, IMPURE, PURE, PURE_TOUCHING, QUERY_WORD, REFUSED, SHADOWED } =
  vocabulary;
const CALLABLE = PURE | PURE_TOUCHING | IMPURE | DECLARED_PURE | SHADOWED;
const CLAUSE = QUERY_WORD | REFUSED | GUARDED | vocabulary.TYPE_WORD;

/** Words in front of the name of something that is defined, or that is no function. */
const definers = new Set(
  (
    'call constraint event exists fulltext function index key partition procedure spatial ' +
    'subpartition trigger unique'
  ).split(' '),
);
/** Words before a parenthesis in definitions, besides reserved ones. */
const clauseWords = new Set(['columns', 'hash', 'interval', 'list', 'than', 'values']);

/**
 * The names that stand as calls before a parenthesis, in lower case, with their database if they
 * have one; each once, in the order of the text.
 *
 * @param nameEnds tokens that end the name of a table.
 */
export function scanFunctions(tokens: Tokens, nameEnds: ReadonlySet<number>): string[] {
  const names = new Set<string>();
  for (let open = 1; open < tokens.count; open++) {
    if (tokens.type(open) !== token.OPEN) continue;
    const name = open - 1;
    const first = firstOf(tokens, name);
    const isName = first >= 0 && !nameEnds.has(name) && !tokens.isOneOf(first - 1, definers);
    if (isName && isCall(tokens, name)) names.add(calledAs(tokens, first, name));
  }
  return [...names];
}

/** First token of the qualified name that ends with token `at`; -1 if it is no name. */
function firstOf(tokens: Tokens, at: number): number {
  if (!isName(tokens.type(at))) return -1;
  const isQualified = tokens.type(at - 1) === token.PERIOD && isName(tokens.type(at - 2));
  return isQualified ? at - 2 : at;
}

function isName(type: number): boolean {
  return type === token.WORD || type === token.NAME || type === token.QUOTED;
}

function isCall(tokens: Tokens, name: number): boolean {
  const isWord = tokens.type(name) === token.WORD && tokens.type(name - 1) !== token.PERIOD;
  if (!isWord) return isForeign(tokens, name);
  const flags = tokens.flags(name);
  const word = tokens.word(name);
  if (clauseWords.has(word)) return false;
  // In MariaDB it is a clause word.
  if (word === 'json_table') return true;
  if (flags & CALLABLE) {
    const isDouble = (flags & vocabulary.TYPE_WORD) !== 0 || word === 'default';
    return !isDouble || !isType(tokens, name);
  }
  return (flags & CLAUSE) === 0 && isForeign(tokens, name);
}

/** Whether a name that is no built-in is called, and does not name columns or the like. */
function isForeign(tokens: Tokens, name: number): boolean {
  const refusal = judgeParenthesis(tokens, name + 1, 0);
  if (refusal !== null) return true;
  const isQualified = tokens.type(name - 1) === token.PERIOD;
  const called = `${tokens.word(name - 2)}.${tokens.word(name)}`;
  if (isQualified) return tokens.vocabulary.qualifiedPure.has(called);
  return (tokens.flags(name) & DECLARED_PURE) !== 0;
}

/** DATE (…) and DEFAULT (…) are functions, and behind AS, a type or the name of a column something else. */
function isType(tokens: Tokens, name: number): boolean {
  const before = name - 1;
  const type = tokens.type(before);
  if (type === token.NAME || type === token.QUOTED || type === token.CLOSE) return true;
  if (type !== token.WORD) return false;
  return tokens.is(before, 'as') || (tokens.flags(before) & (QUERY_WORD | REFUSED | GUARDED)) === 0;
}

function calledAs(tokens: Tokens, first: number, name: number): string {
  return first === name ? tokens.word(name) : `${tokens.word(first)}.${tokens.word(name)}`;
}
