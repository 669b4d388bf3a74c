import {
  createReplicatedPool,
  type ReplicatedPool,
  type ReplicatedPoolOptions,
  withSession,
} from '@rwsplit/core';
import mysql from 'mysql2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { closed, on, outstanding, type Run, tell } from '../core/hosts/pool-bed.ts';
import { flavors } from '../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';

/** Text of a row that one test writes. */
type Tag = string;

const gate = 'GET_LOCK("gate", 20)';
const insert = (tag: Tag) => `INSERT INTO entry (tag) VALUES ('${tag}')`;

// The order to move is the test's own: what counts is what the pool does with what it has under way.
describe.each(flavors)('when the primary moves: %s', (flavor) => {
  let cluster: OwnedCluster;
  let pool: ReplicatedPool;
  let tags = 0;

  beforeAll(async () => {
    cluster = await startCluster({ flavor, replicas: 1, statementLog: false });
    const setUp = [
      'CREATE TABLE app.entry (id INT AUTO_INCREMENT PRIMARY KEY, tag VARCHAR(40))',
      `CREATE PROCEDURE app.enter_twice(tag VARCHAR(40)) SQL SECURITY INVOKER BEGIN
         INSERT INTO app.entry (tag) VALUES (tag); DO ${gate}; INSERT INTO app.entry (tag) VALUES (tag);
       END`,
    ];
    for (const sql of setUp) {
      await cluster.primary.query(sql);
    }
    await cluster.waitUntilReplicated();
  });
  afterEach(() => closed(pool));
  afterAll(() => cluster.stop());

  function newTag(): Tag {
    tags += 1;
    return `tag-${tags}`;
  }

  /** The hosts are called what they are to be. */
  function open(change: Partial<ReplicatedPoolOptions> = {}): void {
    pool = createReplicatedPool({
      primary: { ...cluster.connectionOptions(cluster.primary), ...names.old },
      replicas: [{ ...cluster.connectionOptions(other()), ...names.new }],
      topology: 'readOnly',
      probeInterval: 100,
      acquireTimeout: 20_000,
      catalogueRefresh: false,
      ...change,
    });
  }

  const names = {
    // One connection: who wants it waits for who has it.
    old: { name: 'old', connectionLimit: 1, multipleStatements: true },
    new: { name: 'new', connectionLimit: 1 },
  };

  function other(): OwnedCluster['primary'] {
    const [replica] = cluster.replicas;
    if (replica === undefined) {
      throw new Error('a cluster that can move its primary has a replica');
    }
    return replica;
  }

  /** Moves the primary, and waits until the pool knows. */
  async function move(): Promise<void> {
    await cluster.switchover(other());
    await expect
      .poll(() => pool.stats().hosts[0], { timeout: 20_000 })
      .toMatchObject({ name: 'new' });
  }

  /** How many rows with a tag the primary has now. */
  async function rowsOf(tag: Tag): Promise<number> {
    const sql = 'SELECT COUNT(*) AS n FROM app.entry WHERE tag = ?';
    const [row] = await cluster.primary.query<{ n: number }>(sql, [tag]);
    return Number(row?.n);
  }

  /** Has a connection for the time of some work. */
  async function connected<T>(work: (run: Run) => Promise<T>): Promise<T> {
    const connection = await pool.promise().getConnection();
    try {
      return await work(async (sql) => (await connection.query(sql))[0]);
    } finally {
      connection.release();
    }
  }

  /** Does some work whose first statement waits for the connection to the old primary until that has moved. */
  async function waitsMeanwhile<T>(work: () => Promise<T>): Promise<T> {
    open();
    const holder = await pool.promise().getConnection();
    await holder.beginTransaction();
    await holder.query('SELECT COUNT(*) AS n FROM entry');
    const result = work();
    result.catch(() => {});
    await expect.poll(() => outstanding(pool)['old']).toBe(2);
    await move();
    await holder.rollback();
    holder.release();
    return result;
  }

  describe('who waits for its connection', () => {
    it('runs a transaction on the new one, all of it', async () => {
      const tag = newTag();
      const told = await waitsMeanwhile(() =>
        connected(async (run) => [
          await tell(run, 'START TRANSACTION'),
          await tell(run, insert(tag)),
          await tell(run, 'ROLLBACK'),
        ]),
      );
      const rows = await rowsOf(tag);
      expect({ rows, hosts: told.map(({ host }) => host) }).toEqual({
        rows: 0,
        hosts: ['new', 'new', 'new'],
      });
    });

    it.each<[string, (work: (run: Run) => Promise<unknown>) => Promise<unknown>]>([
      ['a connection', (work) => connected(work)],
      ['a session', (work) => withSession(() => work(on(pool)))],
    ])('sets a variable of %s where it is read', async (_, within) => {
      const setAndRead = async (run: Run) => {
        await run('SET @number = 7');
        return run('SELECT @number AS number');
      };
      expect(await waitsMeanwhile(() => within(setAndRead))).toEqual([{ number: 7 }]);
    });

    it.each([
      [
        'a read that is to be on the primary',
        'SELECT COUNT(*) AS n FROM entry',
        { forcePrimary: true },
      ],
      ['a lock', 'SELECT GET_LOCK("any", 0) AS isMine', {}],
    ])('runs %s on the new one', async (_, sql, options) => {
      const told = await waitsMeanwhile(() => tell(on(pool, options), sql));
      expect(told).toMatchObject({ host: 'new', error: null });
    });
  });

  it.each([
    ['of several statements', (tag: Tag) => `${insert(tag)}; DO ${gate}; ${insert(tag)}`],
    ['of a procedure', (tag: Tag) => `CALL enter_twice('${tag}')`],
  ])('the parts %s, refused in the middle, are not carried out again', async (_, textOf) => {
    open();
    const [tag, old] = [newTag(), cluster.primary];
    await old.query(`SELECT ${gate}`);
    const parts = tell(on(pool), textOf(tag));
    await expect.poll(() => rowsOf(tag)).toBe(1);
    await move();
    await old.query('SELECT RELEASE_LOCK("gate")');
    expect((await parts).error).toMatchObject({ code: 'ER_OPTION_PREVENTS_STATEMENT' });
    expect(await rowsOf(tag)).toBe(1);
  });

  describe('a connection that is held, and has written', () => {
    const read = 'SELECT COUNT(*) AS n FROM entry';

    it.each([
      ['of options', (options: object) => ({ ...options, name: 'old' })],
      ['of a pool of the user', (options: object) => mysql.createPool(options)],
    ])('leaves the old one with its next read there, %s', async (_, primaryOf) => {
      const options = cluster.connectionOptions(cluster.primary);
      const primary = primaryOf(options) as ReplicatedPoolOptions['primary'];
      open({ primary });
      const connection = await pool.promise().getConnection();
      await connection.query(insert(newTag()));
      await move();
      const forced = { sql: read, forcePrimary: true };
      const onPrimary: Run = async (sql) => connection.query({ ...forced, sql });
      expect(await tell(onPrimary, read)).toMatchObject({ host: 'new', error: null });
      connection.release();
    });

    it('begins its next transaction on the new one', async () => {
      open();
      const tag = newTag();
      await connected(async (run) => {
        await run(insert(newTag()));
        await move();
        for (const sql of ['BEGIN', read, insert(tag), 'COMMIT']) {
          expect(await tell(run, sql)).toMatchObject({ host: 'new', error: null });
        }
      });
      expect(await rowsOf(tag)).toBe(1);
    });
  });

  it('a group whose only replica was promoted is read on the primary', async () => {
    const replica = { ...cluster.connectionOptions(other()), ...names.new, groups: ['analytics'] };
    open({ replicas: [replica] });
    const analytics = on(pool, { useReplica: 'analytics' });
    expect(await tell(analytics)).toMatchObject({ host: 'new', reason: 'read' });
    await move();
    expect(await tell(analytics)).toMatchObject({
      host: 'new',
      reason: 'replicas-unavailable',
      error: null,
    });
  });
});
