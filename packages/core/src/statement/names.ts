import * as characters from './characters.ts';
import type { Text } from './text.ts';
import * as token from './tokens.ts';
import { foldOf } from './vocabulary.ts';

// Constants of this module: see lexer.ts.
const { FOLD, HASH_SEED, hashStep, isIdentifier, LAST_DOUBTFUL } = characters;
const { NAME, QUOTED } = token;

/** What begins does not end. */
export const ENDLESS = -1;

/**
 * Reads the identifier at `start` as a token of type `plain`, or as a name if it touches a point
 * and another identifier; returns where it ends.
 */
export function readWord(tokens: token.Tokens, text: Text, start: number, plain: number): number {
  const { codes } = text;
  let hash = HASH_SEED;
  let at = start;
  let code = codes[at] as number;
  let folded = code < 128 ? (FOLD[code] as number) : 0;
  while (folded !== 0) {
    hash = hashStep(hash, folded);
    code = codes[++at] as number;
    folded = code < 128 ? (FOLD[code] as number) : 0;
  }
  if (code > LAST_DOUBTFUL) return readWideWord(tokens, text, start);
  const type = code === 46 && isIdentifier(codes[at + 1] as number) ? NAME : plain;
  tokens.push(type, start, at, tokens.vocabulary.find(text, start, at, hash), hash);
  return at;
}

/** An identifier with characters beyond ASCII: no keyword, no built-in function. */
function readWideWord(tokens: token.Tokens, text: Text, start: number): number {
  const { codes } = text;
  let hash = HASH_SEED;
  let at = start;
  for (let code = codes[at] as number; isIdentifier(code); code = codes[++at] as number) {
    hash = hashStep(hash, foldOf(code));
  }
  tokens.push(NAME, start, at, tokens.vocabulary.find(text, start, at, hash), hash);
  return at;
}

/** Reads the name in backquotes at `start`; returns where it ends, or {@link ENDLESS}. */
export function readQuotedName(tokens: token.Tokens, text: Text, start: number): number {
  const { codes, length } = text;
  let hash = HASH_SEED;
  for (let at = start + 1; at < length; at++) {
    const code = codes[at] as number;
    if (code !== 96) {
      hash = hashStep(hash, foldOf(code));
    } else if (codes[at + 1] === 96) {
      hash = hashStep(hashStep(hash, code), code);
      at++;
    } else {
      const entry = tokens.vocabulary.find(text, start + 1, at, hash);
      tokens.push(QUOTED, start, at + 1, entry, hash);
      return at + 1;
    }
  }
  return ENDLESS;
}
