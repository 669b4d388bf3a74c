import { inspect } from 'node:util';
import { createReplicatedPool, type ReplicatedPoolOptions } from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';

/** Whatever comes in: the server's own error or a clear one of ours, and nothing left hanging. */
describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const database = await freshDatabase(cluster);
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown) => unhandled.push(reason);
  const pools: { end(): Promise<void> }[] = [];

  beforeAll(async () => {
    process.on('unhandledRejection', onUnhandled);
    await cluster.primary.query(`CREATE TABLE ${database.name}.item (id INT PRIMARY KEY)`);
    await cluster.primary.query(`INSERT INTO ${database.name}.item VALUES (1)`);
    await cluster.waitUntilReplicated();
  });
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.end()));
    expect(unhandled).toEqual([]);
  });
  afterAll(() => process.off('unhandledRejection', onUnhandled));

  function open(change: Partial<ReplicatedPoolOptions> = {}) {
    const core = createReplicatedPool({
      primary: database.connectionOptions(cluster.primary),
      replicas: cluster.replicas.map((server) => database.connectionOptions(server)),
      ...change,
    });
    const pool = core.promise();
    pools.push(pool);
    return { core, pool };
  }

  describe('SQL', () => {
    it.each([
      ['empty', '', /empty/i],
      ['blank', ' \n', /empty|syntax/i],
      ['an unterminated string', "SELECT 'x", /syntax/i],
      ['an unterminated name', 'SELECT `x', /syntax/i],
      ['an unterminated comment', 'SELECT 1 /*', /syntax/i],
      ['NUL', 'SELECT 1 \0 FROM item', /syntax/i],
      ['a BOM', '\uFEFFSELECT 1', /syntax/i],
      ['two statements where one is allowed', 'SELECT 1; SELECT 2', /syntax/i],
      ['nonsense', 'SELEC 1', /syntax/i],
      ['an unknown table', 'SELECT * FROM nothing_here', /nothing_here/],
      ['100,000 parentheses', `SELECT ${'('.repeat(100_000)}1${')'.repeat(100_000)}`, /./],
    ])('%s: the primary says what is wrong', async (_name, sql, message) => {
      const { pool } = open();
      await expect(pool.query(sql)).rejects.toThrow(message);
      expect((await pool.query('SELECT id FROM item'))[0]).toEqual([{ id: 1 }]);
    });

    it('1 MiB of it', async () => {
      const { pool } = open();
      const sql = `SELECT '${'x'.repeat(1_048_576)}' AS text`;
      const [rows] = await pool.query(sql);
      expect(rows).toEqual([{ text: 'x'.repeat(1_048_576) }]);
    });

    it.each([[undefined], [null], [7], [{}], [{ sql: 1 }], [['SELECT 1']]])(
      '%j is no statement',
      async (sql) => {
        const { pool } = open();
        await expect(pool.query(sql as unknown as string)).rejects.toMatchObject({
          code: 'RWSPLIT_OPTIONS',
          message: expect.stringContaining(
            'Expected a statement as a string or as { sql: string }',
          ),
        });
      },
    );

    it('values that mysql2 cannot send', async () => {
      const { pool } = open();
      await expect(pool.execute('SELECT ?', [undefined as unknown as null])).rejects.toThrow(
        /must not contain undefined/,
      );
      expect((await pool.execute('SELECT id FROM item WHERE id = ?', [1]))[0]).toEqual([{ id: 1 }]);
    });

    it('shows no bound value in an error of ours', async () => {
      const { core, pool } = open({
        acquireTimeout: 500,
        primary: { ...database.connectionOptions(cluster.primary), connectionLimit: 1 },
      });
      const held = await pool.getConnection();
      await held.beginTransaction();
      const error: unknown = await pool
        .query('DELETE FROM item WHERE id = ?', ['bound-secret'])
        .catch((reason) => reason);
      expect(error).toMatchObject({ code: 'RWSPLIT_ACQUIRE_TIMEOUT', isRetryable: true });
      expect(inspect(error, { depth: null })).not.toContain('bound-secret');
      expect(String(error)).toContain(
        `primary ${core.stats().hosts[0]?.name} within 500 ms: all 1 connections`,
      );
      await held.rollback();
      held.release();
    });
  });

  describe('servers', () => {
    const nobody = { host: '127.0.0.1', port: 1 };

    it('an unreachable primary without replicas: it is down', async () => {
      const { pool } = open({ primary: nobody, replicas: [] });
      for (const sql of ['SELECT 1', 'DELETE FROM item']) {
        await expect(pool.query(sql)).rejects.toMatchObject({
          code: 'RWSPLIT_PRIMARY_DOWN',
          cause: { code: 'ECONNREFUSED' },
        });
      }
    });

    it('an unreachable primary with replicas: reads go on, writes fail', async () => {
      const { pool } = open({
        primary: { ...database.connectionOptions(cluster.primary), ...nobody },
      });
      expect((await pool.query('SELECT id FROM item'))[0]).toEqual([{ id: 1 }]);
      await expect(pool.query('DELETE FROM item')).rejects.toMatchObject({
        code: 'RWSPLIT_PRIMARY_DOWN',
      });
    });

    it('an unreachable replica: reads go to the others', async () => {
      const { core, pool } = open({
        replicas: [nobody, database.connectionOptions(cluster.primary)],
      });
      for (let round = 0; round < 4; round++) {
        expect((await pool.query('SELECT id FROM item'))[0]).toEqual([{ id: 1 }]);
      }
      expect(core.stats().hosts[1]).toMatchObject({ isUp: false, lastFailure: 'ECONNREFUSED' });
    });

    it('a wrong password: access denied, without the password', async () => {
      const wrong = { ...database.connectionOptions(cluster.primary), password: 'wrong-secret' };
      const { pool } = open({ primary: wrong, replicas: [] });
      const error: unknown = await pool.query('SELECT 1').catch((reason) => reason);
      expect(error).toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR' });
      expect(inspect(error, { depth: null })).not.toContain('wrong-secret');
    });

    it('a wrong password on one replica, an unknown database on the other: the primary reads', async () => {
      const [first, second] = cluster.replicas.map((server) => database.connectionOptions(server));
      const { core, pool } = open({
        replicas: [
          { ...first, password: 'wrong-secret' },
          { ...second, database: 'no_such_database' },
        ],
      });
      expect((await pool.query('SELECT id FROM item'))[0]).toEqual([{ id: 1 }]);
      expect(
        core
          .stats()
          .hosts.slice(1)
          .map(({ lastFailure }) => lastFailure)
          .sort(),
      ).toEqual([
        'ER_ACCESS_DENIED_ERROR',
        expect.stringMatching(/ER_BAD_DB_ERROR|ER_DBACCESS_DENIED_ERROR/),
      ]);
    });

    it('a hook that fails: an error that says so', async () => {
      const cause = new Error('my own');
      const { pool } = open({
        replicas: [],
        onCreateConnection: () => {
          throw cause;
        },
      });
      await expect(pool.query('SELECT 1')).rejects.toMatchObject({
        code: 'RWSPLIT_HOST_SETUP',
        cause,
      });
    });

    it('a pool that is closed', async () => {
      const { core, pool } = open();
      const connection = await pool.getConnection();
      await pool.query('SELECT id FROM item');
      await pool.end();
      pools.splice(0);
      await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'RWSPLIT_POOL_CLOSED' });
      await expect(pool.getConnection()).rejects.toMatchObject({ code: 'RWSPLIT_POOL_CLOSED' });
      await expect(connection.query('SELECT 1')).rejects.toMatchObject({
        code: 'RWSPLIT_POOL_CLOSED',
      });
      await expect(pool.end()).rejects.toMatchObject({ code: 'RWSPLIT_POOL_CLOSED' });
      expect(core.stats().hosts.map(({ outstanding }) => outstanding)).toEqual([0, 0, 0]);
    });
  });
});
