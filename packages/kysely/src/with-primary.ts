/**
 * Gives Kysely the methods of `kysely-replication/force`, for code that calls them.
 *
 * ```ts
 * import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
 * import '@rwsplit/kysely/with-primary';
 * import { Kysely } from 'kysely';
 *
 * const primary = { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' };
 * const dialect = new ReplicatedMysqlDialect({ primary, replicas: [{ host: 'db-2' }] });
 * const db = new Kysely<{ person: { name: string } }>({ dialect });
 * await db.withPrimary().selectFrom('person').selectAll().execute();
 * await db.withReplica().selectFrom('person').selectAll().execute();
 * await db.destroy();
 * ```
 */
import { createRequire } from 'node:module';
import { QueryCreator, SchemaModule } from 'kysely';
import { forcePrimary } from './force-primary.ts';
import type { Pluggable } from './pluggable.ts';
import { useReplica } from './use-replica.ts';

declare module 'kysely' {
  // Kysely, transactions and what `with()` gives.
  interface QueryCreator<DB> {
    /** A copy whose reads run on the primary too. The same as `forcePrimary(db)`. */
    withPrimary(): this;
    /**
     * A copy whose reads run on a replica, as it is. The same as `useReplica(db, group)`.
     *
     * @param group the group of replicas: see `groups` of hosts. Default: `'default'`, or that of the
     *   code around it.
     */
    withReplica(group?: string): this;
  }

  interface SchemaModule {
    /** A copy; what changes the schema runs on the primary in any case. */
    withPrimary(): this;
    /** A copy whose statements are refused with `RWSPLIT_USE_REPLICA`: no replica may run them. */
    withReplica(group?: string): this;
  }
}

type Classes = Pick<typeof import('kysely'), 'QueryCreator' | 'SchemaModule'>;

function addMethods({ QueryCreator, SchemaModule }: Classes): void {
  QueryCreator.prototype.withPrimary = forceThisPrimary;
  QueryCreator.prototype.withReplica = useThisReplica;
  SchemaModule.prototype.withPrimary = forceThisPrimary;
  SchemaModule.prototype.withReplica = useThisReplica;
}

function forceThisPrimary<T extends Pluggable<T>>(this: T): T {
  return forcePrimary(this);
}

function useThisReplica<T extends Pluggable<T>>(this: T, group?: string): T {
  return useReplica(this, group);
}

addMethods({ QueryCreator, SchemaModule });
try {
  // Kysely 0.28 has a second copy of itself for those who `require` it.
  const required: Classes = createRequire(import.meta.url)('kysely');
  addMethods(required);
} catch {
  // In a bundle there is one copy, which has them by now.
}
