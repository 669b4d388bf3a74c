import knexModule, { type Knex } from 'knex';
import {
  DummyDriver,
  Kysely,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  sql,
} from 'kysely';
import { jsonArrayFrom, jsonObjectFrom } from 'kysely/helpers/mysql';
import { describe, expect, it } from 'vitest';
import type { Facts } from '../../../packages/core/src/statement/facts.ts';
import { classifiers, dialects } from './rows.ts';

/*
 * What Knex and Kysely compile: every plain read reaches a replica, in both dialects and before
 * the dialect is known.
 */

const knex = knexModule({ client: 'mysql2' });
type Build = (k: Knex) => { toSQL(): { sql: string } | readonly { sql: string }[] };

const knexReads: Readonly<Record<string, Build>> = {
  all: (k) => k('users'),
  columns: (k) => k.select('id', 'users.name', { n: 'name' }).from('users'),
  'qualified table': (k) => k.withSchema('app').from('users').select('*'),
  'alias of a table': (k) => k('users as u').select('u.*'),
  'where object': (k) => k('users').where({ id: 1, name: 'a' }),
  'where operators': (k) => k('users').where('a', '>', 1).orWhere('b', 'like', '%x%'),
  'where null': (k) => k('users').whereNull('a').orWhereNotNull('b'),
  'where in': (k) => k('users').whereIn('id', [1, 2, 3]).whereNotIn('a', ['x']),
  'where in nothing': (k) => k('users').whereIn('id', []),
  'where in pairs': (k) =>
    k('users').whereIn(
      ['a', 'b'],
      [
        [1, 2],
        [3, 4],
      ],
    ),
  'where in subquery': (k) => k('users').whereIn('id', k('orders').select('user_id')),
  'where between': (k) => k('users').whereBetween('a', [1, 2]).whereNotBetween('b', [3, 4]),
  'where exists': (k) => k('users').whereExists(k('orders').whereRaw('orders.user_id = users.id')),
  'where not exists': (k) =>
    k('users').whereNotExists((q) => void q.from('orders').select(k.raw(1))),
  'where group': (k) =>
    k('users')
      .where((q) => void q.where('a', 1).orWhere('b', 2))
      .andWhereNot('c', 3),
  'where like': (k) => k('users').whereLike('a', 'x%').whereILike('b', 'y%'),
  'where column': (k) => k('users').where('a', '<', k.ref('b')),
  'where date parts': (k) => k('users').whereRaw('year(created_at) = ?', [2024]),
  'where json': (k) =>
    k('users').whereJsonObject('doc', { a: 1 }).whereJsonPath('doc', '$.a', '=', 1),
  'where json superset': (k) =>
    k('users').whereJsonSupersetOf('doc', { a: 1 }).whereJsonSubsetOf('doc', { a: 1, b: 2 }),
  'json extract': (k) => k('users').jsonExtract('doc', '$.a', 'a').select('id'),
  'inner join': (k) => k('users').join('orders', 'users.id', 'orders.user_id'),
  'left join with conditions': (k) =>
    k('users').leftJoin(
      'orders as o',
      (j) =>
        void j.on('users.id', '=', 'o.user_id').andOnVal('o.state', 'open').onIn('o.kind', [1, 2]),
    ),
  'other joins': (k) =>
    k('a')
      .rightJoin('b', 'a.id', 'b.id')
      .crossJoin(k.raw('??', ['c'])),
  'join using': (k) => k('a').join('b', (j) => void j.using(['id', 'x'])),
  'join subquery': (k) => k('a').join(k('b').select('id').as('s'), 's.id', 'a.id'),
  'join raw': (k) => k('a').joinRaw('natural full join b'),
  'from subquery': (k) => k.select('*').from(k('users').where('id', 1).as('t')),
  'select subquery': (k) =>
    k('users').select('id', k('orders').count('*').whereRaw('user_id = users.id').as('n')),
  count: (k) => k('users').count(),
  'count alias': (k) => k('users').count('id as n').countDistinct('name as d'),
  aggregates: (k) => k('users').min('a').max('b').sum('c').avg('d'),
  'distinct aggregates': (k) => k('users').sumDistinct('a').avgDistinct('b'),
  'group by having': (k) => k('users').select('a').count('* as n').groupBy('a').having('n', '>', 1),
  'group by raw': (k) =>
    k('users').select(k.raw('date(created_at) as d')).groupByRaw('date(created_at) with rollup'),
  'having in': (k) =>
    k('users').select('a').groupBy('a').havingIn('a', [1, 2]).havingRaw('sum(b) > ?', [3]),
  'having between': (k) => k('users').groupBy('a').havingBetween('a', [1, 2]).havingNull('b'),
  'order limit offset': (k) =>
    k('users')
      .orderBy('a', 'desc')
      .orderBy([{ column: 'b' }])
      .limit(5)
      .offset(10),
  'order nulls': (k) => k('users').orderBy('a', 'asc', 'last'),
  'offset alone': (k) => k('users').offset(10),
  'order raw': (k) => k('users').orderByRaw('field(state, ?, ?)', ['a', 'b']),
  distinct: (k) => k('users').distinct('a', 'b'),
  first: (k) => k('users').where('id', 1).first(),
  pluck: (k) => k('users').pluck('id'),
  union: (k) => k('a').union(k('b').select('*')),
  'union all wrapped': (k) =>
    k('a')
      .select('x')
      .unionAll([k('b').select('x').limit(1), k('c').select('x')], true),
  intersect: (k) => k('a').select('x').intersect(k('b').select('x')),
  except: (k) => k('a').select('x').except(k('b').select('x')),
  with: (k) => k.with('c', k('users').where('id', 1)).select('*').from('c'),
  'with columns': (k) => k.with('c', ['x', 'y'], k('users').select('a', 'b')).select('x').from('c'),
  'with recursive': (k) =>
    k
      .withRecursive(
        'tree',
        ['id', 'parent'],
        (q) =>
          void q
            .select('id', 'parent')
            .from('node')
            .whereNull('parent')
            .unionAll(
              (r) =>
                void r
                  .select('n.id', 'n.parent')
                  .from('node as n')
                  .join('tree', 'tree.id', 'n.parent'),
            ),
      )
      .select('*')
      .from('tree'),
  'with raw': (k) =>
    k
      .with('c', k.raw('select ? as x', [1]))
      .select('*')
      .from('c'),
  'row number': (k) => k('users').select('id').rowNumber('n', 'created_at', 'kind'),
  rank: (k) =>
    k('users')
      .rank('r', 'a')
      .denseRank('d', (q) => void q.orderBy('a').partitionBy('b')),
  raw: (k) => k.raw('select * from users where id = ?', [1]),
  'raw named': (k) => k.raw('select * from :t: where id = :id', { t: 'users', id: 1 }),
  'raw parts': (k) =>
    k('users')
      .select(k.raw('if(a > ?, ?, b) as x', [1, 2]))
      .whereRaw('json_contains(a, ?)', ['[]']),
  'raw list': (k) => k('users').whereRaw('id in (?, ?)', [1, 2]),
  'raw escaped question mark': (k) => k('users').whereRaw("a like '\\\\?%'"),
  'raw functions': (k) =>
    k.select(k.raw('now() as n, concat(?, ?) as c, coalesce(a, 0)', ['a', 'b'])).from('t'),
  'ref and fn': (k) => k('users').select(k.ref('a').as('b'), k.fn.now()),
  'fn coalesce': (k) => k('users').select(k.raw('?', [k.fn.now(6)])),
  'schema qualified columns': (k) => k('app.users').select('app.users.id'),
  comment: (k) => k('users').comment('a report'),
  'hint comment': (k) =>
    k('users').hintComment('NO_ICP(users)').hintComment(['MAX_EXECUTION_TIME(100)']),
  partition: (k) => k('users').select('id').fromRaw('users partition (p0)'),
  'index hint': (k) => k.select('*').fromRaw('users force index (primary)'),
  'case insensitive json arrow': (k) => k('users').select(k.raw("doc->>'$.a' as a")),
  'named like functions': (k) => k('users').select('last_insert_id', 'sleep').where('get_lock', 1),
  'full text': (k) => k('users').whereRaw('match(name) against(? in boolean mode)', ['+a']),
  'clear and clone': (k) => k('users').select('a').clearSelect().select('b').clone().clearWhere(),
  modify: (k) => k('users').modify((q) => void q.where('a', 1)),
  spatial: (k) => k('t').select(k.raw('st_distance(a, st_geomfromtext(?))', ['POINT(1 1)'])),
};

interface Database {
  person: { id: number; name: string | null; age: number; doc: string; created_at: Date };
  pet: { id: number; owner_id: number; name: string; species: string };
}
const kysely = new Kysely<Database>({
  dialect: {
    createAdapter: () => new MysqlAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new MysqlIntrospector(db),
    createQueryCompiler: () => new MysqlQueryCompiler(),
  },
});
type Db = typeof kysely;
type Compile = (db: Db) => { compile(): { sql: string } };

const kyselyReads: Readonly<Record<string, Compile>> = {
  all: (db) => db.selectFrom('person').selectAll(),
  columns: (db) => db.selectFrom('person').select(['id', 'person.name', 'age as a']),
  'alias of a table': (db) => db.selectFrom('person as p').selectAll('p'),
  'with schema': (db) => db.withSchema('app').selectFrom('person').selectAll(),
  'two tables': (db) => db.selectFrom(['person', 'pet']).selectAll(),
  'no table': (db) => db.selectNoFrom((eb) => [eb.lit(1).as('one'), eb.val('x').as('x')]),
  where: (db) => db.selectFrom('person').where('id', '=', 1).where('age', '>', 2).selectAll(),
  'where in': (db) =>
    db.selectFrom('person').where('id', 'in', [1, 2]).where('id', 'not in', [3]).selectAll(),
  'where null': (db) =>
    db.selectFrom('person').where('name', 'is', null).where('age', 'is not', null).selectAll(),
  'where like': (db) =>
    db.selectFrom('person').where('name', 'like', '%x').where('name', 'regexp', '^a').selectAll(),
  'where or': (db) =>
    db
      .selectFrom('person')
      .where((eb) => eb.or([eb('id', '=', 1), eb.not(eb('age', '<', 2))]))
      .selectAll(),
  'where object': (db) =>
    db
      .selectFrom('person')
      .where((eb) => eb.and({ id: 1, name: 'x' }))
      .selectAll(),
  'where between': (db) =>
    db
      .selectFrom('person')
      .where((eb) => eb.between('age', 1, 2))
      .selectAll(),
  'where tuple': (db) =>
    db
      .selectFrom('person')
      .where((eb) => eb(eb.refTuple('id', 'age'), 'in', [eb.tuple(1, 2)]))
      .selectAll(),
  'where exists': (db) =>
    db
      .selectFrom('person')
      .where((eb) =>
        eb.exists(eb.selectFrom('pet').select('pet.id').whereRef('owner_id', '=', 'person.id')),
      )
      .selectAll(),
  'null safe equality': (db) => db.selectFrom('person').where('name', '<=>', null).selectAll(),
  'where ref': (db) => db.selectFrom('person').whereRef('id', '=', 'age').selectAll(),
  'inner join': (db) =>
    db.selectFrom('person').innerJoin('pet', 'pet.owner_id', 'person.id').selectAll(),
  'left join': (db) =>
    db
      .selectFrom('person')
      .leftJoin('pet as p', (j) => j.onRef('p.owner_id', '=', 'person.id').on('p.name', '=', 'x'))
      .selectAll(),
  'join derived': (db) =>
    db
      .selectFrom('person')
      .innerJoin(
        (eb) => eb.selectFrom('pet').select(['owner_id as o']).as('d'),
        (j) => j.onRef('d.o', '=', 'person.id'),
      )
      .selectAll(),
  'lateral join': (db) =>
    db
      .selectFrom('person')
      .innerJoinLateral(
        (eb) =>
          eb.selectFrom('pet').select('name as n').whereRef('owner_id', '=', 'person.id').as('l'),
        (j) => j.onTrue(),
      )
      .selectAll(),
  'left lateral join': (db) =>
    db
      .selectFrom('person')
      .leftJoinLateral(
        (eb) => eb.selectFrom('pet').select('name as n').as('l'),
        (j) => j.onTrue(),
      )
      .selectAll(),
  'cross join': (db) => db.selectFrom('person').crossJoin('pet').selectAll('pet'),
  'from derived': (db) => db.selectFrom(db.selectFrom('person').selectAll().as('d')).selectAll(),
  'select subquery': (db) =>
    db.selectFrom('person').select((eb) => eb.selectFrom('pet').select('name').limit(1).as('pet')),
  'count all': (db) => db.selectFrom('person').select((eb) => eb.fn.countAll().as('n')),
  aggregates: (db) =>
    db
      .selectFrom('person')
      .select((eb) => [
        eb.fn.count('id').distinct().as('c'),
        eb.fn.max('age').as('m'),
        eb.fn.avg('age').as('v'),
        eb.fn.sum('age').as('s'),
        eb.fn.min('age').as('i'),
      ]),
  'any function': (db) =>
    db
      .selectFrom('person')
      .select((eb) => [
        eb.fn('concat', ['name', eb.val('x')]).as('c'),
        eb.fn<number>('length', ['name']).as('l'),
      ]),
  coalesce: (db) =>
    db.selectFrom('person').select((eb) => eb.fn.coalesce('name', eb.val('x')).as('c')),
  window: (db) =>
    db.selectFrom('person').select((eb) =>
      eb.fn
        .sum('age')
        .over((o) => o.partitionBy('name').orderBy('id', 'desc'))
        .as('s'),
    ),
  'row number': (db) =>
    db.selectFrom('person').select((eb) =>
      eb.fn
        .agg<number>('row_number')
        .over((o) => o.orderBy('id'))
        .as('n'),
    ),
  'group by having': (db) =>
    db
      .selectFrom('person')
      .select(['name'])
      .groupBy('name')
      .having((eb) => eb.fn.count('id'), '>', 1),
  'order limit offset': (db) =>
    db.selectFrom('person').selectAll().orderBy('name', 'desc').orderBy('id').limit(5).offset(10),
  'order nulls': (db) =>
    db
      .selectFrom('person')
      .selectAll()
      .orderBy((eb) => eb('name', 'is', null)),
  distinct: (db) => db.selectFrom('person').select('name').distinct(),
  case: (db) =>
    db
      .selectFrom('person')
      .select((eb) => eb.case().when('age', '<', 18).then('child').else('adult').end().as('c')),
  'case value': (db) =>
    db.selectFrom('person').select((eb) => eb.case('age').when(1).then(eb.lit(2)).end().as('c')),
  cast: (db) =>
    db
      .selectFrom('person')
      .select((eb) => [
        eb.cast<string>('age', 'char(10)').as('c'),
        eb.cast<number>('name', 'decimal(10, 2)').as('d'),
      ]),
  arithmetic: (db) =>
    db.selectFrom('person').select((eb) => eb('age', '+', eb('id', '*', 2)).as('x')),
  negation: (db) =>
    db
      .selectFrom('person')
      .select((eb) => [eb.neg('age').as('n'), eb.not('age').as('o'), eb.unary('-', 'id').as('u')]),
  union: (db) =>
    db.selectFrom('person').select('id').union(db.selectFrom('pet').select('id')).orderBy('id'),
  'union all': (db) =>
    db
      .selectFrom('person')
      .select('id')
      .unionAll((eb) => eb.parens(eb.selectFrom('pet').select('id').limit(1))),
  intersect: (db) =>
    db.selectFrom('person').select('id').intersect(db.selectFrom('pet').select('id')),
  except: (db) => db.selectFrom('person').select('id').except(db.selectFrom('pet').select('id')),
  with: (db) =>
    db
      .with('c', (q) => q.selectFrom('person').select('id'))
      .selectFrom('c')
      .selectAll(),
  'with columns': (db) =>
    db
      .with('c(x, y)', (q) => q.selectFrom('person').select(['id as x', 'age as y']))
      .selectFrom('c')
      .select('x'),
  'with recursive': (db) =>
    db
      .withRecursive('c(n)', (q) =>
        q
          .selectNoFrom((eb) => eb.lit(1).as('n'))
          .unionAll((eb) =>
            eb
              .selectFrom('c')
              .select((e) => e('n', '+', 1).as('n'))
              .where('n', '<', 5),
          ),
      )
      .selectFrom('c')
      .selectAll(),
  'json arrow': (db) => db.selectFrom('person').select(sql<string>`doc ->> '$.a'`.as('a')),
  'json path': (db) =>
    db
      .selectFrom('person')
      .select((eb) => eb.fn<string>('json_extract', ['doc', sql.lit('$.a')]).as('a')),
  'json array from': (db) =>
    db
      .selectFrom('person')
      .select((eb) => [
        'id',
        jsonArrayFrom(
          eb
            .selectFrom('pet')
            .select(['pet.id', 'pet.name'])
            .whereRef('owner_id', '=', 'person.id'),
        ).as('pets'),
      ]),
  'json object from': (db) =>
    db
      .selectFrom('person')
      .select((eb) => jsonObjectFrom(eb.selectFrom('pet').select(['pet.id']).limit(1)).as('pet')),
  'raw fragment': (db) =>
    db
      .selectFrom('person')
      .select(sql<number>`year(created_at)`.as('y'))
      .where(sql<boolean>`length(name) > ${3}`),
  'raw table': (db) =>
    db.selectFrom(sql<{ a: number }>`(values row(${1}, ${2}))`.as<'v'>(sql`v(a, b)`)).selectAll(),
  'raw names': (db) =>
    db
      .selectFrom('person')
      .select(sql<string>`${sql.ref('person.name')}`.as('n'))
      .where(sql`${sql.id('age')}`, '>', 1),
  'top and modifiers': (db) => db.selectFrom('person').modifyFront(sql`sql_no_cache`).selectAll(),
  'hint in front': (db) =>
    db.selectFrom('person').modifyFront(sql`/*+ max_execution_time(100) */`).selectAll(),
  explain: (db) => ({
    compile: () => ({ sql: `explain ${db.selectFrom('person').selectAll().compile().sql}` }),
  }),
  'fetch of one': (db) => db.selectFrom('person').selectAll().where('id', '=', 1).limit(1),
  comparison: (db) => db.selectFrom('person').select((eb) => eb('age', '>=', 18).as('adult')),
  'any of subquery': (db) =>
    db
      .selectFrom('person')
      .where('id', 'in', (eb) => eb.selectFrom('pet').select('owner_id'))
      .selectAll(),
  parenthesised: (db) =>
    db
      .selectFrom('person')
      .where((eb) => eb.parens(eb('id', '=', 1).or('id', '=', 2)))
      .selectAll(),
};

/** Reads that are no plain reads, and writes. */
const others: readonly [name: string, sql: string, expected: Partial<Facts>][] = [
  ['Knex forUpdate', knex('t').forUpdate().toSQL().sql, { reason: 'locking-read' }],
  ['Knex forShare', knex('t').forShare().toSQL().sql, { reason: 'locking-read' }],
  ['Knex skipLocked', knex('t').forUpdate().skipLocked().toSQL().sql, { reason: 'locking-read' }],
  [
    'Knex insert',
    knex('t')
      .insert([{ a: 1 }, { a: 2 }])
      .toSQL().sql,
    { kind: 'write', pin: null },
  ],
  [
    'Knex upsert',
    knex('t').insert({ a: 1 }).onConflict().merge().toSQL().sql,
    { kind: 'write', pin: null },
  ],
  [
    'Knex insert ignore',
    knex('t').insert({ a: 1 }).onConflict().ignore().toSQL().sql,
    { kind: 'write', pin: null },
  ],
  [
    'Knex insert select',
    knex('t').insert(knex('u').select('a')).toSQL().sql,
    { kind: 'write', pin: null },
  ],
  [
    'Knex update',
    knex('t').where('id', 1).update({ a: 1 }).toSQL().sql,
    { kind: 'write', pin: null },
  ],
  ['Knex increment', knex('t').increment('a').toSQL().sql, { kind: 'write', pin: null }],
  ['Knex delete', knex('t').where('id', 1).del().toSQL().sql, { kind: 'write', pin: null }],
  ['Knex truncate', knex('t').truncate().toSQL().sql, { kind: 'write', pin: null }],
  ['Knex columnInfo', String(knex('t').columnInfo()), { reason: 'system-schema' }],
  ['Knex hasTable', String(knex.schema.hasTable('t')), { reason: 'system-schema' }],
  ['Knex hasColumn', String(knex.schema.hasColumn('t', 'a')), { kind: 'show' }],
  [
    'Knex createTable',
    knex.schema.createTable('t', (t) => void t.increments()).toSQL()[0]?.sql ?? '',
    { kind: 'write', pin: null },
  ],
  [
    'Knex migrations',
    knex('knex_migrations').select('name').orderBy('id').toSQL().sql,
    { reason: 'primary-table' },
  ],
  [
    'Kysely forUpdate',
    kysely.selectFrom('person').selectAll().forUpdate().compile().sql,
    { reason: 'locking-read' },
  ],
  [
    'Kysely forShare skipLocked',
    kysely.selectFrom('person').selectAll().forShare().skipLocked().compile().sql,
    { reason: 'locking-read' },
  ],
  [
    'Kysely modifyEnd',
    kysely.selectFrom('person').selectAll().modifyEnd(sql`lock in share mode`).compile().sql,
    { reason: 'locking-read' },
  ],
  [
    'Kysely get_lock',
    kysely.selectNoFrom((eb) => eb.fn('get_lock', [eb.val('a'), eb.val(1)]).as('l')).compile().sql,
    { pin: 'user-lock' },
  ],
  [
    'Kysely insert',
    kysely.insertInto('pet').values({ id: 1, owner_id: 1, name: 'a', species: 'b' }).compile().sql,
    { kind: 'write', pin: null },
  ],
  [
    'Kysely upsert',
    kysely
      .insertInto('pet')
      .values({ id: 1, owner_id: 1, name: 'a', species: 'b' })
      .onDuplicateKeyUpdate({ name: 'x' })
      .compile().sql,
    { kind: 'write', pin: null },
  ],
  [
    'Kysely update',
    kysely.updateTable('pet').set({ name: 'x' }).where('id', '=', 1).compile().sql,
    { kind: 'write', pin: null },
  ],
  [
    'Kysely update behind WITH',
    kysely
      .with('c', (q) => q.selectFrom('person').select('id'))
      .updateTable('pet')
      .set({ name: 'x' })
      .compile().sql,
    { kind: 'write', reason: 'writes' },
  ],
  [
    'Kysely delete behind WITH',
    kysely
      .with('c', (q) => q.selectFrom('person').select('id'))
      .deleteFrom('pet')
      .compile().sql,
    { kind: 'write', reason: 'writes' },
  ],
  [
    'Kysely replace',
    kysely.replaceInto('pet').values({ id: 1, owner_id: 1, name: 'a', species: 'b' }).compile().sql,
    { kind: 'write', pin: null },
  ],
  [
    'Kysely createTable',
    kysely.schema.createTable('t').addColumn('a', 'integer').compile().sql,
    { kind: 'write', pin: null },
  ],
  [
    'Kysely temporary table',
    kysely.schema.createTable('t').temporary().addColumn('a', 'integer').compile().sql,
    { pin: 'temporary-table' },
  ],
  ['Kysely call', sql`call p(${1})`.compile(kysely).sql, { pin: 'unknown-state' }],
];

function textsOf(compiled: ReturnType<ReturnType<Build>['toSQL']>): readonly string[] {
  return 'sql' in compiled ? [compiled.sql] : compiled.map((one) => one.sql);
}

function expectSafe(text: string): void {
  for (const dialect of dialects) {
    expect(classifiers[dialect].classify(text), `${dialect}: ${text}`).toMatchObject({
      kind: 'read',
      reason: null,
    });
  }
}

describe('what Knex compiles', () => {
  it.each(Object.entries(knexReads))('%s', (_name, build) => {
    for (const text of textsOf(build(knex).toSQL())) expectSafe(text);
  });
});

describe('what Knex writes out with its values', () => {
  it.each(Object.entries(knexReads))('%s', (_name, build) => {
    expectSafe(String(build(knex)));
  });
});

describe('what Kysely compiles', () => {
  it.each(Object.entries(kyselyReads))('%s', (_name, compile) => {
    expectSafe(compile(kysely).compile().sql);
  });
});

describe('what is no plain read', () => {
  it.each(others)('%s: %s', (_name, text, expected) => {
    for (const dialect of dialects) {
      expect(classifiers[dialect].classify(text), dialect).toMatchObject(expected);
    }
  });
});
