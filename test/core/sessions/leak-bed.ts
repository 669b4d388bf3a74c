import {
  createReplicatedPool,
  type HostInfo,
  type RawConnection,
  type ReplicatedPool,
} from '@rwsplit/core';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
import knexFactory, { type Knex } from 'knex';
import { CompiledQuery, Kysely } from 'kysely';
import mysql, { type Pool, type PoolConnection } from 'mysql2';
import { vi } from 'vitest';
import type { Server } from '../../support/servers/server.ts';
import type { OwnedCluster } from '../../support/servers/start-cluster.ts';
import type { Tables } from './kysely-sessions.ts';
import { Ledger } from './ledger.ts';

/** Connections of each pool to each host. */
const limit = 5;

/** What `onCreateConnection` does. */
export const setUpText = "SET SESSION time_zone = '+03:00'";

/** Pools, a Kysely and a Knex over one cluster, and all that they have to do with connections. */
export interface LeakBed {
  readonly pool: ReplicatedPool;
  /** With one connection to each of two hosts. */
  readonly narrow: ReplicatedPool;
  readonly kysely: Kysely<Tables>;
  readonly knex: Knex;
  ledgers(): readonly Ledger[];
  /** Whether `onCreateConnection` was called for a connection. */
  wasSetUp(server: Server, connection: PoolConnection): boolean;
  /** Who still has a connection, or waits for one. */
  outstanding(): string[];
  /** How many connections to a server may be no pool's: one for each of these that has it as a host. */
  sideConnections(server: Server): number;
  close(): Promise<void>;
}

/** Opens it; every connection of every pool is in a ledger. */
export function openLeakBed(cluster: OwnedCluster): LeakBed {
  const ledgers: Ledger[] = [];
  const setUp = new Set<string>();
  const makePool = (server: Server, connectionLimit = limit): Pool => {
    const pool = mysql.createPool({ ...cluster.connectionOptions(server), connectionLimit });
    ledgers.push(new Ledger(pool, server.port));
    return pool;
  };
  const onCreateConnection = async (connection: RawConnection, host: HostInfo) => {
    setUp.add(`${host.name} ${connection.threadId}`);
    await runOnRaw(connection, setUpText);
  };
  let closing: Promise<unknown> | null = null;
  const hosts = () => ({
    primary: makePool(cluster.primary),
    replicas: cluster.replicas.map((server) => makePool(server)),
  });
  const routing = { acquireTimeout: 400 };
  const pool = createReplicatedPool({ ...hosts(), ...routing, onCreateConnection });
  const narrow = createReplicatedPool({
    primary: makePool(cluster.primary, 1),
    replicas: cluster.replicas.slice(0, 1).map((server) => makePool(server, 1)),
    acquireTimeout: 100,
    onCreateConnection,
  });
  const kysely = new Kysely<Tables>({
    dialect: new ReplicatedMysqlDialect({
      ...hosts(),
      ...routing,
      onCreateConnection: async (connection, host) => {
        const { rows: ids } = await connection.executeQuery<{ id: number }>(
          CompiledQuery.raw('SELECT CONNECTION_ID() AS id'),
        );
        setUp.add(`${host.name} ${ids[0]?.id}`);
        await connection.executeQuery(CompiledQuery.raw(setUpText));
      },
    }),
  });
  const knexReplicas = cluster.replicas.map((server) => makePool(server));
  const [knex, made] = withPoolsMade(() =>
    knexFactory({
      client: ReplicatedMysql2,
      connection: { ...cluster.connectionOptions(cluster.primary) },
      pool: { min: 0, max: limit },
      acquireConnectionTimeout: 600,
      replicas: knexReplicas,
      replication: { ...routing, onCreateConnection },
      log: { warn: () => {} },
    }),
  );
  if (made.length !== 1) {
    throw new Error(`Knex has made ${made.length} pools of mysql2: expected that of its primary`);
  }
  // Knex has its primary's pool made for it.
  ledgers.push(...made.map((each) => new Ledger(each, cluster.primary.port)));
  return {
    pool,
    narrow,
    kysely,
    knex,
    ledgers: () => ledgers,
    wasSetUp: ({ host, port }, { threadId }) => setUp.has(`${host}:${port} ${threadId}`),
    outstanding: () => [
      ...[...pool.stats().hosts, ...narrow.stats().hosts]
        .filter(({ outstanding }) => outstanding > 0)
        .map(({ name, outstanding }) => `${name}: ${outstanding}`),
      ...ledgers.filter(({ out }) => out > 0).map(({ out }) => `a pool: ${out}`),
      ...(knex.client.pool.numUsed() > 0 ? ['Knex'] : []),
    ],
    sideConnections: (server) => (server === cluster.replicas[1] ? 3 : 4),
    close: async () => {
      closing ??= Promise.all([
        pool.promise().end(),
        narrow.promise().end(),
        kysely.destroy(),
        knex.destroy(),
      ]);
      await closing;
    },
  };
}

/** What a function makes, and the mysql2 pools that were made for that, as they are before their first use. */
function withPoolsMade<Made>(make: () => Made): [Made, readonly Pool[]] {
  const createPool = vi.spyOn(mysql, 'createPool');
  try {
    const made = make();
    return [made, createPool.mock.results.map(({ value }) => value as Pool)];
  } finally {
    createPool.mockRestore();
  }
}

/** Runs one text on a physical connection. */
export function runOnRaw(connection: RawConnection, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.query(text, (error) => (error === null ? resolve() : reject(error)));
  });
}
