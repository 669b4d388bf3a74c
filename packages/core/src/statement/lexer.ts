import * as characters from './characters.ts';
import { BROKEN, Comments, endsDashes } from './comments.ts';
import { ENDLESS, readQuotedName, readWord } from './names.ts';
import { fractionEnd, IDENTIFIER, MALFORMED, numberEnd } from './numbers.ts';
import { countQuestionMarks, namedPlaceholderEnd, placeholderStandsAlone } from './placeholders.ts';
import { defaultReading, type Reading } from './readings.ts';
import { Text } from './text.ts';
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

/** Why a text cannot be judged by its tokens. */
export type LexicalFailure = 'malformed' | 'unrecognised';

/** Reads texts into tokens; one lexer reads one text at a time and is used again. */
export class Lexer {
  readonly tokens: token.Tokens;
  readonly comments: Comments;
  /** `null` if there is none. */
  failure: LexicalFailure | null = null;
  /** The characters behind the failure; `null` if they say nothing. See {@link Facts.word}. */
  word: string | null = null;
  /** The failure is a syntax error to every server, which then executes nothing of the text. */
  impossible = false;
  /** A statement ends before the last token. */
  multiple = false;
  /** A quote is escaped by a backslash: the text has other readings. */
  escapedQuote = false;

  readonly #vocabulary: Vocabulary;
  readonly #text = new Text();
  #reading: Reading = defaultReading;
  #firstSemicolon = -1;
  #hasDoubleQuote = false;
  #questionMarks = 0;

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.tokens = new token.Tokens(vocabulary);
    this.comments = new Comments(vocabulary.dialect);
  }

  /** There is an executable comment: the text has other readings. */
  get executableComment(): boolean {
    return this.comments.hasExecutable;
  }

  /** Reads `sql`; the result is in the fields, up to the first character that fails. */
  read(sql: string, reading: Reading): void {
    this.#begin(sql, reading);
    const { codes, length } = this.#text;
    let at = 0;
    while (at < length) {
      const code = codes[at] as number;
      const kind = code < 128 ? CLASS[code] : WIDE;
      if (kind === SPACE) at++;
      else if (kind === LETTER) at = this.#word(at, WORD);
      else if (kind === PUNCTUATION) at = this.#character(at, code);
      else if (kind === BACKQUOTE) at = this.#quotedName(at);
      else at = this.#other(at, code);
    }
    if (at === length && this.comments.isOpen) this.#fail('malformed');
    this.#finish();
  }

  #begin(sql: string, reading: Reading): void {
    this.#text.begin(sql);
    this.tokens.begin(sql);
    this.comments.begin();
    this.#reading = reading;
    this.failure = null;
    this.word = null;
    this.impossible = false;
    this.multiple = false;
    this.escapedQuote = false;
    this.#firstSemicolon = -1;
    this.#hasDoubleQuote = false;
    this.#questionMarks = 0;
  }

  #finish(): void {
    const { tokens } = this;
    if (this.#firstSemicolon >= 0) {
      // Servers take `;` at the end away before they parse.
      while (tokens.type(tokens.count - 1) === SEMICOLON_TOKEN) tokens.count--;
      this.multiple = this.#firstSemicolon < tokens.count;
      // What stands before a `;` runs before the server sees the error behind it.
      this.impossible = false;
    }
    const confusing = this.#hasDoubleQuote || this.comments.hasHash;
    if (confusing && this.failure === null) this.#countQuestionMarks();
  }

  /**
   * mysql2 looks for placeholders without knowing `"` and `#` as quotes and comments, so where
   * these occur every `?` of the text must be a placeholder to the server too.
   */
  #countQuestionMarks(): void {
    const all = countQuestionMarks(this.#text.sql);
    if (all !== this.#questionMarks) this.#fail('malformed', '?');
  }

  #fail(failure: LexicalFailure, word: string | null = null): number {
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
        return this.#isDashes(at) ? this.#lineComment(at) : this.#character(at, code);
      case HASH:
        return this.#lineComment(at);
      case SLASH:
        return this.#next(at) === 42 ? this.#comment(at) : this.#character(at, code);
      case STAR:
        return this.#star(at);
      case AT:
        return this.#at(at);
      case COLON:
        return this.#colon(at);
      case DOLLAR:
        return this.#dollar(at);
      case BACKSLASH:
        // `\N` is NULL to MariaDB and older MySQL; any other backslash is a syntax error.
        return this.#next(at) === 78 ? this.#literal(NUMBER, at, at + 2) : this.#failForAll();
      default:
        return this.#nothing(code);
    }
  }

  /** The character behind the one at `at`; 0 at the end. */
  #next(at: number): number {
    return this.#text.codes[at + 1] as number;
  }

  #character(at: number, code: number): number {
    this.tokens.push(code, at, at + 1, 0, code);
    return at + 1;
  }

  #literal(type: number, start: number, end: number): number {
    this.tokens.push(type, start, end, 0, 0);
    return end;
  }

  #word(start: number, plain: number): number {
    return readWord(this.tokens, this.#text, start, plain);
  }

  #quotedName(start: number): number {
    const end = readQuotedName(this.tokens, this.#text, start);
    return end === ENDLESS ? this.#failForAll() : end;
  }

  #dollar(at: number): number {
    const end = this.#word(at, WORD);
    const second = this.#text.sql.indexOf('$', at + 1);
    return second >= 0 && second < end ? this.#fail('unrecognised', '$') : end;
  }

  #string(start: number): number {
    const { codes, length } = this.#text;
    const escapes = this.#reading.escapesInSingle;
    for (let at = start + 1; at < length; at++) {
      const code = codes[at];
      if (code === 39) {
        if (codes[at + 1] !== 39) return this.#literal(STRING, start, at + 1);
        at++;
      } else if (code === 92 && escapes) {
        at++;
        if (codes[at] === 39) this.escapedQuote = true;
      }
    }
    return this.#failForAll();
  }

  #doubleQuoted(start: number): number {
    const { codes, length } = this.#text;
    const escapes = this.#reading.escapesInDouble;
    this.#hasDoubleQuote = true;
    let hash = HASH_SEED;
    for (let at = start + 1; at < length; at++) {
      const code = codes[at] as number;
      if (code === 34) {
        if (codes[at + 1] !== 34) {
          const entry = this.#vocabulary.find(this.#text, start + 1, at, hash);
          this.tokens.push(DOUBLE_QUOTED, start, at + 1, entry, 0);
          return at + 1;
        }
        hash = hashStep(hash, code);
        at++;
      } else if (code === 92 && escapes) {
        at++;
        if (codes[at] === 34) this.escapedQuote = true;
      }
      hash = hashStep(hash, foldOf(code));
    }
    return this.#failForAll();
  }

  #number(start: number): number {
    const end = numberEnd(this.#text.sql, start);
    if (end === IDENTIFIER) return this.#word(start, WORD);
    return end === MALFORMED ? this.#fail('malformed') : this.#literal(NUMBER, start, end);
  }

  #dot(at: number): number {
    const { tokens } = this;
    const last = tokens.count - 1;
    const type = tokens.type(last);
    const afterName = (type === NAME || type === WORD) && tokens.end(last) === at;
    const code = this.#next(at);
    if (isDigit(code) && !afterName) {
      const end = fractionEnd(this.#text.sql, at + 1);
      return end === MALFORMED ? this.#fail('malformed') : this.#literal(NUMBER, at, end);
    }
    tokens.push(PERIOD, at, at + 1, 0, PERIOD);
    return isIdentifier(code) ? this.#word(at + 1, NAME) : at + 1;
  }

  #question(at: number): number {
    const isName = this.#next(at) === 63;
    const end = isName ? at + 2 : at + 1;
    this.#questionMarks += end - at;
    return this.#placeholder(isName ? NAME_PLACEHOLDER : PLACEHOLDER, at, end);
  }

  #colon(at: number): number {
    if (this.#next(at) === 61) return this.#literal(ASSIGN, at, at + 2);
    const end = namedPlaceholderEnd(this.#text.sql, at);
    return end < 0 ? this.#fail('unrecognised', ':') : this.#placeholder(PLACEHOLDER, at, end);
  }

  #placeholder(type: number, at: number, end: number): number {
    const isName = type === NAME_PLACEHOLDER;
    const alone = placeholderStandsAlone(this.#text, at, end, isName);
    // The values are put there before the server decides what an executable comment is.
    if (!alone || this.comments.isOpen) return this.#fail('malformed', '?');
    return this.#literal(type, at, end);
  }

  #at(at: number): number {
    const double = this.#next(at) === 64;
    const end = double ? at + 2 : at + 1;
    this.#literal(double ? SYSTEM_VARIABLE : VARIABLE, at, end);
    return isIdentifier(this.#text.codes[end] as number) ? this.#word(end, NAME) : end;
  }

  #semicolon(at: number): number {
    if (this.#firstSemicolon < 0) this.#firstSemicolon = this.tokens.count;
    return this.#character(at, SEMICOLON_TOKEN);
  }

  /** Whether the `-` at `at` begins a comment: there is a second, and then white space or the like. */
  #isDashes(at: number): boolean {
    const { codes } = this.#text;
    return codes[at + 1] === 45 && endsDashes(codes[at + 2] as number);
  }

  #lineComment(at: number): number {
    const end = this.comments.readLine(this.#text.sql, at);
    return end === BROKEN ? this.#fail('malformed') : end;
  }

  #comment(at: number): number {
    const end = this.comments.readBlock(this.#text.sql, at, this.#reading.executable);
    if (end >= 0) return end;
    return end === BROKEN ? this.#fail('malformed') : this.#fail('unrecognised', '/*!');
  }

  #star(at: number): number {
    if (!this.comments.isOpen || this.#next(at) !== 47) return this.#character(at, 42);
    this.comments.isOpen = false;
    return at + 2;
  }

  /** A character that begins nothing. */
  #nothing(code: number): number {
    if (code === 0) return this.#fail('malformed');
    return this.#fail('unrecognised', code > 32 && code < 127 ? String.fromCharCode(code) : null);
  }
}
