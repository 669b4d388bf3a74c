import { check, durationOrZero, oneOf, problemsOf } from '../config/checks.ts';
import { optionsError } from '../config/parse.ts';
import { consistencies } from '../consistency/levels.ts';
import {
  ClientSession,
  currentSession,
  type SessionOptions,
  wishesHere,
  wishing,
} from './client-session.ts';

/**
 * Opens a session that is entered by hand: with {@link ClientSession.run}, or statement by statement
 * with the option `session`. It holds no connection before it needs one; {@link ClientSession.end}
 * gives back what it holds.
 *
 * @throws `RWSPLIT_OPTIONS`; `RWSPLIT_TOKEN` for a malformed token.
 *
 * ```ts
 * import { createReplicatedPool, openSession } from '@rwsplit/core';
 *
 * const pool = createReplicatedPool({
 *   primary: { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' },
 *   replicas: [{ host: 'db-2' }],
 * });
 * const session = openSession();
 * pool.query({ sql: 'SET @limit = 10', session }, () => {
 *   pool.query({ sql: 'SELECT @limit AS n', session }, (_error, rows) => {
 *     console.log(rows); // [ { n: 10 } ]
 *     session.end();
 *     pool.end();
 *   });
 * });
 * ```
 */
export function openSession(options: SessionOptions = {}): ClientSession {
  const problems = problemsOf(options, sessionChecks, '');
  if (problems.length > 0) {
    throw optionsError(problems);
  }
  return new ClientSession(options);
}

const sessionChecks = {
  after: check((value) =>
    typeof value === 'string' || value === null ? null : 'a token, as token() gives it',
  ),
  consistency: check(oneOf(consistencies)),
  maxLag: check(durationOrZero),
  onBadToken: check(oneOf(['error', 'ignore'])),
} satisfies Record<keyof SessionOptions, unknown>;

/** What runs in a session. */
type InSession<Result> = (session: ClientSession) => Result | PromiseLike<Result>;

/**
 * Runs a function as one logical client: for a request, a job, a test. In it, and in all that it calls
 * and awaits, reads see what was written before, and never anything older than what was read before;
 * statements that run one after the other share session state and can ask about each other
 * (`LAST_INSERT_ID()`, `FOUND_ROWS()`, `SHOW WARNINGS`), although the library gives each another
 * connection. The session ends when the promise settles.
 *
 * Inside another session, it is that one, and follows the token of `after` too.
 *
 * @throws `RWSPLIT_OPTIONS`; `RWSPLIT_TOKEN` for a malformed token. The promise is rejected, and `fn`
 *   not called.
 *
 * ```ts
 * import { createReplicatedPool, withSession } from '@rwsplit/core';
 *
 * const pool = createReplicatedPool({
 *   primary: { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' },
 *   replicas: [{ host: 'db-2' }],
 * });
 * const token = await withSession(async (session) => {
 *   await pool.promise().query('UPDATE person SET name = ? WHERE id = 1', ['Ada']);
 *   await pool.promise().query('SELECT name FROM person WHERE id = 1'); // a replica that has it
 *   return session.token();
 * });
 * // In another process, or later:
 * await withSession({ after: token }, async () => {
 *   await pool.promise().query('SELECT name FROM person WHERE id = 1'); // sees it too
 * });
 * await pool.promise().end();
 * ```
 */
export async function withSession<Result>(fn: InSession<Result>): Promise<Result>;
export async function withSession<Result>(
  options: SessionOptions,
  fn: InSession<Result>,
): Promise<Result>;
export async function withSession<Result>(
  first: SessionOptions | InSession<Result>,
  second?: InSession<Result>,
): Promise<Result> {
  const [options, fn] = typeof first === 'function' ? [{}, first] : [first, second];
  if (fn === undefined) {
    throw optionsError(['withSession(options, fn): expected a function, found none']);
  }
  const opened = openSession(options);
  const outer = currentSession();
  if (outer !== null) {
    outer.follow(options);
    const { consistency, maxLag } = options;
    const wishes = {
      ...(consistency === undefined ? {} : { consistency }),
      ...(maxLag === undefined ? {} : { maxLag }),
    };
    return await wishing(wishes, () => fn(outer));
  }
  try {
    // What is awaited in there starts in there: a query builder runs when it is awaited.
    return await opened.run(async () => await fn(opened));
  } finally {
    opened.end();
  }
}

/**
 * Runs all reads of a function on the primary that could run on a replica, in the session that it is
 * called in, if any.
 *
 * ```ts
 * import { createReplicatedPool, primary } from '@rwsplit/core';
 *
 * const pool = createReplicatedPool({
 *   primary: { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' },
 *   replicas: [{ host: 'db-2' }],
 * });
 * const [rows] = await primary(() => pool.promise().query('SELECT name FROM person'));
 * console.log(rows);
 * await pool.promise().end();
 * ```
 */
export function primary<Result>(fn: () => Result | PromiseLike<Result>): Promise<Result> {
  return wishing({ forcePrimary: true }, fn);
}

/**
 * Runs reads of a function on replicas as they are, without waiting for writes that they do not have yet:
 * consistency `'eventual'`, also inside {@link primary}. For reports, feeds, suggestions. What needs
 * the primary by itself still runs there.
 *
 * @param group the group of replicas that they run in: see `groups` of hosts. Default: `'default'`, or that
 *   of the code around it.
 *
 * ```ts
 * import { createReplicatedPool, replicas } from '@rwsplit/core';
 *
 * const pool = createReplicatedPool({
 *   primary: { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' },
 *   replicas: [{ host: 'db-2' }],
 * });
 * const [rows] = await replicas(() => pool.promise().query('SELECT COUNT(*) AS n FROM person'));
 * console.log(rows);
 * await pool.promise().end();
 * ```
 */
export function replicas<Result>(fn: () => Result | PromiseLike<Result>): Promise<Result>;
export function replicas<Result>(
  group: string,
  fn: () => Result | PromiseLike<Result>,
): Promise<Result>;
export function replicas<Result>(
  first: string | (() => Result | PromiseLike<Result>),
  second?: () => Result | PromiseLike<Result>,
): Promise<Result> {
  const fn = typeof first === 'function' ? first : second;
  if (fn === undefined) {
    throw optionsError(['replicas(group, fn): expected a function, found none']);
  }
  const group = typeof first === 'function' ? (wishesHere().group ?? 'default') : first;
  return wishing({ forcePrimary: false, consistency: 'eventual', group }, fn);
}

/**
 * Runs a function whose writes no read has to wait for: audit records, counters, heartbeats. Neither the
 * session nor the process has to see them on replicas. Its reads are as they were.
 *
 * ```ts
 * import { createReplicatedPool, withoutTracking } from '@rwsplit/core';
 *
 * const pool = createReplicatedPool({
 *   primary: { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' },
 *   replicas: [{ host: 'db-2' }],
 * });
 * await withoutTracking(() => pool.promise().query('INSERT INTO person (name) VALUES (?)', ['Bot']));
 * await pool.promise().end();
 * ```
 */
export function withoutTracking<Result>(fn: () => Result | PromiseLike<Result>): Promise<Result> {
  return wishing({ isTracked: false }, fn);
}
