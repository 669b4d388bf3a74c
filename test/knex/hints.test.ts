import { primary, ReplicatedMysql2, useReplica } from '@rwsplit/knex';
import knex, { type Knex } from 'knex';
import { afterAll, describe, expect, expectTypeOf, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { type Bed, failureOf, makeBed, newTag } from './bed.ts';

type Row = readonly [
  what: string,
  where: 'primary' | 'replica' | 'far',
  run: (db: Knex, tag: string) => PromiseLike<unknown>,
];

const named = (db: Knex, tag: string) => db('person').where('name', tag);

async function readAll(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const _row of rows);
}

const rows: readonly Row[] = [
  ['raw().forcePrimary()', 'primary', (db, tag) => db.raw('select ?', [tag]).forcePrimary()],
  [
    'schema.forcePrimary()',
    'primary',
    (db, tag) => db.schema.forcePrimary().raw(`select '${tag}'`),
  ],
  ['raw().useReplica()', 'replica', (db, tag) => db.raw('select ?', [tag]).useReplica()],
  ['raw().useReplica(group)', 'far', (db, tag) => db.raw('select ?', [tag]).useReplica('far')],
  ['useReplica(group)', 'far', (db, tag) => named(db, tag).useReplica('far')],
  ['a clone of useReplica(group)', 'far', (db, tag) => named(db, tag).useReplica('far').clone()],
  [
    'schema.useReplica(group)',
    'far',
    (db, tag) => db.schema.useReplica('far').raw(`select '${tag}'`),
  ],
  [
    'useReplica(group) as an option',
    'far',
    (db, tag) => named(db, tag).options({ useReplica: 'far' }),
  ],
  ['a stream', 'far', (db, tag) => readAll(named(db, tag).useReplica('far').stream())],
  [
    'a raw stream',
    'far',
    (db, tag) => readAll(db.raw('select ?', [tag]).useReplica('far').stream()),
  ],
  [
    'a raw stream on the primary',
    'primary',
    (db, tag) => readAll(db.raw('select ?', [tag]).forcePrimary().stream({ highWaterMark: 5 })),
  ],

  [
    'context useMaster',
    'primary',
    (db, tag) => named(db, tag).queryContext({ useMaster: true, user: 1 }),
  ],
  [
    'a context that may mean the primary',
    'primary',
    (db, tag) => named(db, tag).queryContext({ useMaster: 1 }),
  ],
  [
    'a context with what is no hint of ours',
    'replica',
    (db, tag) =>
      named(db, tag).queryContext({ forcePrimary: 0, useMaster: '', useReplica: { a: 1 } }),
  ],
  [
    'context useMaster: false',
    'replica',
    (db, tag) => named(db, tag).queryContext({ useMaster: false }),
  ],
  [
    'context useMaster of raw',
    'primary',
    (db, tag) => db.raw('select ?', [tag]).queryContext({ useMaster: true }),
  ],
  [
    'context useMaster of a stream',
    'primary',
    (db, tag) => readAll(named(db, tag).queryContext({ useMaster: true }).stream()),
  ],
  ['context useReplica', 'replica', (db, tag) => named(db, tag).queryContext({ useReplica: true })],
  [
    'context useReplica: group',
    'far',
    (db, tag) => named(db, tag).queryContext({ useReplica: 'far' }),
  ],
  [
    'context useReplica: group, of a clone',
    'far',
    (db, tag) => named(db, tag).queryContext({ useReplica: 'far' }).clone(),
  ],
  [
    'context useReplica: group, of raw',
    'far',
    (db, tag) => db.raw('select ?', [tag]).queryContext({ useReplica: 'far' }),
  ],
  [
    'context useReplica: group, of a schema',
    'far',
    (db, tag) => db.schema.queryContext({ useReplica: 'far' }).raw(`select '${tag}'`),
  ],
  [
    'context useReplica: group, of a stream',
    'far',
    (db, tag) => readAll(named(db, tag).queryContext({ useReplica: 'far' }).stream()),
  ],
  [
    'context with values that say nothing',
    'replica',
    (db, tag) => named(db, tag).queryContext({ forcePrimary: undefined, useReplica: null }),
  ],
  ['a context that is no object', 'replica', (db, tag) => named(db, tag).queryContext('ada')],

  [
    'a method goes before the context',
    'far',
    (db, tag) => named(db, tag).useReplica('far').queryContext({ forcePrimary: true }),
  ],
  [
    'the other way round',
    'primary',
    (db, tag) => named(db, tag).forcePrimary().queryContext({ useReplica: 'far' }),
  ],
  [
    'an option takes the context back',
    'replica',
    (db, tag) =>
      named(db, tag).options({ forcePrimary: false }).queryContext({ forcePrimary: true }),
  ],
  [
    'forcePrimary is stronger than useReplica',
    'primary',
    (db, tag) => named(db, tag).forcePrimary().useReplica('far'),
  ],
  [
    'a method goes before the code around it',
    'far',
    (db, tag) => primary(() => named(db, tag).useReplica('far')),
  ],

  [
    'the outermost of nested queries decides',
    'primary',
    (db, tag) => db.from(named(db, tag).useReplica('far').as('p')).forcePrimary(),
  ],
  [
    'a hint on one arm of a union is not heard',
    'replica',
    (db, tag) => named(db, tag).unionAll(named(db, 'x').forcePrimary()),
  ],
  [
    'nor in a CTE',
    'replica',
    (db, tag) => db.with('x', named(db, tag).forcePrimary()).from('x').select('id'),
  ],
  [
    'nor in a raw part',
    'replica',
    (db, tag) => named(db, tag).select(db.raw('1 as one').forcePrimary()),
  ],
  [
    'around a raw part it is',
    'primary',
    (db, tag) => named(db, tag).select(db.raw('1 as one')).forcePrimary(),
  ],
  [
    'a clone with user parameters',
    'far',
    (db, tag) => named(db.withUserParams({ a: 1 }), tag).useReplica('far'),
  ],
  [
    'raw of a clone with user parameters',
    'primary',
    (db, tag) => db.withUserParams({ a: 1 }).raw('select ?', [tag]).forcePrimary(),
  ],
  [
    'schema of a clone with user parameters',
    'primary',
    (db, tag) => db.withUserParams({ a: 1 }).schema.forcePrimary().raw(`select '${tag}'`),
  ],
  [
    'useReplica inside a transaction stays there',
    'primary',
    (db, tag) => db.transaction((trx) => named(trx, tag).useReplica('far')),
  ],
  [
    'also in a context, on raw, by transacting',
    'primary',
    (db, tag) =>
      db.transaction((trx) =>
        db.raw('select ?', [tag]).queryContext({ useReplica: true }).transacting(trx),
      ),
  ],
  [
    'a batch insert',
    'primary',
    (db, tag) =>
      db.transaction((trx) => trx.batchInsert('person', [{ name: tag }]).transacting(trx)),
  ],
  ['ref, raw and fn are parts as ever', 'replica', (db, tag) => partsOf(db, tag)],
];

function partsOf(db: Knex, tag: string) {
  return db('person')
    .select(db.ref('person.id').as('no'), db.raw('upper(??) as n', ['name']), db.fn.now())
    .where('name', tag)
    .orWhere('name', db.raw('?', [tag]))
    .orderBy(db.ref('person.id'));
}

type Wrong = readonly [what: string, problem: string, run: (db: Knex) => PromiseLike<unknown>];

const wrong: readonly Wrong[] = [
  [
    'an option',
    'options.forcePrimary: expected true or false, found "yes"',
    (db) => db('person').options({ forcePrimary: 'yes' }),
  ],
  [
    'another option',
    'options.useReplica: expected true, false or the name of a group, found 5',
    (db) => db.raw('select 1').options({ useReplica: 5 }),
  ],
  [
    'an option of a schema',
    'options.forcePrimary: expected true or false, found 1',
    (db) => db.schema.raw('select 1').options({ forcePrimary: 1 }),
  ],
];

/** The name of the host that ran a statement, by the servers' own logs. */
async function hostOf(bed: Bed, tag: string): Promise<string | undefined> {
  const [ran] = await bed.cluster.whoRan(tag);
  return ran?.server;
}

describe.each(flavors)('hints on %s', async (flavor) => {
  const bed = await makeBed(flavor);
  const [near, far] = bed.replicas;
  const names = bed.cluster.replicas.map(({ name }) => name);
  const replicas = [
    { ...near, name: 'near' },
    { ...far, name: 'far', groups: ['far'] },
  ];
  const places = { primary: 'primary', replica: names[0], far: names[1] };
  const open = (change: Partial<Knex.Config> = {}) => bed.open({ replicas, ...change });
  const shared = knex({
    client: ReplicatedMysql2,
    connection: { ...bed.primary },
    replicas,
    // A replica that has not caught up yet must not change where things run.
    replication: { causalWait: 10_000 },
  });
  afterAll(() => shared.destroy());

  it.each(rows)('%s: %s', async (_what, where, run) => {
    const tag = newTag();
    await run(shared, tag);
    expect(await hostOf(bed, tag)).toBe(places[where]);
  });

  it.each(wrong)('refuse what means nothing: %s', async (_what, problem, run) => {
    const error = await failureOf(run(shared));
    expect(error).toMatchObject({ code: 'RWSPLIT_OPTIONS' });
    expect(error.message).toBe(`Invalid options:\n  - ${problem}`);
  });

  it('that were refused hold no connection', async () => {
    const db = open({ pool: { min: 0, max: 1 } });
    await failureOf(db('person').options({ forcePrimary: 1 }));
    await failureOf(readAll(db('person').options({ forcePrimary: 1 }).stream()));
    expect(await db('person').whereIn('id', [1, 2]).pluck('name')).toEqual(['Ada', 'Brook']);
  });

  it('reach the server through a client that hands on a copy of the statement', async () => {
    class Tagging extends ReplicatedMysql2 {
      override query(connection: unknown, given: { sql: string } | string): Promise<unknown> {
        const statement = typeof given === 'string' ? { sql: given } : given;
        return super.query(connection, { ...statement, sql: `${statement.sql} /* app */` });
      }
    }
    const db = open({ client: Tagging });
    const tags = [newTag(), newTag(), newTag()];
    await named(db, tags[0] ?? '').queryContext({ forcePrimary: true });
    await db.schema.forcePrimary().raw(`select '${tags[1]}'`);
    await named(db, tags[2] ?? '').queryContext({ useReplica: 'far' });
    const ran = await Promise.all(tags.map((tag) => hostOf(bed, tag)));
    expect(ran).toEqual([places.primary, places.primary, places.far]);
  });

  it('leave onRouted to the user, who gets it beside the events', async () => {
    const routed: unknown[] = [];
    const onRouted = ({ host }: { host: string | null }) => routed.push(host);
    await shared('person').first().forcePrimary().options({ onRouted });
    expect(routed).toEqual([expect.stringMatching(/^127.0.0.1:/)]);
  });

  it.each(['', 5, null, {}])('refuse what is no group where it is said: %j', (group) => {
    const db = shared;
    const given = group as string;
    for (const query of [db('person'), db.raw('select 1'), db.schema.raw('select 1')]) {
      expect(() => query.useReplica(given)).toThrow(/expected the name of a group/);
      expect(() => useReplica(query, given)).toThrow(/expected the name of a group/);
    }
  });

  it.each<readonly [what: string, run: (db: Knex) => PromiseLike<unknown>]>([
    ['a builder', (db) => db('person').useReplica().insert({ name: 'X' })],
    ['raw', (db) => db.raw('update person set age = 1').useReplica()],
    ['a schema', (db) => db.schema.dropTable('nothing').useReplica()],
    ['a context', (db) => db('person').del().queryContext({ useReplica: 'far' })],
  ])('refuse a write with useReplica: %s', async (_what, run) => {
    expect(await failureOf(run(shared))).toMatchObject({ code: 'RWSPLIT_USE_REPLICA' });
  });

  it('do not change the options and contexts of users', async () => {
    const options = Object.freeze({ rowsAsArray: true, useReplica: 'far' });
    const context = Object.freeze({ forcePrimary: true });
    const query = open()('person').options(options).queryContext(context);
    await query;
    await query.clone().stream().resume();
    expect(query.queryContext()).toBe(context);
  });

  it('leave raw queries of other clients as they are', async () => {
    const stock = open({ client: 'mysql2' });
    expect('forcePrimary' in stock.raw('select 1')).toBe(false);
    expect('forcePrimary' in stock.schema).toBe(false);
  });

  it('leave the types of answers as they are', () => {
    interface Person {
      name: string;
    }
    const raw = shared.raw<Person[]>('select 1');
    expectTypeOf(raw.forcePrimary()).toEqualTypeOf(raw);
    expectTypeOf(raw.useReplica('far')).toEqualTypeOf(raw);
    expectTypeOf(shared.schema.forcePrimary()).toEqualTypeOf<Knex.SchemaBuilder>();
    const query = shared<Person>('person').select('name');
    expectTypeOf(query.useReplica()).toEqualTypeOf(query);
    expect(raw.forcePrimary()).toBe(raw);
  });

  it('are there without replicas, and change nothing', async () => {
    const db = open({ replicas: [] });
    const tag = newTag();
    await db.raw('select ?', [tag]).forcePrimary().queryContext({ useReplica: true });
    await named(db, tag).useReplica();
    await db.schema.useReplica('far').raw(`select '${tag}'`);
    expect(await bed.ran(tag)).toEqual(['primary', 'primary', 'primary']);
  });
});
