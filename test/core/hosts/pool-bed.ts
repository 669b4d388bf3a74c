import diagnosticsChannel from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  channels,
  createReplicatedPool,
  type HostConfig,
  type HostOptions,
  type ReplicatedPool,
  type ReplicatedPoolOptions,
  type StatementEvent,
  type StatementOptions,
} from '@rwsplit/core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { Cluster, ConnectionOptions } from '../../support/servers/cluster.ts';
import type { Server } from '../../support/servers/server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

/** Runs a statement: of a pool, a connection, a transaction. */
export type Run = (sql: string) => Promise<unknown>;

/** A database of a test file. */
interface Place {
  readonly name: string;
  connectionOptions(server: Server): ConnectionOptions;
}

/** Pools on a cluster, closed after each test, whose hosts can be as many as a test needs. */
export interface PoolBed {
  readonly cluster: Cluster;
  readonly database: string;
  /** How a client gets to a server. */
  address(server: Server): ConnectionOptions;
  /** Hosts of these names, which are all one replica: its first one. */
  replicas(...hosts: readonly (string | HostOptions)[]): readonly HostOptions[];
  /** Replicas a and b, on one server, unless told otherwise; reads as replicas are. */
  open(change?: Partial<ReplicatedPoolOptions>): ReplicatedPool;
  /** A proxy in front of a server, for the time of a test, and a host by this name that is behind it. */
  behindProxy(name: string, server?: Server): Promise<{ proxy: TcpProxy; host: HostOptions }>;
}

/** To be called in a `describe`. Tables: `item` (1 to 200), `note`. */
export function makePoolBed(cluster: Cluster, place: Place): PoolBed {
  const pools: ReplicatedPool[] = [];
  const proxies: TcpProxy[] = [];
  const { name: database } = place;
  const [replica] = cluster.replicas;
  if (replica === undefined) throw new Error('a cluster of pools has a replica');
  beforeAll(async () => {
    const { primary } = cluster;
    await primary.query(`CREATE TABLE ${database}.item (id INT PRIMARY KEY)`);
    const numbers = Array.from({ length: 200 }, (_, index) => `(${index + 1})`);
    await primary.query(`INSERT INTO ${database}.item VALUES ${numbers}`);
    await primary.query(
      `CREATE TABLE ${database}.note (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(80))`,
    );
    await cluster.waitUntilReplicated();
  });
  afterEach(async () => {
    await Promise.all(pools.splice(0).map(closed));
    for (const proxy of proxies.splice(0)) proxy.close();
  });
  const address = (server: Server) => place.connectionOptions(server);
  const replicas = (...hosts: readonly (string | HostOptions)[]) =>
    hosts.map((host) => ({
      ...address(replica),
      ...(typeof host === 'string' ? { name: host } : host),
    }));
  return {
    cluster,
    database,
    address,
    replicas,
    open(change) {
      const pool = createReplicatedPool({
        primary: { ...address(cluster.primary), name: 'primary' },
        replicas: replicas('a', 'b'),
        catalogueRefresh: false,
        consistency: 'eventual',
        ...change,
      });
      pools.push(pool);
      return pool;
    },
    async behindProxy(name, server = replica) {
      const proxy = await TcpProxy.start(server);
      proxies.push(proxy);
      return { proxy, host: { ...address(server), port: proxy.port, name } };
    },
  };
}

/** A test may have closed it; and one that failed may have left what is never done. */
export async function closed(pool: ReplicatedPool): Promise<void> {
  const ended = pool
    .promise()
    .end()
    .catch(() => {});
  await Promise.race([ended, sleep(5_000)]);
}

/** What became of a statement, by the channel and by its own answer. */
export interface Told {
  readonly rows: unknown;
  /** What it was rejected with; `null`: it was not. */
  readonly error: unknown;
  /** `null`: nothing told of it. */
  readonly event: StatementEvent | null;
  readonly host: string | null;
  readonly reason: string | null;
}

let count = 0;

/** A text that no other statement has. */
export function newTag(): string {
  count += 1;
  return `hosts-${process.pid}-${count}-`;
}

/** Runs a statement, and tells where it ran, and how it ended. */
export async function tell(run: Run, sql = 'SELECT 1 AS one'): Promise<Told> {
  const tag = newTag();
  let event: StatementEvent | null = null;
  const note = (message: unknown) => {
    const one = message as StatementEvent;
    if (one.sql.includes(tag)) {
      event = one;
    }
  };
  diagnosticsChannel.subscribe(channels.statement, note);
  try {
    const rows = await run(`${sql} /* ${tag} */`);
    return told(event, rows, null);
  } catch (error) {
    return told(event, null, error);
  } finally {
    diagnosticsChannel.unsubscribe(channels.statement, note);
  }
}

function told(event: StatementEvent | null, rows: unknown, error: unknown): Told {
  return { rows, error, event, host: event?.host ?? null, reason: event?.reason ?? null };
}

/** Statements through the pool itself, with these options. */
export function on(pool: ReplicatedPool, options: Omit<StatementOptions, 'sql'> = {}): Run {
  return async (sql) => {
    const [rows] = await pool.promise().query({ ...options, sql } as { sql: string });
    return rows;
  };
}

/** The hosts that so many reads ran on, one after the other. */
export async function hostsOf(run: Run, reads: number, sql?: string): Promise<string[]> {
  const hosts: string[] = [];
  for (let read = 0; read < reads; read++) {
    hosts.push((await tell(run, sql)).host ?? 'none');
  }
  return hosts;
}

/** How often each is in a list. */
export function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) {
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** A read that is under way for as long as a test wants: nobody takes its rows. */
export interface SlowRead {
  readonly host: string;
  /** Takes all rows; resolves with how many there were. */
  finish(): Promise<number>;
}

/** What mysql2 sends at once does not hold so many rows. */
const manyRows = 'SELECT one.id, REPEAT("x", 500) AS text FROM item one, item two';
export const rowsOfSlowRead = 40_000;

/** Begins a read that has a connection until it is finished. Its host is told by the outstanding ones. */
export async function slowRead(
  pool: ReplicatedPool,
  options: Omit<StatementOptions, 'sql'> = {},
): Promise<SlowRead> {
  const before = outstanding(pool);
  const rows: Readable = pool.query({ ...options, sql: manyRows }).stream();
  await Promise.race([once(rows, 'readable'), once(rows, 'error').then(([error]) => fail(error))]);
  const now = outstanding(pool);
  const host = Object.keys(now).find((name) => (now[name] ?? 0) > (before[name] ?? 0)) ?? 'none';
  return {
    host,
    async finish() {
      let read = 0;
      for await (const _row of rows) read += 1;
      return read;
    },
  };
}

function fail(error: unknown): never {
  throw error;
}

export function outstanding(pool: ReplicatedPool): Record<string, number> {
  return Object.fromEntries(pool.stats().hosts.map(({ name, outstanding }) => [name, outstanding]));
}

/** One host of `stats()`. */
export function host(pool: ReplicatedPool, name: string) {
  const found = pool.stats().hosts.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no host ${name}`);
  return found;
}

/** The events of one channel, from now until the end of the test file. */
export function eventsOf<Event>(channel: keyof typeof channels): Event[] {
  const events: Event[] = [];
  const note = (event: unknown) => {
    events.push(event as Event);
  };
  beforeAll(() => diagnosticsChannel.subscribe(channels[channel], note));
  afterAll(() => diagnosticsChannel.unsubscribe(channels[channel], note));
  afterEach(() => {
    events.splice(0);
  });
  return events;
}

/** Warnings of the process with this code, of the test that runs. */
export function warningsOf(code: string): string[] {
  const warnings: string[] = [];
  const note = (warning: Error & { code?: string }) => {
    if (warning.code === code) warnings.push(warning.message);
  };
  beforeAll(() => void process.on('warning', note));
  afterAll(() => void process.off('warning', note));
  afterEach(() => {
    warnings.splice(0);
  });
  return warnings;
}

/** The ids of the connections that application users have on a server now, by their database. */
export async function connectionsOn(server: Server, user: string): Promise<number[]> {
  const rows = await server.query<{ ID: number }>(
    'SELECT ID FROM information_schema.PROCESSLIST WHERE USER = ?',
    [user],
  );
  return rows.map(({ ID }) => ID);
}

export type { HostConfig };
