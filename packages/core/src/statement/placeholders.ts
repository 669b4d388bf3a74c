import { isDigit, isIdentifier } from './characters.ts';
import type { Text } from './text.ts';

/**
 * Whether the placeholder `text[start, end)` cannot join with what stands beside it, whatever
 * mysql2 puts in its place: a quoted string, a number, a list, a name in backquotes, or nothing
 * at all (an empty array).
 */
export function placeholderStandsAlone(
  { codes, length }: Text,
  start: number,
  end: number,
  isName: boolean,
): boolean {
  const before = start === 0 ? SEPARATES : beside(codes[start - 1] as number);
  const after = end === length ? SEPARATES : beside(codes[end] as number);
  if (before === JOINS || after === JOINS) return false;
  if (!isName && (before === JOINS_VALUES || after === JOINS_VALUES)) return false;
  // `--?` would begin a comment if nothing is put there.
  if (before === 0 && codes[start - 1] === 45 && codes[start - 2] === 45) return false;
  // Two operators would become one: `/?*`, `-?-`.
  return before === SEPARATES || after === SEPARATES;
}

const JOINS = 1;
const JOINS_VALUES = 2;
const SEPARATES = 3;

/** What each ASCII character does beside a placeholder; 0 for operators. */
const BESIDE = new Uint8Array(128);
for (const character of '\'"`?:@\\') BESIDE[character.charCodeAt(0)] = JOINS;
for (const character of ' \t\n\v\f\r(),;') BESIDE[character.charCodeAt(0)] = SEPARATES;
// A point would be that of a number; beside a name it is the one that qualifies.
BESIDE[46] = JOINS_VALUES;
for (let code = 0; code < 128; code++) if (isIdentifier(code)) BESIDE[code] = JOINS;

function beside(code: number): number {
  return code < 128 ? (BESIDE[code] as number) : JOINS;
}

/**
 * Where the placeholder of the npm package named-placeholders ends whose colon is at `at`: digits,
 * or a letter and then letters, digits and `_`. -1 if there is none.
 */
export function namedPlaceholderEnd(sql: string, at: number): number {
  let end = at + 1;
  if (isDigit(sql.charCodeAt(end))) {
    while (isDigit(sql.charCodeAt(end))) end++;
    return end;
  }
  if (!isLetter(sql.charCodeAt(end))) return -1;
  for (let code = sql.charCodeAt(end); isLetter(code) || isDigit(code) || code === 95; ) {
    code = sql.charCodeAt(++end);
  }
  return end;
}

function isLetter(code: number): boolean {
  const lower = code | 32;
  return lower >= 97 && lower <= 122;
}

export function countQuestionMarks(sql: string): number {
  let count = 0;
  for (let at = sql.indexOf('?'); at >= 0; at = sql.indexOf('?', at + 1)) count++;
  return count;
}
