import { HintPlugin } from './hints.ts';
import type { Pluggable } from './pluggable.ts';

/**
 * Runs reads on a replica whatever the code around them says, as the replica is: without waiting for writes
 * that it does not have yet, unless {@link withConsistency} asks for that. What needs the primary by
 * itself, and what is in a transaction, runs where it would without. `forcePrimary` is stronger.
 *
 * A write with it is refused with `RWSPLIT_USE_REPLICA`.
 *
 * ```ts
 * import { ReplicatedMysqlDialect, useReplica } from '@rwsplit/kysely';
 * import { Kysely } from 'kysely';
 *
 * const primary = { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' };
 * const replicas = [{ host: 'db-2' }, { host: 'db-3', groups: ['analytics'] }];
 * const db = new Kysely<{ person: { name: string } }>({
 *   dialect: new ReplicatedMysqlDialect({ primary, replicas }),
 * });
 * const query = db.selectFrom('person').select('name');
 * await useReplica(query).execute(); // one query
 * await useReplica(db, 'analytics').selectFrom('person').selectAll().execute(); // all of a copy
 * await db.destroy();
 * ```
 *
 * @param group the group of replicas: see `groups` of hosts. Default: `'default'`, or that of the code
 *   around it.
 * @returns a copy of the same type; what was given stays as it is.
 */
export function useReplica<T extends Pluggable<T>>(target: T, group?: string): T {
  return target.withPlugin(new HintPlugin({ useReplica: group ?? true }));
}
