import { AsyncResource } from 'node:async_hooks';
import diagnosticsChannel from 'node:diagnostics_channel';
import {
  channels,
  createReplicatedPool,
  type ReplicatedPool,
  type ReplicatedPoolOptions,
  type StatementEvent,
  withSession,
} from '@rwsplit/core';
import type { PoolConnection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { Cluster, ConnectionOptions } from '../../support/servers/cluster.ts';
import type { Server } from '../../support/servers/server.ts';

/** Runs one statement and gives its rows, or the server's answer to a write. */
export type Run = (sql: string, values?: readonly unknown[]) => Promise<unknown>;

/** Ways to be one logical client of a pool. */
export const kinds = ['connection', 'scope'] as const;
export type Kind = (typeof kinds)[number];

/** A cluster with a database of its own, and pools on it that are closed after each test. */
export interface Bed {
  readonly cluster: Cluster;
  readonly primary: ConnectionOptions;
  readonly replicas: readonly ConnectionOptions[];
  /** One connection on the primary and on one replica, unless told otherwise. */
  open(change?: Partial<ReplicatedPoolOptions>): ReplicatedPool;
  /** Whether the primary has a committed note with this text. */
  hasNote(text: string): Promise<boolean>;
}

interface Place {
  readonly name: string;
  connectionOptions(server: Server): ConnectionOptions;
}

/** To be called in a `describe`. Tables: `item` (1, 2), `note`, `account` (1, 2). */
export function makeBed(cluster: Cluster, place: Place): Bed {
  const pools: ReplicatedPool[] = [];
  const { name } = place;
  beforeAll(async () => {
    const { primary } = cluster;
    await primary.query(`CREATE TABLE ${name}.item (id INT PRIMARY KEY)`);
    await primary.query(
      `CREATE TABLE ${name}.note (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(80))`,
    );
    await primary.query(`CREATE TABLE ${name}.account (id INT PRIMARY KEY, amount INT)`);
    await primary.query(`INSERT INTO ${name}.item VALUES (1), (2)`);
    await primary.query(`INSERT INTO ${name}.account VALUES (1, 0), (2, 0), (3, 0), (4, 0)`);
    await cluster.waitUntilReplicated();
  });
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.promise().end()));
  });
  const primary = place.connectionOptions(cluster.primary);
  const replicas = cluster.replicas.map((server) => place.connectionOptions(server));
  return {
    cluster,
    primary,
    replicas,
    open(change) {
      const pool = createReplicatedPool({
        primary: { ...primary, connectionLimit: 1 },
        replicas: replicas.slice(0, 1).map((replica) => ({ ...replica, connectionLimit: 1 })),
        catalogueRefresh: false,
        acquireTimeout: 2_000,
        // A replica that has not caught up yet must not change where things run.
        causalWait: 10_000,
        ...change,
      });
      pools.push(pool);
      return pool;
    },
    async hasNote(text) {
      const rows = await cluster.primary.query(`SELECT 1 FROM ${name}.note WHERE text = ?`, [text]);
      return rows.length > 0;
    },
  };
}

/** Statements of a pool, or of a connection. */
export function runOn(target: {
  query(sql: string, values?: unknown[]): Promise<[unknown, unknown]>;
}): Run {
  return async (sql, values) => (await target.query(sql, values && [...values]))[0];
}

/** Runs a function as one logical client of a pool. */
export async function asOne<Result>(
  kind: Kind,
  pool: ReplicatedPool,
  work: (run: Run) => Promise<Result>,
): Promise<Result> {
  if (kind === 'scope') {
    return await withSession(() => work(runOn(pool.promise())));
  }
  const connection = await pool.promise().getConnection();
  try {
    return await work(runOn(connection));
  } finally {
    connection.release();
  }
}

/** A connection as its user has it, for tests that need to end it by themselves. */
export function connect(pool: ReplicatedPool): Promise<PoolConnection> {
  return pool.promise().getConnection();
}

let count = 0;

/** A text that no other statement has. */
export function newTag(): string {
  count += 1;
  return `tag-${process.pid}-${count}-`;
}

/** What a promise is rejected with. */
export async function failureOf(promise: PromiseLike<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([promise]);
  if (outcome.status === 'fulfilled') {
    throw new Error('it was fulfilled');
  }
  return outcome.reason;
}

/** The route of every statement with a text in it. */
export function watchRoutes(): (tag: string) => StatementEvent[] {
  const events: StatementEvent[] = [];
  const note = (event: unknown) => {
    events.push(event as StatementEvent);
  };
  beforeAll(() => diagnosticsChannel.subscribe(channels.statement, note));
  afterAll(() => diagnosticsChannel.unsubscribe(channels.statement, note));
  return (tag) => events.filter(({ sql }) => sql.includes(tag));
}

/** The server's ids of the connections that ran statements with a text in them, each with its server. */
export async function connectionsOf(cluster: Cluster, tag: string): Promise<string[]> {
  const ran = await cluster.whoRan(tag);
  return [...new Set(ran.map(({ server, threadId }) => `${server} ${threadId}`))];
}

const elsewhere = new AsyncResource('elsewhere');

/** Runs a function as somebody who is in no session. */
export function outside<Result>(fn: () => Result): Result {
  return elsewhere.runInAsyncScope(() => new AsyncResource('outside')).runInAsyncScope(fn);
}
