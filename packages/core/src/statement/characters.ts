/**
 * What a character may begin outside quotes and comments (MySQL manual, "Lexical Structure":
 * "Literal Values", "Schema Object Names", "Comments"). Everything from U+00A1 on is part of
 * identifiers ({@link isIdentifier}); U+0080 to U+00A0 is white space or an identifier character
 * depending on the connection's character set, so it begins nothing.
 */
export const NOTHING = 0;
export const SPACE = 1;
export const LETTER = 2;
export const DIGIT = 3;
export const PUNCTUATION = 4;
export const SINGLE_QUOTE = 5;
export const DOUBLE_QUOTE = 6;
export const BACKQUOTE = 7;
export const SLASH = 8;
export const MINUS = 9;
export const HASH = 10;
export const DOT = 11;
export const SEMICOLON = 12;
export const AT = 13;
export const COLON = 14;
export const QUESTION = 15;
export const BACKSLASH = 16;
export const STAR = 17;
export const DOLLAR = 18;
/** Beyond ASCII. */
export const WIDE = 19;

/** Last of the characters from U+0080 on that begin nothing. */
export const LAST_DOUBTFUL = 0xa0;

/** Class of each ASCII character. `[` and `]` begin nothing: their meaning depends on the sql_mode. */
export const CLASS = new Uint8Array(128);
/**
 * Lower-case form of each ASCII identifier character, 0 of all others. Servers fold keywords,
 * and function names in ASCII only: `ſleep(1)` is no SLEEP to them.
 */
export const FOLD = new Uint8Array(128);

function classify(characters: string, kind: number): void {
  for (let i = 0; i < characters.length; i++) CLASS[characters.charCodeAt(i)] = kind;
}

classify('\t\n\v\f\r ', SPACE);
classify('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_', LETTER);
classify('0123456789', DIGIT);
classify('(),+%=<>!~^&|{}', PUNCTUATION);
classify("'", SINGLE_QUOTE);
classify('"', DOUBLE_QUOTE);
classify('`', BACKQUOTE);
classify('/', SLASH);
classify('-', MINUS);
classify('#', HASH);
classify('.', DOT);
classify(';', SEMICOLON);
classify('@', AT);
classify(':', COLON);
classify('?', QUESTION);
classify('\\', BACKSLASH);
classify('*', STAR);
classify('$', DOLLAR);

for (let c = 0; c < 128; c++) {
  const kind = CLASS[c];
  const identifier = kind === LETTER || kind === DIGIT || kind === DOLLAR;
  FOLD[c] = identifier ? String.fromCharCode(c).toLowerCase().charCodeAt(0) : 0;
}

/** Whether a character code may stand inside an unquoted identifier; false for `NaN` (no character). */
export function isIdentifier(code: number): boolean {
  return code < 128 ? FOLD[code] !== 0 : code > LAST_DOUBTFUL;
}

/** Whether a character code is an ASCII digit; false for `NaN`. */
export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Whether a character code is white space to the servers; false for `NaN`. */
export function isSpace(code: number): boolean {
  return code < 128 && CLASS[code] === SPACE;
}

/** Whether a character code is a hexadecimal digit; false for `NaN`. */
export function isHexDigit(code: number): boolean {
  const letter = code | 32;
  return isDigit(code) || (letter >= 97 && letter <= 102);
}

/** Start value of the hash of a word. */
export const HASH_SEED = 0x811c9dc5 | 0;

/** One step of the hash of a word (FNV-1a). */
export function hashStep(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193);
}
