import { createReplicatedPool, type ReplicatedPool, withSession } from '@rwsplit/core';
import mysql from 'mysql2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../../support/servers/start-cluster.ts';

/** Stories that once went wrong: what runs beside each other in one session, and whose id it is. */
describe.each(flavors)('%s', (flavor) => {
  let cluster: OwnedCluster;
  let core: ReplicatedPool;

  beforeAll(async () => {
    cluster = await startCluster({ flavor, replicas: 1 });
    await cluster.primary.query('CREATE TABLE app.item (id INT PRIMARY KEY)');
    await cluster.primary.query(
      'CREATE TABLE app.note (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(20) UNIQUE)',
    );
    await cluster.primary.query("INSERT INTO app.note VALUES (1, 'first')");
    await cluster.waitUntilReplicated();
  });
  afterAll(() => cluster.stop());
  afterEach(() => core.promise().end());

  function open(limit = 10, causalWait = 50): ReplicatedPool {
    const [replica] = cluster.replicas;
    core = createReplicatedPool({
      primary: { ...cluster.connectionOptions(cluster.primary), connectionLimit: limit },
      replicas: replica === undefined ? [] : [cluster.connectionOptions(replica)],
      causalWait,
    });
    return core;
  }

  const behind = 'the primary, while the replica does not have it';
  const caughtUp = 'the replica, as soon as it has it';

  /** Runs a function with a replica that applies nothing; it is told how to let it catch up. */
  async function withStoppedReplica(work: (goOn: () => Promise<void>) => Promise<void>) {
    const applying = cluster.replicas.map(({ replication }) => replication);
    const goOn = async () => {
      await Promise.all(applying.map((each) => each.startApplying()));
    };
    await Promise.all(applying.map((each) => each.stopApplying()));
    await work(goOn).finally(goOn);
    await cluster.waitUntilReplicated();
  }

  /** Runs a read; the replica catches up while it waits, or only after it. */
  async function readWhile<Rows>(
    where: typeof behind | typeof caughtUp,
    goOn: () => Promise<void>,
    read: () => Promise<[Rows, unknown]>,
  ): Promise<Rows> {
    const reading = read();
    if (where === caughtUp) {
      await goOn();
    }
    const [rows] = await reading;
    return rows;
  }

  const serverOf = { [behind]: 'primary', [caughtUp]: 'replica-1' };
  const waitOf = { [behind]: 50, [caughtUp]: 10_000 };

  describe.each([behind, caughtUp] as const)('reads on %s', (where) => {
    it('what was written beside the session, and sends nothing else to a replica', async () => {
      const pool = open(10, waitOf[where]).promise();
      const text = `slow ${waitOf[where]} `;
      const tags = [1, 2, 3].map((n) => `beside-${n}-${waitOf[where]}`);
      await pool.query('SELECT id FROM item');
      await withStoppedReplica((goOn) =>
        withSession(async () => {
          await Promise.all([
            (async () => {
              await pool.query('SELECT id FROM item');
              await pool.query('SELECT id FROM item');
            })(),
            pool.query('INSERT INTO note (text) SELECT CONCAT(?, SLEEP(0.2))', [text]),
          ]);
          const connection = await pool.getConnection();
          const read = `SELECT /* ${tags[0]} */ text FROM note WHERE text LIKE ?`;
          const find = () => connection.query(read, [`${text}%`]);
          expect(await readWhile(where, goOn, find)).toEqual([{ text: `${text}0` }]);
          await connection.query(`SELECT /* ${tags[1]} */ GET_LOCK('beside', 1)`);
          await connection.query(`START TRANSACTION /* ${tags[2]} */`);
          await connection.rollback();
          connection.release();
        }),
      );
      const ran = await Promise.all(tags.map((tag) => cluster.whoRan(tag)));
      expect(ran.map((each) => each.map(({ server }) => server))).toEqual([
        [serverOf[where]],
        ['primary'],
        ['primary'],
      ]);
    });

    it('what was written although a statement that began before it ends after it', async () => {
      const pool = open(10, waitOf[where]).promise();
      const text = `fast ${waitOf[where]}`;
      const tag = `beside-4-${waitOf[where]}`;
      await pool.query('SELECT id FROM item');
      await withStoppedReplica((goOn) =>
        withSession(async () => {
          await Promise.all([
            pool.query(
              'WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 900) SELECT COUNT(*) FROM c a, c b',
            ),
            pool.query('INSERT INTO note (text) VALUES (?)', [text]),
          ]);
          const find = () =>
            pool.query(`SELECT /* ${tag} */ text FROM note WHERE text = ?`, [text]);
          expect(await readWhile(where, goOn, find)).toEqual([{ text }]);
        }),
      );
      const ran = await cluster.whoRan(tag);
      expect(ran.map(({ server }) => server)).toEqual([serverOf[where]]);
    });
  });

  it('never sends what was cancelled while it waited for the session', async () => {
    const pool = open().promise();
    await withSession(async () => {
      await pool.query('SET @a = 1');
      const [a, b] = [await pool.getConnection(), await pool.getConnection()];
      const slow = a.query('SELECT SLEEP(0.3), @a');
      const waiting = b.query("INSERT INTO note (text) VALUES ('cancelled')");
      const refused = expect(waiting).rejects.toMatchObject({ code: 'RWSPLIT_CANCELLED' });
      await (b.connection as unknown as { cancel(): Promise<void> }).cancel();
      await refused;
      await slow;
      a.release();
      b.release();
    });
    expect(
      await cluster.primary.query("SELECT COUNT(*) AS n FROM app.note WHERE text = 'cancelled'"),
    ).toEqual([{ n: 0 }]);
  });

  it("ends a transaction that was left open on a reserved connection with the connection's release", async () => {
    const pool = open().promise();
    await withSession(async () => {
      const connection = await pool.getConnection();
      await connection.beginTransaction();
      connection.release();
      await pool.query("INSERT INTO note (text) VALUES ('kept')");
    });
    expect(
      await cluster.primary.query("SELECT COUNT(*) AS n FROM app.note WHERE text = 'kept'"),
    ).toEqual([{ n: 1 }]);
  });

  /** Inserts an id of its own, and asks: the server says what it generated for somebody else. */
  async function askAfterGivenId(id: number): Promise<unknown> {
    const pool = core.promise();
    return withSession(async () => {
      await pool.query('INSERT INTO note (id, text) VALUES (?, ?)', [id, `given ${id}`]);
      return pool.query('SELECT LAST_INSERT_ID() AS id').then(
        ([rows]) => rows,
        (error: { code: string }) => error.code,
      );
    });
  }

  it('tells nobody the id of an INSERT that failed at its second row', async () => {
    const pool = open(1).promise();
    await withSession(async () => {
      const insert = pool.query("INSERT INTO note (id, text) VALUES (NULL, 'a'), (1, 'dup')");
      await expect(insert).rejects.toMatchObject({ errno: 1062 });
    });
    expect(await askAfterGivenId(2_000_000)).toBe('RWSPLIT_FOLLOW_UP_LOST');
  });

  it.runIf(flavor === 'mariadb')('nor that of an overlapped INSERT … RETURNING', async () => {
    const pool = open(1).promise();
    await withSession(() =>
      Promise.all([
        pool.query("INSERT INTO note (text) VALUES ('returned') RETURNING id"),
        pool.query('SELECT id FROM item'),
      ]),
    );
    expect(await askAfterGivenId(3_000_000)).toBe('RWSPLIT_FOLLOW_UP_LOST');
  });

  it("nor that of another user of the user's own pool", async () => {
    const raw = mysql.createPool({
      ...cluster.connectionOptions(cluster.primary),
      connectionLimit: 1,
    });
    core = createReplicatedPool({ primary: raw, replicas: [] });
    await core.promise().query('DO 1');
    await raw.promise().query("INSERT INTO note (text) VALUES ('theirs')");
    expect(await askAfterGivenId(4_000_000)).toBe('RWSPLIT_FOLLOW_UP_LOST');
  });

  it('answers no other question for the one that it asked itself', async () => {
    const pool = open(1).promise();
    await pool.query("INSERT INTO note (text) VALUES ('before')");
    const connection = await pool.getConnection();
    await connection.query('SELECT id FROM item FOR UPDATE');
    const dup = connection.query("INSERT INTO note (id, text) VALUES (1, 'dup')");
    await expect(dup).rejects.toMatchObject({ errno: 1062 });
    // It asks the server first what LAST_INSERT_ID() says, which is a query with one row.
    await connection.query('SET @n = LAST_INSERT_ID()').catch(() => {});
    await expect(connection.query('SELECT FOUND_ROWS() AS n')).rejects.toMatchObject({
      code: 'RWSPLIT_FOLLOW_UP_LOST',
    });
    connection.release();
  });
});
