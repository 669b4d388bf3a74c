import { isDigit, isHexDigit, isIdentifier } from './characters.ts';

/** What begins with a digit is an identifier. */
export const IDENTIFIER = 0;
/** What begins like a number is none to the servers. */
export const MALFORMED = -1;

/**
 * Where the number that begins with the digit at `start` ends, or {@link IDENTIFIER} or
 * {@link MALFORMED}. A point or an exponent ends the chance to be an identifier, so `1e1FOR` is a
 * number and a keyword; without them, an identifier character makes it one: `1FOR`.
 */
export function numberEnd(sql: string, start: number): number {
  let at = start + 1;
  let code = sql.charCodeAt(at);
  // Only a lower-case prefix makes a literal: 0XFF is a name.
  if ((code === 120 || code === 98) && sql.charCodeAt(start) === 48) return radixEnd(sql, start);
  while (isDigit(code)) code = sql.charCodeAt(++at);
  if (code === 46) return fractionEnd(sql, at + 1);
  const end = (code | 32) === 101 ? exponentEnd(sql, at) : MALFORMED;
  if (end !== MALFORMED) return end;
  return isIdentifier(code) ? IDENTIFIER : at;
}

/** Where the number ends whose point is right before `behindPoint`, or {@link MALFORMED}. */
export function fractionEnd(sql: string, behindPoint: number): number {
  let at = behindPoint;
  while (isDigit(sql.charCodeAt(at))) at++;
  // Here, unlike behind an integer, the servers insist on the digits of an exponent.
  return (sql.charCodeAt(at) | 32) === 101 ? exponentEnd(sql, at) : at;
}

/** Where the exponent ends whose letter is at `at`; {@link MALFORMED} if it has no digits. */
function exponentEnd(sql: string, at: number): number {
  const sign = sql.charCodeAt(at + 1);
  let end = sign === 43 || sign === 45 ? at + 2 : at + 1;
  if (!isDigit(sql.charCodeAt(end))) return MALFORMED;
  while (isDigit(sql.charCodeAt(end))) end++;
  return end;
}

/** `0x1f`, `0b01`: literals only if no other identifier character follows. */
function radixEnd(sql: string, start: number): number {
  const hexadecimal = sql.charCodeAt(start + 1) === 120;
  let at = start + 2;
  let code = sql.charCodeAt(at);
  while (hexadecimal ? isHexDigit(code) : code === 48 || code === 49) code = sql.charCodeAt(++at);
  return at === start + 2 || isIdentifier(code) ? IDENTIFIER : at;
}
