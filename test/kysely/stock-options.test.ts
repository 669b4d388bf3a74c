import { setTimeout as sleep } from 'node:timers/promises';
import { ReplicatedMysqlDialect, withSession } from '@rwsplit/kysely';
import { CompiledQuery, Kysely, sql } from 'kysely';
import { createConnection, createPool, type Pool } from 'mysql2';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Server } from '../support/servers/server.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { createTables, hosts, newTag, rolesOf, type Tables } from './people.ts';

/** The options of Kysely's `MysqlDialect`: nothing here depends on the server. */
describe("the stock dialect's options", async () => {
  const cluster = sharedCluster('mysql');
  const database = await freshDatabase(cluster);
  const { primary, replicas } = hosts(cluster, database);
  const poolOf = (server: Server): Pool => createPool(database.connectionOptions(server));
  const [replica = cluster.primary] = cluster.replicas;
  beforeAll(() => createTables(cluster, database));

  const read = (db: Kysely<Tables>, tag: string) =>
    db.selectFrom('person').select('id').where('name', '=', tag).execute();
  const write = (db: Kysely<Tables>, tag: string) =>
    db.insertInto('person').values({ name: tag }).execute();

  it.each([
    ['a pool', () => ({ pool: poolOf(cluster.primary) })],
    ['a function that gives a pool', () => ({ pool: () => poolOf(cluster.primary) })],
    ['a promise of a pool', () => ({ pool: async () => poolOf(cluster.primary) })],
    ['a promise of options', () => ({ pool: async () => primary })],
    ['a promise, by our name', () => ({ primary: async () => poolOf(cluster.primary) })],
    ['options, by its name', () => ({ pool: primary })],
  ])('are options here: %s', async (_, host) => {
    await using db = new Kysely<Tables>({
      dialect: new ReplicatedMysqlDialect({
        ...host(),
        controlConnection: createConnection,
        replicas: [async () => poolOf(replica)],
        causalWait: 10_000,
      }),
    });
    const [before, written] = [newTag(), newTag()];
    await read(db, before);
    await write(db, written);
    await db.transaction().execute((trx) => read(trx, written));
    expect(await rolesOf(cluster, before)).toEqual(['replica']);
    expect(await rolesOf(cluster, written)).toEqual(['primary', 'primary']);
  });

  it('call a function once for each Kysely that is used, and end what it gave with it', async () => {
    const made: Pool[] = [];
    const make = async (server: Server) => {
      const pool = poolOf(server);
      made.push(pool);
      return pool;
    };
    const dialect = new ReplicatedMysqlDialect({
      pool: () => make(cluster.primary),
      replicas: [() => make(replica)],
    });
    const [one, other, unused] = [1, 2, 3].map(() => new Kysely<Tables>({ dialect }));
    if (one === undefined || other === undefined) throw new Error('no instances');
    await Promise.all([read(one, newTag()), read(one, newTag()), read(other, newTag())]);
    expect(made).toHaveLength(4);
    await one.destroy();
    const tag = newTag();
    await read(other, tag);
    expect(await rolesOf(cluster, tag)).toEqual(['replica']);
    await other.destroy();
    await unused?.destroy();
    expect(made).toHaveLength(4);
    for (const pool of made) {
      await expect(pool.promise().query('select 1')).rejects.toThrow('Pool is closed');
    }
  });

  it('ask a function again after it has failed', async () => {
    const pool = vi
      .fn<() => Promise<Pool>>()
      .mockRejectedValueOnce(new Error('no secret yet'))
      .mockImplementation(async () => poolOf(cluster.primary));
    await using db = new Kysely<Tables>({ dialect: new ReplicatedMysqlDialect({ pool }) });
    await expect(read(db, newTag())).rejects.toThrow('no secret yet');
    await read(db, newTag());
    expect(pool).toHaveBeenCalledTimes(2);
  });

  it('check what a function gives before the first query', async () => {
    await using db = new Kysely<Tables>({
      dialect: new ReplicatedMysqlDialect({ pool: async () => ({ ...primary, pasword: '' }) }),
    });
    await expect(read(db, newTag())).rejects.toMatchObject({
      code: 'RWSPLIT_OPTIONS',
      message: expect.stringContaining("primary.pasword: unknown option; did you mean 'password'?"),
    });
  });

  it.each([undefined, null, 1])('check it, be it %s', async (given) => {
    await using db = new Kysely<Tables>({
      dialect: new ReplicatedMysqlDialect({ pool: async () => given as unknown as string }),
    });
    await expect(read(db, newTag())).rejects.toMatchObject({
      code: 'RWSPLIT_OPTIONS',
      message: expect.stringContaining('primary: expected'),
    });
  });

  it('give a function the signal of the query that waits for it', async () => {
    const { signal } = new AbortController();
    const seen: unknown[] = [];
    await using db = new Kysely<Tables>({
      dialect: new ReplicatedMysqlDialect({
        pool: (operation) => {
          seen.push(operation?.signal);
          return primary;
        },
        onReserveConnection: (_connection, operation) => void seen.push(operation?.signal),
      }),
    });
    await db.selectFrom('person').select('id').limit(1).execute({ signal });
    expect(seen).toEqual([signal, signal]);
  });

  it('keep the caller’s flow while a function is waited for', async () => {
    const open = () =>
      new Kysely<Tables>({
        dialect: new ReplicatedMysqlDialect({
          pool: async () => {
            await sleep(10);
            return poolOf(cluster.primary);
          },
        }),
      });
    // Flows are followed from the first write of a process on.
    await using first = open();
    await write(first, newTag());
    await using db = open();
    const id = await db.transaction().execute(async (trx) => {
      const { insertId } = await trx
        .insertInto('person')
        .values({ name: newTag() })
        .executeTakeFirstOrThrow();
      return insertId;
    });
    const { rows } = await db.executeQuery(CompiledQuery.raw('select last_insert_id() as id'));
    expect(rows).toEqual([{ id: Number(id) }]);
  });

  it('keep the sessions apart of those who wait for a function', async () => {
    await using db = new Kysely<Tables>({
      dialect: new ReplicatedMysqlDialect({
        pool: async () => {
          await sleep(10);
          return poolOf(cluster.primary);
        },
      }),
    });
    const { signal } = new AbortController();
    const inside = withSession(async () => {
      // Who can be aborted waits a little longer, so that the other one is served first.
      await sql`select 1`.execute(db, { signal });
      const { rows } = await sql`select @mine as mine`.execute(db);
      return rows;
    });
    await sql`set @mine = 1`.execute(db);
    expect(await inside).toEqual([{ mine: null }]);
  });

  describe('a query that is cancelled on pools of the user', () => {
    const controlConnection = vi.fn(createConnection);
    const one = { connectionLimit: 1 };
    const db = new Kysely<Tables>({
      dialect: new ReplicatedMysqlDialect({
        controlConnection,
        pool: async () => createPool({ ...database.connectionOptions(cluster.primary), ...one }),
        replicas: [async () => createPool({ ...database.connectionOptions(replica), ...one })],
      }),
    });
    afterAll(() => db.destroy());

    it.each(['cancel query', 'kill session'] as const)(
      'is killed where it runs, through no connection of theirs: %s',
      async (inflightQueryAbortStrategy) => {
        const quiet = vi.spyOn(console, 'error').mockImplementation(() => {});
        const tag = newTag();
        const marks = await Promise.all(cluster.all.map((server) => server.mark()));
        const abort = new AbortController();
        const query = db
          .selectFrom(['person as a', 'person as b', 'person as c', 'person as d'])
          .select(({ fn }) => fn.sum('a.age').as('n'))
          .whereRef('a.age', '<', sql`b.age + c.age + d.age`)
          .where('a.name', '!=', tag)
          .execute({ signal: abort.signal, inflightQueryAbortStrategy });
        const ended = expect(query).rejects.toThrow('enough');
        await expect.poll(() => rolesOf(cluster, tag)).toEqual(['replica']);
        abort.abort(new Error('enough'));
        await ended;
        // The only connection is free again, or replaced.
        await read(db, newTag());
        const [victim] = await cluster.whoRan(tag);
        const what = inflightQueryAbortStrategy === 'cancel query' ? 'QUERY' : 'CONNECTION';
        const kill = `KILL ${what} ${victim?.threadId}`;
        const killers = async () => {
          const sent = await Promise.all(
            cluster.all.map(async (server, index) => {
              const since = marks[index];
              const kills = await server.statements({
                containing: kill,
                ...(since === undefined ? {} : { since }),
              });
              return kills.filter(({ sql: text }) => text === kill).map(() => server.name);
            }),
          );
          return sent.flat();
        };
        await expect.poll(killers).toEqual([replica.name]);
        expect(controlConnection).not.toHaveBeenCalled();
        quiet.mockRestore();
      },
    );
  });

  it.each([
    [
      'both names',
      { primary, pool: primary },
      'pool: expected nothing, as it is another name of `primary`, which is there too',
    ],
    ['a number', { pool: 5 }, 'pool: expected mysql2 pool options, a URL'],
    ['a typo', { pool: { hots: 'db-1' } }, "pool.hots: unknown option; did you mean 'host'?"],
    ['no replicas', { pool: primary, replicas: () => replicas }, 'replicas: expected an array'],
  ])('are refused: %s', (_, options, message) => {
    expect(() => new ReplicatedMysqlDialect(options as never)).toThrow(message);
  });
});
