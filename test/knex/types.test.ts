import { forcePrimary, ReplicatedMysql2, type ReplicationOptions } from '@rwsplit/knex';
import knex, { type Knex } from 'knex';
import { describe, expect, expectTypeOf, it } from 'vitest';

interface Person {
  id: number;
  name: string;
}

describe('types', () => {
  const db = knex({ client: ReplicatedMysql2 });

  it('forcePrimary leaves the type of a builder as it is', () => {
    const all = db<Person>('person').where('id', 1);
    expectTypeOf(all.forcePrimary()).toEqualTypeOf(all);
    expectTypeOf(forcePrimary(all)).toEqualTypeOf(all);
    const names = db<Person>('person').forcePrimary().select('name');
    expectTypeOf<Awaited<typeof names>>().toEqualTypeOf<Pick<Person, 'name'>[]>();
    const first = forcePrimary(db<Person>('person')).first('id');
    expectTypeOf<Awaited<typeof first>>().toEqualTypeOf<Pick<Person, 'id'> | undefined>();
    expect(names.toQuery()).toBe('select `name` from `person`');
    expect(first.toQuery()).toBe('select `id` from `person` limit 1');
  });

  it('forcePrimary leaves the type of raw and of schema builders as it is', () => {
    expectTypeOf(forcePrimary(db.raw<Person[]>('select 1'))).toEqualTypeOf<Knex.Raw<Person[]>>();
    const table = db.schema.dropTable('a');
    expectTypeOf(forcePrimary(table)).toEqualTypeOf<Knex.SchemaBuilder>();
    expect(forcePrimary(table)).toBe(table);
  });

  it('takes nothing that Knex cannot run', () => {
    // @ts-expect-error: a promise has no options
    expect(() => forcePrimary(Promise.resolve())).toThrow(TypeError);
  });

  it('describes the keys of the configuration', () => {
    expectTypeOf<NonNullable<Knex.Config['replication']>>().toEqualTypeOf<ReplicationOptions>();
    expectTypeOf({
      client: ReplicatedMysql2,
      connection: { host: 'db-1', user: 'app', password: 'x', database: 'shop' },
      replicas: [{ host: 'db-2', name: 'near' }, 'mysql://db-3'],
      replication: { balancing: 'roundRobin', acquireTimeout: 1, primaryTables: ['a'] },
    } as const).toExtend<Knex.Config>();
    expectTypeOf<{ replication: { balancing: 'nearest' } }>().not.toExtend<Knex.Config>();
    expectTypeOf<{ replicas: [{ host: 1 }] }>().not.toExtend<Knex.Config>();
    expectTypeOf<{ replicas: undefined }>().toExtend<Knex.Config>();
  });
});
