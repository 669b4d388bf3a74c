import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { channels, type HostEvent } from '@rwsplit/kysely';
import { type Kysely, sql } from 'kysely';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import type { Server } from '../support/servers/server.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { createTables, hosts, newTag, open, rolesOf, type Tables } from './people.ts';

const strategies = ['cancel query', 'kill session'] as const;

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const database = await freshDatabase(cluster);
  const lost: HostEvent[] = [];
  const noteLost = (event: unknown) => lost.push(event as HostEvent);
  let db: Kysely<Tables>;

  beforeAll(() => createTables(cluster, database));
  beforeEach(async () => {
    // Kysely reports what an aborted query came to on the console.
    vi.spyOn(console, 'error').mockImplementation(() => {});
    lost.length = 0;
    subscribe(channels.host, noteLost);
    db = open(cluster, database);
    await Promise.all([1, 2, 3].map(() => sql`select 1`.execute(db)));
  });
  afterEach(async () => {
    unsubscribe(channels.host, noteLost);
    vi.restoreAllMocks();
    await db.destroy();
  });

  /** Runs for many seconds, on a replica by default. */
  function endless(on: Kysely<Tables>, tag: string) {
    return on
      .selectFrom(['person as a', 'person as b', 'person as c', 'person as d'])
      .select(({ fn }) => fn.sum('a.age').as('n'))
      .whereRef('a.age', '<', sql`b.age + c.age + d.age`)
      .where('a.id', '<', 4)
      .where('a.name', '!=', tag);
  }

  async function running(server: Server, tag: string) {
    const rows = await server.query<{ ID: number; INFO: string | null }>(
      'SELECT ID AS ID, INFO AS INFO FROM information_schema.PROCESSLIST',
    );
    return rows.filter(({ INFO }) => INFO?.includes(tag)).map(({ ID }) => Number(ID));
  }

  /** Waits until one server runs the query, and says which, and on which thread. */
  async function whereRunning(tag: string): Promise<{ server: Server; thread: number }> {
    for (;;) {
      for (const server of cluster.all) {
        const [thread] = await running(server, tag);
        if (thread !== undefined) {
          return { server, thread };
        }
      }
      await sleep(10);
    }
  }

  async function threadsOf(server: Server): Promise<number[]> {
    const rows = await server.query<{ ID: number }>(
      'SELECT ID AS ID FROM information_schema.PROCESSLIST',
    );
    return rows.map(({ ID }) => Number(ID));
  }

  describe.each(strategies)('%s', (inflightQueryAbortStrategy) => {
    it('ends a read on the replica that runs it, and nowhere else', async () => {
      const tag = newTag();
      const abort = new AbortController();
      const marks = await Promise.all(cluster.all.map((server) => server.mark()));
      const query = endless(db, tag).execute({
        signal: abort.signal,
        inflightQueryAbortStrategy,
      });
      const ended = expect(query).rejects.toThrow('enough');
      const { server, thread } = await whereRunning(tag);
      expect(server.name).toMatch(/^replica/);
      abort.abort(new Error('enough'));
      await ended;
      await expect.poll(() => running(server, tag)).toEqual([]);
      await expect
        .poll(async () => (await threadsOf(server)).includes(thread))
        .toBe(inflightQueryAbortStrategy === 'cancel query');
      const what = inflightQueryAbortStrategy === 'cancel query' ? 'QUERY' : 'CONNECTION';
      // Of this thread: other tests end theirs meanwhile.
      const kill = `KILL ${what} ${thread}`;
      const kills = await Promise.all(
        cluster.all.map(async (each, index) => {
          const since = marks[index];
          const sent = await each.statements({
            containing: kill,
            ...(since === undefined ? {} : { since }),
          });
          return sent.filter(({ sql: text }) => text === kill).map(() => each.name);
        }),
      );
      expect(kills.flat()).toEqual([server.name]);
      // It was ended, not lost: it is not run again, and its replica stays in service.
      await sleep(50);
      expect(await cluster.whoRan(tag)).toHaveLength(1);
      expect(lost).toEqual([]);
    });

    it('ends a query of a transaction, which then rolls back', async () => {
      const [tag, written] = [newTag(), newTag()];
      const abort = new AbortController();
      const transaction = db.transaction().execute(async (trx) => {
        await trx.insertInto('person').values({ name: written }).execute();
        await endless(trx, tag).execute({ signal: abort.signal, inflightQueryAbortStrategy });
      });
      const ended = expect(transaction).rejects.toThrow('enough');
      const { server } = await whereRunning(tag);
      expect(server.name).toBe('primary');
      abort.abort(new Error('enough'));
      await ended;
      await expect.poll(() => running(server, tag)).toEqual([]);
      expect(await find(written)).toEqual([]);
      expect(lost).toEqual([]);
    });

    it('leaves the pool whole', async () => {
      await using small = open(cluster, database, { acquireTimeout: 2_000 });
      for (let i = 0; i < 12; i++) {
        const tag = newTag();
        const abort = new AbortController();
        const query = endless(small, tag).execute({
          signal: abort.signal,
          inflightQueryAbortStrategy,
        });
        const ended = expect(query).rejects.toThrow('enough');
        await whereRunning(tag);
        abort.abort(new Error('enough'));
        await ended;
      }
      await Promise.all(Array.from({ length: 20 }, () => sql`select 1`.execute(small)));
    });

    it('does nothing to a query that has answered', async () => {
      const tag = newTag();
      const abort = new AbortController();
      await db.connection().execute(async (connection) => {
        await connection
          .selectFrom('person')
          .select('id')
          .where('name', '=', tag)
          .execute({ signal: abort.signal, inflightQueryAbortStrategy });
        abort.abort(new Error('late'));
        await connection.selectFrom('person').select('id').where('name', '=', tag).execute();
      });
      expect(await rolesOf(cluster, tag)).toEqual(['replica', 'replica']);
    });
  });

  it.each([...strategies, 'ignore query'] as const)(
    'does not send what is aborted while it waits for a connection: %s',
    async (inflightQueryAbortStrategy) => {
      const { primary } = hosts(cluster, database);
      await using small = open(cluster, database, { primary: { ...primary, connectionLimit: 1 } });
      const [held, tag] = [newTag(), newTag()];
      const trx = await small.startTransaction().execute();
      await trx.insertInto('person').values({ name: held }).execute();
      const abort = new AbortController();
      const insert = small
        .insertInto('person')
        .values({ name: tag })
        .execute({ signal: abort.signal, inflightQueryAbortStrategy });
      const ended = expect(insert).rejects.toThrow('enough');
      await sleep(20);
      const told = vi.spyOn(console, 'error').mockImplementation(() => {});
      abort.abort(new Error('enough'));
      await ended;
      await trx.commit().execute();
      // A query that was not sent has not failed in the background.
      expect(told).not.toHaveBeenCalled();
      await small.insertInto('person').values({ name: held }).execute();
      expect(await rolesOf(cluster, tag)).toEqual([]);
      expect(await rolesOf(cluster, held)).toEqual(['primary', 'primary']);
    },
  );

  it('does not send a stream that is aborted while it waits for a connection', async () => {
    const { primary } = hosts(cluster, database);
    await using small = open(cluster, database, {
      primary: { ...primary, connectionLimit: 1 },
      replicas: [],
    });
    const tag = newTag();
    const trx = await small.startTransaction().execute();
    await sql`select 1`.execute(trx);
    const abort = new AbortController();
    const read = async () => {
      const query = small.selectFrom('person').select('id').where('name', '!=', tag);
      for await (const _ of query.stream({ signal: abort.signal })) {
        throw new Error('a row');
      }
    };
    const ended = expect(read()).rejects.toThrow('enough');
    await sleep(20);
    abort.abort(new Error('enough'));
    await ended;
    await trx.commit().execute();
    await sql`select 1`.execute(small);
    expect(await rolesOf(cluster, tag)).toEqual([]);
  });

  it('lets an ignored query go on, and keeps its connection until it has ended', async () => {
    const tag = newTag();
    const abort = new AbortController();
    const query = sql`select sleep(0.2), ${tag}`.execute(db, {
      signal: abort.signal,
      inflightQueryAbortStrategy: 'ignore query',
    });
    const ended = expect(query).rejects.toThrow('enough');
    const { server } = await whereRunning(tag);
    abort.abort(new Error('enough'));
    await ended;
    expect(await running(server, tag)).toHaveLength(1);
    await expect.poll(() => running(server, tag)).toEqual([]);
  });

  it('stops a stream', async () => {
    const tag = newTag();
    const abort = new AbortController();
    const rows: unknown[] = [];
    const stream = db
      .selectFrom('person')
      .select('id')
      .where('name', '!=', tag)
      .stream({ signal: abort.signal });
    const read = async () => {
      for await (const row of stream) {
        rows.push(row);
        abort.abort(new Error('enough'));
      }
    };
    await expect(read()).rejects.toThrow('enough');
    expect(rows).toHaveLength(1);
    await Promise.all(Array.from({ length: 25 }, () => sql`select 1`.execute(db)));
  });

  async function find(name: string) {
    const { rows } =
      await sql`/* route:primary */ select id from person where name = ${name}`.execute(db);
    return rows;
  }
});
