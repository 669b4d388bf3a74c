import { HintPlugin } from './hints.ts';
import type { Pluggable } from './pluggable.ts';

/**
 * Says how far a replica may lag behind for reads to run on it: see the option `maxLag`.
 *
 * ```ts
 * import { ReplicatedMysqlDialect, withMaxLag } from '@rwsplit/kysely';
 * import { Kysely } from 'kysely';
 *
 * const primary = { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' };
 * const dialect = new ReplicatedMysqlDialect({ primary, replicas: [{ host: 'db-2' }] });
 * const db = new Kysely<{ person: { name: string } }>({ dialect });
 * const query = db.selectFrom('person').select('name');
 * await withMaxLag(query, 5_000).execute(); // one query
 * await withMaxLag(db, 5_000).selectFrom('person').selectAll().execute(); // all of a copy
 * await db.destroy();
 * ```
 *
 * @param maxLag in milliseconds.
 * @returns a copy of the same type; what was given stays as it is.
 */
export function withMaxLag<T extends Pluggable<T>>(target: T, maxLag: number): T {
  return target.withPlugin(new HintPlugin({ maxLag }));
}
