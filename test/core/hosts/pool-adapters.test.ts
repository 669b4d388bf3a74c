import { ReplicatedMysql2, useReplica as knexReplica } from '@rwsplit/knex';
import { ReplicatedMysqlDialect, replicas, useReplica } from '@rwsplit/kysely';
import knex from 'knex';
import { Kysely } from 'kysely';
import { describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { makePoolBed, type Run, tally, tell } from './pool-bed.ts';

const cluster = sharedCluster('mysql');
const bed = makePoolBed(cluster, await freshDatabase(cluster));
const { name: _name, ...primary } = { ...bed.address(cluster.primary), name: 'primary' };

interface Tables {
  readonly item: { readonly id: number };
}

/** An adapter with replicas a and b; b is in the group of reports, of weight 0. */
const hosts = () =>
  bed.replicas({ name: 'a', zone: 'east' }, { name: 'b', groups: ['default', 'reports'], weight: 0 });
const options = { balancing: 'roundRobin', catalogueRefresh: false, consistency: 'eventual' } as const;

describe('options of hosts through Kysely', () => {
  const open = (change: object = {}) =>
    new Kysely<Tables>({
      dialect: new ReplicatedMysqlDialect({ primary, replicas: hosts(), ...options, ...change }),
    });
  const read =
    (db: Kysely<Tables>): Run =>
    (tag) =>
      db.selectFrom('item').select('id').where('id', '=', tag as never).execute();

  it('weigh, group and share', async () => {
    await using db = open();
    const seen = [];
    for (let count = 0; count < 4; count++) seen.push((await tell(read(db))).host ?? 'none');
    expect(tally(seen)).toEqual({});
    await using shared = open({ primaryReads: 1 });
    void shared;
    void replicas;
    void useReplica;
    void knexReplica;
    void knex;
    void ReplicatedMysql2;
  });
});
