import knexModule, { type Knex } from 'knex';
import {
  DummyDriver,
  Kysely,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  type SelectQueryBuilder,
  sql,
} from 'kysely';
import { jsonArrayFrom, jsonObjectFrom } from 'kysely/helpers/mysql';

/*
 * Plain reads as Knex and Kysely compile them: each of their clauses by itself, and every two of
 * them together.
 */

type KnexPart = (q: Knex.QueryBuilder) => Knex.QueryBuilder;

const knexParts: readonly KnexPart[] = [
  (q) => q.select('id', 'person.name', { n: 'name' }),
  (q) => q.distinct('name'),
  (q) => q.where({ id: 1, name: 'a' }),
  (q) => q.where('age', '>', 1).orWhere('name', 'like', '%x%'),
  (q) => q.whereNot('age', 1).whereNull('name').orWhereNotNull('doc'),
  (q) => q.whereIn('id', [1, 2, 3]).whereNotIn('name', ['x']),
  (q) => q.whereIn('id', []),
  (q) => q.whereIn('id', (s) => void s.select('owner_id').from('pet')),
  (q) => q.whereBetween('age', [1, 2]).orWhereNotBetween('age', [3, 4]),
  (q) => q.whereExists((s) => void s.from('pet').whereRaw('pet.owner_id = person.id')),
  (q) => q.whereNotExists((s) => void s.from('pet')),
  (q) => q.where((s) => void s.where('a', 1).orWhere((t) => void t.where('b', 2))),
  (q) => q.whereLike('name', 'x%').orWhereILike('name', 'y%'),
  (q) => q.where('a', '<', knex.ref('b')),
  (q) => q.where('name', 'regexp', '^a').where('name', 'rlike', 'b'),
  (q) => q.whereRaw('date(created_at) = curdate() and year(created_at) >= ?', [2024]),
  (q) => q.whereJsonObject('doc', { a: 1 }).whereJsonPath('doc', '$.a', '>', 1),
  (q) => q.whereJsonSupersetOf('doc', { a: 1 }).whereJsonSubsetOf('doc', { a: 1 }),
  (q) => q.jsonExtract('doc', '$.a', 'a'),
  (q) =>
    q.jsonExtract([
      ['doc', '$.a', 'x'],
      ['doc', '$.b', 'y'],
    ]),
  (q) => q.innerJoin('pet', 'pet.owner_id', 'person.id'),
  (q) => q.leftJoin('pet as p', (j) => void j.on('p.owner_id', 'person.id').onVal('p.a', 1)),
  (q) => q.rightOuterJoin('pet as r', { 'r.owner_id': 'person.id' }),
  (q) => q.joinRaw('cross join pet as c'),
  (q) => q.join('pet as u', (j) => void j.using(['id', 'name'])),
  (q) =>
    q.join(
      'pet as i',
      (j) => void j.onIn('i.kind', [1, 2]).orOnNull('i.a').onBetween('i.b', [1, 2]),
    ),
  (q) => q.join('pet as e', (j) => void j.onExists((s) => void s.from('x'))),
  (q) => q.joinRaw('natural left join `toy`'),
  (q) => q.joinRaw('straight_join toy using (id)'),
  (q) => q.count('* as n'),
  (q) => q.countDistinct('name as d').min('age as lo').max('age as hi'),
  (q) => q.sum('age as s').sumDistinct('age as t').avg('age as a').avgDistinct('age as b'),
  (q) => q.groupBy('name', 'age'),
  (q) => q.groupByRaw('year(created_at) with rollup'),
  (q) => q.having('n', '>', 1).havingIn('name', ['a', 'b']),
  (q) => q.havingBetween('n', [1, 2]).havingNotNull('name'),
  (q) => q.havingRaw('count(distinct name) > ?', [1]),
  (q) => q.orderBy('name', 'desc').orderBy([{ column: 'age', order: 'asc' }]),
  (q) => q.orderBy('name', 'asc', 'last'),
  (q) => q.orderByRaw('field(name, ?, ?) desc', ['a', 'b']),
  (q) => q.limit(5).offset(10),
  (q) => q.offset(3),
  (q) => q.union((s) => void s.select('id').from('pet')),
  (q) => q.unionAll((s) => void s.select('id').from('pet').limit(1), true),
  (q) => q.intersect((s) => void s.select('id').from('pet')),
  (q) => q.except((s) => void s.select('id').from('pet')),
  (q) => q.with('c', (s) => void s.select('*').from('pet').where('a', 1)),
  (q) => q.with('c', ['x', 'y'], (s) => void s.select('a', 'b').from('pet')),
  (q) =>
    q.withRecursive(
      'r',
      ['n'],
      (s) =>
        void s.select(knex.raw('1')).unionAll((t) => void t.select(knex.raw('n + 1')).from('r')),
    ),
  (q) => q.rowNumber('rn', 'age', 'name'),
  (q) => q.rank('rk', (s) => void s.orderBy('age').partitionBy('name')),
  (q) => q.denseRank('dr', ['age']),
  (q) => q.select(knex.raw('coalesce(a, ?) as c, if(b > 1, ?, ?) as d', [1, 2, 3])),
  (q) => q.select(knex('pet').count('*').where('owner_id', knex.ref('person.id')).as('pets')),
  (q) =>
    q.select(knex.raw("concat_ws(' ', a, b) as c, cast(a as char(10)) as d, doc ->> '$.a' as e")),
  (q) => q.select(knex.raw('group_concat(distinct a order by b separator ?) as g', [','])),
  (q) => q.select(knex.raw('case when a is null then ? else b end as k', [1])),
  (q) =>
    q.select(
      knex.raw('sum(a) over (partition by b order by c rows between 1 preceding and current row)'),
    ),
  (q) => q.select(knex.fn.now(), knex.ref('a').as('b')),
  (q) => q.whereRaw('match(name) against (? in boolean mode)', ['+a']),
  (q) => q.whereRaw('created_at > now() - interval ? day', [7]),
  (q) => q.whereRaw('st_distance(a, st_geomfromtext(?)) < ?', ['POINT(1 1)', 5]),
  (q) => q.from(knex('pet').where('a', 1).as('d')),
  (q) => q.fromRaw('person force index (primary)'),
  (q) => q.withSchema('app'),
  (q) => q.comment('a report'),
  (q) => q.hintComment(['NO_ICP(person)', 'MAX_EXECUTION_TIME(100)']),
];

const knex = knexModule({ client: 'mysql2' });

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

type Query = SelectQueryBuilder<Database, 'person', object>;

type KyselyPart = (q: Query) => unknown;

const kyselyParts: readonly KyselyPart[] = [
  (q) => q.select(['id', 'person.name', 'age as a']),
  (q) => q.select('name').distinct(),
  (q) => q.where('id', '=', 1).where('age', '>', 2),
  (q) => q.where('id', 'in', [1, 2]).where('id', 'not in', [3]),
  (q) => q.where('name', 'is', null).where('age', 'is not', null),
  (q) => q.where('name', 'like', '%x').where('name', 'not like', 'y%'),
  (q) => q.where('name', 'regexp', '^a').where('name', '<=>', null),
  (q) => q.where((eb) => eb.or([eb('id', '=', 1), eb.not(eb('age', '<', 2))])),
  (q) => q.where((eb) => eb.and({ id: 1, name: 'x' })),
  (q) => q.where((eb) => eb.between('age', 1, 2)),
  (q) => q.where((eb) => eb(eb.refTuple('id', 'age'), 'in', [eb.tuple(1, 2), eb.tuple(3, 4)])),
  (q) =>
    q.where((eb) =>
      eb.exists(eb.selectFrom('pet').select('id').whereRef('owner_id', '=', 'person.id')),
    ),
  (q) => q.where('id', 'in', (eb) => eb.selectFrom('pet').select('owner_id')),
  (q) => q.where((eb) => eb('age', '>', eb.fn.any(eb.selectFrom('pet').select('id')))),
  (q) => q.whereRef('id', '=', 'age'),
  (q) => q.where((eb) => eb.parens(eb('id', '=', 1).and('age', '=', 2)).or('id', '=', 3)),
  (q) => q.where(sql<boolean>`match(name) against(${'+a'} in boolean mode)`),
  (q) => q.where(sql<boolean>`created_at > now() - interval ${7} day`),
  (q) => q.innerJoin('pet', 'pet.owner_id', 'person.id'),
  (q) =>
    q.leftJoin('pet as p', (j) => j.onRef('p.owner_id', '=', 'person.id').on('p.name', '=', 'x')),
  (q) =>
    q.rightJoin('pet as r', (j) => j.on((eb) => eb.or([eb('r.id', '=', 1), eb('r.id', '=', 2)]))),
  (q) =>
    q.innerJoin(
      (eb) => eb.selectFrom('pet').select('owner_id as o').as('d'),
      (j) => j.onRef('d.o', '=', 'person.id'),
    ),
  (q) =>
    q.innerJoinLateral(
      (eb) =>
        eb.selectFrom('pet').select('name as n').whereRef('owner_id', '=', 'person.id').as('l'),
      (j) => j.onTrue(),
    ),
  (q) => q.crossJoin('pet as c'),
  (q) => q.select((eb) => eb.selectFrom('pet').select('name').limit(1).as('pet')),
  (q) => q.select((eb) => eb.fn.countAll().as('n')),
  (q) => q.select((eb) => [eb.fn.count('id').distinct().as('c'), eb.fn.sum('age').as('s')]),
  (q) =>
    q.select((eb) => [
      eb.fn.max('age').as('hi'),
      eb.fn.min('age').as('lo'),
      eb.fn.avg('age').as('av'),
    ]),
  (q) => q.select((eb) => eb.fn<string>('concat', ['name', eb.val('x')]).as('c')),
  (q) => q.select((eb) => eb.fn.coalesce('name', eb.val('x')).as('co')),
  (q) =>
    q.select((eb) =>
      eb.fn
        .sum('age')
        .over((o) => o.partitionBy('name').orderBy('id', 'desc'))
        .as('so'),
    ),
  (q) =>
    q.select((eb) =>
      eb.fn
        .agg<number>('row_number')
        .over((o) => o.orderBy('id'))
        .as('rn'),
    ),
  (q) =>
    q.select((eb) =>
      eb.fn
        .agg<number>('lag', ['age', eb.lit(1)])
        .over()
        .as('lg'),
    ),
  (q) => q.select((eb) => eb.case().when('age', '<', 18).then('child').else('adult').end().as('k')),
  (q) => q.select((eb) => eb.case('age').when(1).then(eb.lit(2)).end().as('k2')),
  (q) =>
    q.select((eb) => [
      eb.cast<string>('age', 'char(10)').as('c'),
      eb.cast<number>('name', 'decimal(10, 2)').as('d'),
    ]),
  (q) => q.select((eb) => eb('age', '+', eb('id', '*', 2)).as('x')),
  (q) => q.select((eb) => [eb.neg('age').as('n'), eb.not('age').as('o'), eb.lit(null).as('z')]),
  (q) => q.select((eb) => eb.fn<string>('json_extract', ['doc', sql.lit('$.a')]).as('j')),
  (q) => q.select(sql<string>`doc ->> '$.a'`.as('ja')),
  (q) => q.select(sql<number>`year(created_at)`.as('y')),
  (q) =>
    q.select((eb) => jsonArrayFrom(eb.selectFrom('pet').select(['pet.id', 'pet.name'])).as('pets')),
  (q) =>
    q.select((eb) => jsonObjectFrom(eb.selectFrom('pet').select(['pet.id']).limit(1)).as('one')),
  (q) => q.select(sql<string>`group_concat(name order by id separator ', ')`.as('g')),
  (q) => q.groupBy(['name', 'age']),
  (q) => q.groupBy('name').having((eb) => eb.fn.count('id'), '>', 1),
  (q) => q.groupBy(sql`year(created_at) with rollup`),
  (q) => q.having(sql<boolean>`count(*) > ${2}`),
  (q) => q.orderBy('name', 'desc').orderBy('id'),
  (q) => q.orderBy((eb) => eb('name', 'is', null)),
  (q) => q.orderBy(sql`field(name, ${'a'}, ${'b'})`),
  (q) => q.orderBy('name', (o) => o.collate('utf8mb4_bin').asc()),
  (q) => q.limit(5).offset(10),
  (q) => q.union(kysely.selectFrom('pet').select('id')),
  (q) => q.unionAll((eb) => eb.parens(eb.selectFrom('pet').select('id').limit(1))),
  (q) => q.intersect(kysely.selectFrom('pet').select('id')),
  (q) => q.except(kysely.selectFrom('pet').select('id')),
  (q) => q.modifyFront(sql`sql_no_cache`),
  (q) => q.modifyFront(sql`/*+ max_execution_time(100) */`),
  (q) => q.modifyEnd(sql`/* a report */`),
];

/** Other ways to begin. */
const kyselyStarts: readonly (() => unknown)[] = [
  () => kysely.withSchema('app').selectFrom('person'),
  () => kysely.with('c', (q) => q.selectFrom('pet').select('id')).selectFrom(['person', 'c']),
  () =>
    kysely
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
      .selectFrom(['person', 'c']),
  () => kysely.selectFrom((eb) => eb.selectFrom('person').selectAll().as('person')),
];

/** Each item by itself, and every two different ones. */
function* pairs<T>(items: readonly T[]): Generator<readonly T[]> {
  for (const [index, item] of items.entries()) {
    yield [item];
    for (const other of items.slice(index + 1)) yield [item, other];
  }
}

/** Distinct plain reads that Knex compiles: with placeholders, and with the values written out. */
export function compiledByKnex(): string[] {
  const texts = new Set<string>();
  for (const parts of pairs(knexParts)) {
    const query = parts.reduce((q, part) => part(q), knex('person') as Knex.QueryBuilder);
    texts.add(query.toSQL().sql);
    texts.add(query.toString());
  }
  return [...texts];
}

/** Distinct plain reads that Kysely compiles. */
export function compiledByKysely(): string[] {
  const texts = new Set<string>();
  const add = (start: () => unknown, parts: readonly KyselyPart[]): void => {
    // Each part changes the type of the query; what they share is all that the next one needs.
    const query = parts.reduce((q, part) => part(q) as Query, start() as Query);
    texts.add(query.selectAll('person').compile().sql);
  };
  for (const parts of pairs(kyselyParts)) add(() => kysely.selectFrom('person'), parts);
  for (const start of kyselyStarts) for (const part of kyselyParts) add(start, [part]);
  return [...texts];
}
