import { createHash } from 'node:crypto';
import type { Tokens } from '../statement/tokens.ts';
import * as token from '../statement/tokens.ts';

/*
 * The shape of a text: what remains of it without white space, comments and literals. It is not
 * the key that the parser's verdicts are kept by (statement/fingerprint.ts): that one is made for
 * speed, lives in one process and takes names beyond ASCII for each other.
 */

const LITERAL = '?';
const MINUS = 45;
const PLUS = 43;

/** Words behind which a sign belongs to the number. */
const beforeSign = new Set(
  'and between by else in limit not offset or return select set then values when'.split(' '),
);

/**
 * The tokens of a text, with `?` for each literal and placeholder, and one for a whole list of
 * them; what the lexer could not read follows as it is.
 */
export function shapeOf(tokens: Tokens, isWhole: boolean): string {
  const parts: string[] = [];
  for (let at = 0; at < tokens.count; at++) {
    if (isSign(tokens, at)) continue;
    push(parts, isLiteral(tokens.type(at)) ? LITERAL : textOf(tokens, at));
  }
  if (!isWhole) parts.push(restOf(tokens));
  return parts.join(' ');
}

/** A short printable id of a shape, the same in every process: 16 hexadecimal digits. */
export function fingerprintOf(shape: string): string {
  return createHash('sha256').update(shape.toLowerCase()).digest('hex').slice(0, 16);
}

function textOf(tokens: Tokens, at: number): string {
  return tokens.sql.slice(tokens.start(at), tokens.end(at));
}

function isLiteral(type: number): boolean {
  return (
    type === token.STRING ||
    type === token.DOUBLE_QUOTED ||
    type === token.NUMBER ||
    type === token.PLACEHOLDER
  );
}

/** `?, ?` is as `?`, and `(?), (?)` as `(?)`: the length of a list is no part of the shape. */
function push(parts: string[], part: string): void {
  const end = parts.length;
  if (part === LITERAL && parts[end - 1] === ',' && parts[end - 2] === LITERAL) {
    parts.length = end - 1;
  } else if (part === ')' && endsWith(parts, ['(', LITERAL, ')', ',', '(', LITERAL])) {
    parts.length = end - 3;
  } else {
    parts.push(part);
  }
}

function endsWith(parts: readonly string[], tail: readonly string[]): boolean {
  const from = parts.length - tail.length;
  return from >= 0 && tail.every((part, index) => parts[from + index] === part);
}

/** Whether token `at` is the sign of a number, and not an operation. */
function isSign(tokens: Tokens, at: number): boolean {
  const type = tokens.type(at);
  if ((type !== MINUS && type !== PLUS) || tokens.type(at + 1) !== token.NUMBER) return false;
  const before = tokens.type(at - 1);
  if (before === token.WORD) return beforeSign.has(tokens.word(at - 1));
  return before !== token.NO_TOKEN && before < token.WORD && before !== token.CLOSE;
}

/** What stands behind the last token, with its literals taken away as well as can be. */
function restOf(tokens: Tokens): string {
  const from = tokens.count === 0 ? 0 : tokens.end(tokens.count - 1);
  return tokens.sql
    .slice(from)
    .replace(/'[^']*'?|"[^"]*"?|\d+/g, LITERAL)
    .replace(/\s+/g, ' ')
    .trim();
}
