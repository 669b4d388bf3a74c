import {
  forcePrimary,
  inSession,
  openSession,
  ReplicatedMysqlDialect,
  useReplica,
  withConsistency,
  withMaxLag,
} from '@rwsplit/kysely';
import {
  CamelCasePlugin,
  type CompiledQuery,
  type ControlledTransaction,
  type Dialect,
  type InsertQueryBuilder,
  type InsertResult,
  Kysely,
  type QueryCreator,
  type QueryResult,
  type RawBuilder,
  type SchemaModule,
  sql,
  type Transaction,
} from 'kysely';
import type { createPool } from 'mysql2';
import type { createPool as createPromisePool } from 'mysql2/promise';
import { describe, expectTypeOf, it } from 'vitest';
import type { Tables } from './people.ts';

// Checked by the compiler: `execute` is only ever named, so that nothing connects.
const dialect = new ReplicatedMysqlDialect({ primary: 'mysql://nobody@127.0.0.1:1/none' });
const db = new Kysely<Tables>({ dialect });

describe('forcePrimary', () => {
  it('keeps the type of a database, a transaction and a query creator', () => {
    expectTypeOf(forcePrimary(db)).toEqualTypeOf<Kysely<Tables>>();
    expectTypeOf(forcePrimary<Transaction<Tables>>).returns.toEqualTypeOf<Transaction<Tables>>();
    expectTypeOf(forcePrimary<ControlledTransaction<Tables, ['a']>>).returns.toEqualTypeOf<
      ControlledTransaction<Tables, ['a']>
    >();
    expectTypeOf(forcePrimary<QueryCreator<Tables>>).returns.toEqualTypeOf<QueryCreator<Tables>>();
    expectTypeOf(forcePrimary(db.schema)).toEqualTypeOf<SchemaModule>();
    const created = db.with('x', (qb) => qb.selectFrom('person').select('id'));
    expectTypeOf(forcePrimary(created)).toEqualTypeOf(created);
  });

  it('keeps what a select gives', () => {
    const query = db.selectFrom('person').select(['id', 'age']);
    expectTypeOf(query.$call(forcePrimary)).toEqualTypeOf(query);
    expectTypeOf(query.$call(forcePrimary).execute).returns.resolves.toEqualTypeOf<
      { id: number; age: number | null }[]
    >();
    expectTypeOf(
      query.$call(forcePrimary).where('name', '=', 'x').executeTakeFirst,
    ).returns.resolves.toEqualTypeOf<{ id: number; age: number | null } | undefined>();
  });

  it('keeps what joins, unions and common table expressions give', () => {
    const joined = db
      .selectFrom('person as p')
      .leftJoin('pet', 'pet.owner_id', 'p.id')
      .select(['p.name', 'pet.nick_name']);
    expectTypeOf(joined.$call(forcePrimary)).toEqualTypeOf(joined);
    const union = db
      .selectFrom('person')
      .select('id')
      .unionAll(db.selectFrom('pet').select('id').$call(forcePrimary));
    expectTypeOf(union.$call(forcePrimary).execute).returns.resolves.toEqualTypeOf<
      { id: number }[]
    >();
    const nested = db
      .with('old', (qb) => qb.selectFrom('person').select('name').$call(forcePrimary))
      .selectFrom('old')
      .selectAll();
    expectTypeOf(nested.$call(forcePrimary).execute).returns.resolves.toEqualTypeOf<
      { name: string }[]
    >();
  });

  it('keeps what writes give', () => {
    const insert = db.insertInto('person').values({ name: 'x' });
    expectTypeOf(insert.$call(forcePrimary)).toEqualTypeOf<
      InsertQueryBuilder<Tables, 'person', InsertResult>
    >();
    const update = db.updateTable('person').set({ age: 1 }).where('id', '=', 1);
    expectTypeOf(update.$call(forcePrimary)).toEqualTypeOf(update);
    const remove = db.deleteFrom('pet').where('id', '=', 1);
    expectTypeOf(remove.$call(forcePrimary)).toEqualTypeOf(remove);
  });

  it('keeps what raw SQL gives', () => {
    const raw = forcePrimary(sql<{ n: number }>`select 1 as n`);
    expectTypeOf(raw).toEqualTypeOf<RawBuilder<{ n: number }>>();
    expectTypeOf(raw.execute).returns.resolves.toEqualTypeOf<QueryResult<{ n: number }>>();
    const compiled = db.selectFrom('pet').select('id').$call(forcePrimary).compile();
    expectTypeOf(compiled).toEqualTypeOf<CompiledQuery<{ id: number }>>();
  });

  it('refuses what takes no plugins', () => {
    // @ts-expect-error a compiled query has its hint already, or none
    expectTypeOf(forcePrimary).toBeCallableWith(db.selectFrom('pet').select('id').compile());
    // @ts-expect-error a string is no query
    expectTypeOf(forcePrimary).toBeCallableWith('select 1');
  });
});

describe('the other hints', () => {
  const query = db.selectFrom('person').select(['id', 'name as called']);
  const session = openSession();

  it('keep the type of a query, of a database and of raw SQL', () => {
    expectTypeOf(query.$call(useReplica)).toEqualTypeOf(query);
    expectTypeOf(useReplica(query, 'analytics')).toEqualTypeOf(query);
    expectTypeOf(withConsistency(query, 'eventual')).toEqualTypeOf(query);
    expectTypeOf(withMaxLag(query, 1_000)).toEqualTypeOf(query);
    expectTypeOf(inSession(query, session)).toEqualTypeOf(query);
    expectTypeOf(withMaxLag(db, 1_000)).toEqualTypeOf<Kysely<Tables>>();
    const raw = sql<{ n: number }>`select 1 as n`;
    expectTypeOf(inSession(raw, session)).toEqualTypeOf<RawBuilder<{ n: number }>>();
    expectTypeOf(useReplica(forcePrimary(query)).execute).returns.resolves.toEqualTypeOf<
      { id: number; called: string }[]
    >();
  });

  it('keep what nested queries, JSON and other plugins give', () => {
    const nested = db
      .selectFrom('person')
      .select((eb) => [
        'id',
        eb.selectFrom('pet').select('nick_name').limit(1).$call(forcePrimary).as('pet'),
      ]);
    expectTypeOf(nested.$call(useReplica)).toEqualTypeOf(nested);
    const camel = forcePrimary(db.withPlugin(new CamelCasePlugin()));
    expectTypeOf(camel).toEqualTypeOf<Kysely<Tables>>();
    const stream = query.$call(forcePrimary).stream;
    expectTypeOf(stream).returns.toEqualTypeOf<
      AsyncIterableIterator<{ id: number; called: string }>
    >();
  });

  it('refuse what they cannot mean', () => {
    // @ts-expect-error one of three levels
    expectTypeOf(withConsistency(query, 'strong'));
    // @ts-expect-error milliseconds
    expectTypeOf(withMaxLag).parameter(1).toEqualTypeOf<string>();
    // @ts-expect-error a group has a name
    expectTypeOf(useReplica(query, 1));
  });
});

describe('ReplicatedMysqlDialect', () => {
  it('is a dialect', () => {
    expectTypeOf(dialect).toExtend<Dialect>();
  });

  it('takes options, URLs and pools of mysql2 as hosts', () => {
    type Host = ConstructorParameters<typeof ReplicatedMysqlDialect>[0]['primary'];
    expectTypeOf({ host: 'db-1', name: 'first', connectionLimit: 5 }).toExtend<Host>();
    expectTypeOf('mysql://db-1/shop').toExtend<Host>();
    expectTypeOf<ReturnType<typeof createPool>>().toExtend<Host>();
    expectTypeOf<ReturnType<typeof createPromisePool>>().toExtend<Host>();
  });

  it('refuses wrong options', () => {
    type Options = ConstructorParameters<typeof ReplicatedMysqlDialect>[0];
    expectTypeOf<{ replicas: [] }>().not.toExtend<Options>();
    expectTypeOf<{ primary: string; balancing: 'fastest' }>().not.toExtend<Options>();
    expectTypeOf<{ primary: string; acquireTimeout: string }>().not.toExtend<Options>();
  });

  it("takes hooks with Kysely's connection", () => {
    const options = {
      primary: 'mysql://db-1/shop',
      onCreateConnection: async (connection, host) => {
        expectTypeOf(connection.executeQuery).toBeFunction();
        expectTypeOf(host.role).toEqualTypeOf<'primary' | 'replica'>();
        expectTypeOf(host.name).toBeString();
      },
    } satisfies ConstructorParameters<typeof ReplicatedMysqlDialect>[0];
    expectTypeOf(options.primary).toBeString();
  });
});
