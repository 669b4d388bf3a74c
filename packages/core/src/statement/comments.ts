import { isDigit } from './characters.ts';
import type { Dialect, TextReason } from './facts.ts';
import { judgeOptimizerHint } from './optimizer-hints.ts';

/** A comment that is none to all servers, or does not end. */
export const BROKEN = -1;
/** An executable comment that servers read in more than two ways. */
export const UNJUDGED = -2;

/** Longest comment looked at as a routing hint. */
const MAX_HINT = 64;

/** Reads the comments of one text, and keeps what they say. The lexical rules: see lexer.ts. */
export class Comments {
  /** A plain comment is `route:primary`. */
  routedToPrimary = false;
  /** An optimizer hint that sets a variable, or that no rule knows. */
  optimizerHint: TextReason | null = null;
  /** A line comment begins with `#`: mysql2 does not know such. */
  hasHash = false;
  /** An executable comment: the text has other readings. */
  hasExecutable = false;
  /** What follows is the content of an executable comment. */
  isOpen = false;

  readonly #dialect: Dialect;
  /** The marker of the executable comments so far, such as `!80000`. */
  #marker = '';

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** Forgets the comments of the previous text. */
  begin(): void {
    this.routedToPrimary = false;
    this.optimizerHint = null;
    this.hasHash = false;
    this.hasExecutable = false;
    this.isOpen = false;
    this.#marker = '';
  }

  /** Where the line comment at `at` ends, or {@link BROKEN}. */
  readLine(sql: string, at: number): number {
    const from = lineCommentContent(sql, at);
    if (from === at + 1) this.hasHash = true;
    const end = lineEnd(sql, from);
    if (!isPlainLine(sql, from, end)) return BROKEN;
    this.#readPlain(sql, from, end);
    return end;
  }

  /**
   * Where the comment `/*` at `at` ends, {@link BROKEN} or {@link UNJUDGED}. With `executes`, the
   * content of an executable one is code: then where that begins.
   */
  readBlock(sql: string, at: number, executes: boolean): number {
    // No comment of any kind nests in an executable one on every server.
    if (this.isOpen) return UNJUDGED;
    const version = executableVersion(sql, at);
    if (version >= 0) return this.#readExecutable(sql, at, version, executes);
    const end = sql.indexOf('*/', at + 2);
    if (end < 0) return BROKEN;
    if (sql.charCodeAt(at + 2) !== 43) this.#readPlain(sql, at + 2, end);
    else this.optimizerHint ??= judgeOptimizerHint(sql, at + 3, end);
    return end + 2;
  }

  #readPlain(sql: string, from: number, end: number): void {
    if (end - from > MAX_HINT) return;
    if (sql.slice(from, end).trim().toLowerCase() === 'route:primary') this.routedToPrimary = true;
  }

  #readExecutable(sql: string, at: number, version: number, executes: boolean): number {
    this.hasExecutable = true;
    const from = versionEnd(sql, version);
    const marker = sql.slice(at + 2, from);
    // With two versions in one text, a server may read one comment and skip the other.
    const mixed = this.#marker !== '' && this.#marker !== marker;
    if (mixed || !isVersion(from - version, this.#dialect)) return UNJUDGED;
    this.#marker = marker;
    if (!executes) return skippedEnd(sql, from);
    this.isOpen = true;
    return from;
  }
}

/**
 * Where the content of the line comment at `at` begins; -1 if there is none. `#` begins one, and
 * `--` before a character up to U+0020, U+007F, or the end.
 */
export function lineCommentContent(sql: string, at: number): number {
  if (sql.charCodeAt(at) === 35) return at + 1;
  const isDashes = sql.charCodeAt(at + 1) === 45 && endsDashes(sql.charCodeAt(at + 2));
  return isDashes ? at + 2 : -1;
}

/** Whether `--` before this character begins a comment; true for `NaN` (no character). */
export function endsDashes(third: number): boolean {
  return !(third > 32 && third !== 127);
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
function isPlainLine(sql: string, from: number, end: number): boolean {
  if (sql.charCodeAt(from) === 127) return false;
  for (let at = from; at < end; at++) if (sql.charCodeAt(at) === 0) return false;
  return true;
}

/**
 * Where the version begins in the executable comment at `at`, behind `/*!` or MariaDB's `/*M!`;
 * -1 if the comment is another one.
 */
function executableVersion(sql: string, at: number): number {
  const code = sql.charCodeAt(at + 2);
  if (code === 33) return at + 3;
  return code === 77 && sql.charCodeAt(at + 3) === 33 ? at + 4 : -1;
}

/** Where the digits of a version end; more than any version has are not counted. */
function versionEnd(sql: string, from: number): number {
  let at = from;
  while (isDigit(sql.charCodeAt(at)) && at - from < 7) at++;
  return at;
}

/**
 * Whether so many digits are a version, or none, to every server of the dialect. To MySQL six are
 * one only before white space, else the sixth is code; to older versions it always is.
 */
function isVersion(digits: number, dialect: Dialect): boolean {
  return digits === 0 || digits === 5 || (digits === 6 && dialect === 'mariadb');
}

/** The servers that skip an executable comment do not agree on comments inside it. */
function skippedEnd(sql: string, from: number): number {
  const close = sql.indexOf('*/', from);
  if (close < 0) return BROKEN;
  const nested = sql.indexOf('/*', from);
  return nested >= 0 && nested < close ? UNJUDGED : close + 2;
}
