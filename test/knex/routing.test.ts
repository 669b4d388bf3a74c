import { forcePrimary } from '@rwsplit/knex';
import type { Knex } from 'knex';
import { describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { makeBed, newTag } from './bed.ts';

type Role = 'primary' | 'replica';
type Row = readonly [
  what: string,
  role: Role,
  run: (db: Knex, tag: string) => PromiseLike<unknown>,
];

const plain: readonly Row[] = [
  ['a builder read', 'replica', (db, tag) => db('person').where('name', tag)],
  ['first', 'replica', (db, tag) => db('person').where('name', tag).first()],
  ['pluck', 'replica', (db, tag) => db('person').where('name', tag).pluck('id')],
  ['an aggregate', 'replica', (db, tag) => db('person').where('name', tag).count({ n: '*' })],
  ['a raw read', 'replica', (db, tag) => db.raw('select ? as tag', [tag])],
  ['a raw read, named binding', 'replica', (db, tag) => db.raw('select :tag as t', { tag })],
  [
    'a CTE',
    'replica',
    (db, tag) => db.with('x', db('person').where('name', tag)).from('x').select('id'),
  ],
  [
    'a union',
    'replica',
    (db, tag) => db('person').where('name', tag).unionAll(db('person').where('age', 1)),
  ],
  ['a clone', 'replica', (db, tag) => db('person').where('name', tag).clone()],
  [
    'read rows as arrays',
    'replica',
    (db, tag) => db('person').where('name', tag).options({ rowsAsArray: true }),
  ],
  ['a locking read', 'primary', (db, tag) => db('person').where('name', tag).forUpdate()],
  ['an insert', 'primary', (db, tag) => db('person').insert({ name: tag })],
  [
    'an upsert',
    'primary',
    (db, tag) => db('person').insert({ id: 1, name: tag }).onConflict('id').ignore(),
  ],
  ['an update', 'primary', (db, tag) => db('person').where('name', tag).update({ age: 1 })],
  ['a delete', 'primary', (db, tag) => db('person').where('name', tag).del()],
  [
    'a raw write',
    'primary',
    (db, tag) => db.raw('update person set age = 2 where name = ?', [tag]),
  ],
  ['a read of the schema', 'primary', (db, tag) => db.schema.hasTable(tag)],
  ['a session function', 'primary', (db, tag) => db.raw('select connection_id(), ?', [tag])],
  ['a column list', 'primary', (db, tag) => db(tag).columnInfo()],
];

const forced: readonly Row[] = [
  [
    'forcePrimary on a builder',
    'primary',
    (db, tag) => db('person').where('name', tag).forcePrimary(),
  ],
  [
    'before other calls',
    'primary',
    (db, tag) => db('person').forcePrimary().where('name', tag).first(),
  ],
  [
    'on the instance',
    'primary',
    (db, tag) => db.queryBuilder().forcePrimary().from('person').where('name', tag),
  ],
  [
    'on a clone’s original',
    'primary',
    (db, tag) => db('person').where('name', tag).forcePrimary().clone(),
  ],
  [
    'with options of its own',
    'primary',
    (db, tag) => db('person').where('name', tag).forcePrimary().options({ rowsAsArray: true }),
  ],
  [
    'as an option',
    'primary',
    (db, tag) => db('person').where('name', tag).options({ forcePrimary: true }),
  ],
  [
    'taken back as an option',
    'replica',
    (db, tag) => db('person').where('name', tag).forcePrimary().options({ forcePrimary: false }),
  ],
  ['forcePrimary(builder)', 'primary', (db, tag) => forcePrimary(db('person').where('name', tag))],
  ['forcePrimary(raw)', 'primary', (db, tag) => forcePrimary(db.raw('select ?', [tag]))],
  ['forcePrimary(schema)', 'primary', (db, tag) => forcePrimary(db.schema.raw(`select '${tag}'`))],
  [
    'query context of a builder',
    'primary',
    (db, tag) => db('person').where('name', tag).queryContext({ forcePrimary: true }),
  ],
  [
    'query context of a clone',
    'primary',
    (db, tag) => db('person').where('name', tag).queryContext({ forcePrimary: true }).clone(),
  ],
  [
    'query context of raw',
    'primary',
    (db, tag) => db.raw('select ?', [tag]).queryContext({ forcePrimary: true }),
  ],
  [
    'query context of a schema',
    'primary',
    (db, tag) => db.schema.raw(`select '${tag}'`).queryContext({ forcePrimary: true }),
  ],
  [
    'another query context',
    'replica',
    (db, tag) => db('person').where('name', tag).queryContext({ user: 'ada' }),
  ],
  ['a schema read without hint', 'replica', (db, tag) => db.schema.raw(`select '${tag}'`)],
  [
    'a hint inside a subquery',
    'replica',
    (db, tag) => db.from(db('person').where('name', tag).forcePrimary().as('p')),
  ],
  [
    'a hint around a subquery',
    'primary',
    (db, tag) => db.from(db('person').where('name', tag).as('p')).forcePrimary(),
  ],
  [
    'a hint on a clone with user parameters',
    'primary',
    (db, tag) => db.withUserParams({ a: 1 })('person').where('name', tag).forcePrimary(),
  ],
  [
    'user parameters without hint',
    'replica',
    (db, tag) => db.withUserParams({ a: 1 })('person').where('name', tag),
  ],
];

describe.each(flavors)('where Knex queries run on %s', async (flavor) => {
  const bed = await makeBed(flavor);

  it.each([...plain, ...forced])('%s: %s', async (_what, role, run) => {
    const tag = newTag();
    await run(bed.open(), tag);
    expect(await bed.ran(tag)).toEqual([role]);
  });

  it('spreads reads over both replicas', async () => {
    // Until it is known what replicas have, all reads wait for the first one that has what tests before wrote.
    const db = bed.open({ replication: { consistency: 'eventual' } });
    const tag = newTag();
    await Promise.all(Array.from({ length: 6 }, () => db('person').where('name', tag)));
    const servers = (await bed.cluster.whoRan(tag)).map(({ server }) => server);
    expect(new Set(servers).size).toBe(2);
  });

  it('reads options of `replication`', async () => {
    const db = bed.open({ replication: { primaryTables: ['person'], balancing: 'roundRobin' } });
    const tag = newTag();
    await db('person').where('name', tag);
    expect(await bed.ran(tag)).toEqual(['primary']);
  });

  it('lets a start listener give the hint', async () => {
    const db = bed.open();
    const tag = newTag();
    db.on('start', (builder: Knex.QueryBuilder) => forcePrimary(builder));
    await db('person').where('name', tag);
    expect(await bed.ran(tag)).toEqual(['primary']);
  });
});
