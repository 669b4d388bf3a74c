import { createReplicatedPool, withSession } from '@rwsplit/core';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
import knexFactory from 'knex';
import { CompiledQuery, Kysely } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import type { Server } from '../../support/servers/server.ts';
import { type OwnedCluster, startCluster } from '../../support/servers/start-cluster.ts';
import { commandHistory, commandsSince, counters, growth, momentOf } from './commands.ts';

/** What it costs that reads see the writes before them, by the servers' own counters. */

/** Runs one statement by one of the APIs. */
type Run = (sql: string) => PromiseLike<unknown>;

interface Api {
  readonly run: Run;
  end(): Promise<unknown>;
}

const write = 'UPDATE item SET n = n + 1 WHERE id = 1';
const read = 'SELECT n FROM item WHERE id = 1';
const reads = 10;

const ways = {
  'outside any scope': (work: () => Promise<void>) => work(),
  'in a scope': (work: () => Promise<void>) => withSession(work),
} as const;

describe.each(flavors)('%s', (flavor) => {
  let cluster: OwnedCluster;
  const opened: Api[] = [];

  beforeAll(async () => {
    cluster = await startCluster({ flavor, settings: commandHistory });
    await cluster.primary.query('CREATE TABLE app.item (id INT PRIMARY KEY, n INT NOT NULL)');
    await cluster.primary.query('INSERT INTO app.item VALUES (1, 0)');
    await cluster.waitUntilReplicated();
  });
  afterAll(() => cluster.stop());
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((api) => api.end()));
  });

  const host = (server: Server) => ({ ...cluster.connectionOptions(server), connectionLimit: 1 });
  const hosts = () => ({
    primary: host(cluster.primary),
    replicas: cluster.replicas.map(host),
  });
  // It has a connection of its own for a moment.
  const usual = { catalogueRefresh: false, causalWait: 10_000 } as const;
  let tests = 0;
  /** Nothing that the tests before have written is to be read. */
  const routing = () => {
    tests += 1;
    return { ...usual, cluster: `${flavor}-${tests}` };
  };

  const apis: Record<string, () => Api> = {
    'a bare pool': () => {
      const pool = createReplicatedPool({ ...hosts(), ...routing() }).promise();
      return { run: (sql) => pool.query(sql), end: () => pool.end() };
    },
    Kysely: () => {
      const db = new Kysely<unknown>({
        dialect: new ReplicatedMysqlDialect({ ...hosts(), ...routing() }),
      });
      return { run: (sql) => db.executeQuery(CompiledQuery.raw(sql)), end: () => db.destroy() };
    },
    Knex: () => {
      const { primary, replicas } = hosts();
      const { connectionLimit: _, ...connection } = primary;
      const db = knexFactory({
        client: ReplicatedMysql2,
        connection,
        replicas,
        pool: { min: 0, max: 1 },
        replication: routing(),
      });
      return { run: (sql) => db.raw(sql), end: () => db.destroy() };
    },
  };

  /** Both replicas have been read and asked: what comes now finds everything open. */
  async function openUsed(name: string): Promise<Run> {
    const api = apis[name]?.();
    if (api === undefined) throw new Error(name);
    opened.push(api);
    const since = await watchSent();
    for (let i = 0; i < 4; i++) {
      await api.run('SELECT 1');
    }
    await api.run(write);
    await cluster.waitUntilReplicated();
    await api.run(read);
    await expect
      .poll(async () => (await since()).map(({ waits }) => waits > 0))
      .toEqual([false, true, true]);
    return api.run;
  }

  /** What each server is sent from now on, without the waits, and how many of those. */
  async function watchSent(): Promise<() => Promise<{ waits: number; texts: string[] }[]>> {
    const moments = await Promise.all(cluster.all.map(momentOf));
    const isWait = (text: string) =>
      /^SELECT (WAIT_FOR_EXECUTED_GTID_SET|MASTER_GTID_WAIT)\(/.test(text);
    return () =>
      Promise.all(
        cluster.all.map(async (server, index) => {
          const commands = await commandsSince(server, moments[index] ?? new Map());
          const texts = commands.map(({ text }) => text);
          return {
            waits: texts.filter(isWait).length,
            texts: texts.filter((text) => !isWait(text)),
          };
        }),
      );
  }

  describe.each(['a bare pool', 'Kysely', 'Knex'])('by %s', (name) => {
    it.each(Object.entries(ways))(
      '%s: the first read after writes adds one wait on each replica, beside the pool',
      async (_where, inWay) => {
        const run = await openUsed(name);
        await inWay(async () => {
          for (let i = 0; i < 3; i++) {
            await run(write);
          }
          await cluster.waitUntilReplicated();
          const since = await watchSent();
          await run(read);
          await expect
            .poll(async () => (await since()).map(({ waits }) => waits > 0))
            .toEqual([false, true, true]);
          // A second one would have come by now.
          await run(read);
          const sent = await since();
          expect(sent.map(({ waits }) => waits)).toEqual([0, 1, 1]);
          expect(sent[0]?.texts).toEqual([]);
          expect(sent.flatMap(({ texts }) => texts)).toEqual([read, read]);
        });
      },
    );

    it.each(Object.entries(ways))(
      '%s: every further one adds nothing on any server',
      async (_where, inWay) => {
        const run = await openUsed(name);
        await inWay(async () => {
          await run(write);
          await cluster.waitUntilReplicated();
          const since = await watchSent();
          await run(read);
          await expect
            .poll(async () => (await since()).map(({ waits }) => waits > 0))
            .toEqual([false, true, true]);
          const own = await grown(async () => {});
          const later = await watchSent();
          const byReads = await grown(async () => {
            for (let i = 0; i < reads; i++) {
              await run(read);
            }
          });
          const sent = await later();
          expect(sent.map(({ waits }) => waits)).toEqual([0, 0, 0]);
          expect(sent[0]?.texts).toEqual([]);
          expect(sent.flatMap(({ texts }) => texts)).toEqual(Array(reads).fill(read));
          // The servers count the same, whatever their history holds.
          const selects = sent.map(({ texts }) => texts.length);
          expect(byReads).toEqual(own.map((each, index) => plus(each, selects[index] ?? 0)));
        });
      },
    );
  });

  /** By how much the counters of each server grow while something runs, the question for them included. */
  async function grown(work: () => Promise<void>): Promise<Record<string, number>[]> {
    const before = await Promise.all(cluster.all.map(counters));
    await work();
    const after = await Promise.all(cluster.all.map(counters));
    return after.map((each, index) => growth(before[index] ?? new Map(), each));
  }
});

/** The counters with so many SELECTs more. */
function plus(counted: Record<string, number>, selects: number): Record<string, number> {
  const { Com_select = 0, Questions = 0, ...rest } = counted;
  const all = { ...rest, Com_select: Com_select + selects, Questions: Questions + selects };
  return Object.fromEntries(Object.entries(all).filter(([, by]) => by !== 0));
}
