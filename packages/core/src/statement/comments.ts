import { isDigit } from './characters.ts';
import type { Dialect } from './facts.ts';

/** Longest comment looked at as a routing hint. */
const MAX_HINT = 64;

/**
 * Where the content of the line comment at `at` begins; -1 if there is none. `#` begins one, and
 * `--` before a character up to U+0020, U+007F, or the end.
 */
export function lineCommentContent(sql: string, at: number): number {
  if (sql.charCodeAt(at) === 35) return at + 1;
  if (sql.charCodeAt(at + 1) !== 45) return -1;
  const third = sql.charCodeAt(at + 2);
  return third > 32 && third !== 127 ? -1 : at + 2;
}

/** Where a line ends: at a line feed, and at nothing else. */
export function lineEnd(sql: string, from: number): number {
  const lineFeed = sql.indexOf('\n', from);
  return lineFeed < 0 ? sql.length : lineFeed;
}

/**
 * Whether the content of a line comment is one to all: to the servers NUL ends it, and to mysql2,
 * which looks for placeholders, U+007F does not begin it.
 */
export function isPlainLine(sql: string, from: number, end: number): boolean {
  if (sql.charCodeAt(from) === 127) return false;
  for (let at = from; at < end; at++) if (sql.charCodeAt(at) === 0) return false;
  return true;
}

/** Whether this content of a plain comment asks for the primary: `route:primary`. */
export function isRoutingHint(sql: string, from: number, end: number): boolean {
  if (end - from > MAX_HINT) return false;
  return sql.slice(from, end).trim().toLowerCase() === 'route:primary';
}

/**
 * Where the version begins in the executable comment at `at`, behind `/*!` or MariaDB's `/*M!`;
 * -1 if the comment is another one.
 */
export function executableVersion(sql: string, at: number): number {
  const code = sql.charCodeAt(at + 2);
  if (code === 33) return at + 3;
  return code === 77 && sql.charCodeAt(at + 3) === 33 ? at + 4 : -1;
}

/** Where the digits of a version end; more than any version has are not counted. */
export function versionEnd(sql: string, from: number): number {
  let at = from;
  while (isDigit(sql.charCodeAt(at)) && at - from < 7) at++;
  return at;
}

/**
 * Whether so many digits are a version, or none, to every server of the dialect: older ones of
 * MySQL read a sixth digit as code.
 */
export function isVersion(digits: number, dialect: Dialect): boolean {
  return digits === 0 || digits === 5 || (digits === 6 && dialect === 'mariadb');
}
