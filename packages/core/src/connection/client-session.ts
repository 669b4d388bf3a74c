import { findStorage, storage } from './storage.ts';

/** What a session has in one pool. */
interface Part {
  end(): void;
}

/**
 * One logical client: its statements see what one connection to MySQL would show them, although they
 * travel over many. Made by {@link openSession}.
 */
export class ClientSession {
  readonly #parts = new Map<object, Part>();
  #isEnded = false;

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Runs a function, and all that it calls and awaits, in this session. */
  run<Result>(fn: () => Result): Result {
    return storage().run(this, fn);
  }

  /** Gives its connections back, each when its statement is done. What comes later is in no session. */
  end(): void {
    this.#isEnded = true;
    for (const part of this.#parts.values()) {
      part.end();
    }
    this.#parts.clear();
  }

  [Symbol.dispose](): void {
    this.end();
  }

  /** What the session has in one pool. For pools. */
  part<Kind extends Part>(pool: object, make: () => Kind): Kind {
    const known = this.#parts.get(pool);
    if (known !== undefined) {
      return known as Kind;
    }
    const made = make();
    this.#parts.set(pool, made);
    return made;
  }
}

/** Whether a value is a session, also of another copy of the package. */
export function isClientSession(value: unknown): value is ClientSession {
  return (
    typeof value === 'object' &&
    value !== null &&
    'part' in value &&
    typeof value.part === 'function'
  );
}

/** The session that the caller is in; `null` if it is in none, or in one that has ended. */
export function currentSession(): ClientSession | null {
  const at = findStorage()?.getStore();
  return isClientSession(at) && !at.isEnded ? at : null;
}

/**
 * Opens a session that is entered by hand: with {@link ClientSession.run}, or statement by statement
 * with the option `session`. It holds no connection before it needs one; {@link ClientSession.end}
 * gives back what it holds.
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
export function openSession(): ClientSession {
  return new ClientSession();
}

/**
 * Runs a function as one logical client: for a request, a job, a test. In it, and in all that it calls
 * and awaits, statements that run one after the other share session state and can ask about each other
 * (`LAST_INSERT_ID()`, `FOUND_ROWS()`, `SHOW WARNINGS`), although the library gives each another
 * connection; after a write, they read on the primary. The session ends when the promise settles.
 * Inside another session, it is that one.
 *
 * ```ts
 * import { createReplicatedPool, withSession } from '@rwsplit/core';
 *
 * const pool = createReplicatedPool({
 *   primary: { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' },
 *   replicas: [{ host: 'db-2' }],
 * });
 * const people = await withSession(async () => {
 *   await pool.promise().query('SELECT SQL_CALC_FOUND_ROWS name FROM person LIMIT 10');
 *   const [rows] = await pool.promise().query('SELECT FOUND_ROWS() AS people');
 *   return rows;
 * });
 * console.log(people);
 * await pool.promise().end();
 * ```
 */
export async function withSession<Result>(fn: () => Result | PromiseLike<Result>): Promise<Result> {
  if (currentSession() !== null) {
    return await fn();
  }
  const session = openSession();
  try {
    return await session.run(async () => await fn());
  } finally {
    session.end();
  }
}
