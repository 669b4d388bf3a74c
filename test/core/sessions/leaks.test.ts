import { setTimeout as sleep } from 'node:timers/promises';
import { createReplicatedPool } from '@rwsplit/core';
import fc from 'fast-check';
import mysql, { type Pool, type PoolConnection } from 'mysql2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../proofs/random.ts';
import { type Flavor, flavors } from '../../support/servers/flavor.ts';
import type { Server } from '../../support/servers/server.ts';
import { type OwnedCluster, startCluster } from '../../support/servers/start-cluster.ts';
import { killAtRandom, surfacing, watchIdle } from './background.ts';
import { bareSessions, narrowSessions } from './bare-sessions.ts';
import { knexSessions } from './knex-sessions.ts';
import { kyselySessions } from './kysely-sessions.ts';
import { type LeakBed, openLeakBed, runOnRaw, setUpText } from './leak-bed.ts';
import {
  connectionIds,
  lastStatements,
  leftovers,
  pendingTransaction,
  performanceSchema,
  selfReport,
} from './leftovers.ts';
import { type Outcome, runSessions } from './mixed-sessions.ts';
import { scopeSessions } from './scope-sessions.ts';
import { rows, Thrown } from './steps.ts';

/** Sessions of both flavours together; `LEAK_SESSIONS=100000 npx vitest run …` runs more. */
const sessions = Number(process.env['LEAK_SESSIONS'] ?? 10_000);
const atOnce = 24;
const { seed = 0 } = fc.readConfigureGlobal();

/** Errors that the sessions bring about by themselves. */
const provoked = [
  'THROWN',
  'KnexTimeoutError',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'RWSPLIT_ACQUIRE_TIMEOUT',
  'RWSPLIT_CONNECTION_DESTROYED',
  'RWSPLIT_CONNECTION_RELEASED',
  'bind parameters',
  // ER_NO_SUCH_TABLE, ER_DUP_ENTRY, ER_PARSE_ERROR.
  'server 1146',
  'server 1062',
  'server 1064',
];

/** What has come of the sessions of one flavour. */
interface Run {
  readonly cluster: OwnedCluster;
  readonly bed: LeakBed;
  readonly kinds: readonly string[];
  readonly outcomes: readonly Outcome[];
  /** What connections held while nobody had them. */
  readonly heldWhileIdle: readonly string[];
}

const runs = new Map<Flavor, Run>();
const clusters: OwnedCluster[] = [];
let surfaced: readonly unknown[] = [];

beforeAll(
  async () => {
    clusters.push(...(await Promise.all(flavors.map(startLeakCluster))));
    // Side by side: each waits for locks and full pools most of the time.
    surfaced = await surfacing(async () => {
      const all = await Promise.all(clusters.map(runMixedSessions));
      for (const run of all) {
        runs.set(run.cluster.flavor, run);
      }
    });
  },
  60_000 + sessions * 30,
);
afterAll(async () => {
  await Promise.all([...runs.values()].map(({ bed }) => bed.close()));
  await Promise.all(clusters.map((cluster) => cluster.stop()));
});

describe.each(flavors)(
  `${sessions / flavors.length} mixed sessions on %s (seed ${seed})`,
  (flavor) => {
    const run = () => {
      const found = runs.get(flavor);
      if (found === undefined) throw new Error('no run');
      return found;
    };

    it('were of all kinds, and ended as they may', () => {
      const { kinds, outcomes } = run();
      expect(outcomes.flatMap(({ unexpected }) => unexpected)).toEqual([]);
      const seen = outcomes.flatMap(({ tallies }) => [...tallies.keys()]);
      expect(new Set(seen)).toEqual(new Set(kinds));
      expect(outcomes.flatMap(codesOf)).toEqual(expect.arrayContaining(provoked));
      expect(surfaced.filter((error) => !(error instanceof Thrown))).toEqual([]);
    });

    it('left nothing in a connection that nobody had', () => {
      expect(run().heldWhileIdle).toEqual([]);
    });

    it('gave each connection back, once', async () => {
      const { bed } = run();
      await expect.poll(() => bed.outstanding(), { timeout: 10_000 }).toEqual([]);
      for (const ledger of bed.ledgers()) {
        const { acquired, released, lost } = ledger.events;
        expect(released + lost).toBe(acquired);
        expect(ledger.violations).toEqual([]);
      }
    });

    it('left pools whole, and their connections as new, and nothing else after them', async () => {
      const { cluster, bed } = run();
      expect((await Promise.all(cluster.all.map(leftovers))).flat()).toEqual([]);
      const taken = await expectWhole(cluster, bed);
      await bed.close();
      for (const server of cluster.all) {
        const known = idsOf(taken, server);
        const unknown = async () =>
          (await connectionIds(server)).filter((id) => !known.includes(id));
        await expect.poll(unknown, { timeout: 5_000 }).toEqual([]);
      }
    });
  },
);

async function startLeakCluster(flavor: Flavor): Promise<OwnedCluster> {
  const cluster = await startCluster({
    flavor,
    settings: [...performanceSchema, '--innodb-lock-wait-timeout=1', '--lock-wait-timeout=1'],
  });
  const { primary } = cluster;
  await primary.query('CREATE DATABASE app_other');
  await primary.query('CREATE TABLE app.item (id INT PRIMARY KEY, n INT NOT NULL)');
  await primary.query(
    'CREATE TABLE app.note (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(20))',
  );
  const values = Array.from({ length: rows }, (_, index) => `(${index + 1}, 0)`);
  await primary.query(`INSERT INTO app.item VALUES ${values.join(', ')}`);
  await cluster.waitUntilReplicated();
  return cluster;
}

async function runMixedSessions(cluster: OwnedCluster): Promise<Run> {
  const random = new Random(seed);
  const bed = openLeakBed(cluster);
  const kinds = {
    ...bareSessions(bed.pool, random),
    ...kyselySessions(bed.kysely, random),
    ...knexSessions(bed.knex, random),
    ...scopeSessions(bed, random),
    ...narrowSessions(bed.narrow, random),
  };
  const killer = killAtRandom(cluster, random);
  const watch = watchIdle(cluster, bed);
  const count = sessions / flavors.length;
  const killed = await runSessions(kinds, random, { count: count * 0.85, atOnce });
  await killer.stop();
  // Now connections live for long.
  const whole = await runSessions(kinds, random, { count: count * 0.15, atOnce });
  return {
    cluster,
    bed,
    kinds: Object.keys(kinds),
    outcomes: [killed, whole],
    heldWhileIdle: await watch.stop(),
  };
}

/**
 * Takes every connection of every pool at once, and looks at each: the server has told what it holds;
 * the rest only it can tell. One more has to wait, so that the pool has no more than it should.
 */
async function expectWhole(cluster: OwnedCluster, bed: LeakBed): Promise<readonly Taken[]> {
  const taken: Taken[] = [];
  for (const { pool, port } of bed.ledgers()) {
    const server = cluster.all.find((each) => each.port === port);
    if (server === undefined) throw new Error('a pool of no server');
    const { connectionLimit = 0 } = pool.config;
    const own = await Promise.all(Array.from({ length: connectionLimit }, () => take(pool)));
    expect(new Set(own).size).toBe(connectionLimit);
    taken.push(...own.map((connection) => ({ server, connection })));
    let isServed = false;
    const oneMore = take(pool).then((connection) => {
      isServed = true;
      return connection;
    });
    await sleep(5);
    expect(isServed).toBe(false);
    own[0]?.release();
    expect(await oneMore).toBe(own[0]);
  }
  for (const server of cluster.all) {
    const known = taken.filter((each) => each.server === server);
    await expectNoOthers(server, idsOf(taken, server), bed);
    await expectClean(cluster, server, known, bed);
  }
  return taken;
}

function idsOf(taken: readonly Taken[], server: Server): number[] {
  return taken
    .filter((each) => each.server === server)
    .map(({ connection }) => Number(connection.threadId));
}

/** No connection that no pool knows, either: but for one each that asks what the server has executed. */
async function expectNoOthers(
  server: Server,
  known: readonly number[],
  bed: LeakBed,
): Promise<void> {
  const others = async () => {
    const last = await lastStatements(server);
    const ids = await connectionIds(server);
    expect(known.filter((id) => !ids.includes(id))).toEqual([]);
    return ids.filter((id) => !known.includes(id)).map((id) => last.get(id) ?? '');
  };
  const most = bed.sideConnections(server);
  await expect
    .poll(async () => (await others()).length, { timeout: 5_000 })
    .toBeLessThanOrEqual(most);
  const wrong = async () => (await others()).filter((text) => !ownQuestion.test(text));
  await expect.poll(wrong, { timeout: 5_000 }).toEqual([]);
}

/** After its login, it has only pinged. */
const ownQuestion =
  /^statement\/com\/Ping$|^SELECT (WAIT_FOR_EXECUTED_GTID_SET\(|MASTER_GTID_WAIT\(|@@GLOBAL\.gtid_|NULL, @@GLOBAL\.gtid_)/;

async function expectClean(
  cluster: OwnedCluster,
  server: Server,
  taken: readonly { readonly connection: PoolConnection }[],
  bed: LeakBed,
): Promise<void> {
  const used = taken.filter(({ connection }) => bed.wasSetUp(server, connection));
  expect(used.length).toBeGreaterThan(0);
  const reports = await Promise.all(used.map(({ connection }) => selfReport(connection)));
  const fence = server.name === 'primary' ? 'READ WRITE' : 'READ ONLY';
  const fresh = await freshSettings(cluster, server);
  for (const [index, { connection }] of used.entries()) {
    const report = reports[index];
    expect(report?.holds).toEqual([]);
    expect(report?.settings).toEqual(fresh);
    expect(await pendingTransaction(server, connection)).toBe(`REPEATABLE READ ${fence}`);
  }
}

/** What a connection says of itself that was set up and has done nothing. */
async function freshSettings(cluster: OwnedCluster, server: Server): Promise<unknown> {
  const raw = mysql.createPool({ ...cluster.connectionOptions(server), connectionLimit: 1 });
  const isPrimary = server === cluster.primary;
  const pool = createReplicatedPool({
    primary: isPrimary ? raw : cluster.connectionOptions(cluster.primary),
    replicas: isPrimary ? [] : [raw],
    catalogueRefresh: false,
    onCreateConnection: (connection) => runOnRaw(connection, setUpText),
  });
  await pool.promise().query('SELECT 1');
  const connection = await take(raw);
  const { settings } = await selfReport(connection);
  connection.release();
  await pool.promise().end();
  return settings;
}

/** A connection of a pool, and where it leads. */
interface Taken {
  readonly server: Server;
  readonly connection: PoolConnection;
}

function take(pool: Pool): Promise<PoolConnection> {
  return new Promise((resolve, reject) => {
    pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection)));
  });
}

function codesOf({ tallies }: Outcome): string[] {
  return [...tallies.values()].flatMap(({ errors }) => [...errors.keys()]);
}
