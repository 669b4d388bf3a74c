import { setTimeout as sleep } from 'node:timers/promises';
import {
  createReplicatedPool,
  type RawConnection,
  type ReplicatedPool,
  type ReplicatedPoolOptions,
} from '@rwsplit/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../../support/servers/start-cluster.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { connect, failureOf, makeBed, newTag, type Run, runOn } from './bed.ts';
import { selfReport } from './leftovers.ts';

/** What a session does before it gives its connection back. */
interface Row {
  readonly why: string;
  readonly story: readonly string[];
  /** Whether the connection may be used again; default: it must be. */
  readonly again?: 'closed' | 'either';
}

const rows: readonly Row[] = [
  { why: 'a user variable', story: ['SET @a = 1'] },
  { why: 'sql_mode', story: ["SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'"] },
  { why: 'the charset', story: ['SET NAMES latin1'] },
  { why: 'the charset', story: ['SET CHARACTER SET utf8mb3'] },
  { why: 'the collation', story: ['SET collation_connection = utf8mb4_bin'] },
  { why: 'the charset of results', story: ['SET character_set_results = NULL'] },
  { why: 'the time zone', story: ["SET time_zone = '-05:00'"] },
  { why: 'another variable', story: ['SET SESSION max_sort_length = 4321'] },
  { why: 'autocommit', story: ['SET autocommit = 0', 'SELECT id FROM item'] },
  { why: 'the isolation level', story: ['SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE'] },
  { why: 'the access mode', story: ['SET SESSION TRANSACTION READ ONLY'] },
  { why: 'the next isolation level', story: ['SET TRANSACTION ISOLATION LEVEL SERIALIZABLE'] },
  { why: 'a transaction', story: ['BEGIN', "INSERT INTO note (text) VALUES ('b')"] },
  { why: 'a temporary table', story: ['CREATE TEMPORARY TABLE leak_temporary (a INT)'] },
  { why: 'table locks', story: ['LOCK TABLES item WRITE'] },
  { why: 'a user lock', story: ["DO GET_LOCK('cleaning', 0)"] },
  { why: 'a prepared statement', story: ["PREPARE leak_prepared FROM 'SELECT 1'"] },
  { why: 'a handler', story: ['HANDLER item OPEN AS leak_handler'] },
  { why: 'the database', story: ['USE information_schema'] },
  { why: 'the session tracker', story: ['SET SESSION session_track_state_change = 0'] },
  { why: 'a procedure that uses nothing', story: ['CALL do_nothing()'] },
  {
    why: 'USE in a prepared statement',
    story: ["PREPARE s FROM 'SELECT DATABASE()'", 'EXECUTE s'],
  },
  {
    why: 'all at once',
    story: ['SET NAMES latin1', 'SET @a = 1', 'USE information_schema', 'BEGIN'],
  },
  { why: 'an error at the end', story: ['SET @a = 1', 'BEGIN', '!SELECT nothing'] },
  { why: 'a role', story: ['SET ROLE NONE'], again: 'either' },
  { why: 'a role of a procedure', story: ['CALL take_no_role()'], again: 'either' },
  { why: 'an XA transaction', story: ["XA START 'cleaning'"], again: 'either' },
  {
    why: 'an XA transaction with writes',
    story: ["XA START 'cleaning'", "INSERT INTO note (text) VALUES ('xa')", "XA END 'cleaning'"],
    again: 'either',
  },
];

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const place = await freshDatabase(cluster);
  const bed = makeBed(cluster, place);

  beforeAll(async () => {
    await cluster.primary.query(`CREATE PROCEDURE ${place.name}.do_nothing() BEGIN END`);
    await cluster.primary.query(`CREATE PROCEDURE ${place.name}.take_no_role() SET ROLE NONE`);
    await cluster.waitUntilReplicated();
  });

  /** What the server says of the connection that has been used last, by itself. */
  async function report(pool: ReplicatedPool, raw: RawConnection): Promise<unknown> {
    expect(pool.stats().hosts.map(({ outstanding }) => outstanding)).toEqual([0, 0]);
    return await selfReport(raw as unknown as Parameters<typeof selfReport>[0]);
  }

  const variants: [string, object, Partial<ReplicatedPoolOptions>][] = [
    ['as it comes', {}, {}],
    ['with latin1', { charset: 'latin1' }, {}],
    [
      'with a hook',
      {},
      {
        onCreateConnection: (connection) =>
          new Promise<void>((resolve, reject) => {
            connection.query(
              "SET time_zone = '+03:00', max_sort_length = 1234, sql_mode = 'ANSI', character_set_results = latin1",
              (error) => (error ? reject(error) : resolve()),
            );
          }),
      },
    ],
  ];

  describe.each(variants)('a connection %s', (_name, host, change) => {
    const hosts = {
      primary: { ...bed.primary, ...host, connectionLimit: 1 },
      replicas: bed.replicas.slice(0, 1).map((each) => ({ ...each, ...host, connectionLimit: 1 })),
    };

    it.each(rows)('is as new after $why: $story', async ({ story, again }) => {
      const pool = bed.open({ ...hosts, ...change });
      const all: RawConnection[] = [];
      pool.on('connection', (raw: RawConnection) => all.push(raw));
      const run = runOn(pool.promise());
      await run('DO 1');
      const [first] = all;
      if (first === undefined) throw new Error('no connection');
      const before = await report(pool, first);
      const connection = await connect(pool);
      const tell: Run = runOn(connection);
      for (const line of story) {
        const ran = tell(line.replace('!', ''));
        await (line.startsWith('!') ? failureOf(ran) : ran);
      }
      connection.release();
      await run('DO 2');
      const last = all.at(-1);
      if (last === undefined) throw new Error('no connection');
      if (again !== 'either') expect(last.threadId).toBe(first.threadId);
      expect(await report(pool, last)).toEqual(before);
      expect(await run('SELECT @a AS a')).toEqual([{ a: null }]);
      const [locks] = await cluster.primary.query("SELECT IS_USED_LOCK('cleaning') AS a");
      expect(locks).toEqual({ a: null });
    });
  });

  it('keeps statements that mysql2 has prepared usable', async () => {
    const pool = bed.open();
    const ask = async () =>
      (await pool.promise().execute('SELECT id FROM item WHERE id = ? FOR UPDATE', [1]))[0];
    for (let count = 0; count < 3; count += 1) {
      expect(await ask()).toEqual([{ id: 1 }]);
      const connection = await connect(pool);
      await connection.query('SET @a = 1');
      expect((await connection.execute('SELECT @a AS a, ? AS b', [2]))[0]).toEqual([
        { a: 1, b: 2 },
      ]);
      connection.release();
    }
    expect(await ask()).toEqual([{ id: 1 }]);
  });

  describe('a server with init_connect', () => {
    let server: OwnedCluster;
    beforeAll(async () => {
      server = await startCluster({
        flavor,
        replicas: 0,
        settings: ["--init-connect=SET SESSION max_sort_length = 1066, time_zone = '+02:00'"],
      });
    });
    afterAll(() => server.stop());

    it('has it as on a new connection', async () => {
      const primary = { ...server.connectionOptions(server.primary), connectionLimit: 1 };
      const pool = bed.open({ primary, replicas: [] });
      const ask = 'SELECT CONNECTION_ID() AS id, @@max_sort_length AS n, @@time_zone AS zone';
      const run = runOn(pool.promise());
      expect(await run(ask)).toMatchObject([{ n: 1066, zone: '+02:00' }]);
      const connection = await connect(pool);
      await connection.query('SET @a = 1');
      connection.release();
      expect(await run(ask)).toMatchObject([{ n: 1066, zone: '+02:00' }]);
    });
  });

  it('closes a connection whose user was changed', async () => {
    const pool = bed.open();
    const run = runOn(pool.promise());
    const connection = await connect(pool);
    await connection.query('DO 1');
    const { threadId } = connection;
    await connection.changeUser({ database: 'information_schema' });
    connection.release();
    const [row] = (await run('SELECT CONNECTION_ID() AS id, DATABASE() AS db')) as {
      id: number;
      db: string;
    }[];
    expect(row?.db).toBe(place.name);
    expect(row?.id).not.toBe(threadId);
  });

  it('closes a connection whose hook fails when it is set up again', async () => {
    let calls = 0;
    const pool = bed.open({
      onCreateConnection: async (_connection, { role }) => {
        calls += role === 'primary' ? 1 : 0;
        if (calls === 2) throw new Error('not now');
      },
    });
    const run = runOn(pool.promise());
    const ask = 'SELECT CONNECTION_ID() AS id FROM item LIMIT 1 FOR UPDATE';
    const before = await run(ask);
    const connection = await connect(pool);
    await connection.query('SET @a = 1');
    connection.release();
    expect(await run(ask)).not.toEqual(before);
    expect(calls).toBe(3);
    expect(pool.stats().hosts.map(({ outstanding }) => outstanding)).toEqual([0, 0]);
  });

  describe('behind a network that loses packets', () => {
    let proxy: TcpProxy;
    beforeAll(async () => {
      proxy = await TcpProxy.start(bed.primary);
    });
    afterAll(() => proxy.close());

    function open(acquireTimeout: number): ReplicatedPool {
      const { host, port } = proxy;
      return createReplicatedPool({
        primary: { ...bed.primary, host, port, connectionLimit: 1 },
        catalogueRefresh: false,
        acquireTimeout,
      });
    }

    it.each(['up', 'down'] as const)(
      'closes a connection that gets no answer to the reset (%s)',
      async (direction) => {
        const pool = open(400);
        const run = runOn(pool.promise());
        const connection = await connect(pool);
        await connection.query('SET @a = 1');
        proxy.drop(direction);
        connection.release();
        await sleep(500);
        const tag = newTag();
        await run('INSERT INTO note (text) VALUES (?)', [tag]);
        expect(await bed.hasNote(tag)).toBe(true);
        expect(await run('SELECT @a AS a')).toEqual([{ a: null }]);
        expect(pool.stats().hosts).toMatchObject([{ outstanding: 0 }]);
        // Nothing is left of the lost one: its socket would keep the process.
        await expect.poll(() => proxy.connections).toBe(1);
        await pool.promise().end();
        await expect.poll(() => proxy.connections).toBe(0);
      },
    );

    it('ends the pool while a connection is being cleaned', async () => {
      const pool = open(5_000);
      const connection = await connect(pool);
      await connection.query('SET @a = 1');
      connection.release();
      await pool.promise().end();
      await expect.poll(() => proxy.connections).toBe(0);
    });

    it('ends the pool while a connection gets no answer to the reset', async () => {
      const pool = open(5_000);
      const connection = await connect(pool);
      await connection.query('SET @a = 1');
      proxy.drop('down');
      connection.release();
      await pool.promise().end();
      await expect.poll(() => proxy.connections).toBe(0);
    });
  });
});
