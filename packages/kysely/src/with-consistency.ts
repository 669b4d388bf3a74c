import type { Consistency } from '@rwsplit/core';
import { HintPlugin } from './hints.ts';
import type { Pluggable } from './pluggable.ts';

/**
 * Says what reads must see of the writes before them: see the option `consistency`.
 *
 * ```ts
 * import { ReplicatedMysqlDialect, withConsistency } from '@rwsplit/kysely';
 * import { Kysely } from 'kysely';
 *
 * const primary = { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' };
 * const dialect = new ReplicatedMysqlDialect({ primary, replicas: [{ host: 'db-2' }] });
 * const db = new Kysely<{ person: { name: string } }>({ dialect });
 * const query = db.selectFrom('person').select('name');
 * await withConsistency(query, 'eventual').execute(); // one query
 * await withConsistency(db, 'process').selectFrom('person').selectAll().execute(); // all of a copy
 * await db.destroy();
 * ```
 *
 * @returns a copy of the same type; what was given stays as it is.
 */
export function withConsistency<T extends Pluggable<T>>(target: T, consistency: Consistency): T {
  return target.withPlugin(new HintPlugin({ consistency }));
}
