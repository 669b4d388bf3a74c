import type { ReplicatedPool, RoutingOptions } from '@rwsplit/core';
import {
  replicas as inReplicas,
  poolOf,
  ReplicatedMysql2,
  useReplica as useReplicaInKnex,
} from '@rwsplit/knex';
import { ReplicatedMysqlDialect, useReplica, withMaxLag } from '@rwsplit/kysely';
import knex from 'knex';
import { Kysely, sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { host, makePoolBed, type Run, tally, tell } from './pool-bed.ts';

const cluster = sharedCluster('mysql');
const bed = makePoolBed(cluster, await freshDatabase(cluster));
const primary = { ...bed.address(cluster.primary) };

/** A pool as an adapter shows it, and the ways to run a statement through it. */
interface Adapter {
  readonly read: Run;
  readonly onReports: Run;
  readonly write: Run;
  pool(): ReplicatedPool;
  end(): Promise<unknown>;
}

/** Kysely has a hook of its own. */
type Options = Omit<RoutingOptions, 'onCreateConnection'>;

const options: Options = {
  balancing: 'roundRobin',
  catalogueRefresh: false,
  consistency: 'eventual',
};
/** b is for reports, and for others only if no other is there. */
const hosts = () =>
  bed.replicas(
    { name: 'a', zone: 'east' },
    { name: 'b', groups: ['default', 'reports'], weight: 0 },
  );

function found(pool: ReplicatedPool | null | undefined): ReplicatedPool {
  if (pool === null || pool === undefined) throw new Error('no pool');
  return pool;
}

const openKysely = (change: Options): Adapter => {
  const dialect = new ReplicatedMysqlDialect({ primary, replicas: hosts(), ...options, ...change });
  const db = new Kysely<object>({ dialect });
  return {
    read: (text) => sql.raw(text).execute(db),
    onReports: (text) => sql.raw(text).execute(useReplica(db, 'reports')),
    write: (text) => sql.raw(text).execute(db),
    pool: () => found(dialect.pools[0]),
    end: () => db.destroy(),
  };
};

const openKnex = (change: Options): Adapter => {
  const db = knex({
    client: ReplicatedMysql2,
    connection: primary,
    replicas: hosts(),
    replication: { ...options, ...change },
  });
  return {
    read: (text) => db.raw(text),
    onReports: (text) => inReplicas('reports', () => db.raw(text)),
    write: (text) => db.raw(text),
    pool: () => found(poolOf(db)),
    end: () => db.destroy(),
  };
};

describe.each([
  ['Kysely', openKysely],
  ['Knex', openKnex],
])('through %s', (_name, open) => {
  const using = async (change: Options, work: (adapter: Adapter) => Promise<void>) => {
    const adapter = open(change);
    try {
      await work(adapter);
    } finally {
      await adapter.end();
    }
  };
  const hostsOf = async (run: Run, reads: number) => {
    const seen: string[] = [];
    for (let read = 0; read < reads; read++) seen.push((await tell(run)).host ?? 'none');
    return tally(seen);
  };

  it('weights and groups are those of the hosts', () =>
    using({}, async ({ read, onReports, write }) => {
      expect(await hostsOf(read, 4)).toEqual({ a: 4 });
      expect(await hostsOf(onReports, 4)).toEqual({ b: 4 });
      expect(await tell(write, 'UPDATE item SET id = id')).toMatchObject({ error: null });
    }));

  it('the primary has its share of the reads', () =>
    using({ primaryReads: 1 }, async ({ read }) => {
      const [one, two] = [await tell(read), await tell(read)];
      expect([one.reason, two.reason].sort()).toEqual(['primary-reads', 'read']);
    }));

  it('a function picks', () =>
    using({ balancing: () => 'b' }, async ({ read }) => {
      expect(await hostsOf(read, 4)).toEqual({ b: 4 });
    }));

  it('the pool can be looked at, and changed', () =>
    using({}, async ({ read, pool }) => {
      await tell(read);
      pool().setWeight('b', 1);
      expect(await hostsOf(read, 4)).toEqual({ a: 2, b: 2 });
      pool().addReplica({ host: primary.host, port: cluster.replicas[1]?.port ?? 0, name: 'c' });
      await pool().removeReplica('a');
      expect(await hostsOf(read, 4)).toEqual({ b: 2, c: 2 });
      expect(host(pool(), 'c')).toMatchObject({ role: 'replica', state: 'up', outstanding: 0 });
    }));

  it('a lag that is not known is refused by onLag', () =>
    using({ maxLag: 1_000, onLag: 'error', heartbeatTable: 'no.such_table' }, async ({ read }) => {
      expect((await tell(read)).error).toMatchObject({ code: 'RWSPLIT_REPLICAS_LAGGING' });
    }));

  it('a subset is all that is used', () =>
    using({ subset: 1, subsetKey: 'one' }, async ({ read, pool }) => {
      expect(Object.keys(await hostsOf(read, 4))).toHaveLength(1);
      expect(pool().stats().hosts).toHaveLength(3);
    }));

  it('a wrong value is refused under its own key', () => {
    const prefix = open === openKnex ? 'replication\\.' : '';
    expect(() => open({ subset: 0 }).pool()).toThrow(
      new RegExp(`- ${prefix}subset: expected a positive integer \\(replicas\\), found 0`),
    );
  });
});

describe('a hint for one query', () => {
  it('of Kysely says how far a replica may lag behind', async () => {
    // There is none: how far they lag behind nobody knows.
    const heartbeatTable = `${bed.database}.no_heartbeat`;
    const given = { ...options, heartbeatTable, primary, replicas: hosts() };
    const db = new Kysely<object>({ dialect: new ReplicatedMysqlDialect(given) });
    const read = (maxLag: number | null) =>
      tell((text) => sql.raw(text).execute(maxLag === null ? db : withMaxLag(db, maxLag)));
    expect(await read(1_000)).toMatchObject({
      host: `${cluster.primary.host}:${cluster.primary.port}`,
      reason: 'replicas-lagging',
    });
    expect(await read(null)).toMatchObject({ host: 'a', reason: 'read' });
    await db.destroy();
  });

  it('of Knex names a group, and refuses what writes', async () => {
    const replication = options;
    const db = knex({
      client: ReplicatedMysql2,
      connection: primary,
      replicas: hosts(),
      replication,
    });
    const onReports = (text: string) => useReplicaInKnex(db.raw(text), 'reports');
    expect(await tell(async (text) => onReports(text))).toMatchObject({ host: 'b', error: null });
    const { error } = await tell(async (text) => onReports(text), 'UPDATE item SET id = id');
    expect(error).toMatchObject({ code: 'RWSPLIT_USE_REPLICA' });
    const query = db('item').count().useReplica('nowhere');
    await expect(query).rejects.toMatchObject({ code: 'RWSPLIT_OPTIONS' });
    await db.destroy();
  });
});
