import { ReplicatedMysql2 } from '@rwsplit/knex';
import knex, { type Knex } from 'knex';
import { afterAll, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';

type Row = readonly [what: string, run: (db: Knex) => PromiseLike<unknown>];

const definitionOf = (db: Knex, table: string) =>
  db.raw('show create table ??', [table]).then(([[row]]) => row['Create Table']);

const people = (db: Knex) => db('person').orderBy('id');

/** Where what is altered depends on what is there. */
const schemas: readonly Row[] = [
  [
    'a renamed column keeps its type, default and foreign key',
    async (db) => {
      await db.schema.createTable('a', (table) => {
        table.increments('id');
        table.string('title', 70).notNullable().defaultTo('none').index();
        table.integer('personId').nullable();
        table.foreign('personId').references('person.id').onDelete('SET NULL');
      });
      await db.schema.alterTable('a', (table) => {
        table.renameColumn('title', 'name');
        table.renameColumn('personId', 'ownerId');
      });
      return [await db('a').columnInfo(), await definitionOf(db, 'a')];
    },
  ],
  [
    'columns that are added, altered and dropped',
    async (db) => {
      await db.schema.alterTable('a', (table) => {
        table.datetime('since', { precision: 3 }).defaultTo(db.fn.now(3));
        table.enu('kind', ['x', 'y']).after('id');
        table.setNullable('name');
        table.unique(['kind', 'name'], { indexName: 'one_of_a_kind' });
        table.comment('things');
      });
      await db.schema.alterTable('a', (table) => {
        table.text('name').alter();
        table.dropForeign('ownerId', 'a_personid_foreign');
        table.dropColumns('kind', 'since');
      });
      return [await db.schema.hasColumn('a', 'kind'), await definitionOf(db, 'a')];
    },
  ],
  [
    'tables that are renamed, copied and dropped',
    async (db) => {
      await db.schema.createTableLike('c', 'a').renameTable('a', 'b');
      const were = [await db.schema.hasTable('a'), await db.schema.hasTable('c')];
      await db.schema.dropTable('c').dropTableIfExists('b').dropTableIfExists('b');
      return [were, await db.schema.hasTable('b')];
    },
  ],
  [
    'views',
    async (db) => {
      await db.schema.createView('young', (view) => {
        view.columns(['id', 'name']);
        view.as(db('person').select('id', 'name').where('age', '<', 30));
      });
      const before = await db('young').orderBy('id');
      await db.schema.createViewOrReplace('young', (view) => {
        view.as(db('person').select('name').whereNull('age'));
      });
      const rows = await db('young');
      await db.schema.dropView('young').dropViewIfExists('young');
      return [before, rows, await db.schema.hasTable('young')];
    },
  ],
  [
    'commands that are only shown',
    (db) =>
      db.schema
        .alterTable('person', (table) => table.renameColumn('name', 'who'))
        .generateDdlCommands()
        .then(({ sql }) => sql.length),
  ],
  ['a table that is there already', (db) => db.schema.createTable('person', () => {})],
  ['a table that is not there', (db) => db.schema.alterTable('no', (t) => void t.integer('x'))],
  [
    'a column that is not there',
    (db) => db.schema.table('person', (t) => t.renameColumn('x', 'y')),
  ],
  ['raw, in a schema', (db) => db.schema.raw('select 1 as one')],
  ['a schema by its name', (db) => db.schema.withSchema('nowhere').hasTable('person')],
];

const queries: readonly Row[] = [
  ['a CTE', (db) => db.with('old', db('person').where('age', '>', 30)).from('old')],
  [
    'a CTE with columns, of raw',
    (db) => db.with('t', ['x', 'y'], db.raw('select 1, ?', ['two'])).from('t'),
  ],
  [
    'a recursive CTE',
    (db) =>
      db
        .withRecursive('n', ['i'], (query) =>
          query
            .select(db.raw('1'))
            .unionAll((next) => next.select(db.raw('i + 1')).from('n').where('i', '<', 4)),
        )
        .from('n')
        .sum({ sum: 'i' })
        .first(),
  ],
  [
    'a CTE in front of a write',
    (db) =>
      db
        .with('t', db.raw('select 1 as id'))
        .from('person')
        .update({ age: 37 })
        .whereIn('id', db('t').select('id')),
  ],
  [
    'a union',
    (db) =>
      db('person')
        .select('name')
        .union([db.raw("select 'Zoe'")])
        .orderBy('name'),
  ],
  [
    'subqueries',
    (db) =>
      people(db)
        .select('name', db('thing').count().whereRaw('?? = ??', ['personId', 'person.id']).as('n'))
        .whereExists(db('thing').where('thing.personId', db.ref('person.id')))
        .orWhereIn('id', db('person').max('id')),
  ],
  [
    'joins',
    (db) =>
      people(db)
        .join('thing as t', (on) => on.on('t.personId', 'person.id').andOnNotNull('t.id'))
        .select('person.id', { thing: 't.id' })
        .orderBy('t.id'),
  ],
  [
    'windows',
    (db) =>
      people(db)
        .select('name')
        .rowNumber('no', 'age')
        .rank('place', (over) => over.orderBy('id')),
  ],
  [
    'groups',
    (db) => db('person').select('age').count({ n: '*' }).groupBy('age').having('n', '>', 0),
  ],
  ['distinct', (db) => db('person').distinct('age').orderBy('age').limit(2).offset(1)],
  [
    'counters',
    (db) => db('person').countDistinct({ n: 'age' }).min({ a: 'age' }).avg({ b: 'age' }),
  ],
  ['first of nothing', (db) => db('person').where('id', 0).first('name')],
  ['pluck', (db) => people(db).pluck('name')],
  ['one column', (db) => db('person').columnInfo('age')],
  [
    'parts by ref, raw and fn',
    (db) => people(db).select(db.ref('id').as('no'), db.raw('1 as one')),
  ],
  [
    'a modified query',
    (db) =>
      people(db)
        .modify((query, n) => query.limit(n), 1)
        .clearSelect()
        .select('id'),
  ],
  [
    'comments and hints',
    (db) => people(db).comment('why').hintComment('NO_ICP(person)').select('id'),
  ],
  ['a locking read', (db) => db.transaction((trx) => people(trx).forUpdate().skipLocked())],
  ['an unknown lock', (db) => people(db).forNoKeyUpdate()],

  ['a JSON value', (db) => db('thing').orderBy('id').jsonExtract('data', '$.color', 'color')],
  [
    'JSON values',
    (db) =>
      db('thing')
        .orderBy('id')
        .jsonExtract([
          ['data', '$.size', 'size'],
          ['data', '$.no', 'no'],
        ]),
  ],
  ['a JSON path', (db) => db('thing').whereJsonPath('data', '$.size', '>', 1).pluck('id')],
  ['a JSON object', (db) => db('thing').whereJsonObject('data', { size: 1 }).pluck('id')],
  ['a JSON superset', (db) => db('thing').whereJsonSupersetOf('data', { size: 2 }).pluck('id')],
  ['a JSON subset', (db) => db('thing').whereJsonSubsetOf('data', { size: 2, a: 1 }).pluck('id')],
  ['changed JSON', (db) => db('thing').where('id', 1).jsonSet('data', '$.size', '5', 'data')],
  ['removed JSON', (db) => db('thing').where('id', 1).jsonRemove('data', '$.size', 'data')],
  ['inserted JSON', (db) => db('thing').where('id', 1).jsonInsert('data', '$.new', '5', 'data')],

  ['a merge', (db) => db('person').insert({ id: 1, name: 'Ann' }).onConflict('id').merge()],
  [
    'a merge of some columns',
    (db) => db('person').insert({ id: 1, name: 'Amy', age: 1 }).onConflict('id').merge(['name']),
  ],
  [
    'a merge of values',
    (db) =>
      db('person')
        .insert({ id: 1, name: 'A' })
        .onConflict()
        .merge({ age: db.raw('age + 1') }),
  ],
  ['a conflict that is ignored', (db) => db('person').insert({ id: 1 }).onConflict('id').ignore()],
  ['an upsert', (db) => db('person').upsert({ id: 1, name: 'Abe' } as never)],
  ['an insert of a query', (db) => db('person').insert(db('person').select('id').where('id', 0))],
  ['a returning', (db) => db('person').insert({ name: 'Eve' }).returning('id')],
  ['nothing inserted', (db) => db('person').insert([])],
  ['a decrement', (db) => db('person').where('id', 1).decrement({ age: 2 })],
  ['a limited update', (db) => people(db).limit(1).update({ name: 'Ada' })],
  [
    'a delete by a join',
    (db) => db('thing').join('person', 'person.id', 'personId').where('personId', 9).del(),
  ],
  ['an emptied table', (db) => db('empty').truncate()],
  ['a batch', (db) => db.batchInsert('empty', [{ id: 1 }, { id: 2 }, { id: 3 }], 2)],
  ['a batch that fails', (db) => db.batchInsert('empty', [{ id: 4 }, { id: 1 }], 1)],
  [
    'a batch of a transaction',
    (db) => db.transaction((trx) => trx.batchInsert('empty', [{ id: 9 }])),
  ],
  [
    'what they left',
    async (db) => [await people(db), await db('thing').orderBy('id'), await db('empty')],
  ],
];

/** Instances that have something of their own. */
const processed: readonly Row[] = [
  ['rows', (db) => people(db).select('id', 'name')],
  ['one row', (db) => people(db).first('id').queryContext({ a: 1 })],
  ['raw', (db) => db.raw('select 1 as one').queryContext({ b: 1 })],
  ['an insert', (db) => db('empty').insert({ id: 20 })],
  ['identifiers', (db) => db('PERSON').select('ID as NO').where({ NAME: 'Ada' })],
  ['a schema', (db) => db.schema.queryContext({ c: 1 }).hasTable('PERSON')],
  ['a clone', (db) => db.withUserParams({ who: 'ada' })('person').first('id')],
  [
    'the parameters of a clone',
    (db) => {
      const clone = db.withUserParams({ who: 'ada' });
      return clone.transaction(async (trx) => [clone.userParams, trx.userParams, db.userParams]);
    },
  ],
  [
    'a stream',
    async (db) => {
      const seen: unknown[] = [];
      for await (const row of people(db).queryContext({ d: 1 }).stream()) seen.push(row);
      return seen;
    },
  ],
];

const hooks: Partial<Knex.Config> = {
  postProcessResponse: (answer, context) => ({ answer, context }),
  wrapIdentifier: (value, wrap) => wrap(value.toLowerCase()),
};

/** What came, and what was sent for it. */
async function outcomeOf(db: Knex, run: Row[1]): Promise<unknown> {
  const sent: unknown[] = [];
  const note = ({ sql, bindings }: { sql: string; bindings: unknown }) =>
    sent.push([sql, bindings]);
  db.on('query', note);
  try {
    return { answer: await run(db), sent };
  } catch (error) {
    const { name, message, code, errno, sqlState, sql } = error as Record<string, unknown>;
    return { name, message, code, errno, sqlState, sql, sent };
  } finally {
    db.removeListener('query', note);
  }
}

/** What the server tells of its session beside an answer is more here; savepoints have numbers. */
const unlike = new Set(['serverStatus', 'stateChanges']);

function textOf(outcome: unknown): string {
  const text = JSON.stringify(outcome, (key, value) => (unlike.has(key) ? undefined : value), 1);
  return text.replaceAll(/SAVEPOINT trx\d+/g, 'SAVEPOINT trx');
}

describe.each(flavors)('builders beside the stock client on %s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const replicas = async (name: string) =>
    cluster.replicas.map((server) => cluster.connectionOptions(server, name));

  /** A database of its own for each, with the same in it. */
  async function open(
    client: NonNullable<Knex.Config['client']>,
    change: Partial<Knex.Config> = {},
  ) {
    const { name } = await freshDatabase(cluster);
    for (const sql of [
      'person (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(80), age INT)',
      'thing (id INT PRIMARY KEY, personId INT, data JSON)',
      'empty (id INT PRIMARY KEY)',
    ]) {
      await cluster.primary.query(`CREATE TABLE ${name}.${sql}`);
    }
    for (const sql of [
      `person (name, age) VALUES ('Ada', 36), ('Brook', 20), ('Cleo', NULL)`,
      `thing VALUES (1, 1, '{"size": 1, "color": "red"}'), (2, 1, '{"size": 2}'), (3, 2, '{}')`,
    ]) {
      await cluster.primary.query(`INSERT INTO ${name}.${sql}`);
    }
    await cluster.waitUntilReplicated();
    const db = knex({
      client,
      connection: cluster.connectionOptions(cluster.primary, name),
      log: { warn: () => {} },
      replicas: await replicas(name),
      ...change,
    });
    afterAll(() => db.destroy());
    return { db, name };
  }

  async function pair(change: Partial<Knex.Config> = {}) {
    const [ours, stock] = [await open(ReplicatedMysql2, change), await open('mysql2', change)];
    return async (run: Row[1]) => {
      const [one, other] = [await outcomeOf(ours.db, run), await outcomeOf(stock.db, run)];
      expect(textOf(one).replaceAll(ours.name, stock.name)).toBe(textOf(other));
    };
  }

  const compare = await pair();
  it.each(schemas)('alter alike: %s', async (_what, run) => {
    await compare(run);
  });

  it.each(queries)('answer alike: %s', async (_what, run) => {
    await compare(run);
  });

  const compareProcessed = await pair(hooks);
  it.each(processed)('process alike: %s', async (_what, run) => {
    await compareProcessed(run);
  });
});
