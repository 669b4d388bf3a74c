import { once } from 'node:events';
import { Readable } from 'node:stream';
import { type ReplicatedPool, withSession } from '@rwsplit/core';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
import knexFactory, { type Knex } from 'knex';
import { Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import { startCluster } from '../../support/servers/start-cluster.ts';
import { Bed, look, type Seen, through, untilReplica } from './bed.ts';

interface Tables {
  note: { id: number };
}

/** The ways into one set of servers, each with a pool of its own. */
interface Apis {
  readonly pool: ReplicatedPool;
  readonly knex: Knex;
  readonly kysely: Kysely<Tables>;
}

/** A way to send a write. */
interface Sending {
  readonly how: string;
  readonly by: keyof Apis;
  /** Whether the primary is asked what was written when nobody waits for the answer any more. */
  readonly isAskedLater?: true;
  send(apis: Apis, id: number): Promise<unknown>;
}

const insert = 'INSERT INTO note (id) VALUES (?)';

/** All that comes out of a stream. */
async function drained(stream: Readable): Promise<unknown[]> {
  const chunks: unknown[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return chunks;
}

const sendings: readonly Sending[] = [
  {
    how: 'query of the bare pool',
    by: 'pool',
    send: ({ pool }, id) => pool.promise().query(insert, [id]),
  },
  {
    how: 'execute of the bare pool',
    by: 'pool',
    send: ({ pool }, id) => pool.promise().execute(insert, [id]),
  },
  {
    how: 'a callback',
    by: 'pool',
    send: ({ pool }, id) =>
      new Promise<void>((resolve, reject) => {
        pool.query(insert, [id], (error) => (error ? reject(error) : resolve()));
      }),
  },
  {
    how: 'the events of a statement',
    by: 'pool',
    send: ({ pool }, id) => once(pool.query(insert, [id]), 'end'),
  },
  {
    how: 'a stream of an INSERT',
    by: 'pool',
    send: ({ pool }, id) => drained(pool.query(insert, [id]).stream()),
  },
  {
    how: 'a stream of an executed INSERT',
    by: 'pool',
    send: ({ pool }, id) => drained(pool.execute(insert, [id]).stream()),
  },
  {
    how: 'a stream of a CALL',
    by: 'pool',
    send: ({ pool }, id) => drained(pool.query('CALL add_one(?)', [id]).stream()),
  },
  {
    how: 'a stream of a CALL with result sets',
    by: 'pool',
    send: ({ pool }, id) => drained(pool.query('CALL add_between_reads(?)', [id]).stream()),
  },
  {
    how: 'a stream of a function that writes',
    by: 'pool',
    send: ({ pool }, id) => drained(pool.query('SELECT add_note(?) AS n', [id]).stream()),
  },
  {
    how: 'a stream of a function that writes, without rows',
    by: 'pool',
    send: ({ pool }, id) =>
      drained(pool.query('SELECT 1 AS n FROM one WHERE add_note(?) = 0', [id]).stream()),
  },
  {
    how: 'a stream of several statements',
    by: 'pool',
    send: ({ pool }, id) => drained(pool.query(`${insert}; SELECT 1`, [id]).stream()),
  },
  {
    how: 'an executed CALL with result sets',
    by: 'pool',
    send: ({ pool }, id) => pool.promise().execute('CALL add_between_reads(?)', [id]),
  },
  {
    how: 'an executed function that writes',
    by: 'pool',
    send: ({ pool }, id) => pool.promise().execute('SELECT add_note(?) AS n', [id]),
  },
  {
    how: 'rows as arrays',
    by: 'pool',
    send: ({ pool }, id) =>
      pool.promise().query({ sql: 'CALL add_between_reads(?)', values: [id], rowsAsArray: true }),
  },
  {
    how: 'LOAD DATA LOCAL',
    by: 'pool',
    send: ({ pool }, id) =>
      pool.promise().query({
        sql: "LOAD DATA LOCAL INFILE 'numbers' INTO TABLE note (id)",
        infileStreamFactory: () => Readable.from([Buffer.from(`${id}\n`)]),
      }),
  },
  {
    how: 'a reserved connection',
    by: 'pool',
    async send({ pool }, id) {
      const connection = await pool.promise().getConnection();
      await connection.query(insert, [id]);
      connection.release();
    },
  },
  {
    how: 'a prepared statement of a reserved connection',
    by: 'pool',
    isAskedLater: true,
    async send({ pool }, id) {
      const connection = await pool.promise().getConnection();
      const statement = await connection.prepare(insert);
      await statement.execute([id]);
      await statement.close();
      connection.release();
    },
  },
  {
    how: 'a transaction by methods',
    by: 'pool',
    async send({ pool }, id) {
      const connection = await pool.promise().getConnection();
      await connection.beginTransaction();
      await connection.query(insert, [id]);
      await connection.commit();
      connection.release();
    },
  },
  {
    how: 'a connection that was cleaned',
    by: 'pool',
    async send({ pool }, id) {
      for (const statement of ['SET @dirty = 1', 'SET SESSION max_sort_length = 99']) {
        const connection = await pool.promise().getConnection();
        await connection.query(statement);
        connection.release();
      }
      await pool.promise().query(insert, [id]);
    },
  },
  {
    how: 'a connection whose user was changed',
    by: 'pool',
    async send({ pool }, id) {
      const connection = await pool.promise().getConnection();
      await connection.changeUser({});
      await connection.query(insert, [id]);
      connection.release();
    },
  },
  {
    how: 'Knex',
    by: 'knex',
    send: async ({ knex }, id) => knex('note').insert({ id }),
  },
  {
    how: 'Knex raw',
    by: 'knex',
    send: async ({ knex }, id) => knex.raw('CALL add_between_reads(?)', [id]),
  },
  {
    how: 'a stream of Knex',
    by: 'knex',
    send: ({ knex }, id) => drained(knex.raw('SELECT add_note(?) AS n', [id]).stream()),
  },
  {
    how: 'a transaction of Knex',
    by: 'knex',
    send: ({ knex }, id) => knex.transaction((trx) => trx('note').insert({ id })),
  },
  {
    how: 'Kysely',
    by: 'kysely',
    send: ({ kysely }, id) => kysely.insertInto('note').values({ id }).execute(),
  },
  {
    how: 'a raw statement of Kysely',
    by: 'kysely',
    send: ({ kysely }, id) => sql`SELECT add_note(${id}) AS n`.execute(kysely),
  },
  {
    how: 'a transaction of Kysely',
    by: 'kysely',
    send: ({ kysely }, id) =>
      kysely.transaction().execute((trx) => trx.insertInto('note').values({ id }).execute()),
  },
  {
    how: 'a connection of Kysely',
    by: 'kysely',
    send: ({ kysely }, id) =>
      kysely.connection().execute((db) => db.insertInto('note').values({ id }).execute()),
  },
];

const schema = [
  'CREATE TABLE note (id INT PRIMARY KEY)',
  'CREATE TABLE one (id INT)',
  'INSERT INTO one VALUES (1)',
  'CREATE PROCEDURE add_one (n INT) INSERT INTO note (id) VALUES (n)',
  `CREATE PROCEDURE add_between_reads (n INT)
   BEGIN SELECT 1; INSERT INTO note (id) VALUES (n); SELECT 2; END`,
  `CREATE FUNCTION add_note (n INT) RETURNS INT
   BEGIN INSERT INTO note (id) VALUES (n); RETURN n; END`,
];

describe.each(flavors)('%s', (flavor) => {
  let bed: Bed;
  let last = 0;
  const opened: { destroy(): PromiseLike<unknown> }[] = [];

  beforeAll(async () => {
    const settings = ['--local-infile=ON'];
    bed = new Bed(await startCluster({ flavor, replicas: 1, statementLog: false, settings }));
    await bed.create(schema);
  });
  afterAll(() => bed[Symbol.asyncDispose]());
  afterEach(async () => {
    await bed.closePools();
    await Promise.all(opened.splice(0).map((one) => one.destroy()));
    await bed.apply();
  });

  /** New pools, which know of no writes. */
  function open(causalWindow = 600_000): Apis {
    const replication = { catalogueRefresh: false, causalWait: 20, causalWindow } as const;
    const primary = { ...bed.primary, connectionLimit: 2 };
    const pool = bed.open({ ...replication, primary: { ...primary, multipleStatements: true } });
    const knex = knexFactory({
      client: ReplicatedMysql2,
      connection: { ...bed.primary },
      replicas: bed.replicas,
      pool: { min: 0, max: 2 },
      replication,
    });
    const kysely = new Kysely<Tables>({
      dialect: new ReplicatedMysqlDialect({ primary, replicas: bed.replicas, ...replication }),
    });
    opened.push(knex, kysely);
    return { pool, knex, kysely };
  }

  function read({ pool, knex, kysely }: Apis, by: keyof Apis, id: number): Promise<Seen> {
    const text = `SELECT id FROM note WHERE id = ${id}`;
    const runs = {
      pool: through(pool),
      knex: async (statement: string) => (await knex.raw(statement))[0],
      kysely: async (statement: string) => (await sql.raw(statement).execute(kysely)).rows,
    };
    return look(runs[by], text);
  }

  async function expectSeen(
    apis: Apis,
    by: keyof Apis,
    id: number,
    reason: Seen['reason'] = 'replicas-behind',
  ): Promise<void> {
    expect(await read(apis, by, id)).toMatchObject({ rows: [{ id }], reason });
    await bed.apply();
    expect(await untilReplica(() => read(apis, by, id))).toMatchObject({ rows: [{ id }] });
  }

  describe.each(sendings)('$how', ({ by, send, isAskedLater }) => {
    it('is read by the process', async () => {
      const id = ++last;
      await bed.hold();
      const apis = open();
      await send(apis, id);
      await expectSeen(apis, by, id);
    });

    it('is read by its session, and by another one with its token', async () => {
      const id = ++last;
      await bed.hold();
      const apis = open();
      const token = await withSession(async (session) => {
        await send(apis, id);
        expect((await read(apis, by, id)).rows).toEqual([{ id }]);
        return session.token();
      });
      // Until the answer is there, the token can say no more than when that was.
      const isTime = isAskedLater === true && token?.startsWith('1~!t');
      const reason = isTime ? 'causal-window' : 'replicas-behind';
      await withSession({ after: token ?? 'none' }, () =>
        expectSeen(open(isTime ? 1_000 : undefined), by, id, reason),
      );
    });
  });
});
