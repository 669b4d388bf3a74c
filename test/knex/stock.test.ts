import { forcePrimary } from '@rwsplit/knex';
import knex, { type Knex } from 'knex';
import { afterAll, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { failureOf, makeBed, newTag } from './bed.ts';

type Row = readonly [what: string, run: (db: Knex) => PromiseLike<unknown>];

/** What the stock client and ours must answer alike. */
const reads: readonly Row[] = [
  ['rows', (db) => db('person').orderBy('id')],
  ['the first row', (db) => db('person').orderBy('id').first()],
  ['no first row', (db) => db('person').where('id', -1).first()],
  ['pluck', (db) => db('person').orderBy('id').pluck('name')],
  ['count', (db) => db('person').count({ people: '*' })],
  ['raw rows', (db) => db.raw('select * from person order by id').then(([rows]) => rows)],
  [
    'raw fields',
    (db) =>
      db
        .raw('select id, name as who from person')
        .then(([, fields]) => fields.map((field: { name: string }) => field.name)),
  ],
  ['nested tables', (db) => db('person').orderBy('id').options({ nestTables: true })],
  ['rows as arrays', (db) => db('person').orderBy('id').options({ rowsAsArray: true })],
  [
    'dates',
    (db) => db.raw("select cast('2026-03-04 05:06:07' as datetime) as d").then(([rows]) => rows),
  ],
  [
    'numbers',
    (db) =>
      db
        .raw('select 0.1 as a, 1e3 as b, 9007199254740993 as c, cast(1 as signed) as d')
        .then(([rows]) => rows),
  ],
  [
    'bindings',
    (db) =>
      db
        .raw('select ? as a, ? as b, ? as c, ? as d', ["o'clock", 1, null, true])
        .then(([rows]) => rows),
  ],
  [
    'named bindings',
    (db) =>
      db
        .raw('select :a as a, :b: as b from person where id = 1', { a: 1, b: 'name' })
        .then(([rows]) => rows),
  ],
  ['a where-in', (db) => db('person').whereIn('name', ['Ada', 'Cleo']).orderBy('id')],
  ['a JSON value', (db) => db.raw(`select json_object('a', 1) as j`).then(([rows]) => rows)],
  ['a missing column', (db) => db('person').select('nothing')],
  ['a missing table', (db) => db('nothing')],
  ['a syntax error', (db) => db.raw('selec 1')],
  ['an undefined binding', (db) => db.raw('select ?', [undefined as never])],
  ['columns', (db) => db('person').columnInfo()],
  ['hasTable', (db) => db.schema.hasTable('person')],
  ['hasColumn', (db) => db.schema.hasColumn('person', 'nothing')],
];

const writes: readonly Row[] = [
  ['an insert', (db) => db('person').insert({ id: 901, name: 'X' })],
  [
    'an insert of several',
    (db) =>
      db('person').insert([
        { id: 902, name: 'X' },
        { id: 903, name: 'Y' },
      ]),
  ],
  ['an insert that fails', (db) => db('person').insert({ id: 1, name: 'X' })],
  [
    'an ignored insert',
    (db) => db('person').insert({ id: 1, name: 'X' }).onConflict('id').ignore(),
  ],
  ['a merge', (db) => db('person').insert({ id: 1, name: 'Z' }).onConflict('id').merge()],
  ['an update', (db) => db('person').where('id', '<', 3).update({ age: 50 })],
  ['an update of nothing', (db) => db('person').where('id', -1).update({ age: 50 })],
  ['an increment', (db) => db('person').where('id', 1).increment('age', 2)],
  ['a delete', (db) => db('person').where('id', '>', 900).del()],
  [
    'a raw write',
    (db) =>
      db.raw('update person set age = 51 where id = 1').then(([result]) => result.affectedRows),
  ],
  ['a batch insert', (db) => db.batchInsert('person', [{ id: 904 }, { id: 905 }], 1)],
];

/** An answer or an error, in a shape that can be compared. */
async function outcomeOf(run: (db: Knex) => PromiseLike<unknown>, db: Knex): Promise<unknown> {
  try {
    return { answer: await run(db) };
  } catch (error) {
    const { message, code, errno, sqlState, sql } = error as Record<string, unknown>;
    return { message, code, errno, sqlState, sql };
  }
}

describe.each(flavors)('beside the stock client on %s', async (flavor) => {
  const bed = await makeBed(flavor);
  const stock = knex({ client: 'mysql2', connection: { ...bed.primary } });
  afterAll(() => stock.destroy());

  it.each(reads)('answers alike: %s', async (_what, run) => {
    expect(await outcomeOf(run, bed.open())).toEqual(await outcomeOf(run, stock));
  });

  it.each(writes)('answers alike: %s', async (_what, run) => {
    const outcome = async (db: Knex) => {
      const trx = await db.transaction();
      const answer = await outcomeOf(run, trx);
      await trx.rollback();
      return answer;
    };
    expect(await outcome(bed.open())).toEqual(await outcome(stock));
  });

  it('emits the same events', async () => {
    const eventsOf = async (db: Knex) => {
      const events: unknown[] = [];
      db.on('start', () => events.push('start'));
      db.on('query', ({ sql, bindings, method }) => events.push(['query', sql, bindings, method]));
      db.on('query-response', (response, { sql }) => events.push(['response', sql, response]));
      db.on('query-error', ({ code }, { sql }) => events.push(['error', sql, code]));
      await db('person').where('id', 1).first();
      await failureOf(db('nothing'));
      await db.transaction((trx) => trx('person').where('id', 1).first());
      return events;
    };
    expect(await eventsOf(bed.open())).toEqual(await eventsOf(stock));
  });

  it('calls postProcessResponse and wrapIdentifier alike', async () => {
    const answerOf = (client: Partial<Knex.Config>) => {
      const db = bed.open({
        ...client,
        postProcessResponse: (rows, context) => ({ rows, context }),
        wrapIdentifier: (value, wrap) => wrap(value.toLowerCase()),
      });
      return db('PERSON').where('ID', 1).queryContext({ a: 1 });
    };
    const [ours, theirs] = [await answerOf({}), await answerOf({ client: 'mysql2' })];
    expect(ours).toEqual(theirs);
    expect(ours).toMatchObject({ context: { a: 1 } });
  });

  it.each([undefined, []])('is the stock client with replicas: %j', async (replicas) => {
    const afterCreate: unknown[] = [];
    const db = bed.open({
      replicas,
      replication: { acquireTimeout: 1 },
      pool: {
        min: 0,
        max: 1,
        afterCreate: (connection: unknown, done: () => void) => {
          afterCreate.push(connection);
          done();
        },
      },
    });
    const tag = newTag();
    await db('person').where('name', tag);
    await forcePrimary(db.raw('select ?', [tag]));
    for await (const _ of db('person')
      .where('name', tag)
      .queryContext({ forcePrimary: true })
      .stream());
    await db.transaction((trx) => trx('person').where('name', tag));
    const ran = await bed.cluster.whoRan(tag);
    expect(ran.map(({ server }) => server)).toEqual(Array(4).fill('primary'));
    expect(new Set(ran.map(({ threadId }) => threadId)).size).toBe(1);
    const connection: unknown = await db.client.acquireConnection();
    expect(connection).toBe(afterCreate[0]);
    await db.client.releaseConnection(connection);
    const failure = await failureOf(db.raw('select sleep(3)').timeout(100, { cancel: true }));
    expect(failure.message).toBe('Defined query timeout of 100ms exceeded when running query.');
  });
});
