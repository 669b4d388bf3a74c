import type { Consistency } from '../consistency/levels.ts';
import type { RoutedStatement } from '../diagnostics.ts';
import type { ClientSession } from './client-session.ts';

/** What rwsplit takes of a statement beside mysql2's options. */
export interface StatementHints {
  /** Runs the statement on the primary, wherever it could run. Default: `false`. */
  readonly forcePrimary?: boolean;
  /**
   * The session that the statement runs in, from `openSession()`. Default: the one that it is called
   * in, if any. A connection that is in use already stays in the session that it is in.
   */
  readonly session?: ClientSession;
  /**
   * Runs a read on a replica, whatever the code around it says, and as the replica is, unless `consistency`
   * asks for more: `true` on any, a name on one of that group. For what writes, it is an error; what needs
   * the primary for another reason, and what is in a transaction, runs where it would without. Default: `false`.
   */
  readonly useReplica?: boolean | string;
  /**
   * How far a replica may lag behind for a read to run on it, in milliseconds. Default: what its session or
   * the pool says.
   */
  readonly maxLag?: number;
  /** What a read must see. Default: what its scope, its session or the pool says. */
  readonly consistency?: Consistency;
  /**
   * Called once when it is known where the statement ran, just before its callback; not at all if it was
   * never routed, because its connection was closed before. What it throws is an uncaught exception. Default: none.
   */
  readonly onRouted?: (routed: RoutedStatement) => void;
}

/** mysql2's `QueryOptions`, and rwsplit's own. */
export interface StatementOptions extends StatementHints {
  /** One statement; what is in it decides where it runs. */
  readonly sql: string;
  readonly values?: unknown;
  /** mysql2's other options for a statement: `timeout`, `typeCast`, `nestTables`, `rowsAsArray`, … */
  readonly [option: string]: unknown;
}

declare module 'mysql2' {
  /** Code that knows mysql2's types alone, such as its promise form, gives hints as well; only pools of rwsplit read them. */
  interface QueryOptions extends StatementHints {}
}
