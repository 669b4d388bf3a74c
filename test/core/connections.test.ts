import {
  createReplicatedPool,
  type RawConnection,
  type ReplicatedConnection,
  type ReplicatedPool,
  type ReplicatedPoolOptions,
} from '@rwsplit/core';
import mysql from 'mysql2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';

/** What a connection in mysql2's shape owes its users, beyond routing. */
describe.each(flavors)('%s', (flavor) => {
  let cluster: OwnedCluster;
  let core: ReplicatedPool;

  beforeAll(async () => {
    // A cluster of its own: the fence is to be met without the read-only option of the servers.
    cluster = await startCluster({ flavor });
    await cluster.primary.query('CREATE TABLE app.item (id INT PRIMARY KEY)');
    await cluster.primary.query('CREATE TABLE app.log (id INT PRIMARY KEY AUTO_INCREMENT)');
    await cluster.primary.query('INSERT INTO app.item VALUES (1), (2)');
    await cluster.primary.query(
      'CREATE FUNCTION app.note() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO app.log VALUES (NULL); RETURN 7; END',
    );
    await cluster.waitUntilReplicated();
    for (const replica of cluster.replicas) {
      await replica.query('SET GLOBAL read_only = OFF');
    }
  });
  afterAll(() => cluster.stop());
  afterEach(async () => {
    await core.promise().end();
  });

  function open(change: Partial<ReplicatedPoolOptions> = {}): ReplicatedPool {
    core = createReplicatedPool({
      primary: cluster.connectionOptions(cluster.primary),
      replicas: cluster.replicas.map((server) => cluster.connectionOptions(server)),
      ...change,
    });
    return core;
  }

  function getConnection(): Promise<ReplicatedConnection> {
    return new Promise((resolve, reject) => {
      core.getConnection((error, connection) => (error ? reject(error) : resolve(connection)));
    });
  }

  it('runs a write that slipped through on the primary, once, and goes there at once the next time', async () => {
    // The user vouches for a function that writes: what the catalogue will catch one day.
    open({ pureFunctions: ['note'] });
    const count = async () => cluster.primary.query('SELECT COUNT(*) AS n FROM app.log');
    const [{ n: before }] = (await count()) as [{ n: number }];
    const [first] = await core.promise().query('SELECT /* fence-1 */ note() AS n');
    expect(first).toEqual([{ n: 7 }]);
    expect(await count()).toEqual([{ n: before + 1 }]);
    const servers = (await cluster.whoRan('fence-1')).map(({ server }) => server);
    expect(servers).toEqual(['primary', expect.stringMatching(/^replica-/)]);
    await core.promise().query('SELECT /* fence-1 */ note() AS n');
    expect((await cluster.whoRan('fence-1')).map(({ server }) => server)).toEqual([
      'primary',
      'primary',
      expect.stringMatching(/^replica-/),
    ]);
    for (const replica of cluster.replicas) {
      await cluster.waitUntilReplicated();
      expect(await replica.query('SELECT COUNT(*) AS n FROM app.log')).toEqual([{ n: before + 2 }]);
    }
  });

  it('keeps the fence up whatever the hook does', async () => {
    open({
      pureFunctions: ['note'],
      onCreateConnection: (connection, host) =>
        new Promise((resolve) => {
          expect(host.name).toMatch(/^127\.0\.0\.1:/);
          connection.query('SET SESSION TRANSACTION READ WRITE', () => resolve(undefined));
        }),
    });
    await core.promise().query('SELECT /* fence-2 */ note() AS n');
    expect((await cluster.whoRan('fence-2')).map(({ server }) => server)).toContain('primary');
  });

  it('runs the hook on every connection of every host, before its first statement', async () => {
    const seen: string[] = [];
    open({
      // It has a connection of its own for a moment.
      catalogueRefresh: false,
      onCreateConnection: async (connection, host) => {
        seen.push(host.role);
        await new Promise<void>((resolve, reject) => {
          connection.query("SET SESSION time_zone = '+03:00'", (error) =>
            error ? reject(error) : resolve(),
          );
        });
      },
    });
    const db = core.promise();
    const zones = await Promise.all(
      Array.from({ length: 8 }, () =>
        db.query('SELECT TIMESTAMPDIFF(HOUR, UTC_TIMESTAMP(), NOW()) AS z'),
      ),
    );
    expect(zones.map(([rows]) => rows)).toEqual(Array(8).fill([{ z: 3 }]));
    await db.query('UPDATE item SET id = id');
    expect(seen.filter((role) => role === 'replica')).toHaveLength(8);
    expect(seen.filter((role) => role === 'primary')).toHaveLength(1);
  });

  it('hands no open transaction to the next user of a connection', async () => {
    open({ primary: { ...cluster.connectionOptions(cluster.primary), connectionLimit: 1 } });
    const connection = await getConnection();
    await connection.promise().beginTransaction();
    await connection.promise().query('INSERT INTO item VALUES (50)');
    connection.release();
    const [rows] = await core
      .promise()
      .query({ sql: 'SELECT id FROM item WHERE id = 50', forcePrimary: true });
    expect(rows).toEqual([]);
  });

  it('gives an ordinary connection back as it is: no statement of our own, no new connection', async () => {
    // With room for more, what wrote last would wait a moment for a question of its own flow.
    open({ primary: { ...cluster.connectionOptions(cluster.primary), connectionLimit: 1 } });
    const db = core.promise();
    await db.query('UPDATE item SET id = id');
    const before = await cluster.primary.status('Connections');
    const mark = await cluster.primary.mark();
    for (let round = 0; round < 10; round++) {
      await db.query('UPDATE item SET id = id /* plain */');
    }
    const statements = await cluster.primary.statements({ since: mark });
    expect(statements.map(({ sql }) => sql)).toEqual(
      Array(10).fill('UPDATE item SET id = id /* plain */'),
    );
    expect(await cluster.primary.status('Connections')).toBe(before);
  });

  it('runs the statements of one connection in their order, each where it belongs', async () => {
    open();
    const connection = (await getConnection()).promise();
    const answers = await Promise.all([
      connection.query('SELECT COUNT(*) AS n FROM item'),
      connection.query('INSERT INTO item VALUES (60)'),
      connection.query('SELECT COUNT(*) AS n FROM item'),
      connection.query('DELETE FROM item WHERE id = 60'),
      connection.query('SELECT COUNT(*) AS n FROM item'),
    ]);
    expect([answers[0]?.[0], answers[2]?.[0], answers[4]?.[0]]).toEqual([
      [{ n: 2 }],
      [{ n: 3 }],
      [{ n: 2 }],
    ]);
    connection.release();
  });

  it('releases once: a second release frees nobody else’s connection', async () => {
    open({ primary: { ...cluster.connectionOptions(cluster.primary), connectionLimit: 1 } });
    const first = await getConnection();
    await first.promise().beginTransaction();
    await first.promise().rollback();
    first.release();
    const second = await getConnection();
    await second.promise().beginTransaction();
    first.release();
    core.releaseConnection(first);
    const third = await getConnection();
    let isThirdServed = false;
    const waiting = third
      .promise()
      .query('DELETE FROM item WHERE id = 99')
      .then(() => {
        isThirdServed = true;
      });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isThirdServed).toBe(false);
    await second.promise().rollback();
    second.release();
    await waiting;
    third.release();
    await expect(first.promise().query('SELECT 1')).rejects.toMatchObject({
      code: 'RWSPLIT_CONNECTION_RELEASED',
    });
  });

  it('gives a connection that comes after the timeout to somebody else', async () => {
    open({
      acquireTimeout: 500,
      primary: { ...cluster.connectionOptions(cluster.primary), connectionLimit: 1 },
    });
    const holder = await getConnection();
    await holder.promise().beginTransaction();
    await expect(core.promise().query('DELETE FROM item WHERE id = 99')).rejects.toMatchObject({
      code: 'RWSPLIT_ACQUIRE_TIMEOUT',
    });
    await holder.promise().rollback();
    holder.release();
    await core.promise().query('DELETE FROM item WHERE id = 99');
    expect(core.stats().hosts[0]).toMatchObject({ outstanding: 0, isUp: true });
  });

  it('destroys: the running and the waiting statements end, and the pool goes on', async () => {
    open();
    const connection = await getConnection();
    const running = connection.promise().query('SELECT SLEEP(5)');
    const waiting = connection.promise().query('SELECT 1');
    setTimeout(() => connection.destroy(), 50);
    await expect(waiting).rejects.toMatchObject({ code: 'RWSPLIT_CONNECTION_DESTROYED' });
    await expect(running).rejects.toMatchObject({ code: 'RWSPLIT_CONNECTION_DESTROYED' });
    await core.promise().query('UPDATE item SET id = id');
    expect(core.stats().hosts.map(({ outstanding }) => outstanding)).toEqual([0, 0, 0]);
  });

  it('routes prepared statements as it does text', async () => {
    open();
    const db = core.promise();
    const [read] = await db.execute('SELECT /* prepared-1 */ id FROM item WHERE id = ?', [1]);
    await db.execute('UPDATE /* prepared-2 */ item SET id = id WHERE id = ?', [1]);
    await db.execute('SELECT /* prepared-3 */ id FROM item WHERE id = ? FOR UPDATE', [1]);
    expect(read).toEqual([{ id: 1 }]);
    const who = async (tag: string) => (await cluster.whoRan(tag)).map(({ server }) => server);
    expect(await who('prepared-1')).toEqual([expect.stringMatching(/^replica-/)]);
    expect(await who('prepared-2')).toEqual(['primary']);
    expect(await who('prepared-3')).toEqual(['primary']);
    const connection = await db.getConnection();
    await connection.beginTransaction();
    await connection.execute('SELECT /* prepared-4 */ id FROM item WHERE id = ?', [1]);
    await connection.rollback();
    connection.release();
    expect(await who('prepared-4')).toEqual(['primary']);
  });

  it('cancels a statement on the host that runs it', async () => {
    open();
    const connection = await getConnection();
    const slow =
      'WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 900) ' +
      'SELECT /* cancel-me */ COUNT(*) AS n FROM c a, c b, c d, c e';
    const running = connection.promise().query(slow);
    const outcome = running.then(
      () => 'done',
      (error: { code?: string }) => error.code,
    );
    await expect.poll(() => connection.host?.role).toBe('replica');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await connection.cancel();
    expect(await outcome).toBe('ER_QUERY_INTERRUPTED');
    const [rows] = await connection.promise().query('SELECT COUNT(*) AS n FROM item');
    expect(rows).toEqual([{ n: 2 }]);
    connection.release();
  });

  it('answers ping, connect, prepare, changeUser and reset as mysql2 does', async () => {
    open();
    const connection = (await getConnection()).promise();
    expect(await connection.ping()).toBe(true);
    await connection.connect();
    const statement = await connection.prepare('SELECT ? + 1 AS n');
    expect((await statement.execute([1]))[0]).toEqual([{ n: 2 }]);
    await statement.close();
    await connection.changeUser({
      user: cluster.user,
      password: cluster.password,
      database: 'app',
    });
    expect((await connection.query('SELECT COUNT(*) AS n FROM item'))[0]).toEqual([{ n: 2 }]);
    await connection.reset();
    expect((await connection.query('SELECT COUNT(*) AS n FROM item'))[0]).toEqual([{ n: 2 }]);
    expect(connection.format('SELECT ?', ['a'])).toBe("SELECT 'a'");
    connection.release();
  });

  it('streams no faster than its reader, and reads a stream to its end for one that leaves', async () => {
    open({
      replicas: cluster.replicas
        .slice(0, 1)
        .map((server) => ({ ...cluster.connectionOptions(server), connectionLimit: 1 })),
    });
    const rows = 900;
    const sql = `WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ${rows}) SELECT n, REPEAT('x', 4000) AS x FROM c`;
    const connection = await getConnection();
    const stream = connection.query(sql).stream({ highWaterMark: 2 });
    let seen = 0;
    let most = 0;
    for await (const _ of stream) {
      seen += 1;
      most = Math.max(most, stream.readableLength);
    }
    expect(seen).toBe(rows);
    // What came with one packet of the network is there at once; the rest has to wait.
    expect(most).toBeLessThan(rows / 2);
    for await (const _ of connection.query(sql).stream()) {
      break;
    }
    connection.release();
    const [after] = await core.promise().query('SELECT COUNT(*) AS n FROM item');
    expect(after).toEqual([{ n: 2 }]);
    expect(core.stats().hosts.map(({ outstanding }) => outstanding)).toEqual([0, 0]);
  });

  it('loses no connection and mixes no answers in hundreds of sessions with errors everywhere', async () => {
    open({
      primary: { ...cluster.connectionOptions(cluster.primary), connectionLimit: 4 },
      replicas: cluster.replicas.map((server) => ({
        ...cluster.connectionOptions(server),
        connectionLimit: 3,
      })),
    });
    const session = async (number: number) => {
      const connection = (await getConnection()).promise();
      try {
        const [rows] = await connection.query('SELECT ? AS n', [number]);
        expect(rows).toEqual([{ n: number }]);
        switch (number % 5) {
          case 0:
            await connection.query('SELECT * FROM no_such_table').catch(() => {});
            break;
          case 1:
            await connection.beginTransaction();
            await connection.query('INSERT INTO item VALUES (?)', [1000 + number]);
            await connection.rollback();
            break;
          case 2:
            await connection.beginTransaction();
            await connection.query('INSERT INTO item VALUES (1)').catch(() => {});
            break;
          case 3:
            await connection.query('SET @number = ?', [number]);
            expect((await connection.query('SELECT @number AS n'))[0]).toEqual([{ n: number }]);
            break;
          default:
            await connection.query('SELECT 1 FROM item WHERE nonsense').catch(() => {});
        }
        expect((await connection.query('SELECT ? AS n', [-number]))[0]).toEqual([{ n: -number }]);
      } finally {
        connection.release();
      }
    };
    await Promise.all(Array.from({ length: 400 }, (_, index) => session(index + 1)));
    expect(core.stats().hosts.map(({ outstanding }) => outstanding)).toEqual([0, 0, 0]);
    expect((await core.promise().query('SELECT COUNT(*) AS n FROM item'))[0]).toEqual([{ n: 2 }]);
    const [transactions] = (await cluster.primary.query(
      'SELECT COUNT(*) AS n FROM information_schema.INNODB_TRX',
    )) as [{ n: number }];
    expect(transactions).toEqual({ n: 0 });
  }, 60_000);

  it('sends code in bound values to the primary', async () => {
    open();
    await core.promise().query('SELECT ? /* bound-1 */ AS n', [mysql.raw('CONNECTION_ID()')]);
    expect((await cluster.whoRan('bound-1')).map(({ server }) => server)).toEqual(['primary']);
  });

  it('writes and fences through one pool that is a primary here and a replica there', async () => {
    const pool = mysql.createPool({
      ...cluster.connectionOptions(cluster.primary),
      connectionLimit: 1,
    });
    open({
      primary: cluster.connectionOptions(cluster.primary),
      replicas: [pool],
      pureFunctions: ['note'],
    });
    const other = createReplicatedPool({ primary: pool });
    await core.promise().query('SELECT id FROM item');
    await other.promise().query('DELETE FROM item WHERE id = 99');
    // Refused by the fence, which is up again, and run on the primary.
    const [rows] = await core.promise().query('SELECT note() AS n');
    expect(rows).toEqual([{ n: 7 }]);
  });

  it('tells of new connections as a mysql2 pool does, so that they can be set up there', async () => {
    open();
    core.on('connection', (connection: RawConnection) => {
      connection.query('SET SESSION max_sort_length = 99');
    });
    const db = core.promise();
    await db.query('SELECT id FROM item');
    const [rows] = await db.query('SELECT @@max_sort_length AS length');
    expect(rows).toEqual([{ length: 99 }]);
  });

  it('takes pools that exist', async () => {
    const pools = cluster.all.map((server) => mysql.createPool(cluster.connectionOptions(server)));
    const [primary, ...replicas] = pools;
    if (primary === undefined) throw new Error('no primary');
    open({ primary, replicas });
    await core.promise().query('SELECT /* existing-1 */ id FROM item');
    expect((await cluster.whoRan('existing-1')).map(({ server }) => server)).toEqual([
      expect.stringMatching(/^replica-/),
    ]);
  });
});
