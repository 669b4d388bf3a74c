import type { FollowUp, StatePin } from '../facts.ts';

/** A built-in function whose call belongs to the primary. */
export interface ImpureFunction {
  readonly reason: 'session-function' | 'unsafe-function';
  /** State that the call leaves in its session. */
  readonly pin?: StatePin;
  /** Whose answer the call asks for. */
  readonly followUp?: FollowUp;
}

/**
 * The built-in functions of one server. All names are lower case and no name is in two of the
 * three sets; a name in none of them is no known built-in.
 */
export interface FunctionTable {
  readonly dialect: 'mysql' | 'mariadb';
  /** The server the table was generated from. */
  readonly version: string;
  /** Pure, whether or not white space stands before the parenthesis. Space separated, sorted. */
  readonly pure: string;
  /**
   * Pure only when the name touches its parenthesis; else the text names a stored function (MySQL
   * manual, "Function Name Parsing and Resolution"). Space separated, sorted.
   */
  readonly touching: string;
  readonly impure: Readonly<Record<string, ImpureFunction>>;
}
