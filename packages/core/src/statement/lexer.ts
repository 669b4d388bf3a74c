import * as characters from './characters.ts';
import {
  executableVersion,
  isPlainLine,
  isRoutingHint,
  isVersion,
  lineCommentContent,
  lineEnd,
  versionEnd,
} from './comments.ts';
import type { TextReason } from './facts.ts';
import { fractionEnd, IDENTIFIER, MALFORMED, numberEnd } from './numbers.ts';
import { judgeOptimizerHint } from './optimizer-hints.ts';
import { countQuestionMarks, namedPlaceholderEnd, placeholderStandsAlone } from './placeholders.ts';
import { defaultReading, type Reading } from './readings.ts';
import * as token from './tokens.ts';
import { foldOf, type Vocabulary } from './vocabulary.ts';

// To V8 an imported binding is a variable, a constant of this module a constant: the hot loops take
// a fifth less time with it.
const {
  AT,
  BACKQUOTE,
  BACKSLASH,
  CLASS,
  COLON,
  DIGIT,
  DOLLAR,
  DOT,
  DOUBLE_QUOTE,
  FOLD,
  HASH,
  HASH_SEED,
  hashStep,
  isDigit,
  isIdentifier,
  LAST_DOUBTFUL,
  LETTER,
  MINUS,
  PUNCTUATION,
  QUESTION,
  SEMICOLON,
  SINGLE_QUOTE,
  SLASH,
  SPACE,
  STAR,
  WIDE,
} = characters;
const {
  ASSIGN,
  DOUBLE_QUOTED,
  NAME,
  NAME_PLACEHOLDER,
  NUMBER,
  PERIOD,
  PLACEHOLDER,
  QUOTED,
  SEMICOLON_TOKEN,
  STRING,
  SYSTEM_VARIABLE,
  VARIABLE,
  WORD,
} = token;

/*
 * How a text becomes tokens. Sources: MySQL manual, "Lexical Structure"; MariaDB manual, "SQL
 * Language Structure"; both servers, where the manuals are silent.
 *
 * 1. White space is U+0009 to U+000D and U+0020. U+00A1 and above belong to identifiers, also
 *    NBSP's cousins, U+2028 and the BOM. U+0080 to U+00A0 are one or the other, by character set:
 *    outside quotes the text is refused. So it is with NUL, `[` and `]` (quotes in MariaDB's MSSQL
 *    mode), a backslash except `\N`.
 * 2. "Comments": `#`, and `--` before a character up to U+0020 or U+007F or the end, run up to a
 *    line feed (only that). Plain comments do not nest. `/*!`, `/*!` with a version and `/*M!` are
 *    code or comment by server and version: the content must lex, and be safe, both ways.
 * 3. "Numeric Literals": a number with a point or an exponent ends where it ends, so `1e1FOR` is
 *    `1e1 FOR`, and `1.FOR` is `1. FOR`. Without them, digits may begin an identifier: `1FOR`,
 *    `0x1FOR`. After an identifier and a point that touches it, everything is an identifier.
 * 4. "String Literals": quotes are doubled or escaped, adjacent strings are the grammar's
 *    business. Backslash escapes nothing under NO_BACKSLASH_ESCAPES, and nothing inside `"` under
 *    ANSI_QUOTES: a text with an escaped quote is read once for each of these (see Reading).
 * 5. "Identifier Qualifiers": a keyword that touches a point and an identifier character is a name.
 * 6. `$` may begin a word. Since MySQL 8.1 a `$` with another one in the same word begins a
 *    dollar-quoted text (`$$text$$`, `$tag$text$tag$`), elsewhere it is a name: refused, unless it
 *    touches a point before it.
 * 7. mysql2 puts values in place of `?`, names in place of `??`, and with `namedPlaceholders`
 *    reads `:name` as `?`. What it puts there must not join with what stands beside it.
 */

const STOP = Number.MAX_SAFE_INTEGER;
/** {@link Facts.word} of an executable comment that cannot be judged. */
const EXECUTABLE = '/*!';

/** Reads texts into tokens; one lexer reads one text at a time and is used again. */
export class Lexer {
  readonly tokens: token.Tokens;
  /** Why the text cannot be judged by its tokens; `null` if it can. */
  failure: 'malformed' | 'unrecognised' | null = null;
  /** The failure is a syntax error to every server, which then executes nothing of the text. */
  impossible = false;
  /** The characters behind the failure; `null` if they say nothing. See {@link Facts.word}. */
  word: string | null = null;
  /** A statement ends before the last token. */
  multiple = false;
  /** An optimizer hint that sets a variable, or that no rule knows. */
  optimizerHint: TextReason | null = null;
  /** A plain comment is `route:primary`. */
  routedToPrimary = false;
  /** A quote is escaped by a backslash: the text has other readings. */
  escapedQuote = false;
  /** An executable comment: the text has other readings. */
  executableComment = false;

  readonly #vocabulary: Vocabulary;
  #sql = '';
  #reading: Reading = defaultReading;
  #firstSemicolon = -1;
  /** Inside an executable comment that is read as code. */
  #inExecutable = false;
  /** The marker of the executable comments so far, such as `!80000`. */
  #marker = '';
  /** A comment with `#`, or `"`: mysql2 does not know them. */
  #confusing = false;
  #questionMarks = 0;

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.tokens = new token.Tokens(vocabulary);
  }

  /** Reads `sql`; the result is in the fields, up to the first character that fails. */
  read(sql: string, reading: Reading): void {
    this.#begin(sql, reading);
    const length = sql.length;
    let at = 0;
    while (at < length) {
      const code = sql.charCodeAt(at);
      const kind = code < 128 ? CLASS[code] : WIDE;
      if (kind === SPACE) at++;
      else if (kind === LETTER) at = this.#word(at, WORD);
      else if (kind === PUNCTUATION) at = this.#character(at, code);
      else if (kind === BACKQUOTE) at = this.#quotedName(at);
      else at = this.#other(at, code);
    }
    if (at === length && this.#inExecutable) this.#fail('malformed');
    this.#finish();
  }

  #begin(sql: string, reading: Reading): void {
    this.#sql = sql;
    this.#reading = reading;
    this.tokens.begin(sql);
    this.failure = null;
    this.impossible = false;
    this.word = null;
    this.multiple = false;
    this.optimizerHint = null;
    this.routedToPrimary = false;
    this.escapedQuote = false;
    this.executableComment = false;
    this.#firstSemicolon = -1;
    this.#inExecutable = false;
    this.#marker = '';
    this.#confusing = false;
    this.#questionMarks = 0;
  }

  #finish(): void {
    const tokens = this.tokens;
    if (this.#firstSemicolon >= 0) {
      // Servers take `;` at the end away before they parse.
      while (tokens.type(tokens.count - 1) === SEMICOLON_TOKEN) tokens.count--;
      this.multiple = this.#firstSemicolon < tokens.count;
      // What stands before a `;` runs before the server sees the error behind it.
      this.impossible = false;
    }
    if (this.#confusing && this.failure === null) this.#countQuestionMarks();
  }

  /**
   * mysql2 looks for placeholders without knowing `"` and `#` as quotes and comments, so where
   * these occur every `?` of the text must be a placeholder to the server too.
   */
  #countQuestionMarks(): void {
    if (countQuestionMarks(this.#sql) !== this.#questionMarks) this.#fail('malformed', '?');
  }

  #fail(failure: 'malformed' | 'unrecognised', word: string | null = null): number {
    this.failure = failure;
    this.word = word;
    return STOP;
  }

  /** A quote that does not end, or a stray backslash: a syntax error on every server. */
  #failForAll(): number {
    this.impossible = true;
    return this.#fail('malformed');
  }

  /** Reads what begins at `at`, and is not among the most frequent; returns where it ends. */
  #other(at: number, code: number): number {
    if (code > 127) {
      return code > LAST_DOUBTFUL ? this.#word(at, WORD) : this.#fail('unrecognised');
    }
    switch (CLASS[code]) {
      case DIGIT:
        return this.#number(at);
      case SINGLE_QUOTE:
        return this.#string(at);
      case DOUBLE_QUOTE:
        return this.#doubleQuoted(at);
      case DOT:
        return this.#dot(at);
      case QUESTION:
        return this.#question(at);
      case SEMICOLON:
        return this.#semicolon(at);
      case MINUS:
      case HASH:
        return this.#lineComment(at, code);
      case SLASH:
        return this.#sql.charCodeAt(at + 1) === 42 ? this.#comment(at) : this.#character(at, code);
      case STAR:
        return this.#star(at);
      case AT:
        return this.#at(at);
      case COLON:
        return this.#colon(at);
      case BACKSLASH:
        return this.#backslash(at);
      case DOLLAR:
        return this.#dollar(at);
      default:
        return this.#nothing(code);
    }
  }

  #character(at: number, code: number): number {
    this.tokens.push(code, at, at + 1, 0, code);
    return at + 1;
  }

  #word(start: number, plain: number): number {
    const sql = this.#sql;
    let hash = HASH_SEED;
    let at = start;
    let code = sql.charCodeAt(at);
    let folded = code < 128 ? (FOLD[code] as number) : 0;
    while (folded !== 0) {
      hash = hashStep(hash, folded);
      code = sql.charCodeAt(++at);
      folded = code < 128 ? (FOLD[code] as number) : 0;
    }
    if (code > LAST_DOUBTFUL) return this.#wideWord(start);
    const type = code === 46 && isIdentifier(sql.charCodeAt(at + 1)) ? NAME : plain;
    this.tokens.push(type, start, at, this.#vocabulary.find(sql, start, at, hash), hash);
    return at;
  }

  /** An identifier with characters beyond ASCII: no keyword, no built-in function. */
  #wideWord(start: number): number {
    const sql = this.#sql;
    let hash = HASH_SEED;
    let at = start;
    for (let code = sql.charCodeAt(at); isIdentifier(code); code = sql.charCodeAt(++at)) {
      hash = hashStep(hash, foldOf(code));
    }
    this.tokens.push(NAME, start, at, this.#vocabulary.find(sql, start, at, hash), hash);
    return at;
  }

  #number(start: number): number {
    const end = numberEnd(this.#sql, start);
    if (end === IDENTIFIER) return this.#word(start, WORD);
    return end === MALFORMED ? this.#fail('malformed') : this.#literal(NUMBER, start, end);
  }

  #literal(type: number, start: number, end: number): number {
    this.tokens.push(type, start, end, 0, 0);
    return end;
  }

  #quotedName(start: number): number {
    const sql = this.#sql;
    let hash = HASH_SEED;
    for (let at = start + 1; at < sql.length; at++) {
      const code = sql.charCodeAt(at);
      if (code !== 96) {
        hash = hashStep(hash, foldOf(code));
      } else if (sql.charCodeAt(at + 1) === 96) {
        hash = hashStep(hashStep(hash, code), code);
        at++;
      } else {
        const entry = this.#vocabulary.find(sql, start + 1, at, hash);
        this.tokens.push(QUOTED, start, at + 1, entry, hash);
        return at + 1;
      }
    }
    return this.#failForAll();
  }

  #string(start: number): number {
    const sql = this.#sql;
    const escapes = this.#reading.escapesInSingle;
    for (let at = start + 1; at < sql.length; at++) {
      const code = sql.charCodeAt(at);
      if (code === 39) {
        if (sql.charCodeAt(at + 1) !== 39) return this.#literal(STRING, start, at + 1);
        at++;
      } else if (code === 92 && escapes) {
        at++;
        if (sql.charCodeAt(at) === 39) this.escapedQuote = true;
      }
    }
    return this.#failForAll();
  }

  #doubleQuoted(start: number): number {
    const sql = this.#sql;
    const escapes = this.#reading.escapesInDouble;
    this.#confusing = true;
    let hash = HASH_SEED;
    for (let at = start + 1; at < sql.length; at++) {
      const code = sql.charCodeAt(at);
      if (code === 34) {
        if (sql.charCodeAt(at + 1) !== 34) {
          const entry = this.#vocabulary.find(sql, start + 1, at, hash);
          this.tokens.push(DOUBLE_QUOTED, start, at + 1, entry, 0);
          return at + 1;
        }
        at++;
      } else if (code === 92 && escapes) {
        at++;
        if (sql.charCodeAt(at) === 34) this.escapedQuote = true;
      }
      hash = hashStep(hash, foldOf(code));
    }
    return this.#failForAll();
  }

  #dot(at: number): number {
    const tokens = this.tokens;
    const last = tokens.count - 1;
    const type = tokens.type(last);
    const afterName = (type === NAME || type === WORD) && tokens.end(last) === at;
    const code = this.#sql.charCodeAt(at + 1);
    if (isDigit(code) && !afterName) {
      const end = fractionEnd(this.#sql, at + 1);
      return end === MALFORMED ? this.#fail('malformed') : this.#literal(NUMBER, at, end);
    }
    tokens.push(PERIOD, at, at + 1, 0, PERIOD);
    return isIdentifier(code) ? this.#word(at + 1, NAME) : at + 1;
  }

  #question(at: number): number {
    const end = this.#sql.charCodeAt(at + 1) === 63 ? at + 2 : at + 1;
    this.#questionMarks += end - at;
    const type = end === at + 1 ? PLACEHOLDER : NAME_PLACEHOLDER;
    return this.#placeholder(type, at, end);
  }

  #placeholder(type: number, at: number, end: number): number {
    const alone = placeholderStandsAlone(this.#sql, at, end, type === NAME_PLACEHOLDER);
    // The values are put there before the server decides what an executable comment is.
    if (this.#inExecutable || !alone) return this.#fail('malformed', '?');
    return this.#literal(type, at, end);
  }

  #colon(at: number): number {
    const sql = this.#sql;
    if (sql.charCodeAt(at + 1) === 61) return this.#literal(ASSIGN, at, at + 2);
    const end = namedPlaceholderEnd(sql, at);
    if (end < 0) return this.#fail('unrecognised', ':');
    return this.#placeholder(PLACEHOLDER, at, end);
  }

  #semicolon(at: number): number {
    if (this.#firstSemicolon < 0) this.#firstSemicolon = this.tokens.count;
    return this.#character(at, SEMICOLON_TOKEN);
  }

  #lineComment(at: number, code: number): number {
    const sql = this.#sql;
    const from = lineCommentContent(sql, at);
    if (from < 0) return this.#character(at, code);
    if (code === 35) this.#confusing = true;
    const end = lineEnd(sql, from);
    if (!isPlainLine(sql, from, end)) return this.#fail('malformed');
    this.#plainComment(from, end);
    return end;
  }

  #plainComment(from: number, end: number): void {
    if (isRoutingHint(this.#sql, from, end)) this.routedToPrimary = true;
  }

  #comment(at: number): number {
    const sql = this.#sql;
    // No comment of any kind nests in an executable one on every server.
    if (this.#inExecutable) return this.#fail('unrecognised', EXECUTABLE);
    const version = executableVersion(sql, at);
    if (version >= 0) return this.#executable(at, version);
    const end = sql.indexOf('*/', at + 2);
    if (end < 0) return this.#fail('malformed');
    if (sql.charCodeAt(at + 2) !== 43) this.#plainComment(at + 2, end);
    else this.optimizerHint ??= judgeOptimizerHint(sql, at + 3, end);
    return end + 2;
  }

  #executable(at: number, version: number): number {
    const sql = this.#sql;
    this.executableComment = true;
    const from = versionEnd(sql, version);
    const marker = sql.slice(at + 2, from);
    // With two versions in one text, a server may read one comment and skip the other.
    const mixed = this.#marker !== '' && this.#marker !== marker;
    if (mixed || !isVersion(from - version, this.#vocabulary.dialect)) {
      return this.#fail('unrecognised', EXECUTABLE);
    }
    this.#marker = marker;
    if (!this.#reading.executable) return this.#skipExecutable(from);
    this.#inExecutable = true;
    return from;
  }

  /** The servers that skip such a comment do not agree on comments inside it. */
  #skipExecutable(from: number): number {
    const sql = this.#sql;
    const end = sql.indexOf('*/', from);
    if (end < 0) return this.#fail('malformed');
    const nested = sql.indexOf('/*', from);
    return nested >= 0 && nested < end ? this.#fail('unrecognised', EXECUTABLE) : end + 2;
  }

  #star(at: number): number {
    if (this.#inExecutable && this.#sql.charCodeAt(at + 1) === 47) {
      this.#inExecutable = false;
      return at + 2;
    }
    return this.#character(at, 42);
  }

  #at(at: number): number {
    const double = this.#sql.charCodeAt(at + 1) === 64;
    const end = double ? at + 2 : at + 1;
    this.#literal(double ? SYSTEM_VARIABLE : VARIABLE, at, end);
    return isIdentifier(this.#sql.charCodeAt(end)) ? this.#word(end, NAME) : end;
  }

  /** `\N` is NULL to MariaDB and older MySQL; any other backslash is a syntax error. */
  #backslash(at: number): number {
    if (this.#sql.charCodeAt(at + 1) !== 78) return this.#failForAll();
    return this.#literal(NUMBER, at, at + 2);
  }

  #dollar(at: number): number {
    const end = this.#word(at, WORD);
    const second = this.#sql.indexOf('$', at + 1);
    return second >= 0 && second < end ? this.#fail('unrecognised', '$') : end;
  }

  /** A character that begins nothing. */
  #nothing(code: number): number {
    if (code === 0) return this.#fail('malformed');
    return this.#fail('unrecognised', code > 32 && code < 127 ? String.fromCharCode(code) : null);
  }
}
