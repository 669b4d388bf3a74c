import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Consistency,
  consistencies,
  currentSession,
  openSession,
  primary,
  type ReplicatedPool,
  replicas,
  withoutTracking,
  withSession,
} from '@rwsplit/core';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import { ReplicatedMysqlDialect, withConsistency } from '@rwsplit/kysely';
import knexFactory, { type Knex } from 'knex';
import { CompiledQuery, Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCluster } from '../../support/servers/start-cluster.ts';
import { Bed, look, type Seen, through, untilReplica } from './bed.ts';

interface Tables {
  note: { id: number };
}

const onReplica = { role: 'replica', reason: 'read' };
const onPrimary = { role: 'primary', reason: 'replicas-behind' };
const forced = { role: 'primary', reason: 'force-primary' };

/** A file of one flavour: what is said for a read does not depend on the server. */
describe('while a replica applies nothing', () => {
  let bed: Bed;
  let last = 0;
  const opened: { destroy(): PromiseLike<unknown> }[] = [];

  beforeAll(async () => {
    bed = new Bed(await startCluster({ flavor: 'mariadb', replicas: 1, statementLog: false }));
    await bed.create(['CREATE TABLE note (id INT PRIMARY KEY)']);
    await bed.hold();
  });
  afterAll(() => bed[Symbol.asyncDispose]());
  afterEach(async () => {
    await bed.closePools();
    await Promise.all(opened.splice(0).map((one) => one.destroy()));
  });

  // Pools of one test read each other's writes, and not those of the tests before.
  let tests = 0;
  beforeEach(() => {
    tests += 1;
  });
  const routing = (consistency?: Consistency) => ({
    causalWait: 20,
    catalogueRefresh: false as const,
    cluster: `scopes-${tests}`,
    ...(consistency === undefined ? {} : { consistency }),
  });

  const open = (consistency?: Consistency) => bed.open(routing(consistency));

  function openKnex(consistency?: Consistency): Knex {
    const knex = knexFactory({
      client: ReplicatedMysql2,
      connection: { ...bed.primary },
      replicas: bed.replicas,
      pool: { min: 0, max: 2 },
      replication: routing(consistency),
    });
    opened.push(knex);
    return knex;
  }

  function openKysely(consistency?: Consistency): Kysely<Tables> {
    const kysely = new Kysely<Tables>({
      dialect: new ReplicatedMysqlDialect({
        primary: bed.primary,
        replicas: bed.replicas,
        ...routing(consistency),
      }),
    });
    opened.push(kysely);
    return kysely;
  }

  function insert(pool: ReplicatedPool): Promise<unknown> {
    last += 1;
    return through(pool)(`INSERT INTO note (id) VALUES (${last})`);
  }

  /** A read that says itself what it must see. */
  const saying = (pool: ReplicatedPool, consistency?: Consistency) => async (text: string) => {
    const options = consistency === undefined ? { sql: text } : { sql: text, consistency };
    return (await pool.promise().query(options as { sql: string }))[0];
  };

  describe('a level', () => {
    const own: Readonly<Record<Consistency, object>> = {
      session: onPrimary,
      process: onPrimary,
      eventual: onReplica,
    };
    const others: Readonly<Record<Consistency, object>> = {
      session: onReplica,
      process: onPrimary,
      eventual: onReplica,
    };
    const outside = others;

    it('is session in a session and process outside of any, by default', async () => {
      const pool = open();
      await insert(pool);
      expect(await look(through(pool))).toMatchObject(outside.process);
      await withSession(async () => {
        expect(await look(through(pool))).toMatchObject(others.session);
        await insert(pool);
        expect(await look(through(pool))).toMatchObject(own.session);
      });
    });

    describe.each(consistencies)('%s', (level) => {
      /** What a read sees that was said to be of this level in some way. */
      async function expectLevel(
        write: () => Promise<unknown>,
        read: () => Promise<Seen>,
        inScope: (fn: () => Promise<void>) => Promise<void>,
      ): Promise<void> {
        await write();
        expect(await read(), 'outside of sessions').toMatchObject(outside[level]);
        await inScope(async () => {
          expect(await read(), 'of others').toMatchObject(others[level]);
          await write();
          expect(await read(), 'of its own').toMatchObject(own[level]);
        });
      }

      const inSession = (fn: () => Promise<void>) => withSession(fn);

      it('of the bare pool', async () => {
        const pool = open(level);
        await expectLevel(
          () => insert(pool),
          () => look(through(pool)),
          inSession,
        );
      });

      it('of a statement of the bare pool', async () => {
        const pool = open();
        await expectLevel(
          () => insert(pool),
          () => look(saying(pool, level)),
          inSession,
        );
      });

      it('of a session', async () => {
        const pool = open();
        await insert(pool);
        await withSession({ consistency: level }, async () => {
          expect(await look(through(pool))).toMatchObject(others[level]);
          await insert(pool);
          expect(await look(through(pool))).toMatchObject(own[level]);
        });
      });

      it('of a session inside another, for its block', async () => {
        const pool = open();
        await insert(pool);
        await withSession(async () => {
          await withSession({ consistency: level }, async () => {
            expect(await look(through(pool))).toMatchObject(others[level]);
          });
          // It has seen there what no replica has.
          const after = level === 'process' ? own : others;
          expect(await look(through(pool))).toMatchObject(after.session);
          await insert(pool);
          await withSession({ consistency: level }, async () => {
            expect(await look(through(pool))).toMatchObject(own[level]);
          });
          expect(await look(through(pool))).toMatchObject(own.session);
        });
      });

      it('of a session that is given with the statement', async () => {
        const pool = open();
        const session = openSession({ consistency: level });
        const read = async (text: string) =>
          (await pool.promise().query({ sql: text, session } as { sql: string }))[0];
        await insert(pool);
        expect(await look(read)).toMatchObject(others[level]);
        await session.run(() => insert(pool));
        expect(await look(read)).toMatchObject(own[level]);
        session.end();
      });

      it('of Knex', async () => {
        const knex = openKnex(level);
        await expectLevel(
          async () => knex('note').insert({ id: ++last }),
          () => look(async (text) => knex.raw(text)),
          inSession,
        );
      });

      it('of a statement of Knex', async () => {
        const knex = openKnex();
        await expectLevel(
          async () => knex('note').insert({ id: ++last }),
          () => look(async (text) => knex.raw(text).options({ consistency: level })),
          inSession,
        );
      });

      it('of Kysely', async () => {
        const kysely = openKysely(level);
        await expectLevel(
          () => kysely.insertInto('note').values({ id: ++last }).execute(),
          () => look((text) => kysely.executeQuery(CompiledQuery.raw(text))),
          inSession,
        );
      });

      it('of a query of Kysely', async () => {
        const kysely = openKysely();
        await expectLevel(
          () => kysely.insertInto('note').values({ id: ++last }).execute(),
          () =>
            look((text) => {
              const query = kysely
                .selectFrom('note')
                .select('id')
                .modifyEnd(sql.raw(tagOf(text)));
              return withConsistency(query, level).execute();
            }),
          inSession,
        );
      });

      it('of a Kysely that has it for all queries', async () => {
        const kysely = openKysely();
        await expectLevel(
          () => kysely.insertInto('note').values({ id: ++last }).execute(),
          () => look((text) => sql.raw(text).execute(withConsistency(kysely, level))),
          inSession,
        );
      });

      it('of the statement before that of the block, the session and the pool', async () => {
        for (const other of consistencies.filter((one) => one !== level)) {
          const pool = open(other);
          await insert(pool);
          await withSession({ consistency: other }, () =>
            withSession({ consistency: other }, async () => {
              expect(await look(saying(pool, level)), other).toMatchObject(others[level]);
              await insert(pool);
              expect(await look(saying(pool, level)), other).toMatchObject(own[level]);
            }),
          );
        }
      });
    });

    it.each<[string, () => unknown]>([
      ['the pool', () => open('strong' as Consistency)],
      ['a statement', () => saying(open(), 'strong' as Consistency)('SELECT 1')],
      ['a session', () => withSession({ consistency: 'strong' as Consistency }, () => {})],
      ['an open session', () => openSession({ consistency: 'strong' as Consistency })],
      ['Knex', () => openKnex('strong' as Consistency).raw('SELECT 1')],
      [
        'a statement of Knex',
        () =>
          openKnex()
            .raw('SELECT 1')
            .options({ consistency: 'strong' as Consistency }),
      ],
      ['Kysely', () => openKysely('strong' as Consistency)],
      [
        'a query of Kysely',
        () => sql`SELECT 1`.execute(withConsistency(openKysely(), 'strong' as Consistency)),
      ],
    ])('that does not exist is refused: %s', async (_where, use) => {
      await expect((async () => await use())()).rejects.toMatchObject({ code: 'RWSPLIT_OPTIONS' });
    });
  });

  describe('a block', () => {
    /** A pool whose process and session have written what no replica has. */
    async function written(): Promise<ReplicatedPool> {
      const pool = open();
      await insert(pool);
      return pool;
    }

    const anywhere: [string, <Result>(fn: () => Promise<Result>) => Promise<Result>][] = [
      ['outside of sessions', (fn) => fn()],
      ['in a session', (fn) => withSession(fn)],
    ];

    describe.each(anywhere)('%s', (_where, inside) => {
      it('of primary() reads the primary', async () => {
        const pool = open();
        await inside(async () => {
          expect(await primary(() => look(through(pool)))).toMatchObject(forced);
        });
      });

      it('of replicas() reads a replica as it is', async () => {
        await inside(async () => {
          const pool = await written();
          expect(await look(through(pool))).toMatchObject(onPrimary);
          expect(await replicas(() => look(through(pool)))).toMatchObject(onReplica);
          expect(await look(through(pool))).toMatchObject(onPrimary);
        });
      });

      it('of withoutTracking() writes what nobody has to see', async () => {
        await inside(async () => {
          const pool = open();
          await withoutTracking(async () => {
            await insert(pool);
            expect(await look(through(pool))).toMatchObject(onReplica);
          });
          expect(await look(through(pool))).toMatchObject(onReplica);
          await insert(pool);
          expect(await withoutTracking(() => look(through(pool)))).toMatchObject(onPrimary);
        });
      });

      it('is the innermost of primary() and replicas()', async () => {
        await inside(async () => {
          const pool = await written();
          await primary(async () => {
            expect(await replicas(() => look(through(pool)))).toMatchObject(onReplica);
            expect(await look(through(pool))).toMatchObject(forced);
          });
          await replicas(async () => {
            expect(await primary(() => look(through(pool)))).toMatchObject(forced);
            expect(await look(through(pool))).toMatchObject(onReplica);
          });
        });
      });

      it('of withoutTracking() leaves the others as they are, and they it', async () => {
        await inside(async () => {
          const pool = open();
          await primary(() =>
            withoutTracking(async () => {
              expect(await look(through(pool))).toMatchObject(forced);
              await insert(pool);
            }),
          );
          await withoutTracking(() => replicas(() => insert(pool)));
          await withoutTracking(() => primary(() => insert(pool)));
          // Nothing was seen through it, as it is of other servers by its name.
          const other = bed.open({ ...routing(), cluster: `apart-${tests}` });
          await withoutTracking(() => insert(other));
          expect(await look(through(other))).toMatchObject(onReplica);
        });
      });

      it('ends when what it awaits is rejected', async () => {
        const pool = open();
        await inside(async () => {
          const failing = primary(() => Promise.reject(new Error('own')));
          await expect(failing).rejects.toThrow('own');
          expect(await look(through(pool))).toMatchObject(onReplica);
        });
      });

      it('counts for a builder of Knex that is awaited in it', async () => {
        const knex = openKnex();
        await inside(async () => {
          const before = await look(async (text) => {
            const query = knex.raw(text);
            return await primary(async () => await query);
          });
          expect(before).toMatchObject(forced);
          const returned = await look((text) => primary(() => knex.raw(text)));
          expect(returned).toMatchObject(forced);
        });
      });

      it('does not count for a builder of Knex that is awaited after it', async () => {
        const knex = openKnex();
        await inside(async () => {
          const seen = await look(async (text) => {
            const { query } = await primary(() => ({ query: knex.raw(text) }));
            return await query;
          });
          expect(seen).toMatchObject(onReplica);
        });
      });

      it('counts for a query of Kysely that is executed in it', async () => {
        const kysely = openKysely();
        await inside(async () => {
          const seen = await look((text) => {
            const query = sql.raw(text);
            return primary(() => query.execute(kysely));
          });
          expect(seen).toMatchObject(forced);
        });
      });

      it('does not count for a query of Kysely that is executed after it', async () => {
        const kysely = openKysely();
        await inside(async () => {
          const seen = await look(async (text) => {
            const { query } = await primary(() => ({ query: sql.raw(text) }));
            return await query.execute(kysely);
          });
          expect(seen).toMatchObject(onReplica);
        });
      });
    });

    it('around a session counts in it', async () => {
      const pool = await written();
      await primary(() =>
        withSession(async () => {
          expect(await look(through(pool))).toMatchObject(forced);
        }),
      );
      await replicas(() =>
        withSession(async () => {
          await insert(pool);
          expect(await look(through(pool))).toMatchObject(onReplica);
        }),
      );
      await withoutTracking(() =>
        withSession(async (session) => {
          await insert(pool);
          expect(session.token()).toBeNull();
          expect(await look(through(pool))).toMatchObject(onReplica);
        }),
      );
    });

    it('of a builder made outside of a session and awaited in one, and the other way round', async () => {
      const knex = openKnex();
      const insertion = knex('note').insert({ id: ++last });
      const { token, later } = await withSession(async (session) => {
        await insertion;
        expect(await look(async (text) => knex.raw(text))).toMatchObject(onPrimary);
        return { token: session.token(), later: { query: knex('note').insert({ id: ++last }) } };
      });
      expect(token).not.toBeNull();
      await withSession(async (session) => {
        await later.query;
        expect(session.token()).not.toBe(token);
      });
    });
  });

  describe('a session', () => {
    it('inside another one is that one', async () => {
      const pool = open();
      await withSession(async (outer) => {
        await withSession(async (inner) => {
          expect(inner).toBe(outer);
          await insert(pool);
        });
        expect(outer.isEnded).toBe(false);
        expect(await look(through(pool))).toMatchObject(onPrimary);
      });
    });

    it('follows a token that is given inside it to its end', async () => {
      const token = await withSession(async (session) => {
        await insert(open());
        return session.token();
      });
      const pool = open();
      await withSession(async () => {
        expect(await look(through(pool))).toMatchObject(onReplica);
        await withSession({ after: token ?? 'none' }, async () => {
          expect(await look(through(pool))).toMatchObject(onPrimary);
        });
        expect(await look(through(pool))).toMatchObject(onPrimary);
      });
    });

    it('sees all that ran at the same time in it', async () => {
      const pool = open();
      await withSession(async () => {
        const from = last + 1;
        await Promise.all(Array.from({ length: 8 }, () => insert(pool)));
        const text = `SELECT COUNT(*) AS n FROM note WHERE id BETWEEN ${from} AND ${last}`;
        expect(await look(through(pool), text)).toMatchObject({ ...onPrimary, rows: [{ n: 8 }] });
      });
    });

    it('is no more where a timer goes on after its end', async () => {
      const pool = open();
      let later: Promise<[Seen, unknown]> = Promise.reject(new Error('not begun'));
      later.catch(() => {});
      await withSession(async () => {
        await insert(pool);
        later = sleep(20).then(async () => [await look(through(pool)), currentSession()]);
      });
      const other = open();
      await insert(other);
      expect(await later).toMatchObject([onPrimary, null]);
    });

    it('is no more where an event emitter calls after its end', async () => {
      const emitter = new EventEmitter();
      const pool = open();
      await withSession({ consistency: 'eventual' }, async () => {
        emitter.once('write', async () => {
          await insert(pool);
          emitter.emit('seen', await look(through(pool)));
        });
      });
      const seen = once(emitter, 'seen');
      emitter.emit('write');
      expect((await seen)[0]).toMatchObject(onPrimary);
    });

    it('that has ended takes no more with run()', async () => {
      const pool = open();
      const session = openSession({ consistency: 'eventual' });
      await session.run(() => insert(pool));
      const token = session.token();
      session.end();
      await session.run(async () => {
        expect(currentSession()).toBeNull();
        await insert(pool);
        expect(await look(through(pool)), 'by the process').toMatchObject(onPrimary);
      });
      expect(session.token()).toBe(token);
    });

    it('that has ended is none when it is given with a statement', async () => {
      const pool = open();
      await insert(pool);
      const session = openSession();
      session.end();
      const read = async (text: string) =>
        (await pool.promise().query({ sql: text, session } as { sql: string }))[0];
      expect(await look(read)).toMatchObject(onPrimary);
    });

    it('is the current one where it was entered, and by a statement that names it', async () => {
      const pool = open();
      const session = openSession();
      expect(currentSession()).toBeNull();
      await withSession(async (around) => {
        expect(currentSession()).toBe(around);
        session.run(() => expect(currentSession()).toBe(session));
        await pool.promise().query({
          sql: `INSERT INTO note (id) VALUES (${++last})`,
          session,
        } as { sql: string });
        expect([around.token(), typeof session.token()]).toEqual([null, 'string']);
        expect(await look(through(pool))).toMatchObject(onReplica);
        expect(await session.run(() => look(through(pool)))).toMatchObject(onPrimary);
      });
      session.end();
    });

    it('has a token for what is written, and none before', async () => {
      const pool = open();
      await withSession(async (session) => {
        expect(session.token()).toBeNull();
        await look(through(pool));
        await withoutTracking(() => insert(pool));
        expect(session.token()).toBeNull();
        await insert(pool);
        expect(session.token()).toMatch(/^1~[^!]+!d\d+-\d+-\d+$/);
      });
    });

    it('keeps reserved connections apart from what is said around them', async () => {
      const pool = open();
      await insert(pool);
      const connection = await pool.promise().getConnection();
      const read = async (text: string) => (await connection.query(text))[0];
      expect(await replicas(() => look(read))).toMatchObject(onReplica);
      expect(await primary(() => look(read))).toMatchObject(forced);
      expect(await look(read)).toMatchObject(onPrimary);
      connection.release();
    });
  });

  it('comes back for all of them when it has caught up', async () => {
    const pool = open();
    await insert(pool);
    await bed.apply();
    expect((await untilReplica(() => look(through(pool)))).role).toBe('replica');
    await bed.hold();
  });
});

/** The comment by which a read is found. */
function tagOf(text: string): string {
  return text.slice(text.indexOf('/*'));
}
