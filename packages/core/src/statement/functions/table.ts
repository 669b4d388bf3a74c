import type { Answer, StatePin } from '../facts.ts';

/** A built-in function whose call belongs to the primary. */
export interface ImpureFunction {
  readonly reason: 'session-function' | 'unsafe-function';
  /** State that the call leaves in its session. */
  readonly pin?: StatePin;
  /** What of earlier statements the call asks for. */
  readonly asks?: Answer;
}

/** The least and the greatest number of arguments. */
export type ArgumentCounts = readonly [least: number, most: number];

/**
 * The built-in functions of one server, and how other versions differ. All names are lower case
 * and no name is in two of the three sets; a name in none of them is no known built-in.
 */
export interface FunctionTable {
  readonly dialect: 'mysql' | 'mariadb';
  /** The server the sets were generated from. */
  readonly version: string;
  /** Pure, whether or not white space stands before the parenthesis. Space separated, sorted. */
  readonly pure: string;
  /**
   * Pure only when the name touches its parenthesis; else the text names a stored function (MySQL
   * manual, "Function Name Parsing and Resolution"). Space separated, sorted.
   */
  readonly touching: string;
  /**
   * Those of the pure ones that are built in with some numbers of arguments only; with any other
   * the text names a stored function.
   */
  readonly counted: Readonly<Record<string, ArgumentCounts>>;
  readonly impure: Readonly<Record<string, ImpureFunction>>;
  /**
   * By version, as a number: the pure functions that are built in since then. Those of a version
   * after that of the table are in none of its sets, and must touch their parenthesis. A name in
   * neither list has always been there.
   */
  readonly since: Readonly<Record<number, string>>;
  /** By version: the pure functions that were built in before it; they must touch theirs too. */
  readonly until: Readonly<Record<number, string>>;
}

/** `8.0.17` → 80017, `10.11.18` → 101118; what a part lacks counts as 0. */
export function versionNumber(dotted: string): number {
  const [major = 0, minor = 0, patch = 0] = dotted
    .split('.')
    .map((part) => Number.parseInt(part, 10) || 0);
  return major * 10_000 + minor * 100 + patch;
}
