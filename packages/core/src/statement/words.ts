import type { TextReason } from './facts.ts';
import { writingWords } from './keywords.ts';
import type { Tokens } from './tokens.ts';
import * as token from './tokens.ts';
import type { Refusal } from './verdicts.ts';
import * as vocabulary from './vocabulary.ts';

/** Reserved words with a reason of their own; of all others no rule knows what they do in a read. */
const reasons: ReadonlyMap<string, TextReason> = new Map([
  ...writingWords.split(' ').map((word): [string, TextReason] => [word, 'writes']),
  ['into', 'into'],
  ['infile', 'into'],
  ['outfile', 'into'],
  ['lock', 'locking-read'],
  ['sql_calc_found_rows', 'calc-found-rows'],
]);

const CALLABLE =
  vocabulary.PURE | vocabulary.PURE_TOUCHING | vocabulary.IMPURE | vocabulary.DECLARED_PURE;

/**
 * Judges the word at token `at`, in the parenthesis that token `opener` opens (-1: in none);
 * `null` if it is harmless.
 */
export function judgeWord(
  tokens: Tokens,
  at: number,
  opener: number,
  from: number,
): Refusal | null {
  const flags = tokens.flags(at);
  const called = tokens.type(at + 1) === token.OPEN && (flags & CALLABLE) !== 0;
  if (flags & vocabulary.REFUSED && !called) {
    const word = tokens.word(at);
    return { reason: reasons.get(word) ?? 'unrecognised', word };
  }
  const guarded = flags & vocabulary.GUARDED ? judgeGuarded(tokens, at, opener, from) : null;
  return guarded ?? (flags & vocabulary.ANY_NAME ? judgeName(tokens, at) : null);
}

function judgeGuarded(tokens: Tokens, at: number, opener: number, from: number): Refusal | null {
  const word = tokens.word(at);
  switch (word) {
    case 'for':
      return judgeFor(tokens, at, opener);
    case 'values':
      return judgeValues(tokens, at, from);
    case 'set':
      // CHARACTER SET utf8mb4; a column of type SET in JSON_TABLE.
      return tokens.is(at - 1, 'character') || tokens.is(at - 1, 'char')
        ? null
        : { reason: 'writes', word };
    case 'default':
      // JSON_VALUE(… DEFAULT 0 ON EMPTY); DEFAULT(column) is a call.
      return null;
    default:
      // CURRENT_USER and CURRENT_ROLE need no parentheses.
      return { reason: 'session-function', word };
  }
}

const indexWords = new Set(['index', 'key']);
const indexPurposes = new Set(['join', 'order', 'group']);
const lockStrengths = new Set(['update', 'share']);
const substringWords = new Set(['substring', 'substr', 'mid']);

/** FOR locks, except in the few clauses that have it for something else. */
function judgeFor(tokens: Tokens, at: number, opener: number): Refusal | null {
  if (tokens.isOneOf(at + 1, lockStrengths)) return { reason: 'locking-read', word: 'for' };
  if (tokens.is(at - 1, 'value')) return judgeSequence(tokens, at);
  // FORCE INDEX FOR ORDER BY (i)
  if (tokens.isOneOf(at - 1, indexWords) && tokens.isOneOf(at + 1, indexPurposes)) return null;
  // JSON_TABLE (… COLUMNS (id FOR ORDINALITY)); FROM t FOR SYSTEM_TIME ALL
  if (tokens.is(at + 1, 'ordinality') || tokens.is(at + 1, 'system_time')) return null;
  // SUBSTRING(a FROM 1 FOR 2)
  if (opener > 0 && tokens.isOneOf(opener - 1, substringWords)) return null;
  return { reason: 'unrecognised', word: 'for' };
}

/** NEXT VALUE FOR s, PREVIOUS VALUE FOR s (MariaDB manual, "Sequence Functions"), also in SUBSTRING. */
function judgeSequence(tokens: Tokens, at: number): Refusal {
  const next = tokens.is(at - 2, 'next');
  return next
    ? { reason: 'unsafe-function', word: 'next' }
    : { reason: 'session-function', word: tokens.word(at - 2) || null };
}

const setOperators = new Set(['union', 'except', 'intersect', 'minus']);
const setQuantifiers = new Set(['all', 'distinct']);

/**
 * VALUES begins a query, or is the function VALUES(column): NULL outside of INSERT … ON DUPLICATE
 * KEY UPDATE (MySQL manual, "Miscellaneous Functions"), a syntax error to MariaDB.
 */
function judgeValues(tokens: Tokens, at: number, from: number): Refusal | null {
  const before = tokens.type(at - 1);
  if (at === from || before === token.CLOSE || takesColumn(tokens, at)) return null;
  if (before === token.OPEN && !opensArguments(tokens, at - 1)) return null;
  const operator = tokens.isOneOf(at - 1, setQuantifiers) ? at - 2 : at - 1;
  return tokens.isOneOf(operator, setOperators) ? null : { reason: 'unrecognised', word: 'values' };
}

/** Whether behind the word at `at` the parentheses hold one name, which may be qualified. */
function takesColumn(tokens: Tokens, at: number): boolean {
  if (tokens.type(at + 1) !== token.OPEN) return false;
  let name = at + 2;
  while (isName(tokens.type(name)) && tokens.type(name + 1) === token.PERIOD) name += 2;
  return isName(tokens.type(name)) && tokens.type(name + 1) === token.CLOSE;
}

function isName(type: number): boolean {
  return type === token.WORD || type === token.NAME || type === token.QUOTED;
}

function opensArguments(tokens: Tokens, open: number): boolean {
  const functions = vocabulary.PURE | vocabulary.PURE_TOUCHING | vocabulary.DECLARED_PURE;
  return tokens.type(open - 1) === token.WORD && (tokens.flags(open - 1) & functions) !== 0;
}

/** Judges the identifier at token `at`, in whatever quotes it stands. */
export function judgeName(tokens: Tokens, at: number): Refusal | null {
  const flags = tokens.flags(at);
  const name = tokens.vocabulary.words[tokens.entry(at)] as string;
  const word = name.slice(0, 64);
  if (flags & vocabulary.SYSTEM_SCHEMA && tokens.type(at + 1) === token.PERIOD) {
    return { reason: 'system-schema', word };
  }
  const { primaryTables, unsafeTables } = tokens.vocabulary;
  if (flags & vocabulary.PRIMARY_TABLE && primaryTables.mayHave(name, databaseOf(tokens, at))) {
    return { reason: 'primary-table', word };
  }
  if (flags & vocabulary.UNSAFE_TABLE && unsafeTables.mayHave(name, databaseOf(tokens, at))) {
    return { reason: 'catalogue', word };
  }
  if (flags & vocabulary.SEQUENCE_COLUMN && isQualified(tokens, at)) {
    return word === 'nextval'
      ? { reason: 'unsafe-function', word }
      : { reason: 'session-function', word };
  }
  return null;
}

/** A placeholder may turn out to be nothing, so that a point before it is a point before the name. */
function isQualified(tokens: Tokens, at: number): boolean {
  const before = tokens.type(at - 1);
  return (
    before === token.PERIOD || before === token.PLACEHOLDER || before === token.NAME_PLACEHOLDER
  );
}

/** The database that the identifier at token `at` is qualified with; `null` if it may be any. */
function databaseOf(tokens: Tokens, at: number): string | null {
  if (tokens.type(at - 1) !== token.PERIOD) return null;
  const type = tokens.type(at - 2);
  // What stands before the point may be anything: a name in double quotes, a placeholder.
  if (type !== token.WORD && type !== token.NAME && type !== token.QUOTED) return null;
  // MariaDB takes `FROM .t` and `{ OJ .t`: what stands before such a point is no name.
  const isKeyword = tokens.flags(at - 2) !== 0 || tokens.type(at - 3) === token.OPEN_BRACE;
  if (type === token.WORD && isKeyword) return null;
  const quote = type === token.QUOTED ? 1 : 0;
  return tokens.sql.slice(tokens.start(at - 2) + quote, tokens.end(at - 2) - quote);
}
