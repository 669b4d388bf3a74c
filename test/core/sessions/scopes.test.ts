import { setTimeout as sleep } from 'node:timers/promises';
import { openSession, type ReplicatedPool, withSession } from '@rwsplit/core';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import { inSession, ReplicatedMysqlDialect } from '@rwsplit/kysely';
import knexFactory, { type Knex } from 'knex';
import { type Generated, Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { connectionsOf, failureOf, makeBed, newTag, outside, runOn } from './bed.ts';

interface Tables {
  item: { id: number };
  note: { id: Generated<number>; text: string };
}

const addNote = 'INSERT INTO note (text) VALUES (?)';
const askId = 'SELECT LAST_INSERT_ID() AS id';
const lost = { code: 'RWSPLIT_FOLLOW_UP_LOST' };
const timedOut = { code: 'RWSPLIT_ACQUIRE_TIMEOUT', isRetryable: true };

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const place = await freshDatabase(cluster);
  const bed = makeBed(cluster, place);
  let knex: Knex;
  let kysely: Kysely<Tables>;

  const limits = { connectionLimit: 3 };
  const replicas = bed.replicas.slice(0, 1).map((replica) => ({ ...replica, ...limits }));

  beforeAll(() => {
    knex = knexFactory({
      client: ReplicatedMysql2,
      connection: { ...bed.primary },
      replicas,
      pool: { min: 0, max: 3 },
      acquireConnectionTimeout: 3_000,
      replication: { acquireTimeout: 1_000, catalogueRefresh: false, causalWait: 10_000 },
    });
    kysely = new Kysely<Tables>({
      dialect: new ReplicatedMysqlDialect({
        primary: { ...bed.primary, ...limits },
        replicas,
        acquireTimeout: 1_000,
        catalogueRefresh: false,
        causalWait: 10_000,
      }),
    });
  });
  afterAll(async () => {
    await knex.destroy();
    await kysely.destroy();
  });

  function open(connectionLimit = 3, acquireTimeout = 1_000): ReplicatedPool {
    return bed.open({
      primary: { ...bed.primary, connectionLimit },
      replicas: bed.replicas.slice(0, 1).map((replica) => ({ ...replica, connectionLimit })),
      acquireTimeout,
    });
  }

  /** All connections of the primary can be had at once, and nobody has one. */
  async function expectWhole(pool: ReplicatedPool, connectionLimit = 3): Promise<void> {
    expect(pool.stats().hosts.map(({ outstanding }) => outstanding)).toEqual([0, 0]);
    const connections = await Promise.all(
      Array.from({ length: connectionLimit }, () => outside(() => pool.promise().getConnection())),
    );
    await Promise.all(connections.map((connection) => connection.query('SET @mine = 1')));
    for (const connection of connections) connection.release();
  }

  async function idOfNote(text: string): Promise<number> {
    const [row] = await cluster.primary.query<{ id: number }>(
      `SELECT id FROM ${place.name}.note WHERE text = ?`,
      [text],
    );
    return row?.id ?? 0;
  }

  describe('nesting', () => {
    it('joins the outer one, whose state it sees and leaves', async () => {
      const pool = open();
      const run = runOn(pool.promise());
      await withSession(async () => {
        await run('SET @outer = 1');
        await withSession(async () => {
          expect(await run('SELECT @outer AS a')).toEqual([{ a: 1 }]);
          await run('SET @inner = 2');
        });
        expect(await run('SELECT @outer + @inner AS a')).toEqual([{ a: 3 }]);
      });
      await expectWhole(pool);
    });

    it('keeps sessions apart that are opened by hand inside one', async () => {
      const pool = open();
      const run = runOn(pool.promise());
      await withSession(async () => {
        await run('SET @a = 1');
        const session = openSession();
        await session.run(async () => {
          expect(await run('SELECT @a AS a')).toEqual([{ a: null }]);
          await run('SET @a = 2');
        });
        expect(await run('SELECT @a AS a')).toEqual([{ a: 1 }]);
        expect(await session.run(() => run('SELECT @a AS a'))).toEqual([{ a: 2 }]);
        session.end();
      });
      await expectWhole(pool);
    });

    it('begins anew after the end of one', async () => {
      const pool = open(1);
      const run = runOn(pool.promise());
      await withSession(() => run('SET @a = 1'));
      await withSession(async () => {
        expect(await run('SELECT @a AS a')).toEqual([{ a: null }]);
        await expect(run(askId)).rejects.toMatchObject(lost);
      });
      await expectWhole(pool, 1);
    });

    it.each([
      ['what a function returns', () => 7, 7],
      ['what a promise gives', async () => 8, 8],
      // biome-ignore lint/suspicious/noThenProperty: that is what a thenable has.
      ['what a thenable gives', () => ({ then: (give: (n: number) => void) => give(9) }), 9],
    ])('gives %s', async (_what, fn, expected) => {
      expect(await withSession<unknown>(fn)).toBe(expected);
    });
  });

  describe('at the same time', () => {
    it('reads and writes run beside each other', async () => {
      const pool = open();
      const run = runOn(pool.promise());
      const tag = newTag();
      await withSession(() =>
        Promise.all([1, 2, 3].map(() => run(`SELECT SLEEP(0.1) /* ${tag} */ FROM item LIMIT 1`))),
      );
      expect(await connectionsOf(cluster, tag)).toHaveLength(3);
      await expectWhole(pool);
    });

    it('statements wait for their turn once the session has state', async () => {
      const pool = open();
      const run = runOn(pool.promise());
      const tag = newTag();
      await withSession(async () => {
        await run('SET @n = 0');
        await Promise.all(
          Array.from({ length: 6 }, () => run(`SELECT SLEEP(0.01), @n := @n + 1 /* ${tag} */`)),
        );
        expect(await run('SELECT @n AS a')).toEqual([{ a: 6 }]);
      });
      expect(await connectionsOf(cluster, tag)).toHaveLength(1);
      await expectWhole(pool);
    });

    it('what makes state waits for what runs already', async () => {
      const pool = open();
      const run = runOn(pool.promise());
      await withSession(async () => {
        await Promise.all([
          run('SELECT SLEEP(0.1) FROM item LIMIT 1 FOR UPDATE'),
          run('SET @a = 1'),
          run('SET @b = 2'),
        ]);
        expect(await run('SELECT @a + @b AS a')).toEqual([{ a: 3 }]);
      });
      await expectWhole(pool);
    });

    it('nobody can say what ran last', async () => {
      const pool = open();
      const run = runOn(pool.promise());
      await withSession(async () => {
        await Promise.all([run(addNote, [newTag()]), run(addNote, [newTag()])]);
        await expect(run(askId)).rejects.toMatchObject(lost);
        const tag = newTag();
        await run(addNote, [tag]);
        expect(await run(askId)).toEqual([{ id: await idOfNote(tag) }]);
      });
      await expectWhole(pool);
    });

    it('a write beside is known to the session: it reads where that is', async () => {
      const pool = open();
      const run = runOn(pool.promise());
      const [tag, note] = [newTag(), newTag()];
      await withSession(async (session) => {
        // Nothing but the write may have a GTID.
        await Promise.all([run('SELECT id FROM item'), run(addNote, [note])]);
        expect(session.token()).toEqual(expect.any(String));
        expect(await run(`SELECT text /* ${tag} */ FROM note WHERE text = ?`, [note])).toEqual([
          { text: note },
        ]);
      });
      // scope-writes.test.ts has the same with a replica that is behind.
      expect((await cluster.whoRan(tag)).map(({ server }) => server)).toEqual([
        cluster.replicas[0]?.name,
      ]);
    });

    it('a statement that waits too long fails, and the session goes on', async () => {
      const pool = open(3, 300);
      const run = runOn(pool.promise());
      await withSession(async () => {
        await run('SET @a = 1');
        const connection = await pool.promise().getConnection();
        await connection.query('SET @b = 2');
        const waiting = [run('SELECT @a AS a'), run('SELECT id FROM item'), run('SET @c = 3')];
        for (const each of waiting) {
          expect(await failureOf(each)).toMatchObject(timedOut);
        }
        connection.release();
        expect(await run('SELECT @a + @b AS a, @c AS c')).toEqual([{ a: 3, c: null }]);
      });
      await expectWhole(pool);
    });
  });

  describe('a transaction', () => {
    it('is no obstacle for what runs beside it, nor for its own questions', async () => {
      await withSession(async () => {
        const [inside, beside] = [newTag(), newTag()];
        await kysely.transaction().execute(async (trx) => {
          await trx.insertInto('note').values({ text: inside }).execute();
          await kysely.insertInto('note').values({ text: beside }).execute();
          await kysely.selectFrom('item').selectAll().execute();
          const { rows } = await sql`SELECT LAST_INSERT_ID() AS id, COUNT(*) AS n FROM note
            WHERE text = ${inside}`.execute(trx);
          expect(rows).toEqual([{ id: expect.any(Number), n: 1 }]);
          expect(await bed.hasNote(beside)).toBe(true);
          expect(await bed.hasNote(inside)).toBe(false);
        });
        expect(await bed.hasNote(inside)).toBe(true);
      });
    });

    it('sees the state of the session, and leaves its own', async () => {
      const pool = open();
      const run = runOn(pool.promise());
      await withSession(async () => {
        await run('SET @a = 1');
        const connection = await pool.promise().getConnection();
        await connection.beginTransaction();
        expect((await connection.query('SELECT @a AS a'))[0]).toEqual([{ a: 1 }]);
        await connection.query('SET @b = 2');
        await connection.commit();
        connection.release();
        expect(await run('SELECT @a + @b AS a')).toEqual([{ a: 3 }]);
      });
      await expectWhole(pool);
    });

    type Transact = (work: () => Promise<unknown>) => Promise<unknown>;
    const transact: Record<string, Transact> = {
      Kysely: (work) =>
        kysely.transaction().execute(async (trx) => {
          await trx.insertInto('note').values({ text: newTag() }).execute();
          await work();
          await trx.insertInto('note').values({ text: newTag() }).execute();
        }),
      'Kysely with an isolation level': (work) =>
        kysely
          .transaction()
          .setIsolationLevel('read committed')
          .execute(async (trx) => {
            await trx.insertInto('note').values({ text: newTag() }).execute();
            await work();
            await trx.insertInto('note').values({ text: newTag() }).execute();
          }),
      Knex: (work) =>
        knex.transaction(async (trx) => {
          await trx('note').insert({ text: newTag() });
          await work();
          await trx('note').insert({ text: newTag() });
        }),
      'Knex with an isolation level': (work) =>
        knex.transaction(
          async (trx) => {
            await trx('note').insert({ text: newTag() });
            await work();
            await trx('note').insert({ text: newTag() });
          },
          { isolationLevel: 'read committed' },
        ),
      'Knex read only': (work) =>
        knex.transaction(
          async (trx) => {
            await trx('note').select();
            await work();
            await trx('note').select();
          },
          { readOnly: true },
        ),
    };
    const pairs = Object.keys(transact)
      .filter((outer) => !outer.includes(' '))
      .flatMap((outer) =>
        Object.keys(transact)
          .filter((inner) => inner.startsWith(outer))
          .map((inner) => [outer, inner] as const),
      );

    it.each(pairs)(
      'of %s has an independent one (%s) inside its callback',
      async (outer, inner) => {
        await withSession(async () => {
          await transact[outer]?.(async () => {
            await transact[inner]?.(async () => {});
          });
        });
        await withSession(async () => {
          await transact[inner]?.(async () => {
            await transact[outer]?.(async () => {});
          });
        });
      },
    );

    it.each(Object.keys(transact))('of %s has two of them at once', async (name) => {
      await withSession(() =>
        Promise.all([transact[name]?.(() => sleep(20)), transact[name]?.(() => sleep(20))]),
      );
    });

    it('that is not over when the session ends keeps its connection till then', async () => {
      const pool = open();
      const connection = await withSession(async () => {
        const its = await pool.promise().getConnection();
        await its.beginTransaction();
        return its;
      });
      const tag = newTag();
      await connection.query(addNote, [tag]);
      await connection.commit();
      connection.release();
      expect(await bed.hasNote(tag)).toBe(true);
      await expectWhole(pool);
    });

    it('by text, that nobody ends, is rolled back at the end of the session', async () => {
      const pool = open(1);
      const run = runOn(pool.promise());
      const tag = newTag();
      await withSession(async () => {
        await run('BEGIN');
        await run(addNote, [tag]);
      });
      await expectWhole(pool, 1);
      expect(await bed.hasNote(tag)).toBe(false);
    });
  });

  describe('an end', () => {
    it.each([
      [
        'throws',
        () => {
          throw new Error('own');
        },
      ],
      [
        'rejects',
        async () => {
          throw new Error('own');
        },
      ],
    ])('of a function that %s gives the error and everything else back', async (_how, fail) => {
      const pool = open(1);
      const run = runOn(pool.promise());
      const failure = await failureOf(
        withSession(async () => {
          await run('SET @a = 1');
          return await fail();
        }),
      );
      expect(failure).toMatchObject({ message: 'own' });
      await expectWhole(pool, 1);
      expect(await run('SELECT @a AS a')).toEqual([{ a: null }]);
    });

    it('of a function that throws at once is a rejection', async () => {
      expect(
        await failureOf(
          withSession(() => {
            throw new Error('own');
          }),
        ),
      ).toMatchObject({ message: 'own' });
    });

    it('after an error of the server leaves nothing', async () => {
      const pool = open(1);
      const run = runOn(pool.promise());
      await withSession(async () => {
        await run('SET @a = 1');
        expect(await failureOf(run('INSERT INTO item VALUES (1)'))).toMatchObject({ errno: 1062 });
        expect(await run('SELECT @a AS a')).toEqual([{ a: 1 }]);
      });
      await expectWhole(pool, 1);
    });

    it.each(['', 'SET @a = 1'])(
      'waits for nothing that runs still, nor takes it away (%s)',
      async (first) => {
        const pool = open();
        const run = runOn(pool.promise());
        const tag = newTag();
        const { late } = await withSession(async () => {
          if (first !== '') await run(first);
          const running = ['SELECT SLEEP(0.1) AS a', 'SET @late = 1', 'SELECT SLEEP(0) AS a'];
          return { late: [...running.map((text) => run(text)), run(addNote, [tag])] };
        });
        expect(await Promise.allSettled(late)).toMatchObject(
          Array.from({ length: 4 }, () => ({ status: 'fulfilled' })),
        );
        expect(await bed.hasNote(tag)).toBe(true);
        await expectWhole(pool);
        expect(await run('SELECT @late AS a')).toEqual([{ a: null }]);
      },
    );

    it('makes what comes later nobody’s session', async () => {
      const pool = open();
      const run = runOn(pool.promise());
      let later: Promise<unknown> = Promise.resolve();
      await withSession(async () => {
        await run('SET @a = 1');
        later = sleep(50).then(async () => [
          await run('SELECT @a AS a'),
          await failureOf(run(askId)),
        ]);
      });
      expect(await later).toEqual([[{ a: null }], expect.objectContaining(lost)]);
      await expectWhole(pool);
    });
  });

  describe('callbacks of the bare pool', () => {
    /** Runs a statement, and in its answer the next, and so on. */
    type Chain = (pool: ReplicatedPool, text: string, next: () => void) => void;
    const chains: Record<string, Chain> = {
      'the callback of query': (pool, text, next) => pool.query(text, () => next()),
      'the callback of execute': (pool, text, next) => pool.execute(text, () => next()),
      'the event end': (pool, text, next) => pool.query(text).on('end', next),
      'the event result': (pool, text, next) => {
        pool.query(text).on('result', next);
      },
      'the end of a stream': (pool, text, next) => {
        pool.query(text).stream().on('end', next).resume();
      },
      'the close of a stream': (pool, text, next) => {
        pool.query(text).stream().on('close', next).resume();
      },
      'the data of a stream': (pool, text, next) => {
        pool
          .query(text)
          .stream()
          .once('data', () => setImmediate(next));
      },
      getConnection: (pool, text, next) => {
        pool.getConnection((_error, connection) => {
          connection.query(text, () => {
            connection.release();
            next();
          });
        });
      },
    };

    it.each(Object.keys(chains))('are in their own session: %s', async (name) => {
      const pool = open(4, 10_000);
      const run = runOn(pool.promise());
      const chain = chains[name];
      const answers = await Promise.all(
        Array.from({ length: 24 }, (_, mine) =>
          outside(() =>
            withSession(async () => {
              await run(`SET @mine = ${mine}`);
              return await new Promise((resolve, reject) => {
                chain?.(pool, 'SELECT id FROM item WHERE id = 1', () => {
                  chain(pool, 'SELECT @mine AS a', () => {
                    pool.query('SELECT @mine AS a', (error, rows) => {
                      if (error === null) resolve(rows);
                      else reject(error);
                    });
                  });
                });
              });
            }),
          ),
        ),
      );
      expect(answers).toEqual(answers.map((_, mine) => [{ a: mine }]));
      await expectWhole(pool, 4);
    });
  });

  describe('the handle', () => {
    it('of the bare pool is all that makes a statement part of a session', async () => {
      const pool = open();
      const session = openSession();
      const query = async (text: string) =>
        (await pool.promise().query({ sql: text, session } as { sql: string }))[0];
      await query('SET @a = 1');
      expect(await query('SELECT @a AS a')).toEqual([{ a: 1 }]);
      expect(await runOn(pool.promise())('SELECT @a AS a')).toEqual([{ a: null }]);
      session.end();
      await expectWhole(pool);
    });

    it('of Knex goes with options', async () => {
      const session = openSession();
      const [tag, other] = [newTag(), newTag()];
      await knex('note').insert({ text: tag }).options({ session });
      await knex('note').insert({ text: other });
      const [rows] = await knex.raw(askId).options({ session });
      expect(rows).toEqual([{ id: await idOfNote(tag) }]);
      await knex.raw('SET @a = 1').options({ session });
      expect(await knex.select(knex.raw('@a AS a')).options({ session })).toEqual([{ a: 1 }]);
      expect(await knex.select(knex.raw('@a AS a'))).toEqual([{ a: null }]);
      session.end();
      expect(await knex.select(knex.raw('@a AS a'))).toEqual([{ a: null }]);
    });

    it('of Kysely goes with inSession', async () => {
      const session = openSession();
      const db = inSession(kysely, session);
      const [tag, other] = [newTag(), newTag()];
      await db.insertInto('note').values({ text: tag }).execute();
      await kysely.insertInto('note').values({ text: other }).execute();
      const { rows } = await sql`SELECT LAST_INSERT_ID() AS id`.execute(db);
      expect(rows).toEqual([{ id: await idOfNote(tag) }]);
      await sql`SET @a = 1`.execute(db);
      expect((await sql`SELECT @a AS a`.execute(db)).rows).toEqual([{ a: 1 }]);
      expect((await sql`SELECT @a AS a`.execute(kysely)).rows).toEqual([{ a: null }]);
      session.end();
    });

    it('counts for more than the session around', async () => {
      const pool = open();
      const run = runOn(pool.promise());
      const session = openSession();
      const query = async (text: string) =>
        (await pool.promise().query({ sql: text, session } as { sql: string }))[0];
      await withSession(async () => {
        await run('SET @a = 1');
        await query('SET @a = 2');
        expect(await run('SELECT @a AS a')).toEqual([{ a: 1 }]);
        expect(await query('SELECT @a AS a')).toEqual([{ a: 2 }]);
      });
      session.end();
      await expectWhole(pool);
    });

    it('may be ended twice, and by using', async () => {
      const pool = open(1);
      {
        using session = openSession();
        await session.run(() => runOn(pool.promise())('SET @a = 1'));
      }
      const session = openSession();
      await session.run(() => runOn(pool.promise())('SET @a = 1'));
      session.end();
      session.end();
      expect(await session.run(() => runOn(pool.promise())('SELECT @a AS a'))).toEqual([
        { a: null },
      ]);
      await expectWhole(pool, 1);
    });
  });

  it('holds a part in each of two pools', async () => {
    const [one, two] = [open(1), open(1)];
    const [first, second] = [runOn(one.promise()), runOn(two.promise())];
    await withSession(async () => {
      await first('SET @a = 1');
      await second('SET @a = 2');
      expect(await first('SELECT @a AS a')).toEqual([{ a: 1 }]);
      expect(await second('SELECT @a AS a')).toEqual([{ a: 2 }]);
    });
    await expectWhole(one, 1);
    await expectWhole(two, 1);
  });

  describe('whose connection is killed', () => {
    async function killed(pool: ReplicatedPool): Promise<void> {
      const [row] = (await runOn(pool.promise())(
        'SELECT CONNECTION_ID() AS id FROM item WHERE id = 1 FOR UPDATE',
      )) as { id: number }[];
      await cluster.primary.query(`KILL ${row?.id}`);
      await sleep(30);
    }

    it('without state, goes on with another', async () => {
      const pool = open(1);
      const run = runOn(pool.promise());
      await withSession(async () => {
        await run(addNote, [newTag()]);
        await killed(pool);
        await expect(run(askId)).rejects.toMatchObject(lost);
        const tag = newTag();
        await run(addNote, [tag]);
        expect(await run(askId)).toEqual([{ id: await idOfNote(tag) }]);
      });
      await expectWhole(pool, 1);
    });

    it.each(['SET @a = 1', 'CREATE TEMPORARY TABLE t (a INT)', 'BEGIN'])(
      'with state (%s), does nothing outside of it',
      async (state) => {
        const pool = open(1);
        const run = runOn(pool.promise());
        const tags = [newTag(), newTag()];
        await withSession(async () => {
          await run(state);
          await killed(pool);
          for (const tag of tags) {
            await expect(run(addNote, [tag])).rejects.toThrow();
          }
          expect(await failureOf(run('SELECT id FROM item'))).toMatchObject({
            code: 'RWSPLIT_SESSION_LOST',
          });
        });
        for (const tag of tags) expect(await bed.hasNote(tag)).toBe(false);
        await expectWhole(pool, 1);
      },
    );

    it('while a statement beside runs, is alone with its loss', async () => {
      const pool = open();
      const run = runOn(pool.promise());
      await withSession(async () => {
        const connection = await pool.promise().getConnection();
        await connection.beginTransaction();
        const beside = run('SELECT SLEEP(0.1) AS a');
        await cluster.primary.query(`KILL ${connection.threadId}`);
        await expect(connection.query(addNote, [newTag()])).rejects.toThrow();
        expect(await beside).toEqual([{ a: 0 }]);
        await expect(connection.query(addNote, [newTag()])).rejects.toMatchObject({
          code: 'RWSPLIT_SESSION_LOST',
        });
        connection.release();
        const tag = newTag();
        await run(addNote, [tag]);
        expect(await bed.hasNote(tag)).toBe(true);
      });
      await expectWhole(pool);
    });
  });
});
