import { setTimeout as sleep } from 'node:timers/promises';
import {
  createReplicatedPool,
  type RawConnection,
  type ReplicatedPool,
  type ReplicatedPoolOptions,
  withSession,
} from '@rwsplit/core';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import { ReplicatedMysqlDialect, type ReplicatedMysqlDialectOptions } from '@rwsplit/kysely';
import knexFactory, { type Knex } from 'knex';
import { CompiledQuery, Kysely, sql } from 'kysely';
import { createConnection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../../support/servers/start-cluster.ts';
import {
  type Command,
  commandHistory,
  commandsSince,
  counters,
  growth,
  type Moment,
  momentOf,
} from './commands.ts';
import type { Tables } from './kysely-sessions.ts';
import { connectionIds } from './leftovers.ts';

const zone = "SET SESSION time_zone = '+03:00'";

describe.each(flavors)('%s', (flavor) => {
  let cluster: OwnedCluster;
  let moments: readonly Moment[];
  const opened: { end(): Promise<unknown> }[] = [];

  const greeting = [
    'SELECT VERSION(), @@GLOBAL.init_connect, @@SESSION.character_set_client, @@SESSION.character_set_results, @@SESSION.collation_connection, @@SESSION.sql_mode',
    'SELECT CURRENT_ROLE()',
  ];
  /** Whether and whose GTIDs the first connection to the primary can tell of. */
  const askForGtids =
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('aurora_version', 'gtid_domain_id', 'gtid_mode', 'log_bin')";
  const setUpOfPrimary = [
    `SET SESSION session_track_state_change = 1, ${
      flavor === 'mysql'
        ? "session_track_gtids = 'OWN_GTID'"
        : "session_track_system_variables = IF(@@SESSION.session_track_system_variables = '*', '*', " +
          "CONCAT_WS(',', NULLIF(@@SESSION.session_track_system_variables, ''), 'last_gtid'))"
    }`,
  ];
  /** The same around a hook: what it writes is told of, and what it has set up does not stop that. */
  const setUpAround = (hook: readonly string[]) => [...setUpOfPrimary, ...hook, ...setUpOfPrimary];
  const setUpOfReplica = ['SET SESSION autocommit = 1', 'SET SESSION TRANSACTION READ ONLY'];
  /** What the login agreed on; a reset brings back something else. */
  const agreed =
    'SET character_set_client = utf8mb4, character_set_results = utf8mb4, collation_connection = utf8mb4_unicode_ci, ' +
    "sql_mode = CONCAT_WS(',', 'IGNORE_SPACE', NULLIF(@@SESSION.sql_mode, ''))";

  beforeAll(async () => {
    cluster = await startCluster({ flavor, replicas: 1, settings: commandHistory });
    const { primary } = cluster;
    await primary.query('CREATE DATABASE app_other');
    await primary.query('CREATE TABLE app.item (id INT PRIMARY KEY, n INT NOT NULL)');
    await primary.query(
      'CREATE TABLE app.note (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(20))',
    );
    await primary.query('INSERT INTO app.item VALUES (1, 0), (2, 0)');
    await cluster.waitUntilReplicated();
  });
  afterAll(() => cluster.stop());
  beforeEach(mark);
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.end()));
  });

  async function mark(): Promise<void> {
    moments = await Promise.all(cluster.all.map(momentOf));
  }

  /** All that was sent since the mark, by server; a number for each connection where there are several. */
  async function sent(): Promise<Sent> {
    const [primary = [], replica = []] = await Promise.all(
      cluster.all.map(async (server, index) => commandsSince(server, moments[index] ?? new Map())),
    );
    const { watch, others } = split(replica);
    const watched = watch.map(({ text }) => text.replace(/'.*'/, 'GTIDs'));
    return {
      primary: textsOf(primary),
      replica: textsOf(others),
      ...(watched.length === 0 ? {} : { watch: watched }),
    };
  }

  const wait = `SELECT ${flavor === 'mysql' ? 'WAIT_FOR_EXECUTED_GTID_SET' : 'MASTER_GTID_WAIT'}(GTIDs, 0.25) AS reached`;

  function options(change: Partial<ReplicatedPoolOptions> = {}): ReplicatedPoolOptions {
    const host = (server: OwnedCluster['primary']) => ({
      ...cluster.connectionOptions(server),
      connectionLimit: 1,
    });
    return {
      primary: host(cluster.primary),
      replicas: cluster.replicas.map(host),
      // It has a connection of its own for a moment.
      catalogueRefresh: false,
      causalWait: 10_000,
      ...change,
    };
  }

  function openPool(change: Partial<ReplicatedPoolOptions> = {}): ReplicatedPool {
    const pool = createReplicatedPool(options(change));
    opened.push(pool.promise());
    return pool;
  }

  /** A pool with one connection to each host that is set up and has been used. */
  async function usedPool(change: Partial<ReplicatedPoolOptions> = {}): Promise<ReplicatedPool> {
    const pool = openPool(change);
    await use((text) => pool.promise().query(text));
    return pool;
  }

  /** Writes, and reads where that is known to be. */
  async function use(one: (text: string) => PromiseLike<unknown>): Promise<void> {
    await one('UPDATE item SET n = n + 1 WHERE id = 2');
    await cluster.waitUntilReplicated();
    await one('SELECT 1');
    await mark();
  }

  describe('a new connection', () => {
    it('is set up', async () => {
      const pool = openPool();
      await pool.promise().query('SELECT n FROM item');
      await pool.promise().query('DO 1');
      expect(await sent()).toEqual({
        primary: [...greeting, askForGtids, ...setUpOfPrimary, 'DO 1'],
        replica: [...greeting, ...setUpOfReplica, 'SELECT n FROM item'],
      });
    });

    it('is set up by the hook first', async () => {
      const pool = openPool({ onCreateConnection: (connection) => run(connection, zone) });
      await pool.promise().query('SELECT n FROM item');
      await pool.promise().query('DO 1');
      expect(await sent()).toEqual({
        primary: [...greeting, askForGtids, ...setUpAround([zone]), 'DO 1'],
        replica: [...greeting, zone, ...setUpOfReplica, 'SELECT n FROM item'],
      });
    });
  });

  describe('an ordinary statement adds itself alone', () => {
    const texts = [
      'SELECT n FROM item WHERE id = 1',
      'UPDATE item SET n = n + 1 WHERE id = 1',
      'SELECT n FROM item WHERE id = 2',
      'INSERT INTO note (text) VALUES (1)',
      'SELECT nonsense FROM item',
    ];
    const expected = {
      primary: texts.filter((text) => !text.includes(' n FROM')),
      replica: texts.filter((text) => text.startsWith('SELECT')),
      // For the first read after each write, beside the pool.
      watch: [wait, wait],
    };
    // A replica that lags may lack a column: what it has not is asked of the primary, too.
    const runAll = async (one: (text: string) => PromiseLike<unknown>) => {
      for (const text of texts) {
        await Promise.resolve(one(text)).catch(() => {});
        await cluster.waitUntilReplicated();
      }
    };

    it('by pool.query', async () => {
      const pool = await usedPool();
      await runAll((text) => pool.promise().query(text));
      expect(await sent()).toEqual(expected);
    });

    it('by a connection each', async () => {
      const pool = await usedPool();
      await runAll(async (text) => {
        const connection = await pool.promise().getConnection();
        await connection.query(text).finally(() => connection.release());
      });
      expect(await sent()).toEqual(expected);
    });

    it('by Kysely', async () => {
      const db = openKysely();
      await use((text) => db.executeQuery(CompiledQuery.raw(text)));
      await runAll((text) => db.executeQuery(CompiledQuery.raw(text)));
      expect(await sent()).toEqual(expected);
    });

    it('by Knex', async () => {
      const db = openKnex();
      await use((text) => db.raw(text));
      await runAll((text) => db.raw(text));
      expect(await sent()).toEqual(expected);
    });

    it('in withSession', async () => {
      const pool = await usedPool();
      await withSession(() => runAll((text) => pool.promise().query(text)));
      expect(await sent()).toEqual(expected);
    });

    it('prepared: once for each connection', async () => {
      const pool = await usedPool();
      for (const id of [1, 2, 1]) {
        await pool.promise().execute('SELECT n FROM item WHERE id = ?', [id]);
      }
      expect(await sent()).toEqual({
        primary: [],
        replica: ['[prepare]', '[execute]', '[execute]', '[execute]'],
      });
    });
  });

  describe('a session that leaves nothing behind adds its own statements alone', () => {
    it('by a connection', async () => {
      const pool = await usedPool();
      for (const end of ['COMMIT', 'ROLLBACK']) {
        const connection = await pool.promise().getConnection();
        await connection.query('SELECT n FROM item');
        await connection.query('UPDATE item SET n = 1');
        await connection.beginTransaction();
        await connection.query('SELECT n FROM item FOR UPDATE');
        await connection.query(end);
        connection.release();
      }
      const own = ['UPDATE item SET n = 1', 'START TRANSACTION', 'SELECT n FROM item FOR UPDATE'];
      expect(await sent()).toEqual({
        primary: [...own, 'COMMIT', ...own, 'ROLLBACK'],
        replica: ['SELECT n FROM item', 'SELECT n FROM item'],
        watch: [wait],
      });
    });

    it('by Kysely', async () => {
      const db = openKysely();
      await use((text) => db.executeQuery(CompiledQuery.raw(text)));
      await db.transaction().execute(async (trx) => {
        await sql`SELECT n FROM item`.execute(trx);
        await sql`UPDATE item SET n = 2`.execute(trx);
      });
      await db
        .transaction()
        .execute(async (trx) => {
          await sql`SELECT nonsense FROM item`.execute(trx);
        })
        .catch(() => {});
      await sql`DO 2`.execute(db);
      expect(await sent()).toEqual({
        primary: [
          'begin',
          'SELECT n FROM item',
          'UPDATE item SET n = 2',
          'commit',
          'begin',
          'SELECT nonsense FROM item',
          'rollback',
          'DO 2',
        ],
        replica: [],
      });
    });

    it('by Knex', async () => {
      const db = openKnex();
      await use((text) => db.raw(text));
      await db.transaction(async (trx) => {
        await trx.raw('SELECT n FROM item');
        await trx.transaction((inner) => inner.raw('UPDATE item SET n = 2'));
      });
      await db.raw('DO 2');
      const { primary, replica } = await sent();
      expect(replica).toEqual([]);
      expect(primary.map((text) => text.replace(/trx\d+/, 'trx'))).toEqual([
        'BEGIN',
        'SELECT n FROM item',
        'SAVEPOINT trx',
        'UPDATE item SET n = 2',
        'RELEASE SAVEPOINT trx',
        'COMMIT',
        'DO 2',
      ]);
    });

    it.each([
      ['a user lock', ["SELECT GET_LOCK('a', 0)", 'SELECT RELEASE_ALL_LOCKS()']],
      ['tables', ['LOCK TABLES item READ', 'UNLOCK TABLES']],
      ['a temporary table', ['CREATE TEMPORARY TABLE t (id INT)', 'DROP TEMPORARY TABLE t']],
      ['a prepared statement', ["PREPARE p FROM 'SELECT 1'", 'DEALLOCATE PREPARE p']],
      ['a handler', ['HANDLER item OPEN AS h', 'HANDLER h CLOSE']],
    ])('that frees %s itself', async (_what, texts) => {
      const pool = await usedPool();
      const connection = await pool.promise().getConnection();
      for (const text of texts) {
        await connection.query(text);
      }
      connection.release();
      await next(pool);
      const { primary } = await sent();
      // What MySQL's tracker or text cannot show to be gone is reset: never a surprise in between.
      expect(primary).toEqual([...texts.map(asLogged), nextText]);
    });

    it.each([
      ['that no other session has inserted on', 'DO 1', []],
      // An INSERT whose id was given is answered like one whose id was generated.
      [
        'that another one has inserted on',
        "INSERT INTO note (text) VALUES ('other')",
        ['SELECT LAST_INSERT_ID()'],
      ],
    ])(
      'by withSession that asks about its own insert, on a connection %s',
      async (_what, other, asked) => {
        const pool = await usedPool();
        await withSession(() => pool.promise().query(other));
        await mark();
        await withSession(async () => {
          await pool.promise().query('INSERT INTO note (text) VALUES (?)', ['own']);
          await pool.promise().query('SELECT LAST_INSERT_ID() AS id');
        });
        await next(pool);
        expect(await sent()).toEqual({
          primary: [
            "INSERT INTO note (text) VALUES ('own')",
            ...asked,
            'SELECT LAST_INSERT_ID() AS id',
            nextText,
          ],
          replica: [],
        });
      },
    );

    it('by withSession that asks about its own read on a replica', async () => {
      const pool = await usedPool();
      await withSession(async () => {
        await pool.promise().query('SELECT n FROM item');
        await pool.promise().query('SELECT FOUND_ROWS() AS n');
      });
      expect(await sent()).toEqual({
        primary: [],
        replica: ['SELECT n FROM item', 'SELECT FOUND_ROWS() AS n'],
      });
    });
  });

  describe('a session that leaves something behind adds one reset and the set-up', () => {
    const dirty = [
      ['a user variable', ['SET @a = 1']],
      ['a user variable set by a SELECT', ['SELECT @a := 1 AS a']],
      ['a session variable', ['SET SESSION max_sort_length = 77']],
      ['a charset', ['SET NAMES latin1']],
      ['a temporary table', ['CREATE TEMPORARY TABLE t (id INT)']],
      ['a user lock', ["SELECT GET_LOCK('a', 0)"]],
      ['locked tables', ['LOCK TABLES item READ']],
      ['a handler', ['HANDLER item OPEN AS h']],
      ['an open transaction', ['BEGIN', 'SELECT n FROM item']],
      ['a transaction that an error has left open', ['BEGIN', 'SELECT nonsense FROM item']],
      ['an announced transaction', ['SET TRANSACTION ISOLATION LEVEL SERIALIZABLE']],
      ['autocommit=0', ['SET autocommit = 0']],
      ['autocommit=0 and back', ['SET autocommit = 0', 'SET autocommit = 1']],
      ['several', ['SET @a = 1', 'BEGIN', 'SET NAMES latin1', 'SELECT @a']],
    ] as const;

    it.each(dirty)('%s', async (_what, texts) => {
      const pool = await usedPool();
      await leaveBehind(pool, texts);
      await next(pool);
      expect(await sent()).toEqual({ primary: [...texts, ...afterReset(), nextText], replica: [] });
    });

    it.each(dirty)('%s, with a hook', async (_what, texts) => {
      const pool = await usedPool({ onCreateConnection: (connection) => run(connection, zone) });
      await leaveBehind(pool, texts);
      await next(pool);
      expect(await sent()).toEqual({
        primary: [...texts, ...afterReset([zone]), nextText],
        replica: [],
      });
    });

    it('another current database, which is chosen again', async () => {
      const pool = await usedPool();
      await leaveBehind(pool, ['USE app_other']);
      await next(pool);
      const [reset, ...setUp] = afterReset();
      expect(await sent()).toEqual({
        primary: ['USE app_other', reset, 'USE `app`', ...setUp, nextText],
        replica: [],
      });
    });

    it('a prepared statement, which may have hidden another database or role', async () => {
      const pool = await usedPool();
      const text = "PREPARE p FROM 'SELECT 1'";
      await leaveBehind(pool, [text]);
      await next(pool);
      const [reset, ...setUp] = afterReset();
      expect(await sent()).toEqual({
        primary: [asLogged(text), reset, 'USE `app`', 'SELECT CURRENT_ROLE()', ...setUp, nextText],
        replica: [],
      });
    });

    it('in withSession, once at its end', async () => {
      const pool = await usedPool();
      await withSession(async () => {
        await pool.promise().query('SET @a = 1');
        await pool.promise().query('SELECT @a');
        await pool.promise().query('SELECT n FROM item');
      });
      await next(pool);
      expect(await sent()).toEqual({
        primary: ['SET @a = 1', 'SELECT @a', 'SELECT n FROM item', ...afterReset(), nextText],
        replica: [],
      });
    });

    it('by Kysely, with its hook', async () => {
      const db = openKysely({
        onCreateConnection: (connection) => connection.executeQuery(CompiledQuery.raw(zone)),
      });
      await use((text) => db.executeQuery(CompiledQuery.raw(text)));
      await db.connection().execute((connection) => sql`SET @a = 1`.execute(connection));
      await sql.raw(nextText).execute(db);
      expect(await sent()).toEqual({
        primary: ['SET @a = 1', ...afterReset([zone]), nextText],
        replica: [],
      });
    });

    it('by Knex, with afterCreate', async () => {
      const db = openKnex({
        afterCreate: (connection: RawConnection, done: (error: unknown) => void) => {
          connection.query(zone, done);
        },
      });
      await use((text) => db.raw(text));
      const connection: unknown = await db.client.acquireConnection();
      await db.raw('SET @a = 1').connection(connection);
      await db.client.releaseConnection(connection);
      await db.raw(nextText);
      expect(await sent()).toEqual({
        primary: ['SET @a = 1', ...afterReset([zone]), nextText],
        replica: [],
      });
    });

    it('on a replica, whose connections mysql2 resets: before their next use', async () => {
      const { primary, replicas = [] } = options();
      const pool = await usedPool({
        primary,
        replicas: replicas.map((replica) => ({ ...(replica as object), resetOnRelease: true })),
        onCreateConnection: (connection) => run(connection, zone),
      });
      await pool.promise().query('SELECT n FROM item');
      await expect.poll(sent).toEqual({
        primary: [],
        replica: [agreed, zone, ...setUpOfReplica, 'SELECT n FROM item', '[reset connection]'],
      });
    });
  });

  it.each([
    ['a role', ['SET ROLE NONE']],
    ['a transaction of XA', ["XA START 'a'"]],
    ['another user', []],
  ])('closes the connection of a session that leaves behind %s', async (what, texts) => {
    const pool = await usedPool();
    const connection = await pool.promise().getConnection();
    for (const text of texts) {
      await connection.query(text);
    }
    if (what === 'another user') {
      await connection.changeUser({ database: 'app_other' });
    }
    const { threadId } = connection;
    connection.release();
    await next(pool);
    const ids = await cluster.primary.query('SELECT ID FROM information_schema.PROCESSLIST');
    expect(ids.map((row) => Number(Object.values(row)[0]))).not.toContain(threadId);
    const { primary } = await sent();
    expect(primary.join()).not.toContain('[reset connection]');
  });

  describe('of its own accord it asks', () => {
    it('whether a transaction is still there, after an error that its user goes on from', async () => {
      const pool = await usedPool();
      const connection = await pool.promise().getConnection();
      await connection.query('BEGIN');
      await connection.query('SELECT nonsense FROM item').catch(() => {});
      await connection.query('SELECT n FROM item');
      await connection.query('SELECT id FROM item');
      await connection.query('COMMIT');
      connection.release();
      expect(await sent()).toEqual({
        primary: [
          'BEGIN',
          'SELECT nonsense FROM item',
          'DO 0',
          'SELECT n FROM item',
          'SELECT id FROM item',
          'COMMIT',
        ],
        replica: [],
      });
    });

    it('a connection for a sign of life, when it has been idle for long', async () => {
      const pool = await usedPool({ checkIdleAfter: 150 });
      // A session ends at once; what stands alone has its connection to itself for a moment longer.
      const alone = (text: string) => withSession(() => pool.promise().query(text));
      await alone(fresh);
      await alone('DO 1');
      await alone('DO 2');
      await sleep(200);
      await alone('DO 3');
      await alone('DO 4');
      expect(await sentSince(fresh)).toEqual(['DO 1', 'DO 2', '[ping]', 'DO 3', 'DO 4']);
    });

    it('the same in a session that has been idle for long', async () => {
      const pool = await usedPool({ checkIdleAfter: 150 });
      await withSession(async () => {
        await pool.promise().query(fresh);
        await pool.promise().query('DO 1');
        await pool.promise().query('DO 2');
        await sleep(200);
        await pool.promise().query('DO 3');
        await pool.promise().query('DO 4');
      });
      expect(await sentSince(fresh)).toEqual(['DO 1', 'DO 2', '[ping]', 'DO 3', 'DO 4']);
    });

    /** Behind it the connection has not been idle for long, however long the set-up of a test takes. */
    const fresh = 'DO /* fresh */ 1';

    /** What the primary was sent after a text; nothing else was sent to anybody. */
    async function sentSince(text: string): Promise<string[]> {
      const { primary, replica, watch } = await sent();
      expect([...replica, ...(watch ?? [])]).toEqual([]);
      expect(primary).toContain(text);
      return primary.slice(primary.indexOf(text) + 1);
    }
  });

  it('reads the catalogue on a connection of its own, and closes it', async () => {
    // By a name of its own, it has nothing to read that other tests have written.
    const pool = openPool({ catalogueRefresh: 300_000, cluster: `catalogue-${flavor}` });
    await pool.promise().query('SELECT n FROM item');
    await pool.promise().query('DO 1');
    const { primary, replica } = await sent();
    expect(replica).toEqual([...greeting, ...setUpOfReplica, 'SELECT n FROM item']);
    const own = primary.filter((text) => text.startsWith('2: '));
    expect(own).toEqual(
      [...greeting, askForGtids, ...setUpOfPrimary, 'DO 1'].map((text) => `2: ${text}`),
    );
    const reading = primary.filter((text) => text.startsWith('1: '));
    expect(reading.length + own.length).toBe(primary.length);
    expect(reading).toContain('1: SELECT VERSION(), DATABASE()');
    await expect.poll(async () => (await connectionIds(cluster.primary)).length).toBe(1);
  });

  describe('moves the counters of the server as plain mysql2 does', () => {
    const clean = [
      'SELECT n FROM item FOR UPDATE',
      'UPDATE item SET n = 3',
      'START TRANSACTION',
      'INSERT INTO note (text) VALUES (2)',
      'COMMIT',
    ];

    async function moved(texts: readonly string[], one: (text: string) => Promise<unknown>) {
      const before = await counters(cluster.primary);
      for (const text of texts) {
        await one(text);
      }
      return growth(before, await counters(cluster.primary));
    }

    it('for a session that leaves nothing behind', async () => {
      const pool = await usedPool();
      const plain = await createConnection(cluster.connectionOptions(cluster.primary));
      const connection = await pool.promise().getConnection();
      const byPlain = await moved(clean, (text) => plain.query(text));
      const byUs = await moved(clean, (text) => connection.query(text));
      connection.release();
      const alone = await moved(clean.slice(0, 2), (text) => pool.promise().query(text));
      expect(byUs).toEqual(byPlain);
      expect(alone).toEqual(await moved(clean.slice(0, 2), (text) => plain.query(text)));
      plain.destroy();
      expect(byPlain).toMatchObject({ Com_select: 1, Com_update: 1, Com_insert: 1, Com_commit: 1 });
    });

    it('and beyond that by one reset and two SETs, for one that does', async () => {
      const pool = await usedPool();
      const plain = await createConnection(cluster.connectionOptions(cluster.primary));
      const byPlain = await moved(['SET @a = 1', nextText], (text) => plain.query(text));
      const before = await counters(cluster.primary);
      await leaveBehind(pool, ['SET @a = 1']);
      await next(pool);
      const byUs = growth(before, await counters(cluster.primary));
      plain.destroy();
      const { Com_set_option = 0, Com_admin_commands = 0, Questions = 0 } = byPlain;
      expect(byUs).toEqual({
        ...byPlain,
        Com_set_option: Com_set_option + afterReset().length - 1,
        Com_admin_commands: Com_admin_commands + 1,
        Questions: Questions + afterReset().length,
      });
    });
  });

  /** What a connection of the primary is sent when something was left behind in it. */
  function afterReset(hook: readonly string[] = []): string[] {
    const setUp = hook.length === 0 ? setUpOfPrimary : setUpAround(hook);
    return ['[reset connection]', agreed, ...setUp];
  }

  async function leaveBehind(pool: ReplicatedPool, texts: readonly string[]): Promise<void> {
    const connection = await pool.promise().getConnection();
    for (const text of texts) {
      await connection.query(text).catch((error: { errno?: number }) => {
        // ER_BAD_FIELD_ERROR: it is meant to fail.
        expect(error.errno).toBe(1054);
      });
    }
    connection.release();
  }

  function openKysely(change: Partial<ReplicatedMysqlDialectOptions> = {}): Kysely<Tables> {
    const db = new Kysely<Tables>({
      dialect: new ReplicatedMysqlDialect({ ...kyselyOptions(), ...change }),
    });
    opened.push({ end: () => db.destroy() });
    return db;
  }

  function kyselyOptions(): ReplicatedMysqlDialectOptions {
    const { onCreateConnection: _, ...rest } = options();
    return rest;
  }

  function openKnex(pool: Knex.PoolConfig = {}): Knex {
    const db = knexFactory({
      client: ReplicatedMysql2,
      connection: { ...cluster.connectionOptions(cluster.primary) },
      pool: { min: 0, max: 1, ...pool },
      replicas: cluster.replicas.map((server) => cluster.connectionOptions(server)),
      replication: { catalogueRefresh: false, causalWait: 10_000 },
    });
    opened.push({ end: async () => db.destroy() });
    return db;
  }
});

const nextText = 'DO /* next */ 1';

/** What was sent; without `watch`, nothing was asked about what a replica has. */
interface Sent {
  readonly primary: string[];
  readonly replica: string[];
  readonly watch?: string[];
}

/** The commands of the connection that does nothing but ask what a replica has, and all others. */
function split(commands: readonly Command[]): { watch: Command[]; others: Command[] } {
  const own = /^SELECT (WAIT_FOR_EXECUTED_GTID_SET|MASTER_GTID_WAIT)\(|^SELECT @@GLOBAL\.gtid_/;
  const of = (threadId: number) => commands.filter((command) => command.threadId === threadId);
  const isWatch = ({ threadId }: Command) => of(threadId).every(({ text }) => own.test(text));
  return {
    watch: commands.filter(isWatch),
    others: commands.filter((command) => !isWatch(command)),
  };
}

/** The next user of the only connection to the primary: it waits until that one is clean. */
async function next(pool: ReplicatedPool): Promise<void> {
  await pool.promise().query(nextText);
}

/** The performance schema has another text for these than the one that was sent. */
function asLogged(text: string): string {
  const [word = ''] = /^(PREPARE|DEALLOCATE)\b/.exec(text) ?? [];
  return word === '' ? text : `[${word === 'PREPARE' ? 'prepare' : 'dealloc'}_sql]`;
}

/** Texts in the order in which one connection got them, connection by connection. */
function textsOf(commands: readonly Command[]): string[] {
  const threads = [...new Set(commands.map(({ threadId }) => threadId))];
  return commands.map(({ threadId, text }) =>
    threads.length === 1 ? text : `${threads.indexOf(threadId) + 1}: ${text}`,
  );
}

function run(connection: RawConnection, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.query(text, (error) => (error === null ? resolve() : reject(error)));
  });
}
