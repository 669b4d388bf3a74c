import { forcePrimary, ReplicatedMysql2, type StatementRoute, useReplica } from '@rwsplit/knex';
import knex, { type Knex } from 'knex';
import { Model, raw, ref, type Transaction } from 'objection';
import { afterAll, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { failureOf, makeBed } from './bed.ts';

/** Objection finds the relations of a class by its name, so that each has one table and one class. */
class Keeper extends Model {
  static override readonly tableName = 'keeper';
  declare id: number;
  declare name: string;
  declare animals?: Animal[];
  static override get relationMappings() {
    return {
      animals: {
        relation: Model.HasManyRelation,
        modelClass: Animal,
        join: { from: 'keeper.id', to: 'animal.keeperId' },
      },
    };
  }
}

class Animal extends Model {
  static override readonly tableName = 'animal';
  static override readonly jsonAttributes = ['traits'];
  declare id: number;
  declare name: string;
  declare keeperId: number | null;
  declare traits: { legs: number } | null;
  declare keeper?: Keeper;
  static override get relationMappings() {
    return {
      keeper: {
        relation: Model.BelongsToOneRelation,
        modelClass: Keeper,
        join: { from: 'animal.keeperId', to: 'keeper.id' },
      },
      tags: {
        relation: Model.ManyToManyRelation,
        modelClass: Tag,
        join: {
          from: 'animal.id',
          through: { from: 'animal_tag.animalId', to: 'animal_tag.tagId' },
          to: 'tag.id',
        },
      },
    };
  }
}

class Tag extends Model {
  static override readonly tableName = 'tag';
  declare id: number;
  declare label: string;
}

type Row = readonly [what: string, run: (db: Knex) => PromiseLike<unknown>];

const graph = {
  name: 'Dora',
  animals: [
    { name: 'Ant', traits: { legs: 6 }, tags: [{ label: 'small' }, { label: 'busy' }] },
    { name: 'Bee', traits: { legs: 6 }, tags: [{ label: 'loud' }] },
  ],
};

const reads: readonly Row[] = [
  ['all', (db) => Keeper.query(db).orderBy('id')],
  ['one', (db) => Keeper.query(db).findById(1)],
  ['none', (db) => Keeper.query(db).findById(-1)],
  ['none, that must be', (db) => Keeper.query(db).findById(-1).throwIfNotFound()],
  ['the number', (db) => Keeper.query(db).resultSize()],
  ['a page', (db) => Animal.query(db).orderBy('id').page(0, 1)],
  ['a range', (db) => Animal.query(db).orderBy('id').range(1, 5)],
  ['JSON', (db) => Animal.query(db).where('traits', 'is not', null).select('traits')],
  [
    'raw and ref',
    (db) => Animal.query(db).select(raw('upper(??)', 'name').as('n')).where(ref('id'), 1),
  ],
  ['a missing column', (db) => Animal.query(db).select('nothing')],
  // A join gives its rows in the order of the server's plan, which may be another the next time.
  [
    'a fetched graph',
    (db) =>
      Keeper.query(db)
        .orderBy('id')
        .withGraphFetched('animals.tags')
        .modifyGraph('animals', (animals) => void animals.orderBy('animal.id'))
        .modifyGraph('animals.tags', (tags) => void tags.orderBy('tag.id')),
  ],
  [
    'a joined graph',
    (db) =>
      Keeper.query(db)
        .withGraphJoined('animals.tags')
        .orderBy(['keeper.id', 'animals.id', 'animals:tags.id']),
  ],
  [
    'joined relations',
    (db) => Animal.query(db).joinRelated('keeper').select('animal.name').orderBy('animal.id'),
  ],
  ['related ones', (db) => Keeper.relatedQuery('animals', db).for(1).orderBy('id')],
  [
    'related ones of an instance',
    async (db) => (await Keeper.query(db).findById(1))?.$relatedQuery('animals', db),
  ],
  ['the columns of a table', (db) => Animal.bindKnex(db).fetchTableMetadata({ force: true })],
];

const writes: readonly Row[] = [
  ['an insert', (db) => Keeper.query(db).insert({ name: 'Eve' })],
  ['an insert, fetched', (db) => Keeper.query(db).insertAndFetch({ name: 'Eve' })],
  ['an insert that is refused', (db) => Keeper.query(db).insert({ id: 1, name: 'Eve' })],
  ['a patch', (db) => Keeper.query(db).findById(1).patch({ name: 'Eve' })],
  ['a patch, fetched', (db) => Keeper.query(db).patchAndFetchById(1, { name: 'Eve' })],
  ['an update, fetched', (db) => Keeper.query(db).updateAndFetchById(1, { name: 'Eve' })],
  [
    'a patch of an instance, fetched',
    async (db) => (await Keeper.query(db).findById(1))?.$query(db).patchAndFetch({ name: 'Eve' }),
  ],
  ['a delete', (db) => Animal.query(db).deleteById(2)],
  ['an upsert', (db) => Keeper.query(db).insert({ id: 1, name: 'Z' }).onConflict('id').merge()],
  ['an inserted graph', (db) => Keeper.query(db).insertGraph(graph)],
  ['an inserted graph, fetched', (db) => Keeper.query(db).insertGraphAndFetch(graph)],
  [
    'an upserted graph',
    (db) =>
      Keeper.query(db).upsertGraphAndFetch(
        { id: 1, name: 'Eve', animals: [{ id: 1, name: 'Ape' }, { name: 'New' }] },
        { relate: true },
      ),
  ],
  [
    'relate and unrelate',
    async (db) => {
      const related = await Animal.relatedQuery('tags', db).for(2).relate(1);
      const undone = await Animal.relatedQuery('tags', db).for(1).unrelate();
      const animals = Animal.query(db).withGraphFetched('tags').orderBy('id');
      return [
        related,
        undone,
        await animals.modifyGraph('tags', (tags) => void tags.orderBy('tag.id')),
      ];
    },
  ],
];

/** An answer or an error, in a shape that can be compared. */
async function outcomeOf(run: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    return { answer: JSON.parse(JSON.stringify((await run()) ?? null)) };
  } catch (error) {
    const { name, message, code, statusCode } = error as Record<string, unknown>;
    return { name, message, code, statusCode };
  }
}

describe.each(flavors)('Objection on %s', async (flavor) => {
  const bed = await makeBed(flavor);
  const { name: database } = bed.database;
  // Objection inserts parts of a graph at the same time; in what order, one connection decides.
  const common = { connection: { ...bed.primary }, pool: { min: 0, max: 1 } };
  const { replicas } = bed;
  const stock = knex({ ...common, client: 'mysql2' });
  const ours = knex({ ...common, client: ReplicatedMysql2, replicas });
  afterAll(() => Promise.all([stock.destroy(), ours.destroy()]));
  await stock.schema
    .createTable('keeper', (table) => {
      table.increments('id');
      table.string('name');
    })
    .createTable('animal', (table) => {
      table.increments('id');
      table.string('name');
      table.json('traits');
      table.integer('keeperId').unsigned();
    })
    .createTable('tag', (table) => {
      table.increments('id');
      table.string('label');
    })
    .createTable('animal_tag', (table) => {
      table.integer('animalId');
      table.integer('tagId');
    });
  await bed.cluster.waitUntilReplicated();

  async function fill(): Promise<void> {
    for (const table of ['keeper', 'animal', 'tag', 'animal_tag']) {
      await bed.cluster.primary.query(`TRUNCATE ${database}.${table}`);
    }
    for (const sql of [
      `keeper (name) VALUES ('Ada'), ('Brook')`,
      `animal (name, keeperId, traits) VALUES ('Ape', 1, '{"legs":2}'), ('Bat', 1, NULL), ('Cow', 2, NULL)`,
      `tag (label) VALUES ('wild'), ('tame')`,
      'animal_tag VALUES (1, 1), (1, 2), (3, 2)',
    ]) {
      await bed.cluster.primary.query(`INSERT INTO ${database}.${sql}`);
    }
    await bed.cluster.waitUntilReplicated();
  }
  await fill();

  it.each(reads)('answers as on the stock client: %s', async (_what, run) => {
    expect(await outcomeOf(() => run(ours))).toEqual(await outcomeOf(() => run(stock)));
  });

  it.each(writes)('answers as on the stock client: %s', async (_what, run) => {
    await fill();
    const outcome = await outcomeOf(() => run(ours));
    await fill();
    expect(outcome).toEqual(await outcomeOf(() => run(stock)));
  });

  it('answers as on the stock client, all in one transaction', async () => {
    const outcomes = async (db: Knex) => {
      await fill();
      const trx = await Model.startTransaction(db);
      const answers: Record<string, unknown> = {};
      for (const [what, run] of [...reads, ...writes, ...reads]) {
        answers[`${Object.keys(answers).length} ${what}`] = await outcomeOf(() => run(trx));
      }
      await trx.rollback();
      return answers;
    };
    expect(await outcomes(ours)).toEqual(await outcomes(stock));
  });

  it('commits what works, and undoes what does not', async () => {
    await fill();
    const db = bed.open();
    const insert = async (trx: Transaction) => Keeper.query(trx).insert({ name: 'Eve' });
    await Keeper.transaction(db, insert);
    const failure = new Error('no more');
    const failing = async (trx: Transaction) => {
      await insert(trx);
      await trx.transaction(async (nested) => Keeper.query(nested).delete());
      throw failure;
    };
    expect(await failureOf(Keeper.transaction(db, failing))).toBe(failure);
    expect(await Keeper.query(db).resultSize()).toBe(3);
  });

  it('is bound to an instance', async () => {
    await fill();
    const db = bed.open();
    const Bound = Keeper.bindKnex(db);
    expect(Bound.knex()).toBe(db);
    expect(await Bound.query().findById(1)).toMatchObject({ name: 'Ada' });
    const trx = await Bound.startTransaction();
    await Bound.bindTransaction(trx).query().insert({ name: 'Eve' });
    await trx.rollback();
    expect(await Bound.query().resultSize()).toBe(2);
  });

  describe('hints', () => {
    const withAnimals = (db: Knex) => Keeper.query(db).withGraphFetched('animals');

    /** Objection hands options on to Knex, which its types do not say. */
    const optionsOf = (query: unknown) =>
      query as { options(options: object): PromiseLike<unknown> };

    it.each<readonly [what: string, routes: string[], run: (db: Knex) => PromiseLike<unknown>]>([
      ['none', ['read', 'read'], (db) => withAnimals(db)],
      ['forcePrimary(query)', ['force-primary', 'read'], (db) => forcePrimary(withAnimals(db))],
      [
        'an option',
        ['force-primary', 'read'],
        (db) => optionsOf(withAnimals(db)).options({ forcePrimary: true }),
      ],
      ['useReplica(query)', ['read', 'read'], (db) => useReplica(withAnimals(db))],
      [
        'the builder of Knex',
        ['force-primary', 'read'],
        (db) => withAnimals(db).onBuildKnex((builder) => builder.forcePrimary()),
      ],
      [
        'its query context',
        ['force-primary', 'read'],
        (db) => withAnimals(db).onBuildKnex((query) => query.queryContext({ useMaster: true })),
      ],
      [
        'a context, for the whole graph',
        ['force-primary', 'force-primary'],
        (db) => withAnimals(db).context({ onBuild: forcePrimary }),
      ],
      [
        'an instance whose builders have it',
        ['force-primary', 'force-primary'],
        (db) => {
          db.on('start', (query: Knex.QueryBuilder) => forcePrimary(query));
          return withAnimals(db);
        },
      ],
    ])('are heard: %s', async (_what, reasons, run) => {
      const db = bed.open();
      const told: unknown[] = [];
      db.on('query-response', (_rows, { reason }: StatementRoute) => told.push(reason));
      await run(db);
      expect(told).toEqual(reasons);
    });
  });
});
