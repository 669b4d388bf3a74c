import type { ClientSession } from '@rwsplit/core';
import { HintPlugin } from './hints.ts';
import type { Pluggable } from './pluggable.ts';

/**
 * Runs queries in a session that was opened by hand, with `openSession()`: for those who want no
 * AsyncLocalStorage. Transactions and `db.connection()` are sessions of their own.
 *
 * ```ts
 * import { inSession, openSession, ReplicatedMysqlDialect } from '@rwsplit/kysely';
 * import { Kysely, sql } from 'kysely';
 *
 * const primary = { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' };
 * const dialect = new ReplicatedMysqlDialect({ primary, replicas: [{ host: 'db-2' }] });
 * const db = new Kysely<{ person: { name: string } }>({ dialect });
 * const session = openSession();
 * const inIt = inSession(db, session);
 * await sql`SET @least = 2`.execute(inIt);
 * await sql`SELECT name FROM person WHERE id >= @least`.execute(inIt);
 * session.end();
 * await db.destroy();
 * ```
 *
 * @returns a copy of the same type; what was given stays as it is.
 */
export function inSession<T extends Pluggable<T>>(target: T, session: ClientSession): T {
  return target.withPlugin(new HintPlugin({ session }));
}
