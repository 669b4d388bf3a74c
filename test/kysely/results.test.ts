import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
import { Kysely, MysqlDialect, sql } from 'kysely';
import { createPool } from 'mysql2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cluster } from '../support/servers/cluster.ts';
import { flavors } from '../support/servers/flavor.ts';
import { type FreshDatabase, freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { createTables, hosts, type Tables } from './people.ts';

/** Options of mysql2 that change what results look like. */
const settings = { multipleStatements: true, supportBigNumbers: true, dateStrings: true };

interface Row {
  readonly what: string;
  readonly run: (db: Kysely<Tables>) => Promise<unknown>;
}

/** In this order, on two databases that are the same to begin with. */
const rows: readonly Row[] = [
  {
    what: 'rows',
    run: (db) => db.selectFrom('person').selectAll().where('id', '<', 5).execute(),
  },
  {
    what: 'no rows',
    run: (db) => db.selectFrom('person').selectAll().where('id', '=', -1).execute(),
  },
  {
    what: 'no first row',
    run: (db) => db.selectFrom('person').selectAll().where('id', '=', -1).executeTakeFirst(),
  },
  {
    what: 'numbers, decimals, bytes, dates, JSON and NULL',
    run: (db) =>
      sql`select 1 as a, 1.50 as b, 9007199254740993 as c, x'00ff' as d, cast('2024-02-29 12:00' as datetime) as e,
        json_object('a', 1) as f, null as g, 'é☃' as h`.execute(db),
  },
  {
    what: 'an insert with a generated id',
    run: (db) => db.insertInto('pet').values({ owner_id: 1, nick_name: 'Tom' }).execute(),
  },
  {
    what: 'an insert of several rows',
    run: (db) =>
      db
        .insertInto('pet')
        .values([
          { owner_id: 2, nick_name: 'Ada' },
          { owner_id: 3, nick_name: 'Bob' },
        ])
        .executeTakeFirst(),
  },
  {
    what: 'an insert beyond 2^53',
    run: (db) =>
      sql`insert into big (id) values (9007199254740994)`
        .execute(db)
        .then(() => sql`insert into big (id) values (null)`.execute(db)),
  },
  {
    what: 'an insert into a table without generated ids',
    run: (db) => sql`insert into plain values (7)`.execute(db),
  },
  {
    what: 'an insert of nothing',
    run: (db) =>
      sql`insert into pet (owner_id, nick_name) select 1, 'x' from pet where 1 = 0`.execute(db),
  },
  {
    what: 'an upsert',
    run: (db) =>
      db
        .insertInto('pet')
        .values({ id: 1, owner_id: 9, nick_name: 'Rex' })
        .onDuplicateKeyUpdate({ nick_name: 'King' })
        .executeTakeFirst(),
  },
  {
    what: 'an update that changes rows',
    run: (db) => db.updateTable('pet').set({ nick_name: 'Zoe' }).where('id', '<', 3).execute(),
  },
  {
    what: 'an update that changes nothing',
    run: (db) => db.updateTable('pet').set({ nick_name: 'Zoe' }).where('id', '<', 3).execute(),
  },
  { what: 'a delete', run: (db) => db.deleteFrom('pet').where('id', '=', 2).execute() },
  {
    what: 'what a write answers without a builder',
    run: (db) =>
      db.executeQuery(db.updateTable('pet').set({ owner_id: 5 }).where('id', '=', 1).compile()),
  },
  {
    what: 'what raw writes answer',
    run: async (db) => [
      await sql`insert into pet (owner_id, nick_name) values (4, 'Eve')`.execute(db),
      await sql`update pet set owner_id = 5 where id = 1`.execute(db),
    ],
  },
  {
    what: 'several statements in one text',
    run: (db) =>
      sql`select 1 as a; update pet set owner_id = 6 where id = 1; select 2 as b`
        .execute(db)
        .then(({ rows: [first, _, last], ...rest }) => ({ first, last, ...rest })),
  },
  {
    what: 'a call of a procedure',
    run: (db) => sql`call both_tables()`.execute(db).then(({ rows: [first] }) => first),
  },
  {
    what: 'SHOW',
    run: (db) => sql`show columns from pet`.execute(db),
  },
  {
    what: 'a stream',
    run: async (db) => {
      const found: unknown[] = [];
      for await (const row of db.selectFrom('person').selectAll().orderBy('id').stream(7)) {
        found.push(row);
      }
      return found;
    },
  },
  {
    what: 'a result of several megabytes',
    run: (db) => sql`select id, repeat('x', 20000) as wide from person`.execute(db),
  },
  {
    what: 'a value with quotes, a backslash and a placeholder',
    run: (db) => sql`select ${`a'b"c\\d?e`} as v, ${new Date(0)} as d, ${null} as n`.execute(db),
  },
  {
    what: 'the tables, by introspection',
    run: async (db) =>
      (await db.introspection.getTables()).map(({ name, columns }) => ({ name, columns })),
  },
];

const failures: readonly Row[] = [
  { what: 'a syntax error', run: (db) => sql`selec 1`.execute(db) },
  { what: 'an unknown table', run: (db) => sql`select * from nowhere`.execute(db) },
  { what: 'a duplicate key', run: (db) => sql`insert into plain values (7)`.execute(db) },
  { what: 'no statement', run: (db) => sql``.execute(db) },
  { what: 'an unterminated string', run: (db) => sql`select 'x`.execute(db) },
  { what: 'no rows where one is a must', run: (db) => missing(db).executeTakeFirstOrThrow() },
  { what: 'a stream of an unknown table', run: (db) => first(unknownTable(db).stream()) },
];

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const [ours, theirs] = [await freshDatabase(cluster), await freshDatabase(cluster)];
  const { primary, replicas } = hosts(cluster, ours);
  const split = new Kysely<Tables>({
    dialect: new ReplicatedMysqlDialect({ primary: { ...primary, ...settings }, replicas }),
  });
  const stock = new Kysely<Tables>({
    dialect: new MysqlDialect({
      pool: createPool({ ...theirs.connectionOptions(cluster.primary), ...settings }),
    }),
  });

  beforeAll(async () => {
    await prepare(cluster, ours);
    await prepare(cluster, theirs);
  });
  afterAll(() => Promise.all([split.destroy(), stock.destroy()]));

  it.each(rows)('gives what the stock dialect gives: $what', async ({ run }) => {
    const expected = await run(stock);
    // Also in keys that have no value: some compare results with `deepStrictEqual`.
    expect(await run(split)).toStrictEqual(expected);
    await cluster.waitUntilReplicated();
  });

  it.each(failures)('fails as the stock dialect fails: $what', async ({ run }) => {
    const expected = await run(stock).then(() => null, shapeOf);
    expect(expected).not.toBeNull();
    expect(await run(split).then(() => null, shapeOf)).toEqual(expected);
  });
});

/** All of an error, and where its stack ends; the names of the two databases differ. */
function shapeOf(error: Error) {
  const text = (value: string) => value.replaceAll(/app_[0-9a-f]+/g, 'app');
  const caller = error.stack
    ?.split('\n')
    .at(-1)
    ?.replace(/:\d+:\d+/, '');
  const shape = { ...error, name: error.name, message: text(error.message), caller };
  return 'sqlMessage' in shape ? { ...shape, sqlMessage: text(String(shape.sqlMessage)) } : shape;
}

async function prepare(cluster: Cluster, database: FreshDatabase): Promise<void> {
  await createTables(cluster, database);
  const { name } = database;
  const { primary } = cluster;
  await primary.query(`CREATE TABLE ${name}.big (id BIGINT PRIMARY KEY AUTO_INCREMENT)`);
  await primary.query(`CREATE TABLE ${name}.plain (id INT PRIMARY KEY)`);
  await primary.query(
    `CREATE PROCEDURE ${name}.both_tables() SELECT COUNT(*) AS n FROM ${name}.person`,
  );
  await cluster.waitUntilReplicated();
}

function missing(db: Kysely<Tables>) {
  return db.selectFrom('person').selectAll().where('id', '=', -1);
}

function unknownTable(db: Kysely<Tables>) {
  return db.withTables<{ nowhere: { id: number } }>().selectFrom('nowhere').selectAll();
}

async function first(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream) {
    break;
  }
}
