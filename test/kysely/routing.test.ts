import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, type LogEvent, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { createTables, newTag, open, rolesOf, sentWith, type Tables } from './people.ts';

interface Row {
  readonly what: string;
  /** Runs one query with the tag in it. */
  readonly run: (db: Kysely<Tables>, tag: string) => Promise<unknown>;
}

const reads: readonly Row[] = [
  {
    what: 'a select',
    run: (db, tag) => db.selectFrom('person').selectAll().where('name', '=', tag).execute(),
  },
  {
    what: 'a join with an aggregate',
    run: (db, tag) =>
      db
        .selectFrom('person as p')
        .leftJoin('pet', 'pet.owner_id', 'p.id')
        .select(({ fn }) => ['p.id', fn.count('pet.id').as('pets')])
        .where('p.name', '=', tag)
        .groupBy('p.id')
        .execute(),
  },
  {
    what: 'a common table expression',
    run: (db, tag) =>
      db
        .with('tagged', (qb) => qb.selectFrom('person').select('id').where('name', '=', tag))
        .selectFrom('tagged')
        .selectAll()
        .execute(),
  },
  {
    what: 'a union',
    run: (db, tag) =>
      db
        .selectFrom('person')
        .select('id')
        .where('name', '=', tag)
        .unionAll(db.selectFrom('pet').select('id'))
        .execute(),
  },
  {
    what: 'raw SQL',
    run: (db, tag) => sql`select id from person where name = ${tag}`.execute(db),
  },
  {
    what: 'a compiled query',
    run: (db, tag) =>
      db.executeQuery(db.selectFrom('person').select('id').where('name', '=', tag).compile()),
  },
  {
    what: 'EXPLAIN of a select',
    run: (db, tag) => db.selectFrom('person').select('id').where('name', '=', tag).explain(),
  },
  {
    what: 'a stream',
    run: (db, tag) => drain(db.selectFrom('person').select('id').where('name', '!=', tag).stream()),
  },
  {
    what: 'a stream that is left early',
    run: async (db, tag) => {
      const stream = db.selectFrom('person').select('id').where('name', '!=', tag).stream();
      for await (const _ of stream) {
        break;
      }
    },
  },
];

const writes: readonly Row[] = [
  { what: 'an insert', run: (db, tag) => insert(db, tag) },
  {
    what: 'a replace',
    run: (db, tag) => db.replaceInto('person').values({ name: tag }).execute(),
  },
  {
    what: 'an update',
    run: (db, tag) =>
      db.updateTable('person').set({ age: 1 }).where('name', '=', tag).executeTakeFirst(),
  },
  {
    what: 'a delete',
    run: (db, tag) => db.deleteFrom('person').where('name', '=', tag).execute(),
  },
  {
    what: 'an upsert',
    run: (db, tag) =>
      db
        .insertInto('person')
        .values({ id: 1, name: tag })
        .onDuplicateKeyUpdate({ age: 1 })
        .execute(),
  },
  {
    what: 'a common table expression with an update',
    run: (db, tag) =>
      db
        .with('one', (qb) => qb.selectFrom('pet').select('owner_id'))
        .updateTable('person')
        .set({ age: 2 })
        .where('name', '=', tag)
        .where('id', 'in', (qb) => qb.selectFrom('one').select('owner_id'))
        .execute()
        // MariaDB has no WITH … UPDATE: that it refuses is the primary's answer.
        .catch(() => {}),
  },
  {
    what: 'a locking read',
    run: (db, tag) =>
      db.selectFrom('person').select('id').where('name', '=', tag).forUpdate().execute(),
  },
  {
    what: 'a lock that raw SQL puts at the end of a builder',
    run: (db, tag) =>
      db
        .selectFrom('person')
        .select('id')
        .where('name', '=', tag)
        .modifyEnd(sql`for update`)
        .execute(),
  },
  {
    what: 'what raw SQL puts at the front of a builder',
    run: (db, tag) =>
      db
        .selectFrom('person')
        .select('id')
        .where('name', '=', tag)
        .modifyFront(sql`sql_calc_found_rows`)
        .execute(),
  },
  {
    what: 'a user lock in a select without a table',
    run: (db, tag) =>
      db
        .selectNoFrom(({ fn, val }) => fn<number>('get_lock', [val(tag), val(0)]).as('got'))
        .execute(),
  },
  {
    what: 'a function that may be stored',
    run: (db, tag) =>
      db
        .selectFrom('person')
        .select(({ fn }) => fn<number>('rank_of', ['id']).as('r'))
        .where('name', '=', tag)
        .execute()
        // There is none: that is the primary's answer.
        .catch(() => {}),
  },
  {
    what: 'a lock in a common table expression',
    run: (db, tag) =>
      db
        .with('locked', (qb) =>
          qb.selectFrom('person').select('id').where('name', '=', tag).forUpdate(),
        )
        .selectFrom('locked')
        .selectAll()
        .execute(),
  },
  {
    what: 'EXPLAIN of an update',
    run: (db, tag) => db.updateTable('person').set({ age: 1 }).where('name', '=', tag).explain(),
  },
  {
    what: 'several statements in one text',
    run: (db, tag) =>
      sql`select 1; update person set age = 1 where name = ${tag}`
        .execute(db)
        // Not allowed on these connections, which must be the primary's answer too.
        .catch(() => {}),
  },
  {
    what: 'raw SQL that writes',
    run: (db, tag) => sql`update person set age = 3 where name = ${tag}`.execute(db),
  },
  {
    what: 'a read of the catalogue',
    run: (db, tag) =>
      sql`select table_name from information_schema.tables where table_name = ${tag}`.execute(db),
  },
  {
    what: 'the schema builder',
    run: async (db, tag) => {
      const name = tag.replaceAll('-', '_');
      await db.schema.createTable(name).addColumn(tag, 'integer').execute();
      await db.schema.dropTable(name).execute();
    },
  },
];

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const database = await freshDatabase(cluster);
  const events: LogEvent[] = [];
  let db: Kysely<Tables>;

  beforeAll(async () => {
    await createTables(cluster, database);
    db = open(cluster, database, { log: (event) => void events.push(event) });
    // The first connection of each host asks for its version.
    await Promise.all([1, 2, 3].map(() => sql`select 1`.execute(db)));
  });
  afterAll(() => db.destroy());

  it.each(reads)('$what runs on a replica', async ({ run }) => {
    const tag = newTag();
    await run(db, tag);
    expect(await rolesOf(cluster, tag)).toEqual(['replica']);
  });

  it.each(writes)('$what runs on the primary', async ({ run }) => {
    const tag = newTag();
    await run(db, tag);
    expect(await rolesOf(cluster, tag)).toEqual(['primary']);
  });

  it('uses both replicas', async () => {
    const tag = newTag();
    // One that has written reads on the first replica that it knows to have that.
    await using unwritten = open(cluster, database);
    for (let i = 0; i < 4; i++) {
      await sql`select id from person where name = ${tag}`.execute(unwritten);
    }
    const ran = await cluster.whoRan(tag);
    expect(new Set(ran.map(({ server }) => server))).toEqual(new Set(['replica-1', 'replica-2']));
  });

  it('keeps a transaction on one connection of the primary, and commits it', async () => {
    const tag = newTag();
    const id = await db.transaction().execute(async (trx) => {
      const { insertId } = await insert(trx, tag);
      expect(await find(trx, tag)).toHaveLength(1);
      return insertId;
    });
    expect(id).toBeTypeOf('bigint');
    const ran = await cluster.whoRan(tag);
    expect(new Set(ran.map(({ server, threadId }) => `${server} ${threadId}`)).size).toBe(1);
    const sent = await sentWith(cluster, tag);
    const begin = sent.findIndex((text) => text.includes(tag)) - 1;
    expect(sent.slice(begin, begin + 4).map((text) => text.split(' ')[0])).toEqual([
      'begin',
      'insert',
      'select',
      'commit',
    ]);
    await cluster.waitUntilReplicated();
    expect(await find(db, tag)).toHaveLength(1);
  });

  it('rolls a transaction back, and rejects with the error of the callback', async () => {
    const tag = newTag();
    const failure = new Error('changed my mind');
    const transaction = db.transaction().execute(async (trx) => {
      await insert(trx, tag);
      throw failure;
    });
    await expect(transaction).rejects.toBe(failure);
    const sent = await sentWith(cluster, tag);
    expect(sent.slice(sent.findIndex((text) => text.includes(tag)) + 1)[0]).toBe('rollback');
    expect(await find(db, tag)).toHaveLength(0);
  });

  it('runs savepoints of a controlled transaction', async () => {
    const [kept, undone] = [newTag(), newTag()];
    const trx = await db.startTransaction().execute();
    await insert(trx, kept);
    const inner = await trx.savepoint('first').execute();
    await insert(inner, undone);
    const outer = await inner.rollbackToSavepoint('first').execute();
    await outer.releaseSavepoint('first').execute();
    expect(await find(trx, kept)).toHaveLength(1);
    expect(await find(trx, undone)).toHaveLength(0);
    await trx.commit().execute();
    const sent = await sentWith(cluster, kept);
    expect(sent.slice(sent.findIndex((text) => text.includes(kept)) - 1)).toMatchObject([
      'begin',
      expect.stringContaining('insert into'),
      'savepoint `first`',
      expect.stringContaining('insert into'),
      'rollback to `first`',
      'release savepoint `first`',
      expect.stringContaining('select'),
      expect.stringContaining('select'),
      'commit',
    ]);
  });

  it('sets isolation level and access mode on the connection of the transaction', async () => {
    const tag = newTag();
    await db
      .transaction()
      .setIsolationLevel('serializable')
      .setAccessMode('read only')
      .execute((trx) => find(trx, tag));
    expect(await rolesOf(cluster, tag)).toEqual(['primary']);
    const sent = await sentWith(cluster, tag);
    const read = sent.findIndex((text) => text.includes(tag));
    expect(sent.slice(read - 2, read)).toEqual([
      'set transaction isolation level serializable, read only',
      'begin',
    ]);
    const refused = newTag();
    await expect(
      db
        .transaction()
        .setAccessMode('read only')
        .execute((trx) => insert(trx, refused)),
    ).rejects.toMatchObject({ errno: 1792 });
    await insert(db, refused);
  });

  it('refuses an isolation level that MySQL does not have, and holds nothing for it', async () => {
    const snapshot = db.startTransaction().setIsolationLevel('snapshot').execute();
    await expect(snapshot).rejects.toMatchObject({ errno: 1064 });
  });

  it('moves a connection() to the primary with its first write', async () => {
    const [before, after] = [newTag(), newTag()];
    await db.connection().execute(async (connection) => {
      await find(connection, before);
      await insert(connection, after);
      expect(await find(connection, after)).toHaveLength(1);
    });
    expect(await rolesOf(cluster, before)).toEqual(['replica']);
    expect(await rolesOf(cluster, after)).toEqual(['primary', 'primary']);
  });

  it('keeps session state of a connection() on its connection', async () => {
    await db.connection().execute(async (connection) => {
      await sql`set @tag = 'mine'`.execute(connection);
      const { rows } = await sql<{ tag: string }>`select @tag as tag`.execute(connection);
      expect(rows).toEqual([{ tag: 'mine' }]);
    });
    const { rows } = await sql<{ tag: unknown }>`select @tag as tag`.execute(db);
    expect(rows).toEqual([{ tag: null }]);
  });

  it('gives the connection of a stream back when it is left early', async () => {
    for (let i = 0; i < 25; i++) {
      for await (const _ of db.selectFrom('person').selectAll().stream()) {
        break;
      }
    }
    const tag = newTag();
    await drain(db.selectFrom('person').select('id').where('name', '!=', tag).stream());
    expect(await rolesOf(cluster, tag)).toEqual(['replica']);
  });

  it('streams inside a transaction on its connection, with its own rows', async () => {
    const tag = newTag();
    const names = await db.transaction().execute(async (trx) => {
      await insert(trx, tag);
      return drain(trx.selectFrom('person').select('name').where('name', '=', tag).stream());
    });
    expect(names).toEqual([{ name: tag }]);
    expect(await rolesOf(cluster, tag)).toEqual(['primary', 'primary']);
  });

  it('logs what transactions send', async () => {
    events.length = 0;
    const tag = newTag();
    await db.transaction().execute((trx) => insert(trx, tag));
    await sleep(0);
    expect(events.map(({ level, query }) => `${level}: ${query.sql.split(' ')[0]}`)).toEqual([
      'query: begin',
      'query: insert',
      'query: commit',
    ]);
  });

  it('adds the frames of the caller to an error', async () => {
    const error = await sql`select no_such_column from person`.execute(db).catch((e) => e);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ errno: 1054 });
    expect(error.stack).toContain('routing.test.ts');
  });

  it('runs many at once, each where it belongs', async () => {
    const [read, written, inside] = [newTag(), newTag(), newTag()];
    await Promise.all(
      Array.from({ length: 60 }, (_, index) => {
        switch (index % 3) {
          case 0:
            return find(db, read);
          case 1:
            return insert(db, written);
          default:
            return db.transaction().execute((trx) => find(trx, inside));
        }
      }),
    );
    expect(new Set(await rolesOf(cluster, read))).toEqual(new Set(['replica']));
    expect(new Set(await rolesOf(cluster, written))).toEqual(new Set(['primary']));
    expect(new Set(await rolesOf(cluster, inside))).toEqual(new Set(['primary']));
  });
});

function insert(db: Kysely<Tables>, name: string) {
  return db.insertInto('person').values({ name }).executeTakeFirstOrThrow();
}

function find(db: Kysely<Tables>, name: string) {
  return db.selectFrom('person').selectAll().where('name', '=', name).execute();
}

async function drain<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const rows: T[] = [];
  for await (const row of stream) {
    rows.push(row);
  }
  return rows;
}
