import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { channels, type StatementEvent } from '@rwsplit/core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Api, apis } from '../contract/apis.ts';
import { flavors } from '../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { createTables, hostOf } from './bed.ts';

/** How each library writes it. */
const commits = { 'bare pool': 'COMMIT', Knex: 'COMMIT', Kysely: 'commit' } as const;
const names = ['bare pool', 'Knex', 'Kysely'] as const;
/** Whether the server gets what the connection breaks under, or has answered it already. */
const losses = ['text', 'answer'] as const;
const everywhere = names.flatMap((name) => losses.map((loss) => [name, loss] as const));

let count = 0;

/** A text and a number that no other statement has. */
function newTag(): { tag: string; id: number } {
  count += 1;
  return { tag: `in_flight_${process.pid}_${count}`, id: count };
}

describe.each(flavors)('a connection that breaks under a statement: %s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const database = await freshDatabase(cluster);
  const events: StatementEvent[] = [];
  const note = (event: unknown) => {
    events.push(event as StatementEvent);
  };
  /** One for each server, in the order of the cluster; and two more for each replica. */
  let networks: readonly TcpProxy[];
  let api: Api;

  beforeAll(() => createTables(cluster, database.name));
  beforeEach(async () => {
    const [one, two] = cluster.replicas;
    const servers = [cluster.primary, one, two, one, two].filter((server) => server !== undefined);
    networks = await Promise.all(servers.map((server) => TcpProxy.start(server)));
    events.length = 0;
    subscribe(channels.statement, note);
  });
  afterEach(async () => {
    unsubscribe(channels.statement, note);
    await api.close();
    for (const network of networks) {
      network.close();
    }
  });

  /** A pool whose way to each server can be cut; warm, so that nothing but what is sent is cut. */
  async function open(name: (typeof names)[number], replicas = 2): Promise<Api> {
    const primary = hostOf(cluster, cluster.primary, database.name);
    const ports = networks.map(({ port }) => port);
    api = apis[name]({
      primary: { ...primary, port: ports[0] ?? 0 },
      replicas: ports.slice(1, 1 + replicas).map((port, index) => ({
        port,
        name: `copy-${index + 1}`,
      })),
      causalWait: 10_000,
    });
    await api.run('UPDATE item SET id = id WHERE id = 0');
    for (let read = 0; read < replicas; read++) {
      await api.run('SELECT COUNT(*) AS n FROM item');
    }
    return api;
  }

  function lose(text: string, loss: (typeof losses)[number]): void {
    for (const network of networks) {
      network.trap(text, loss);
    }
  }

  /** How many rows a write with this id has left on the primary. */
  async function rowsOf(id: number): Promise<number> {
    const sql = `SELECT COUNT(*) AS n FROM ${database.name}.entry WHERE id = ?`;
    const [row] = await cluster.primary.query<{ n: number }>(sql, [id]);
    return row?.n ?? -1;
  }

  /** How often servers were sent a text. */
  async function sent(tag: string): Promise<number> {
    return (await cluster.whoRan(tag)).length;
  }

  function eventOf(tag: string): StatementEvent | undefined {
    return events.find(({ sql }) => sql.includes(tag));
  }

  it.each(everywhere)(
    '%s says of a write that nobody knows: its %s was lost',
    async (name, loss) => {
      const { run } = await open(name);
      const { tag, id } = newTag();
      lose(tag, loss);
      const write = run(`/* ${tag} */ INSERT INTO entry (id, part) VALUES (?, 1)`, [id]);
      await expect(write).rejects.toMatchObject({
        code: 'RWSPLIT_UNKNOWN_OUTCOME',
        isRetryable: false,
        cause: { fatal: true },
      });
      expect(await rowsOf(id)).toBe(loss === 'text' ? 0 : 1);
      expect(await sent(tag)).toBe(loss === 'text' ? 0 : 1);
    },
  );

  it.each(everywhere)(
    '%s says of a COMMIT that nobody knows: its %s was lost',
    async (name, loss) => {
      const { transaction, run } = await open(name);
      const { id } = newTag();
      const insert = 'INSERT INTO entry (id, part) VALUES (?, 1)';
      const over = transaction(async (runHere) => {
        await runHere(insert, [id]);
        lose(commits[name], loss);
      });
      await expect(over).rejects.toMatchObject({ code: 'RWSPLIT_UNKNOWN_OUTCOME' });
      expect(await rowsOf(id)).toBe(loss === 'text' ? 0 : 1);
      lose('nothing', loss);
      await run(insert, [newTag().id]);
    },
  );

  it.each(everywhere)(
    '%s: a transaction ends with the first statement whose %s is lost',
    async (name, loss) => {
      const { transaction, run } = await open(name);
      const { tag, id } = newTag();
      const insert = `/* ${tag} */ INSERT INTO entry (id, part) VALUES (?, 1)`;
      const over = transaction(async (runHere) => {
        await runHere('INSERT INTO entry (id, part) VALUES (?, 0)', [id]);
        lose(tag, loss);
        await runHere(insert, [id]);
      });
      // It is rolled back, and so nothing is unknown.
      await expect(over).rejects.toMatchObject({ fatal: true });
      await expect.poll(() => rowsOf(id)).toBe(0);
      expect(await sent(tag)).toBe(loss === 'text' ? 0 : 1);
      expect(eventOf(tag)?.tried).toEqual([]);
      lose('nothing', loss);
      await run(insert, [newTag().id]);
    },
  );

  it.each(everywhere)(
    '%s: a read in a transaction is not sent again when its %s is lost',
    async (name, loss) => {
      const { transaction } = await open(name);
      const { tag } = newTag();
      lose(tag, loss);
      const over = transaction(async (run) => {
        await run(`/* ${tag} */ SELECT COUNT(*) AS n FROM item`);
      });
      await expect(over).rejects.toMatchObject({ fatal: true });
      expect(await sent(tag)).toBe(loss === 'text' ? 0 : 1);
      expect(eventOf(tag)?.tried).toEqual([]);
    },
  );

  it.each(everywhere)(
    '%s: a read runs elsewhere when its %s is lost on replicas',
    async (name, loss) => {
      const { run } = await open(name);
      const { tag } = newTag();
      lose(tag, loss);
      networks[0]?.trap(null);
      expect(await run(`/* ${tag} */ SELECT COUNT(*) AS n FROM item`)).toEqual([{ n: 3 }]);
      expect(eventOf(tag)).toMatchObject({ role: 'primary', reason: 'replicas-unavailable' });
      expect(eventOf(tag)?.tried.toSorted()).toEqual(['copy-1', 'copy-2']);
    },
  );

  it('gives up a read that fails on three replicas, and on the primary', async () => {
    const { run } = await open('bare pool', 4);
    const { tag } = newTag();
    lose(tag, 'answer');
    const read = run(`/* ${tag} */ SELECT COUNT(*) AS n FROM item`);
    await expect(read).rejects.toMatchObject({ fatal: true });
    expect(await sent(tag)).toBe(4);
    // And last where it ran last.
    expect(eventOf(tag)?.tried).toHaveLength(4);
  });

  // Everything that commits by itself, whatever its first word.
  it.each([
    ['UPDATE', 'UPDATE counter SET n = n + 1'],
    ['an INSERT … SELECT', 'INSERT INTO counter SELECT n + 1 FROM counter'],
    ['CREATE TABLE', 'CREATE TABLE created (id INT)'],
    ['a procedure', 'CALL count_up()'],
    ['a transaction in one text', 'BEGIN; UPDATE counter SET n = n + 1; COMMIT'],
  ])('says of %s that nobody knows, and sends it once', async (_, sql) => {
    const setUp = [
      'DROP TABLE IF EXISTS counter, created',
      'CREATE TABLE counter (n INT)',
      'INSERT INTO counter VALUES (1)',
      'DROP PROCEDURE IF EXISTS count_up',
      'CREATE PROCEDURE count_up() UPDATE counter SET n = n + 1',
    ];
    await open('bare pool');
    for (const one of setUp) {
      await cluster.primary.query(one.replace(/counter|created|count_up/g, `${database.name}.$&`));
    }
    const { tag } = newTag();
    lose(tag, 'answer');
    const write = api.run(`/* ${tag} */ ${sql}`);
    await expect(write).rejects.toMatchObject({ code: 'RWSPLIT_UNKNOWN_OUTCOME' });
    expect(await sent(tag)).toBe(1);
  });
});
