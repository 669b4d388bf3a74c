import type { Tokens } from './tokens.ts';
import * as token from './tokens.ts';

// Constants of this module: see lexer.ts.
const { COMMA, NUMBER, PLACEHOLDER, STRING } = token;

/** Two independent hashes of a text's structure. */
export interface Fingerprint {
  readonly high: number;
  readonly low: number;
}

const LITERAL = 1;

/**
 * Fingerprint of the tokens: the same for texts that differ in white space, comments, letter case,
 * literals, and the length of lists of literals. Never the key of a decision (a literal can
 * matter: quotes, XPath), only of the parser's opinion.
 */
export function fingerprint(tokens: Tokens): Fingerprint {
  const { types, hashes, count } = tokens;
  let high = 0x9e3779b9 | 0;
  let low = 0x85ebca6b | 0;
  for (let at = 0; at < count; at++) {
    const type = types[at] as number;
    let hash = LITERAL;
    if (!isLiteral(type)) hash = (hashes[at] as number) + type;
    else while (types[at + 1] === COMMA && isLiteral(tokens.type(at + 2))) at += 2;
    high = Math.imul(high ^ hash, 0x01000193);
    low = Math.imul((low << 13) | (low >>> 19), 5) + hash;
  }
  return { high: high | 0, low: low | 0 };
}

function isLiteral(type: number): boolean {
  return type === STRING || type === NUMBER || type === PLACEHOLDER;
}
