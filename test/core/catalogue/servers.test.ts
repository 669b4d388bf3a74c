import { randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  type CatalogueEvent,
  type CatalogueStats,
  channels,
  createReplicatedPool,
  type ReplicatedConnection,
  type ReplicatedPool,
  type ReplicatedPoolOptions,
  type StatementEvent,
} from '@rwsplit/core';
import mysql from 'mysql2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

/** Never due within a test: what is read then is read for another cause. */
const never = 1_000_000;
/** Long enough for busy machines. */
const soon = { timeout: 10_000 };

/** What no text shows, found in the catalogue of real servers. */
describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const database = await freshDatabase(cluster);
  const unseen = await freshDatabase(cluster);
  const db = database.name;
  const pools: ReplicatedPool[] = [];
  const reasons = new Map<string, string>();

  const note = (message: unknown) => {
    const { sql, reason } = message as StatementEvent;
    reasons.set(sql, reason);
  };

  /** As the admin: what others do. */
  async function elsewhere(...statements: readonly string[]): Promise<void> {
    for (const sql of statements) {
      await cluster.primary.query(sql.replaceAll('$db', db));
    }
    await cluster.waitUntilReplicated();
  }

  function open(change: Partial<ReplicatedPoolOptions> = {}): ReplicatedPool {
    const pool = createReplicatedPool({
      primary: database.connectionOptions(cluster.primary),
      replicas: cluster.replicas.map((server) => database.connectionOptions(server)),
      catalogueRefresh: never,
      causalWait: 10_000,
      ...change,
    });
    pools.push(pool);
    return pool;
  }

  let texts = 0;

  /** Runs a text once; which kind of server ran it, by the servers' logs, and why. */
  async function run(pool: ReplicatedPool, sql: string): Promise<string> {
    const tag = `${db}-${++texts}`;
    const text = `${sql} /* ${tag} */`;
    await pool.promise().query(text);
    const [{ server } = { server: 'nobody' }] = await cluster.whoRan(tag);
    return `${server.replace(/-\d+$/, '')}: ${reasons.get(text)}`;
  }

  async function catalogueOf(pool: ReplicatedPool): Promise<CatalogueStats> {
    await run(pool, 'SELECT 1');
    return pool.stats().catalogue;
  }

  function unsafeIn({ unsafeTables }: CatalogueStats): string[] {
    return unsafeTables
      .filter(({ name }) => name.startsWith(`${db}.`))
      .map(({ name, reason, word }) => `${name.slice(db.length + 1)}: ${reason} ${word}`);
  }

  beforeAll(async () => {
    subscribe(channels.statement, note);
    await elsewhere(
      'CREATE TABLE $db.item (id INT PRIMARY KEY, name VARCHAR(20), n INT)',
      "INSERT INTO $db.item VALUES (1, 'one', 1)",
      'CREATE FUNCTION $db.own_session() RETURNS BIGINT NO SQL DETERMINISTIC RETURN CONNECTION_ID()',
      'CREATE FUNCTION $db.doubled(n INT) RETURNS INT NO SQL DETERMINISTIC RETURN 2 * n',
      'CREATE FUNCTION $db.anything(n INT) RETURNS INT CONTAINS SQL DETERMINISTIC RETURN n',
      "CREATE VIEW $db.plain AS SELECT id, UPPER(name) AS name, 'it`s' AS text FROM $db.item",
      'CREATE VIEW $db.hiding AS SELECT id, $db.own_session() AS s FROM $db.item',
      'CREATE VIEW $db.`over``it` AS SELECT h.id FROM $db.plain p JOIN $db.hiding h ON h.id = p.id',
      'CREATE VIEW $db.over_over AS SELECT COUNT(*) AS n FROM $db.`over``it`',
      'CREATE VIEW $db.counted AS SELECT $db.doubled(id) AS d, $db.anything(1) AS a FROM $db.item',
      'CREATE VIEW $db.doubles AS SELECT $db.doubled(id) AS d FROM $db.item',
      'CREATE VIEW $db.`обзор` AS SELECT $db.own_session() AS s',
      'CREATE VIEW $db.me AS SELECT CURRENT_USER() AS u',
    );
    const ofDialect = flavor === 'mysql' ? "REGEXP_LIKE(name, 'o')" : 'NATURAL_SORT_KEY(name)';
    await elsewhere(`CREATE VIEW $db.of_dialect AS SELECT ${ofDialect} AS o FROM $db.item`);
    if (flavor === 'mariadb') {
      await elsewhere(
        'CREATE SEQUENCE $db.ids',
        'CREATE VIEW $db.next_id AS SELECT NEXT VALUE FOR $db.ids AS id',
        'CREATE TABLE $db.virtual_variable (id INT, v INT AS (@a := id) VIRTUAL)',
        'CREATE TABLE $db.virtual_user (id INT, v VARCHAR(99) AS (USER()) VIRTUAL)',
        'CREATE TABLE $db.virtual_plain (id INT, v INT AS (id + 1) VIRTUAL, w INT AS (id + 2) STORED)',
        'CREATE VIEW $db.over_virtual AS SELECT id FROM $db.virtual_variable',
      );
    } else {
      await elsewhere(
        "CREATE TABLE $db.virtual_plain (id INT, v VARCHAR(9) AS (CONCAT(id, 'it''s')) VIRTUAL)",
      );
    }
  });
  afterAll(() => {
    unsubscribe(channels.statement, note);
  });
  afterEach(async () => {
    for (const pool of pools.splice(0)) {
      await pool.promise().end();
    }
  });

  it('names what is unsafe, and why', async () => {
    const stats = await catalogueOf(open());
    const everywhere = [
      'counted: unknown-function doubled',
      'doubles: unknown-function doubled',
      'hiding: unknown-function own_session',
      'me: session-function current_user',
      'over_over: catalogue $db.over`it',
      'обзор: unknown-function own_session',
      'over`it: catalogue $db.hiding',
    ];
    const ofMariadb = [
      'next_id: unsafe-function nextval',
      'over_virtual: catalogue $db.virtual_variable',
      'virtual_user: session-function user',
      'virtual_variable: user-variable a',
    ];
    const expected = flavor === 'mariadb' ? [...everywhere, ...ofMariadb] : everywhere;
    expect(unsafeIn(stats).sort()).toEqual(expected.map((row) => row.replaceAll('$db', db)).sort());
    expect(stats).toMatchObject({ error: null, shadowingFunctions: [], trustedFunctions: 0 });
    expect(stats.lastRefresh).toBeGreaterThan(0);
  });

  const rows: [string, string][] = [
    ['SELECT * FROM plain', 'replica: read'],
    ['SELECT * FROM of_dialect', 'replica: read'],
    ['SELECT * FROM hiding', 'primary: catalogue'],
    ['SELECT * FROM `over``it`', 'primary: catalogue'],
    ['SELECT n FROM over_over', 'primary: catalogue'],
    ['SELECT u FROM me', 'primary: catalogue'],
    ['SELECT s FROM обзор', 'primary: catalogue'],
    ['SELECT * FROM virtual_plain', 'replica: read'],
    ...(flavor === 'mariadb'
      ? ([
          ['SELECT * FROM next_id', 'primary: catalogue'],
          ['SELECT v FROM virtual_variable', 'primary: catalogue'],
          ['SELECT v FROM virtual_user', 'primary: catalogue'],
          ['SELECT id FROM over_virtual', 'primary: catalogue'],
        ] satisfies [string, string][])
      : []),
  ];
  it.each(rows)('runs %s as %s, even as the first statement of a pool', async (sql, expected) => {
    expect(await run(open(), sql)).toBe(expected);
  });

  it('is not read without a need: no reads, no replicas, or switched off', async () => {
    const writing = open();
    expect(await run(writing, 'DO 1')).toBe('primary: not-a-read');
    expect(writing.stats().catalogue.state).toBe('pending');
    const alone = open({ replicas: [] });
    expect(await run(alone, 'SELECT * FROM hiding')).toBe('primary: no-replicas');
    expect(alone.stats().catalogue.state).toBe('off');
    const off = open({ catalogueRefresh: false });
    expect(await run(off, 'SELECT * FROM hiding')).toBe('replica: read');
    expect(off.stats().catalogue.state).toBe('off');
  });

  it('keeps the classifier, and what it remembers, when a reading finds nothing new', async () => {
    const pool = open({ catalogueRefresh: 20 });
    await run(pool, 'SELECT 1');
    const readAt = pool.stats().catalogue.lastRefresh;
    await expect.poll(() => pool.stats().catalogue.lastRefresh, soon).not.toBe(readAt);
    expect(await run(pool, 'SELECT * FROM hiding')).toBe('primary: catalogue');
  });

  describe('what this pool changes', () => {
    it('is known at once to all of its connections: CREATE OR REPLACE VIEW', async () => {
      const pool = open();
      await elsewhere('CREATE VIEW $db.changing AS SELECT id FROM $db.item');
      expect(await run(pool, 'SELECT * FROM changing')).toBe('replica: read');
      await pool
        .promise()
        .query('CREATE OR REPLACE VIEW changing AS SELECT own_session() AS s FROM item');
      expect(await run(pool, 'SELECT * FROM changing')).toMatch(/^primary: catalogue(-pending)?$/);
      await expect.poll(() => run(pool, 'SELECT id FROM item'), soon).toBe('replica: read');
      expect(await run(pool, 'SELECT * FROM changing')).toBe('primary: catalogue');
    });

    it('is not read from a replica while it is being changed', async () => {
      const pool = open();
      await run(pool, 'SELECT 1');
      const blocker = await cluster.primary.query<{ id: number }>('SELECT CONNECTION_ID() AS id');
      expect(blocker).toHaveLength(1);
      await elsewhere('CREATE VIEW $db.slow AS SELECT id FROM $db.item');
      const holder = mysql.createConnection(database.connectionOptions(cluster.primary)).promise();
      await holder.query('START TRANSACTION');
      await holder.query('SELECT * FROM slow');
      const changing = pool
        .promise()
        .query('CREATE OR REPLACE VIEW slow AS SELECT own_session() AS s FROM item');
      await expect
        .poll(() => run(pool, 'SELECT id FROM item'), { ...soon, interval: 1 })
        .toBe('primary: catalogue-pending');
      await holder.query('COMMIT');
      await holder.end();
      await changing;
      await expect.poll(() => run(pool, 'SELECT id FROM item'), soon).toBe('replica: read');
      expect(await run(pool, 'SELECT * FROM slow')).toBe('primary: catalogue');
    });

    it('is read again when nobody waits for its answer any more', async () => {
      const pool = open();
      await run(pool, 'SELECT 1');
      const readAt = pool.stats().catalogue.lastRefresh;
      await elsewhere('CREATE VIEW $db.given_up AS SELECT id FROM $db.item');
      const holder = mysql.createConnection(database.connectionOptions(cluster.primary)).promise();
      await holder.query('START TRANSACTION');
      await holder.query('SELECT * FROM given_up');
      const connection = await pool.promise().getConnection();
      const changing = connection
        .query('CREATE OR REPLACE VIEW given_up AS SELECT own_session() AS s')
        .catch((error: { code?: string }) => error.code);
      await expect
        .poll(() => run(pool, 'SELECT id FROM item'), { ...soon, interval: 1 })
        .toBe('primary: catalogue-pending');
      connection.destroy();
      expect(await changing).toBe('RWSPLIT_CONNECTION_DESTROYED');
      await expect.poll(() => pool.stats().catalogue.lastRefresh, soon).not.toBe(readAt);
      await holder.query('COMMIT');
      await holder.end();
    });

    it('is read again once for many changes together', async () => {
      const pool = open();
      await run(pool, 'SELECT 1');
      const mark = await cluster.primary.mark();
      await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          pool.promise().query(`CREATE OR REPLACE VIEW many_${n} AS SELECT own_session() AS s`),
        ),
      );
      await expect.poll(() => run(pool, 'SELECT id FROM item'), soon).toBe('replica: read');
      const readings = await cluster.primary.statements({
        since: mark,
        containing: 'information_schema.VIEWS',
      });
      expect(readings.length).toBeLessThan(8);
      expect(
        unsafeIn(pool.stats().catalogue).filter((row) => row.startsWith('many_')),
      ).toHaveLength(8);
    });

    it('still counts as it was for a while: replicas may lag', async () => {
      await elsewhere('CREATE VIEW $db.mended AS SELECT $db.own_session() AS s');
      const pool = open();
      expect(await run(pool, 'SELECT * FROM mended')).toBe('primary: catalogue');
      await pool.promise().query('CREATE OR REPLACE VIEW mended AS SELECT 1 AS s');
      await expect
        .poll(
          () => unsafeIn(pool.stats().catalogue).filter((row) => row.startsWith('mended')),
          soon,
        )
        .toEqual(['mended: former null']);
      expect(await run(pool, 'SELECT * FROM mended')).toBe('primary: catalogue');
    });
  });

  it('finds what others change at the next reading', async () => {
    const pool = open({ catalogueRefresh: 20 });
    await run(pool, 'SELECT 1');
    await elsewhere('CREATE VIEW $db.foreign_view AS SELECT $db.own_session() AS s');
    await expect
      .poll(() => run(pool, 'SELECT * FROM foreign_view'), soon)
      .toBe('primary: catalogue');
    await elsewhere('DROP VIEW $db.foreign_view');
    const stats = () => unsafeIn(pool.stats().catalogue).filter((row) => row.startsWith('foreign'));
    await expect.poll(stats, soon).toEqual(['foreign_view: former null']);
  });

  it('takes declared functions for pure if it is told to', async () => {
    const pool = open({ trustDeclarations: true });
    expect(await run(pool, 'SELECT doubled(1)')).toBe('primary: unknown-function');
    await run(pool, 'SELECT 1');
    expect(await run(pool, 'SELECT doubled(1)')).toBe('replica: read');
    expect(await run(pool, `SELECT ${db}.doubled(1)`)).toBe('replica: read');
    expect(await run(pool, 'SELECT anything(1)')).toBe('primary: unknown-function');
    expect(await run(pool, 'SELECT * FROM doubles')).toBe('replica: read');
    expect(await run(pool, 'SELECT * FROM counted')).toBe('primary: catalogue');
    expect(pool.stats().catalogue.trustedFunctions).toBeGreaterThanOrEqual(2);
  });

  it('takes no function for pure without its database if hosts differ in theirs', async () => {
    const replicas = cluster.replicas.map((server) => cluster.connectionOptions(server));
    const pool = open({ trustDeclarations: true, replicas });
    await run(pool, 'SELECT 1');
    expect(await run(pool, 'SELECT doubled(1)')).toBe('primary: unknown-function');
    expect(await run(pool, `SELECT ${db}.doubled(1)`)).toBe('replica: read');
  });

  it('takes functions that the user named for pure in views too', async () => {
    const pool = open({ pureFunctions: ['doubled'] });
    expect(await run(pool, 'SELECT * FROM doubles')).toBe('replica: read');
    expect(await run(pool, 'SELECT * FROM counted')).toBe('primary: catalogue');
  });

  it('sees a table of primaryTables through a view', async () => {
    const pool = open({ primaryTables: ['item'] });
    expect(await run(pool, 'SELECT * FROM plain')).toBe('primary: catalogue');
  });

  describe('an account with few rights', () => {
    const user = `few_${randomBytes(4).toString('hex')}`;
    const login = { user, password: 'few-rights' };
    const asUser = (): Partial<ReplicatedPoolOptions> => ({
      primary: { ...database.connectionOptions(cluster.primary), ...login },
    });

    beforeAll(async () => {
      await elsewhere(
        `CREATE USER ${user}@'%' IDENTIFIED BY 'few-rights'`,
        `GRANT SELECT ON $db.* TO ${user}@'%'`,
      );
    });
    afterAll(() => elsewhere(`DROP USER ${user}@'%'`));

    it('goes on, with every view on the primary, and says so', async () => {
      const pool = open({
        ...asUser(),
        replicas: cluster.replicas.map(({ host, port }) => ({ host, port })),
      });
      expect(await run(pool, 'SELECT id FROM item')).toBe('replica: read');
      expect(await run(pool, 'SELECT * FROM plain')).toBe('primary: catalogue');
      const stats = pool.stats().catalogue;
      expect(stats.state).toBe('partial');
      expect(stats.unread).toContain('view bodies');
      expect(unsafeIn(stats)).toContain('plain: unreadable null');
    });

    it('does not trust a view over what it does not see', async () => {
      await elsewhere(
        `CREATE VIEW ${unseen.name}.inner_view AS SELECT CONNECTION_ID() AS c`,
        `CREATE VIEW $db.outer_view AS SELECT * FROM ${unseen.name}.inner_view`,
        `GRANT SHOW VIEW ON $db.* TO ${user}@'%'`,
      );
      const pool = open({
        ...asUser(),
        replicas: cluster.replicas.map(({ host, port }) => ({ host, port })),
      });
      expect(await run(pool, 'SELECT * FROM outer_view')).toBe('primary: catalogue');
      expect(await run(pool, 'SELECT * FROM plain')).toBe('replica: read');
      const word = `${unseen.name}.inner_view`;
      expect(unsafeIn(pool.stats().catalogue)).toContain(`outer_view: unreadable ${word}`);
      await elsewhere('DROP VIEW $db.outer_view');
    });
  });

  it('has its connection for a moment only, and leaves none in the pool', async () => {
    const [{ n: before } = { n: -1 }] = await cluster.primary.query<{ n: number }>(
      'SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE DB = ?',
      [db],
    );
    const pool = open();
    await run(pool, 'SELECT 1');
    await expect
      .poll(
        () =>
          cluster.primary.query(
            'SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE DB = ?',
            [db],
          ),
        soon,
      )
      .toEqual([{ n: before }]);
  });

  it('is read although all connections of the primary are in use', async () => {
    const primary = { ...database.connectionOptions(cluster.primary), connectionLimit: 1 };
    const pool = open({ primary });
    const connection = await pool.promise().getConnection();
    await connection.beginTransaction();
    await connection.query('SELECT 1 FROM item FOR UPDATE');
    expect(await run(pool, 'SELECT * FROM plain')).toBe('replica: read');
    await connection.rollback();
    connection.release();
  });

  it('works with pools that somebody made', async () => {
    const pool = open({
      primary: mysql.createPool(database.connectionOptions(cluster.primary)),
      replicas: cluster.replicas.map((server) =>
        mysql.createPool(database.connectionOptions(server)).promise(),
      ),
    });
    expect(await run(pool, 'SELECT * FROM hiding')).toBe('primary: catalogue');
  });

  it('keeps IS NULL on the primary where it asks for the last insert', async () => {
    const pool = open({
      onCreateConnection: (connection) =>
        new Promise<void>((resolve, reject) => {
          connection.query('SET SESSION sql_auto_is_null = 1', (error) =>
            error ? reject(error) : resolve(),
          );
        }),
    });
    expect(await run(pool, 'SELECT id FROM item WHERE id Is Null')).toBe('primary: catalogue');
    expect(await run(pool, 'SELECT id FROM item WHERE id = 1')).toBe('replica: read');
  });

  describe('a primary that does not answer', () => {
    const through = (proxy: TcpProxy): Partial<ReplicatedPoolOptions> => ({
      primary: {
        ...database.connectionOptions(cluster.primary),
        host: proxy.host,
        port: proxy.port,
      },
      replicas: cluster.replicas.map((server) => database.connectionOptions(server)),
    });

    it('does not stop reads, and is asked again until it does', async () => {
      using proxy = await TcpProxy.start(cluster.primary);
      await proxy.refuse();
      const pool = open(through(proxy));
      expect(await run(pool, 'SELECT * FROM hiding')).toBe('replica: read');
      expect(pool.stats().catalogue).toMatchObject({ state: 'failed', error: 'ECONNREFUSED' });
      await proxy.accept();
      await expect.poll(() => run(pool, 'SELECT * FROM hiding'), soon).toBe('primary: catalogue');
      expect(pool.stats().catalogue.error).toBeNull();
    });

    it('holds reads up for a moment at most, and not the end of the pool', async () => {
      using proxy = await TcpProxy.start(cluster.primary);
      proxy.pause();
      const pool = open(through(proxy));
      expect(await run(pool, 'SELECT * FROM hiding')).toBe('replica: read');
      expect(pool.stats().catalogue.state).toBe('pending');
      await pools.pop()?.promise().end();
      await expect.poll(() => pool.stats().catalogue.error, soon).toBe('PROTOCOL_CONNECTION_LOST');
    });

    it('leaves reads to the replicas when it stops answering in the middle', async () => {
      using proxy = await TcpProxy.start(cluster.primary);
      const pool = open({ ...through(proxy), onCreateConnection: () => proxy.pause() });
      expect(await run(pool, 'SELECT * FROM plain')).toBe('replica: read');
      expect(pool.stats().catalogue.state).toBe('failed');
      proxy.resume();
    });

    it('leaves reads to the replicas when it goes away after a change', async () => {
      using proxy = await TcpProxy.start(cluster.primary);
      const pool = open(through(proxy));
      await run(pool, 'SELECT 1');
      await pool.promise().query('CREATE OR REPLACE VIEW before_the_end AS SELECT 1 AS a');
      await proxy.refuse();
      proxy.cut();
      // The first one has a connection that is dead, the second one gets none.
      expect(await run(pool, 'SELECT id FROM item')).toBe('replica: read');
      expect(await run(pool, 'SELECT id FROM item')).toBe('replica: read');
      await proxy.accept();
    });
  });

  it('sends reads to a primary that takes long, as long as it takes', async () => {
    let goOn = () => {};
    const slow = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let isFirst = true;
    const pool = open({
      onCreateConnection: () => {
        const wait = isFirst ? slow : null;
        isFirst = false;
        return wait;
      },
    });
    expect(await run(pool, 'SELECT * FROM hiding')).toBe('primary: catalogue-pending');
    goOn();
    await expect.poll(() => run(pool, 'SELECT * FROM hiding'), soon).toBe('primary: catalogue');
    expect(await run(pool, 'SELECT id FROM item')).toBe('replica: read');
  });

  it('does not send what was cancelled or closed while it waited', async () => {
    const pool = open({
      onCreateConnection: () => new Promise((resolve) => setTimeout(resolve, 50)),
    });
    const cancelled = await pool.promise().getConnection();
    const destroyed = await pool.promise().getConnection();
    const reads = [cancelled, destroyed].map((connection) =>
      connection
        .query(`SELECT 1 /* ${db} never */`)
        .catch((error: { code?: string }) => error.code),
    );
    await (cancelled.connection as unknown as ReplicatedConnection).cancel();
    destroyed.destroy();
    expect(await Promise.all(reads)).toEqual(['RWSPLIT_CANCELLED', 'RWSPLIT_CONNECTION_DESTROYED']);
    cancelled.release();
    await run(pool, 'SELECT 1');
    expect(await cluster.whoRan(`${db} never`)).toEqual([]);
  });

  it('publishes each reading', async () => {
    const events: CatalogueEvent[] = [];
    const listener = (message: unknown) => events.push(message as CatalogueEvent);
    subscribe(channels.catalogue, listener);
    try {
      await run(open(), 'SELECT 1');
    } finally {
      unsubscribe(channels.catalogue, listener);
    }
    expect(events[0]).toMatchObject({
      state: 'ready',
      unread: [],
      error: null,
      unsafeTables: expect.any(Number),
      duration: expect.any(Number),
    });
  });

  it('ends with its pool, and lets go what waits for it', async () => {
    const pool = open();
    const read = pool.promise().query('SELECT 1');
    const ended = pool.promise().end();
    pools.splice(0);
    await expect(read).rejects.toMatchObject({ code: 'RWSPLIT_POOL_CLOSED' });
    await ended;
    expect(pool.stats().catalogue.state).not.toBe('ready');
  });

  it('remembers what a replica refused whatever its literals are', async () => {
    await elsewhere(
      'CREATE TABLE $db.log (id INT PRIMARY KEY AUTO_INCREMENT)',
      'CREATE FUNCTION $db.noted(n INT) RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO log VALUES (NULL); RETURN n; END',
    );
    const pool = open({ pureFunctions: ['noted'] });
    expect(await run(pool, 'SELECT noted(1)')).toBe('primary: fence');
    const logs = await Promise.all(
      cluster.replicas.map(async (replica) => ({ replica, since: await replica.mark() })),
    );
    expect(await run(pool, 'SELECT  NOTED ( 23 )')).toBe('primary: fence');
    const seen = await Promise.all(
      logs.map(({ replica, since }) => replica.statements({ since, containing: db })),
    );
    expect(seen.flat().filter(({ sql }) => /noted/i.test(sql))).toEqual([]);
    expect(await run(pool, 'SELECT noted(1), noted(2)')).toBe('primary: fence');
    expect(pool.stats().catalogue.refused).toBe(2);
  });
});
