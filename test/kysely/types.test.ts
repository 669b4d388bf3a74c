import { forcePrimary, ReplicatedMysqlDialect } from '@rwsplit/kysely';
import {
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
