import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import {
  channels,
  createReplicatedPool,
  type ReplicatedConnection,
  type ReplicatedPool,
  type ReplicatedPoolOptions,
  type StatementEvent,
} from '@rwsplit/core';
import mysql from 'mysql2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** What goes wrong where nobody looks: found by trying to break it, one test each. */
describe.each(flavors)('%s', (flavor) => {
  let cluster: OwnedCluster;
  let core: ReplicatedPool;

  beforeAll(async () => {
    cluster = await startCluster({ flavor });
    await cluster.primary.query('CREATE TABLE app.item (id INT PRIMARY KEY, n INT)');
    await cluster.primary.query(
      'CREATE TABLE app.note (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(20))',
    );
    await cluster.primary.query('INSERT INTO app.item VALUES (1, 0), (2, 0)');
    await cluster.waitUntilReplicated();
  });
  afterAll(() => cluster.stop());
  afterEach(async () => {
    await core.promise().end();
  });

  function open(change: Partial<ReplicatedPoolOptions> = {}): ReplicatedPool {
    core = createReplicatedPool({
      primary: cluster.connectionOptions(cluster.primary),
      replicas: cluster.replicas.map((server) => cluster.connectionOptions(server)),
      // A replica that has not caught up yet must not change where things run.
      causalWait: 10_000,
      ...change,
    });
    return core;
  }

  function oneConnectionEach(): Partial<ReplicatedPoolOptions> {
    const [primary, ...replicas] = cluster.all.map((server) => ({
      ...cluster.connectionOptions(server),
      connectionLimit: 1,
    }));
    if (primary === undefined) throw new Error('no primary');
    return { primary, replicas: replicas.slice(0, 1) };
  }

  function getConnection(): Promise<ReplicatedConnection> {
    return new Promise((resolve, reject) => {
      core.getConnection((error, connection) => (error ? reject(error) : resolve(connection)));
    });
  }

  async function kill(connection: ReplicatedConnection): Promise<void> {
    const server = cluster.all.find(({ port }) => connection.host?.name.endsWith(`:${port}`));
    await server?.query(`KILL ${connection.threadId}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  async function firstRow(sql: string, values?: unknown[]): Promise<unknown> {
    const [rows] = await core.promise().query(sql, values);
    return Array.isArray(rows) ? rows[0] : rows;
  }

  it('does not revive a lost transaction, also after a statement that could not be sent', async () => {
    open();
    const connection = await getConnection();
    const failed = new Promise((resolve) => {
      connection.execute('UPDATE item SET n = ? WHERE id = 1', [undefined]).on('error', resolve);
    });
    await failed;
    const c = connection.promise();
    await c.beginTransaction();
    await c.query('INSERT INTO item VALUES (1001, 0)');
    await kill(connection);
    await expect(c.query('INSERT INTO item VALUES (1002, 0)')).rejects.toThrow();
    await expect(c.query('INSERT INTO item VALUES (1003, 0)')).rejects.toMatchObject({
      code: 'RWSPLIT_SESSION_LOST',
    });
    await expect(c.ping()).rejects.toMatchObject({ code: 'RWSPLIT_SESSION_LOST' });
    await expect(c.commit()).rejects.toMatchObject({ code: 'RWSPLIT_SESSION_LOST' });
    connection.release();
    expect(await firstRow('SELECT COUNT(*) AS n FROM item WHERE id > 1000')).toEqual({ n: 0 });
  });

  it('leaves no listener on a connection whose statement could not be sent', async () => {
    open(oneConnectionEach());
    let raw: { listenerCount(event: string): number } | undefined;
    core.on('connection', (connection) => {
      raw = connection;
    });
    const fail = () =>
      new Promise((resolve) => {
        core.execute('DELETE FROM item WHERE id = ?', [undefined]).on('error', resolve);
      });
    await fail();
    const before = raw?.listenerCount('error');
    await fail();
    await fail();
    expect(raw?.listenerCount('error')).toBe(before);
  });

  it.each(['SELECT 1', 'DO 1', 'SHOW WARNINGS'])(
    'hands a pending SET TRANSACTION to nobody, also after %s',
    async (between) => {
      open(oneConnectionEach());
      const connection = await getConnection();
      await connection.promise().query('SET TRANSACTION READ ONLY');
      await connection
        .promise()
        .query(between)
        .catch((error: { code: string }) => {
          // MariaDB keeps the warnings of before behind statements that touch no table.
          expect([flavor, error.code]).toEqual(['mariadb', 'RWSPLIT_FOLLOW_UP_LOST']);
        });
      connection.release();
      await core.promise().query('UPDATE item SET n = n WHERE id = 1');
    },
  );

  it('reads elsewhere when a replica is full, and when one hangs with all requests waiting', async () => {
    const [first, second] = cluster.replicas;
    open({ acquireTimeout: 500 });
    await first?.hang();
    try {
      const reads = Array.from({ length: 40 }, () => firstRow('SELECT COUNT(*) AS n FROM item'));
      expect(await Promise.all(reads)).toEqual(Array(40).fill({ n: 2 }));
    } finally {
      await first?.resume();
    }
    await core.promise().end();
    open({ ...oneConnectionEach(), acquireTimeout: 300 });
    const slow = core
      .promise()
      .query(
        'WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 900) SELECT COUNT(*) FROM c a, c b, c d',
      );
    slow.catch(() => {});
    expect(await firstRow('SELECT COUNT(*) AS n FROM item')).toEqual({ n: 2 });
    expect(core.stats().hosts.map(({ isUp }) => isUp)).toEqual([true, true]);
    expect(second?.isRunning).toBe(true);
    for (const server of cluster.all) {
      const list = (await server.query('SHOW PROCESSLIST')) as {
        Id: number;
        Info: string | null;
      }[];
      for (const { Id } of list.filter(({ Info }) => Info?.startsWith('WITH RECURSIVE'))) {
        await server.query(`KILL QUERY ${Id}`);
      }
    }
    await slow.catch(() => {});
  });

  it('reads its own writes, and answers for nobody else, after the connection that wrote broke', async () => {
    open();
    const connection = await getConnection();
    const c = connection.promise();
    await c.query("INSERT INTO note (text) VALUES ('mine')");
    await kill(connection);
    await c.query('SELECT COUNT(*) FROM note').catch(() => {});
    await c.query('SELECT /* after-loss-1 */ COUNT(*) FROM note');
    expect((await cluster.whoRan('after-loss-1')).at(-1)?.server).toBe('primary');
    await core.promise().query("INSERT INTO note (text) VALUES ('theirs')");
    await expect(c.query('SELECT LAST_INSERT_ID() AS id')).rejects.toMatchObject({
      code: 'RWSPLIT_FOLLOW_UP_LOST',
    });
    const [{ insertId }] = (await c.query(
      "INSERT INTO note (text) VALUES ('again')",
    )) as unknown as [{ insertId: number }];
    expect((await c.query('SELECT LAST_INSERT_ID() AS id'))[0]).toEqual([{ id: insertId }]);
    connection.release();
  });

  it('sets connections up again that mysql2 resets', async () => {
    const { primary, replicas } = oneConnectionEach() as {
      primary: mysql.PoolOptions;
      replicas: mysql.PoolOptions[];
    };
    open({
      primary: { ...primary, resetOnRelease: true },
      replicas: replicas.map((replica) => ({ ...replica, resetOnRelease: true })),
      onCreateConnection: (connection) =>
        new Promise((resolve) => {
          connection.query("SET time_zone = '+05:00'", resolve);
        }),
    });
    const sql = 'SELECT TIMESTAMPDIFF(HOUR, UTC_TIMESTAMP(), NOW()) AS zone';
    expect([await firstRow(sql), await firstRow(sql)]).toEqual([{ zone: 5 }, { zone: 5 }]);
    // With its fence up again, a replica would refuse this; it is sent to the primary anyway.
    await core.promise().query('UPDATE item SET n = n WHERE id = 1');
  });

  it('takes code in bound values for what it is', async () => {
    open(oneConnectionEach());
    await firstRow('SELECT ? AS lock_', [mysql.raw("GET_LOCK('hardening', 0)")]);
    // The server notices a closed connection a little later.
    await expect
      .poll(() => cluster.primary.query("SELECT IS_FREE_LOCK('hardening') AS free"))
      .toEqual([{ free: 1 }]);
    await firstRow('UPDATE item SET n = ? WHERE id = 1', [mysql.raw('(@leak := 0)')]);
    expect(await firstRow('SELECT @leak AS leak')).toEqual({ leak: null });
    const before = await cluster.primary.status('Connections');
    await firstRow('UPDATE item SET n = ? WHERE id = 1', [mysql.raw('ABS(0)')]);
    await firstRow('UPDATE item SET n = ? WHERE id = 1', [mysql.raw('ABS(0)')]);
    // The one of the variable above was closed; code that is harmless closes none.
    expect((await cluster.primary.status('Connections')) - before).toBeLessThanOrEqual(1);
  });

  it('takes statement objects whose text is a getter', async () => {
    open();
    class Template {
      readonly values = [7];
      get sql(): string {
        return 'SELECT ? AS a';
      }
    }
    expect((await core.promise().query(new Template()))[0]).toEqual([{ a: 7 }]);
    expect((await core.promise().execute(new Template()))[0]).toEqual([{ a: 7 }]);
  });

  it('looks at names that are bound', async () => {
    open({ primaryTables: ['item'] });
    await firstRow('SELECT /* names-1 */ COUNT(*) FROM ??', ['item']);
    await firstRow('SELECT /* names-1 */ COUNT(*) FROM ??', ['information_schema.tables']);
    expect((await cluster.whoRan('names-1')).map(({ server }) => server)).toEqual([
      'primary',
      'primary',
    ]);
    await firstRow('SELECT /* names-2 */ COUNT(*) FROM ??', ['note']);
    expect((await cluster.whoRan('names-2')).map(({ server }) => server)).toEqual([
      expect.stringMatching(/^replica/),
    ]);
  });

  it('holds nothing against a host whose connection was killed', async () => {
    open();
    const connection = await getConnection();
    await connection.promise().query('SELECT COUNT(*) FROM item');
    await kill(connection);
    expect((await connection.promise().query('SELECT COUNT(*) AS n FROM item'))[0]).toEqual([
      { n: 2 },
    ]);
    expect(connection.host?.role).toBe('replica');
    connection.release();
    expect(core.stats().hosts.every(({ isUp }) => isUp)).toBe(true);
  });

  it('gives back no connection that COMMIT RELEASE closes', async () => {
    open(oneConnectionEach());
    for (let round = 0; round < 5; round++) {
      const connection = await getConnection();
      await connection.promise().beginTransaction();
      await connection.promise().query('COMMIT RELEASE');
      connection.release();
      await core.promise().query('UPDATE item SET n = n WHERE id = 1');
    }
    expect(core.stats().hosts[0]?.isUp).toBe(true);
  });

  it('ends a statement with a timeout in time, with events as with a callback', async () => {
    open();
    const error = await new Promise((resolve) => {
      core.query({ sql: 'SELECT SLEEP(5)', timeout: 100 }).on('error', resolve);
    });
    expect(error).toMatchObject({ code: 'PROTOCOL_SEQUENCE_TIMEOUT' });
    // The server is still at it: nobody waited for its answer.
    const running = (await cluster.primary.query('SHOW PROCESSLIST')) as { Info: string | null }[];
    expect(running.map(({ Info }) => Info)).toContain('SELECT SLEEP(5)');
    expect(await firstRow('SELECT COUNT(*) AS n FROM item')).toEqual({ n: 2 });
  });

  it('shows no bound value in events or on what it returns', async () => {
    open();
    const events: StatementEvent[] = [];
    const note = (event: unknown) => events.push(event as StatementEvent);
    subscribe(channels.statement, note);
    const insert = (value: string) =>
      new Promise((resolve) => {
        const statement = core.query('INSERT INTO item VALUES (?, ?)', [1, value], resolve);
        expect(inspect(statement, { depth: null, showHidden: true })).not.toContain(value);
      });
    await insert('s3cret-value');
    unsubscribe(channels.statement, note);
    expect(events).toHaveLength(1);
    expect(events[0]?.error).toMatch(/^ER_/);
    expect(inspect(events, { depth: null })).not.toContain('s3cret-value');
  });

  it('reads the present on a replica, also where the set-up turns autocommit off', async () => {
    open({
      ...oneConnectionEach(),
      onCreateConnection: (connection) =>
        new Promise((resolve) => {
          connection.query('SET autocommit = 0', resolve);
        }),
    });
    const sql = 'SELECT COUNT(*) AS n FROM note';
    const { n } = (await firstRow(sql)) as { n: number };
    await cluster.primary.query("INSERT INTO app.note (text) VALUES ('new')");
    await cluster.waitUntilReplicated();
    expect(await firstRow(sql)).toEqual({ n: n + 1 });
  });

  /** Runs something whose caller throws, and gives what surfaced. */
  async function surfacing(act: () => Promise<void>): Promise<unknown[]> {
    const thrown: unknown[] = [];
    const note = (error: unknown) => thrown.push(error);
    const others = process.rawListeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', note);
    await act();
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.off('uncaughtException', note);
    for (const listener of others) {
      process.on('uncaughtException', listener as () => void);
    }
    return thrown;
  }

  async function rowsOf(stream: AsyncIterable<unknown>): Promise<unknown[]> {
    const rows: unknown[] = [];
    for await (const row of stream) {
      rows.push(row);
    }
    return rows;
  }

  it('ends a stream on a held connection that died, and goes on', async () => {
    open();
    const connection = await getConnection();
    const c = connection.promise();
    await c.query('SELECT COUNT(*) FROM item');
    await kill(connection);
    expect(await rowsOf(connection.query('SELECT id FROM item ORDER BY id').stream())).toEqual([
      { id: 1 },
      { id: 2 },
    ]);
    await c.beginTransaction();
    await kill(connection);
    await expect(rowsOf(connection.query('SELECT id FROM item').stream())).rejects.toThrow();
    await expect(c.query('INSERT INTO item VALUES (70, 0)')).rejects.toMatchObject({
      code: 'RWSPLIT_SESSION_LOST',
    });
    await c.rollback();
    await c.beginTransaction();
    await kill(connection);
    await new Promise((resolve) => {
      connection.execute('INSERT INTO item VALUES (71, 0)').on('error', resolve);
    });
    await expect(c.query('INSERT INTO item VALUES (72, 0)')).rejects.toMatchObject({
      code: 'RWSPLIT_SESSION_LOST',
    });
    connection.release();
    expect(core.stats().hosts.map(({ outstanding }) => outstanding)).toEqual([0, 0, 0]);
  });

  it('loses no state to a caller that throws', async () => {
    open();
    const connection = await getConnection();
    const failure = new Error('of the caller');
    const thrown = await surfacing(async () => {
      await connection.promise().beginTransaction();
      await kill(connection);
      await new Promise<void>((resolve) => {
        try {
          connection.query('INSERT INTO item VALUES (80, 0)', () => {
            resolve();
            throw failure;
          });
        } catch (error) {
          expect(error).toBe(failure);
        }
      });
    });
    expect(thrown.every((error) => error === failure)).toBe(true);
    await expect(
      connection.promise().query('INSERT INTO item VALUES (81, 0)'),
    ).rejects.toMatchObject({
      code: 'RWSPLIT_SESSION_LOST',
    });
    connection.release();
    const other = await getConnection();
    await other.promise().query('DO 1');
    const outstanding = () => core.stats().hosts[0]?.outstanding;
    await surfacing(async () => {
      const slow = other.promise().query('SELECT SLEEP(0.1)');
      other.connect(() => {
        throw failure;
      });
      const next = other.promise().query('SELECT SLEEP(0.5)');
      other.release();
      await slow;
      await new Promise((resolve) => setTimeout(resolve, 50));
      // It runs: its connection is nobody else's yet.
      expect(outstanding()).toBe(1);
      await next;
    });
    expect(outstanding()).toBe(0);
  });

  it('reads on after a stream that nobody reads has timed out', async () => {
    open();
    const connection = await getConnection();
    await connection.promise().beginTransaction();
    const stream = connection
      .query({
        sql: "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 900) SELECT n, REPEAT('x', 20000) AS x FROM c",
        timeout: 200,
      })
      .stream({ highWaterMark: 1 });
    expect(await new Promise((resolve) => stream.on('error', resolve))).toMatchObject({
      code: 'PROTOCOL_SEQUENCE_TIMEOUT',
    });
    await connection.promise().rollback();
    connection.release();
  });

  it('knows after the ROLLBACK of a lost transaction what the session wrote before it', async () => {
    open();
    const connection = await getConnection();
    const c = connection.promise();
    await c.query("INSERT INTO note (text) VALUES ('before')");
    await c.beginTransaction();
    await kill(connection);
    await c.query('SELECT 1').catch(() => {});
    await c.rollback();
    await c.query('SELECT /* after-loss-2 */ COUNT(*) FROM note');
    expect((await cluster.whoRan('after-loss-2')).map(({ server }) => server)).toEqual(['primary']);
    await expect(c.query('SELECT LAST_INSERT_ID()')).rejects.toMatchObject({
      code: 'RWSPLIT_FOLLOW_UP_LOST',
    });
    await c.query('SELECT SQL_CALC_FOUND_ROWS id FROM item LIMIT 1');
    expect((await c.query('SELECT FOUND_ROWS() AS n'))[0]).toEqual([{ n: 2 }]);
    connection.release();
  });

  it('survives values that throw when they are looked at', async () => {
    open();
    const connection = await getConnection();
    const trap = {
      get a(): never {
        throw new Error('do not look');
      },
    };
    const c = connection.promise();
    const first = c.query('SELECT COUNT(*) AS n FROM item');
    // What mysql2 makes of them is its own affair; the session goes on.
    await c.query('SELECT ? AS a', [trap]).catch(() => {});
    await first;
    expect((await c.query('SELECT COUNT(*) AS n FROM item'))[0]).toEqual([{ n: 2 }]);
    connection.release();
    expect(core.stats().hosts.map(({ outstanding }) => outstanding)).toEqual([0, 0, 0]);
  });

  it('takes a replica back whose set-up once got no answer', async () => {
    const [replica] = cluster.replicas;
    if (replica === undefined) throw new Error('no replica');
    using proxy = await TcpProxy.start({ host: replica.host, port: replica.port });
    let isFirst = true;
    open({
      acquireTimeout: 300,
      replicas: [
        {
          ...cluster.connectionOptions(replica),
          host: proxy.host,
          port: proxy.port,
          connectionLimit: 1,
        },
      ],
      onCreateConnection: (_connection, host) => {
        if (host.role === 'replica' && isFirst) {
          isFirst = false;
          proxy.drop('down');
        }
      },
    });
    expect(await firstRow('SELECT COUNT(*) AS n FROM item')).toEqual({ n: 2 });
    // It is asked whether it is there, and it is.
    await expect.poll(() => core.stats().hosts[1]?.state).toBe('up');
    await expect
      .poll(
        async () => {
          await firstRow('SELECT /* set-up-1 */ COUNT(*) AS n FROM item');
          return (await cluster.whoRan('set-up-1')).map(({ server }) => server);
        },
        { timeout: 10_000 },
      )
      .toContain('replica-1');
  });

  it('keeps the fence of a connection that came too late, with resetOnRelease', async () => {
    open({
      acquireTimeout: 400,
      primary: { ...cluster.connectionOptions(cluster.primary) },
      replicas: cluster.replicas.slice(0, 1).map((server) => ({
        ...cluster.connectionOptions(server),
        connectionLimit: 1,
        resetOnRelease: true,
      })),
    });
    const holder = await getConnection();
    await holder.promise().query('SELECT COUNT(*) FROM item');
    expect(await firstRow('SELECT COUNT(*) AS n FROM item')).toEqual({ n: 2 });
    const mark = await cluster.replicas[0]?.mark();
    holder.release();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await firstRow('SELECT /* late-1 */ COUNT(*) FROM item');
    const sent = await cluster.replicas[0]?.statements(mark === undefined ? {} : { since: mark });
    expect(sent?.map(({ sql }) => sql)).toEqual(
      expect.arrayContaining(['SET SESSION TRANSACTION READ ONLY']),
    );
  });

  it('knows a bound name that stands alone', async () => {
    open();
    await core
      .promise()
      .query('SELECT /* names-3 */ COUNT(*) FROM ??', 'knex_migrations')
      .catch(() => {});
    expect((await cluster.whoRan('names-3')).map(({ server }) => server)).toEqual(['primary']);
  });
});
