import { HintPlugin } from './hints.ts';
import type { Pluggable } from './pluggable.ts';

const plugin = new HintPlugin({ forcePrimary: true });

/**
 * Runs queries on the primary that could run on a replica.
 *
 * A hint counts for the query that is executed: on a subquery, a CTE or an arm of a union it says
 * nothing.
 *
 * ```ts
 * import { forcePrimary, ReplicatedMysqlDialect } from '@rwsplit/kysely';
 * import { Kysely, sql } from 'kysely';
 *
 * const primary = { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' };
 * const dialect = new ReplicatedMysqlDialect({ primary, replicas: [{ host: 'db-2' }] });
 * const db = new Kysely<{ person: { name: string } }>({ dialect });
 * await db.selectFrom('person').selectAll().$call(forcePrimary).execute(); // one query
 * await forcePrimary(sql`SELECT COUNT(*) FROM person`).execute(db); // raw SQL
 * await forcePrimary(db).selectFrom('person').selectAll().execute(); // every query of a copy
 * await db.destroy();
 * ```
 *
 * @returns a copy of the same type; what was given stays as it is.
 */
export function forcePrimary<T extends Pluggable<T>>(target: T): T {
  return target.withPlugin(plugin);
}
