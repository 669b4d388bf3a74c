import { EventEmitter, once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ReplicatedPool, type ReplicatedPoolOptions, withSession } from '@rwsplit/core';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
import knexFactory, { type Knex } from 'knex';
import { CompiledQuery, type Generated, Kysely, sql } from 'kysely';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { failureOf, makeBed, newTag, outside } from './bed.ts';

interface Tables {
  item: { id: number };
  note: { id: Generated<number>; text: string };
}

const lost = { code: 'RWSPLIT_FOLLOW_UP_LOST' };
const told = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).catch((error: { code?: string }) => error.code ?? error);
const askId = 'SELECT LAST_INSERT_ID() AS id';

/** One way to write and to ask, outside every session. */
interface Way {
  /** Inserts a note, and gives what the library says of its id; `null` if nothing. */
  insert(text: string): Promise<unknown>;
  /** Rows. */
  ask(text: string): Promise<unknown>;
}

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const place = await freshDatabase(cluster);
  const bed = makeBed(cluster, place);
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()));
  });

  const replicasOf = (connectionLimit: number) =>
    bed.replicas.slice(0, 1).map((replica) => ({ ...replica, connectionLimit }));

  function openPool(limit = 10, change: Partial<ReplicatedPoolOptions> = {}): ReplicatedPool {
    return bed.open({
      primary: { ...bed.primary, connectionLimit: limit },
      replicas: replicasOf(limit),
      ...change,
    });
  }

  function openKnex(limit = 10): Knex {
    const db = knexFactory({
      client: ReplicatedMysql2,
      connection: { ...bed.primary },
      replicas: replicasOf(limit),
      pool: { min: 0, max: limit },
      replication: { catalogueRefresh: false, causalWait: 10_000 },
    });
    ends.push(() => db.destroy());
    return db;
  }

  function openKysely(limit = 10): Kysely<Tables> {
    const db = new Kysely<Tables>({
      dialect: new ReplicatedMysqlDialect({
        primary: { ...bed.primary, connectionLimit: limit },
        replicas: replicasOf(limit),
        catalogueRefresh: false,
        causalWait: 10_000,
      }),
    });
    ends.push(() => db.destroy());
    return db;
  }

  /** The ways that run one statement per call. */
  const ways: Record<string, (limit?: number) => Way> = {
    'pool.query with promises': (limit) => {
      const pool = openPool(limit).promise();
      return {
        insert: (text) => pool.query('INSERT INTO note (text) VALUES (?)', [text]),
        ask: async (text) => (await pool.query(text))[0],
      };
    },
    'pool.execute with promises': (limit) => {
      const pool = openPool(limit).promise();
      return {
        insert: (text) => pool.execute('INSERT INTO note (text) VALUES (?)', [text]),
        ask: async (text) => (await pool.execute(text))[0],
      };
    },
    'pool.query with callbacks': (limit) => {
      const pool = openPool(limit);
      const run = (text: string, values: unknown[]) =>
        new Promise((resolve, reject) => {
          pool.query(text, values, (error, rows) => (error ? reject(error) : resolve(rows)));
        });
      return {
        insert: (text) => run('INSERT INTO note (text) VALUES (?)', [text]),
        ask: (text) => run(text, []),
      };
    },
    'getConnection for each': (limit) => {
      const pool = openPool(limit).promise();
      const run = async (text: string, values: unknown[]) => {
        const connection = await pool.getConnection();
        try {
          return (await connection.query(text, values))[0];
        } finally {
          connection.release();
        }
      };
      return {
        insert: (text) => run('INSERT INTO note (text) VALUES (?)', [text]),
        ask: (text) => run(text, []),
      };
    },
    'Knex builders': (limit) => {
      const db = openKnex(limit);
      return {
        insert: async (text) => await db('note').insert({ text }),
        ask: async (text) => await db.select(db.raw(text.replace(/^SELECT /, ''))),
      };
    },
    'Knex raw': (limit) => {
      const db = openKnex(limit);
      return {
        insert: async (text) => await db.raw('INSERT INTO note (text) VALUES (?)', [text]),
        ask: async (text) => (await db.raw(text))[0],
      };
    },
    'Knex, a transaction and raw': (limit) => {
      const db = openKnex(limit);
      return {
        insert: (text) => db.transaction(async (trx) => await trx('note').insert({ text })),
        ask: async (text) => (await db.raw(text))[0],
      };
    },
    'Kysely builders': (limit) => {
      const db = openKysely(limit);
      return {
        insert: (text) => db.insertInto('note').values({ text }).execute(),
        ask: (text) =>
          db
            .selectNoFrom(sql<number>`${sql.raw(text.replace(/^SELECT | AS id$/g, ''))}`.as('id'))
            .execute(),
      };
    },
    'Kysely sql': (limit) => {
      const db = openKysely(limit);
      return {
        insert: (text) => sql`INSERT INTO note (text) VALUES (${text})`.execute(db),
        ask: async (text) => (await sql.raw(text).execute(db)).rows,
      };
    },
    'Kysely, a transaction and a query': (limit) => {
      const db = openKysely(limit);
      return {
        insert: (text) =>
          db.transaction().execute((trx) => trx.insertInto('note').values({ text }).execute()),
        ask: async (text) => (await db.executeQuery(CompiledQuery.raw(text))).rows,
      };
    },
  };

  async function idOf(text: string): Promise<{ id: number }[]> {
    return await cluster.primary.query<{ id: number }>(
      `SELECT id FROM ${place.name}.note WHERE text = ?`,
      [text],
    );
  }

  describe.each(Object.keys(ways))('%s', (name) => {
    function make(limit?: number): Way {
      const way = ways[name]?.(limit);
      if (way === undefined) throw new Error(name);
      return way;
    }

    /** With connections that are free: what is remembered is taken rather than a new one opened. */
    async function makeWarm(limit = 10): Promise<Way> {
      const way = make(limit);
      await outside(() =>
        Promise.all(Array.from({ length: limit }, () => way.ask('SELECT SLEEP(0.05) AS id'))),
      );
      return way;
    }

    it('answers next in the flow, from the very first statements on', async () => {
      const { insert, ask } = make();
      for (let count = 0; count < 4; count += 1) {
        const tag = newTag();
        await insert(tag);
        expect(await ask(askId)).toEqual(await idOf(tag));
      }
    });

    it('answers several flows that begin with the very first statements', async () => {
      const { insert, ask } = make();
      const answers = await Promise.all(
        Array.from({ length: 4 }, () =>
          outside(async () => {
            const tag = newTag();
            await insert(tag);
            return { answer: await told(ask(askId)), own: await idOf(tag) };
          }),
        ),
      );
      // Kysely waits for its driver before it begins a transaction, the first time, and is in no flow then.
      const isLate = (answer: unknown) =>
        name === 'Kysely, a transaction and a query' && answer === 'RWSPLIT_FOLLOW_UP_LOST';
      const expected = answers.map(({ answer, own }) => (isLate(answer) ? answer : own));
      expect(answers.map(({ answer }) => answer)).toEqual(expected);
    });

    it('refuses what nothing was done for, and a second question about it', async () => {
      const { insert, ask } = make();
      expect(await failureOf(ask(askId))).toMatchObject(lost);
      const tag = newTag();
      await insert(tag);
      await ask(askId);
      const again = await told(ask(askId));
      expect([lost.code, await idOf(tag)]).toContainEqual(again);
    });

    it('keeps the id over a plain read in between', async () => {
      const { insert, ask } = make();
      const tag = newTag();
      await insert(tag);
      await ask('SELECT 1 AS id');
      expect(await ask(askId)).toEqual(await idOf(tag));
    });

    it('counts the rows of SQL_CALC_FOUND_ROWS', async () => {
      const { ask } = make();
      // Knex and Kysely have no other way to say it.
      if (name === 'Knex builders' || name === 'Kysely builders') return;
      await ask('SELECT SQL_CALC_FOUND_ROWS id FROM item LIMIT 1');
      expect(await ask('SELECT FOUND_ROWS() AS id')).toEqual([{ id: 2 }]);
    });

    it('finds the insert of a function that it awaited, and of the one that called it', async () => {
      const { insert, ask } = make();
      const [inner, outer] = [newTag(), newTag()];
      await (async () => {
        await insert(inner);
      })();
      expect(await ask(askId)).toEqual(await idOf(inner));
      await insert(outer);
      expect(await (async () => await ask(askId))()).toEqual(await idOf(outer));
    });

    it('answers one of two forks, and nothing wrong to the other', async () => {
      const { insert, ask } = make();
      const tag = newTag();
      await insert(tag);
      const answers = await Promise.all([1, 2].map(() => told(ask(askId))));
      const own = await idOf(tag);
      for (const answer of answers) expect([own, lost.code]).toContainEqual(answer);
      expect(answers).toContainEqual(own);
      // Knex's builders are one after the other in the flow: each is made before any runs.
      if (!name.startsWith('Knex')) expect(answers).toContain(lost.code);
    });

    it.each([
      [8, 7 * 4],
      [60, 1],
    ])(
      'of %i flows at once answers at least %i, none with what is another’s',
      async (flows, least) => {
        const { insert, ask } = await makeWarm();
        const rounds = flows < 10 ? 4 : 1;
        const answers = await Promise.all(
          Array.from({ length: flows }, () =>
            outside(async () => {
              const its: { answer: unknown; own: string }[] = [];
              for (let round = 0; round < rounds; round += 1) {
                const tag = newTag();
                await insert(tag);
                its.push({ answer: await told(ask(askId)), own: tag });
              }
              return its;
            }),
          ),
        );
        const all = await Promise.all(
          answers.flat().map(async ({ answer, own }) => ({ answer, own: await idOf(own) })),
        );
        for (const { answer, own } of all) expect([own, lost.code]).toContainEqual(answer);
        expect(all.filter(({ answer }) => answer !== lost.code).length).toBeGreaterThanOrEqual(
          least,
        );
      },
    );

    it.each([
      ['a timer', () => sleep(15)],
      ['the event loop', () => new Promise((resolve) => setImmediate(resolve))],
      ['somebody else’s server', () => cluster.primary.query('DO 1')],
    ])('refuses to guess after %s', async (_what, wait) => {
      const { insert, ask } = await makeWarm();
      await insert(newTag());
      await wait();
      expect(await failureOf(ask(askId))).toMatchObject(lost);
    });

    it('shows nothing to a function that was called beside, before or after', async () => {
      const { insert, ask } = await makeWarm();
      const asker = async (delay: number) => {
        await sleep(delay);
        return await told(ask(askId));
      };
      const tag = newTag();
      const before = [5, 10, 20].map(asker);
      const inserting = (async () => {
        await insert(tag);
        return await ask(askId);
      })();
      const after = [5, 10, 20].map(asker);
      expect(await inserting).toEqual(await idOf(tag));
      expect(await Promise.all([...before, ...after])).toEqual(
        Array.from({ length: 6 }, () => lost.code),
      );
    });

    it.each([false, true])(
      'has requests of a server that was started in a flow apart (keep-alive: %s)',
      async (keepAlive) => {
        const { insert, ask } = await makeWarm();
        const server = createServer(async (request, response) => {
          const [, what, text = ''] = request.url?.split('/') ?? [];
          if (what === 'insert') await insert(text);
          const answer =
            what === 'add' ? await insert(text).then(() => null) : await told(ask(askId));
          response.end(JSON.stringify(answer));
        });
        await insert(newTag());
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        const { port } = server.address() as AddressInfo;
        const agent = new Agent({ keepAlive, maxSockets: 1 });
        const request = async (path: string, shared = true): Promise<unknown> => {
          const options = { port, path, agent: shared ? agent : false };
          const [response] = (await once(get(options), 'response')) as [AsyncIterable<Buffer>];
          let body = '';
          for await (const part of response) body += part;
          return JSON.parse(body);
        };
        expect(await request('/ask')).toBe(lost.code);
        await request(`/add/${newTag()}`);
        expect(await request('/ask')).toBe(lost.code);
        const tags = Array.from({ length: 6 }, newTag);
        const answers = await Promise.all(
          tags.flatMap((tag) => [request(`/insert/${tag}`, false), request('/ask', false)]),
        );
        agent.destroy();
        server.close();
        const expected = await Promise.all(tags.map(async (tag) => [await idOf(tag), lost.code]));
        expect(answers).toEqual(expected.flat());
      },
    );

    it('tells timers and listeners nothing that is not theirs', async () => {
      const { insert, ask } = await makeWarm();
      const emitter = new EventEmitter();
      const answers: Promise<unknown>[] = [];
      emitter.on('asked', () => answers.push(told(ask(askId))));
      const ticking = setInterval(() => emitter.emit('asked'), 3);
      const later = sleep(10).then(() => emitter.emit('asked'));
      for (let index = 0; index < 5; index += 1) {
        const tag = newTag();
        await insert(tag);
        expect(await ask(askId)).toEqual(await idOf(tag));
        await insert(newTag());
        await sleep(3);
      }
      await later;
      clearInterval(ticking);
      expect(new Set(await Promise.all(answers))).toEqual(new Set([lost.code]));
    });

    it('tells one tick of an interval nothing of the one before', async () => {
      const { insert, ask } = await makeWarm();
      const answers = await new Promise<unknown[]>((resolve) => {
        const all: Promise<unknown>[] = [];
        const ticking = setInterval(() => {
          all.push(all.length % 2 === 0 ? insert('tick').then(() => null) : told(ask(askId)));
          if (all.length === 6) {
            clearInterval(ticking);
            resolve(Promise.all(all));
          }
        }, 15);
      });
      expect(answers).toEqual([null, lost.code, null, lost.code, null, lost.code]);
    });

    it('does not grow by connections', async () => {
      const { insert } = make();
      const before = await count();
      for (let index = 0; index < 200; index += 1) await insert('many');
      expect((await count()) - before).toBeLessThan(4);
    });
  });

  async function count(): Promise<number> {
    const [row] = await cluster.primary.query<{ n: number }>(
      'SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE DB = ?',
      [place.name],
    );
    return Number(row?.n);
  }

  describe('Knex builders', () => {
    const select = (db: Knex) => db.select(db.raw('LAST_INSERT_ID() AS id'));

    it('that run in another order than they were made answer nothing wrong', async () => {
      const db = openKnex();
      const [one, two] = [newTag(), newTag()];
      const first = db('note').insert({ text: one });
      const second = db('note').insert({ text: two });
      const question = select(db);
      await second;
      await first;
      expect([await idOf(one), lost.code]).toContainEqual(await told(question));
    });

    it('that were made before what they ask about answer nothing wrong', async () => {
      const db = openKnex();
      const question = select(db);
      const [tag, later] = [newTag(), newTag()];
      await db('note').insert({ text: tag });
      expect([await idOf(tag), lost.code]).toContainEqual(await told(question));
      await db('note').insert({ text: later });
      expect([await idOf(later), lost.code]).toContainEqual(await told(question.clone()));
    });

    it('that run twice answer nothing wrong', async () => {
      const db = openKnex();
      const [tag, question] = [newTag(), select(db)];
      const insert = db('note').insert({ text: tag });
      await insert;
      await told(question);
      await insert;
      const last = (await idOf(tag)).slice(-1);
      expect([last, lost.code]).toContainEqual(await told(question));
      await insert.clone();
      const latest = (await idOf(tag)).slice(-1);
      expect([latest, lost.code]).toContainEqual(await told(select(db)));
    });

    it('that never run are no obstacle', async () => {
      const db = openKnex();
      const tag = newTag();
      for (let index = 0; index < 3; index += 1) db('item').where({ id: index }).select();
      await db('note').insert({ text: tag });
      for (let index = 0; index < 3; index += 1) db('item').where({ id: index }).select();
      expect(await told(select(db))).toEqual(await idOf(tag));
    });

    it('made by one flow and run by two answer nothing wrong', async () => {
      const db = openKnex();
      const [mine, theirs] = [newTag(), newTag()];
      const insert = db('note').insert({ text: mine });
      const other = (async () => {
        await sleep(40);
        return await told(select(db));
      })();
      await insert;
      await sleep(80);
      // Under load the insert may be answered just as the other flow asks.
      expect([lost.code, await idOf(mine)]).toContainEqual(await other);
      await db('note').insert({ text: theirs });
      expect(await told(select(db))).toEqual(await idOf(theirs));
    });

    it('that never run, beside a bare pool, make no flow of two', async () => {
      const db = openKnex();
      const pool = openPool().promise();
      await db('note').insert({ text: newTag() });
      // The flow is at a builder that is only a part of a query.
      db.raw('NOW()');
      const tags = [newTag(), newTag(), newTag()];
      const answers = await Promise.all(
        tags.map(async (tag) => {
          await pool.query('INSERT INTO note (text) VALUES (?)', [tag]);
          const first = await told(pool.query(askId).then(([rows]) => rows));
          return [first, await told(pool.query(askId).then(([rows]) => rows))];
        }),
      );
      for (const [index, both] of answers.entries()) {
        for (const answer of both) {
          expect([await idOf(tags[index] ?? ''), lost.code]).toContainEqual(answer);
        }
      }
    });

    it('in a session ask what the session did', async () => {
      const db = openKnex();
      const [outer, inner] = [newTag(), newTag()];
      await db('note').insert({ text: outer });
      await withSession(async () => {
        expect(await told(select(db))).toBe(lost.code);
        await db('note').insert({ text: inner });
        expect(await told(select(db))).toEqual(await idOf(inner));
      });
    });
  });

  afterAll(() => expect(ends).toEqual([]));
});
