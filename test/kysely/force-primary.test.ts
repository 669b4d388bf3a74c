import { forcePrimary, ReplicatedMysqlDialect } from '@rwsplit/kysely';
import {
  CamelCasePlugin,
  CompiledQuery,
  DeduplicateJoinsPlugin,
  Kysely,
  MysqlQueryCompiler,
  type SelectQueryBuilder,
  sql,
  WithSchemaPlugin,
} from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { createTables, hosts, newTag, open, rolesOf, type Tables } from './people.ts';

/** The plugin and the compiler know nothing of servers: one flavour says it all. */
const cluster = sharedCluster('mysql');
const database = await freshDatabase(cluster);
const dialect = new ReplicatedMysqlDialect(hosts(cluster, database));
const db = new Kysely<Tables>({ dialect });
/** Rebuilds every node of a query, and so drops what hangs on them. */
const camel = new Kysely<{ person: { id: number; name: string } }>({
  dialect,
  plugins: [new CamelCasePlugin()],
});

beforeAll(() => createTables(cluster, database));
afterAll(() => Promise.all([db.destroy(), camel.destroy()]));

const byName = (tag: string) => db.selectFrom('person').select('id').where('name', '=', tag);

interface Row {
  readonly what: string;
  readonly run: (tag: string) => Promise<unknown>;
}

const forced: readonly Row[] = [
  { what: 'a select', run: (tag) => byName(tag).$call(forcePrimary).execute() },
  {
    what: 'a select that is built further',
    run: (tag) => byName(tag).$call(forcePrimary).orderBy('id').limit(1).executeTakeFirst(),
  },
  {
    what: 'a select with a common table expression',
    run: (tag) =>
      db
        .with('tagged', () => byName(tag))
        .selectFrom('tagged')
        .selectAll()
        .$call(forcePrimary)
        .execute(),
  },
  {
    what: 'a query creator with a common table expression',
    run: (tag) =>
      forcePrimary(db.with('tagged', () => byName(tag)))
        .selectFrom('tagged')
        .selectAll()
        .execute(),
  },
  {
    what: 'a union',
    run: (tag) =>
      byName(tag).unionAll(db.selectFrom('pet').select('id')).$call(forcePrimary).execute(),
  },
  { what: 'a stream', run: (tag) => first(byName(tag).$call(forcePrimary).stream()) },
  { what: 'an explain', run: (tag) => byName(tag).$call(forcePrimary).explain() },
  {
    what: 'raw SQL',
    run: (tag) => forcePrimary(sql`select id from person where name = ${tag}`).execute(db),
  },
  {
    what: 'raw SQL, compiled',
    run: (tag) =>
      db.executeQuery(forcePrimary(sql`select id from person where name = ${tag}`).compile(db)),
  },
  {
    what: 'every query of a database',
    run: (tag) =>
      forcePrimary(db).selectFrom('person').select('id').where('name', '=', tag).execute(),
  },
  {
    what: 'raw SQL on such a database',
    run: (tag) => sql`select id from person where name = ${tag}`.execute(forcePrimary(db)),
  },
  {
    what: 'withSchema, before the hint',
    run: (tag) =>
      forcePrimary(db.withSchema(database.name))
        .selectFrom('person')
        .select('id')
        .where('name', '=', tag)
        .execute(),
  },
  {
    what: 'withSchema, after the hint',
    run: (tag) =>
      forcePrimary(db)
        .withSchema(database.name)
        .selectFrom('person')
        .select('id')
        .where('name', '=', tag)
        .execute(),
  },
  {
    what: 'plugins that clone the query after the hint',
    run: (tag) =>
      forcePrimary(camel)
        .withPlugin(new CamelCasePlugin())
        .withPlugin(new DeduplicateJoinsPlugin())
        .withPlugin(new WithSchemaPlugin(database.name))
        .selectFrom('person')
        .select('id')
        .where('name', '=', tag)
        .execute(),
  },
  {
    what: 'a hint on the query, with plugins that clone it',
    run: (tag) =>
      camel
        .selectFrom('person')
        .select('id')
        .where('name', '=', tag)
        .$call(forcePrimary)
        .withPlugin(new CamelCasePlugin())
        .execute(),
  },
  {
    what: 'a compiled query',
    run: (tag) => db.executeQuery(byName(tag).$call(forcePrimary).compile()),
  },
  {
    what: 'a compiled query on another Kysely',
    run: (tag) => camel.executeQuery(byName(tag).$call(forcePrimary).compile()),
  },
  {
    what: 'a copy of a compiled query with other parameters',
    run: (tag) => {
      const compiled = byName('nobody').$call(forcePrimary).compile();
      return db.executeQuery({ ...compiled, parameters: [tag] });
    },
  },
  {
    what: 'a connection of the database with the hint',
    run: (tag) =>
      forcePrimary(db)
        .connection()
        .execute((connection) =>
          connection.selectFrom('person').select('id').where('name', '=', tag).execute(),
        ),
  },
  {
    what: 'a query inside a transaction',
    run: (tag) =>
      db
        .transaction()
        .execute((trx) =>
          forcePrimary(trx).selectFrom('person').select('id').where('name', '=', tag).execute(),
        ),
  },
  {
    what: 'an insert',
    run: (tag) => db.insertInto('person').values({ name: tag }).$call(forcePrimary).execute(),
  },
  {
    what: 'an update',
    run: (tag) =>
      db
        .updateTable('person')
        .set({ age: 1 })
        .where('name', '=', tag)
        .$call(forcePrimary)
        .execute(),
  },
  {
    what: 'a delete',
    run: (tag) => db.deleteFrom('person').where('name', '=', tag).$call(forcePrimary).execute(),
  },
  {
    what: 'the comment in raw SQL',
    run: (tag) => sql`/* route:primary */ select id from person where name = ${tag}`.execute(db),
  },
  {
    what: 'the comment in a query that was compiled by hand',
    run: (tag) =>
      db.executeQuery(
        CompiledQuery.raw('/* route:primary */ select id from person where name = ?', [tag]),
      ),
  },
];

const free: readonly Row[] = [
  { what: 'a query without it', run: (tag) => byName(tag).execute() },
  {
    what: 'the query that a forced copy was made of',
    run: async (tag) => {
      const query = byName(tag);
      const copy = query.$call(forcePrimary);
      copy.compile();
      await query.execute();
    },
  },
  {
    what: 'a subquery with it',
    run: (tag) => db.selectFrom(byName(tag).$call(forcePrimary).as('inner')).selectAll().execute(),
  },
  {
    what: 'an arm of a union with it',
    run: (tag) =>
      db.selectFrom('pet').select('id').unionAll(byName(tag).$call(forcePrimary)).execute(),
  },
  {
    what: 'raw SQL with it inside another query',
    run: (tag) =>
      db
        .selectFrom('person')
        .select('id')
        .where('name', '=', tag)
        .where('id', '>', forcePrimary(sql<number>`(select 1)`))
        .execute(),
  },
];

type Builder = SelectQueryBuilder<Tables, 'person', { id: number }>;

it.each(forced)('sends to the primary: $what', async ({ run }) => {
  const tag = newTag();
  await run(tag);
  expect(await rolesOf(cluster, tag)).toEqual(['primary']);
});

it.each(free)('leaves on the replicas: $what', async ({ run }) => {
  const tag = newTag();
  await run(tag);
  expect(await rolesOf(cluster, tag)).toEqual(['replica']);
});

it('tells a query and its forced copy apart while both run', async () => {
  const [tag, forcedTag] = [newTag(), newTag()];
  const query = db.selectFrom('person').select('id');
  const copy = query.$call(forcePrimary);
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      index % 2 === 0
        ? query.where('name', '=', tag).execute()
        : copy.where('name', '=', forcedTag).execute(),
    ),
  );
  expect(new Set(await rolesOf(cluster, tag))).toEqual(new Set(['replica']));
  expect(new Set(await rolesOf(cluster, forcedTag))).toEqual(new Set(['primary']));
});

it.each([
  [
    'as a part of another query',
    (copy: Builder) => db.selectFrom(copy.as('part')).select('id').compile(),
  ],
  ['as a node', (copy: Builder) => copy.toOperationNode()],
])('leaves nothing on a query whose forced copy is used %s', async (_how, use) => {
  const [tag, laterTag] = [newTag(), newTag()];
  const query = db.selectFrom('person').select('id').where('name', '=', tag);
  use(query.$call(forcePrimary));
  await query.execute();
  expect(await rolesOf(cluster, tag)).toEqual(['replica']);
  const later = db.selectFrom('person').select('id').where('name', '=', laterTag);
  use(later.$call(forcePrimary));
  await Promise.resolve();
  await later.execute();
  expect(await rolesOf(cluster, laterTag)).toEqual(['replica']);
});

it('changes neither the SQL nor the results', async () => {
  const plain = db.selectFrom('person').select(['id', 'name']).where('id', '=', 3);
  const { query: _, queryId: __, ...expected } = plain.compile();
  expect(plain.$call(forcePrimary).compile()).toMatchObject(expected);
  expect(await plain.$call(forcePrimary).execute()).toEqual(await plain.execute());
});

it('survives a compiler of the user', async () => {
  class OtherDialect extends ReplicatedMysqlDialect {
    override createQueryCompiler() {
      return new MysqlQueryCompiler();
    }
  }
  await using other = new Kysely<Tables>({ dialect: new OtherDialect(hosts(cluster, database)) });
  const tag = newTag();
  await other
    .selectFrom('person')
    .select('id')
    .where('name', '=', tag)
    .$call(forcePrimary)
    .execute();
  expect(await rolesOf(cluster, tag)).toEqual(['primary']);
});

describe('on a session that holds a replica', () => {
  it('moves to the primary', async () => {
    await using own = open(cluster, database);
    const [before, tag] = [newTag(), newTag()];
    await own.connection().execute(async (connection) => {
      const read = (name: string) =>
        connection.selectFrom('person').select('id').where('name', '=', name);
      await read(before).execute();
      await read(tag).$call(forcePrimary).execute();
    });
    expect(await rolesOf(cluster, before)).toEqual(['replica']);
    expect(await rolesOf(cluster, tag)).toEqual(['primary']);
  });
});

async function first(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream) {
    break;
  }
}
