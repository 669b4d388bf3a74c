import knex from 'knex';
import { type Hintable, hint } from './force-primary.ts';
import { checkGroup } from './hints.ts';
import { StockQueryBuilder } from './stock.ts';

/**
 * Runs a read on a replica whatever the code around it says, as the replica is: without waiting for writes
 * that it does not have yet. What needs the primary by itself, and what is in a transaction, runs where it
 * would without. `forcePrimary` is stronger. It is also a method of query builders, raw queries and schema
 * builders, and `queryContext({ useReplica: true })` is the same for queries that say nothing themselves.
 *
 * A write with it is refused with `RWSPLIT_USE_REPLICA`.
 *
 * ```ts
 * import { ReplicatedMysql2, useReplica } from '@rwsplit/knex';
 * import Knex from 'knex';
 *
 * const connection = { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' };
 * const replicas = [{ host: 'db-2' }, { host: 'db-3', groups: ['analytics'] }];
 * const knex = Knex({ client: ReplicatedMysql2, connection, replicas });
 * await useReplica(knex('person').count(), 'analytics');
 * await knex('person').select('name').useReplica();
 * await knex.destroy();
 * ```
 *
 * @param builder a query builder, a raw query or a schema builder, which is given back as it is.
 * @param group the group of replicas: see `groups` of hosts. Default: `'default'`, or that of the code
 *   around it.
 * @throws `RWSPLIT_OPTIONS` for a group that is not a name.
 */
export function useReplica<Builder extends Hintable>(builder: Builder, group?: string): Builder {
  checkGroup(group);
  hint(builder, { useReplica: group ?? true });
  return builder;
}

/** Gives query builders their method `useReplica()`, unless another copy of this package has. */
export function addUseReplica(): void {
  if (!('useReplica' in StockQueryBuilder.prototype)) {
    knex.QueryBuilder.extend('useReplica', function (group?: string) {
      return useReplica(this, group);
    });
  }
}
