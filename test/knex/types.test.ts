import { forcePrimary, ReplicatedMysql2, type ReplicationOptions, useReplica } from '@rwsplit/knex';
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

  it('useReplica leaves the type of a builder and of raw queries as it is', () => {
    const all = db<Person>('person').where('id', 1);
    expectTypeOf(all.useReplica()).toEqualTypeOf(all);
    expectTypeOf(all.useReplica('analytics').forcePrimary()).toEqualTypeOf(all);
    expectTypeOf(useReplica(all, 'analytics')).toEqualTypeOf(all);
    const count = db<Person>('person').count({ people: 'id' });
    expectTypeOf(count.useReplica()).toEqualTypeOf(count);
    expectTypeOf(useReplica(db.raw<Person[]>('select 1'))).toEqualTypeOf<Knex.Raw<Person[]>>();
    expect(count.toQuery()).toBe('select count(`id`) as `people` from `person`');
  });

  it('has the hints as methods of raw queries and schema builders too', () => {
    const raw = db.raw<Person[]>('select 1');
    expectTypeOf(raw.forcePrimary()).toEqualTypeOf<Knex.Raw<Person[]>>();
    expectTypeOf(raw.useReplica('analytics')).toEqualTypeOf<Knex.Raw<Person[]>>();
    expectTypeOf(db.schema.dropTable('a').forcePrimary()).toEqualTypeOf<Knex.SchemaBuilder>();
  });

  it('hints leave a query what it is inside another one, and with aliases', () => {
    const inner = db<Person>('person').select('id').forcePrimary();
    const outer = db<Person>('person').whereIn('id', inner).select('id', 'name').useReplica();
    expectTypeOf<Awaited<typeof outer>>().toEqualTypeOf<Pick<Person, 'id' | 'name'>[]>();
    const alias = db<Person>('person').select({ key: 'id' }).forcePrimary();
    expectTypeOf<Awaited<typeof alias>>().toEqualTypeOf<{ key: number }[]>();
    const joined = db<Person>('person as p').join<{ pet: string }>('pet', 'pet.owner', 'p.id');
    expectTypeOf(joined.forcePrimary()).toEqualTypeOf(joined);
    expect(alias.toQuery()).toBe('select `id` as `key` from `person`');
  });

  it('takes nothing that Knex cannot run', () => {
    // @ts-expect-error: a promise has no options
    expect(() => forcePrimary(Promise.resolve())).toThrow(TypeError);
    // @ts-expect-error: a group has a name
    expect(() => db('person').useReplica(1)).toThrow('expected the name of a group');
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
