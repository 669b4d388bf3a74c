import { once } from 'node:events';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Knex } from 'knex';
import { describe, expect, it, vi } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { failureOf } from './bed.ts';
import { makeContract, outcomeOf, type Row, ways } from './contract-bed.ts';

/** The functions on a stack, from the one that a user would look at. */
function callsOn(error: Error): string[] {
  const calls = error.stack?.split('\n').slice(1, 4) ?? [];
  return calls.map((call) =>
    call.replace(/^ *at (\S+).*$/, '$1').replace(/^(?:file:|\/).*$/, 'test'),
  );
}

/** What an object of an event holds, but for where the statement ran. */
function keysOf(event: object): string[] {
  const routes = new Set(['host', 'role', 'reason']);
  return Object.keys(event)
    .filter((key) => !routes.has(key))
    .sort();
}

/** A table of its own, gone before and after. */
async function withTable<Result>(
  db: Knex,
  describeTable: (table: Knex.CreateTableBuilder) => void,
  use: () => Promise<Result>,
): Promise<Result> {
  await db.schema.dropTableIfExists('thing');
  await db.schema.createTable('thing', describeTable);
  const result = await use();
  await db.schema.dropTable('thing');
  return result;
}

async function rowsOf(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const row of stream) {
    rows.push(row);
  }
  return rows;
}

/** How many times a slot was given back, and how many are out. */
async function releases(db: Knex, use: () => Promise<unknown>): Promise<unknown> {
  await db('person').first();
  const { pool } = db.client as { pool: { on(event: 'release', heard: () => void): void } };
  let count = 0;
  pool.on('release', () => {
    count += 1;
  });
  const seen = await use();
  await vi.waitUntil(() => db.client.pool?.numUsed() === 0);
  await sleep(20);
  return { seen, count, next: await db('person').where('id', 1).pluck('id') };
}

function target(write: (row: unknown) => Error | null): Writable {
  return new Writable({ objectMode: true, write: (row, _encoding, done) => done(write(row)) });
}

const oneSlot = { pool: { min: 0, max: 1 } };

const rows: readonly Row[] = [
  [
    'upsert and its relatives',
    (open) => {
      const db = open();
      const describeTable = (table: Knex.CreateTableBuilder) => {
        table.integer('id').primary();
        table.string('name');
      };
      return withTable(db, describeTable, async () => {
        const upsert = (row: object) =>
          // Knex's types know it for other databases alone.
          (
            db('thing') as unknown as {
              upsert(row: object): PromiseLike<[{ affectedRows: number }]>;
            }
          )
            .upsert(row)
            .then(([{ affectedRows }]) => affectedRows);
        return [
          await upsert({ id: 1, name: 'a' }),
          await upsert([
            { id: 1, name: 'b' },
            { id: 2, name: 'c' },
          ]),
          await db('thing').insert({ id: 1, name: 'd' }).onConflict('id').merge(),
          await db('thing').insert({ id: 1, name: 'e' }).onConflict().ignore(),
          await db('thing').orderBy('id'),
          await db.with('one', db('thing').where('id', 1)).from('one').select('name'),
          await db('thing').where('id', 2).increment('id', 5),
          await db('thing').max({ most: 'id' }).first(),
        ];
      });
    },
  ],
  [
    'a table that is made, filled, read, emptied and dropped, again and again',
    async (open) => {
      const db = open();
      const seen: unknown[] = [];
      for (const value of [1, 2, 3]) {
        await withTable(
          db,
          (table) => {
            table.increments('id');
            table.json('data');
            table.bigInteger('big');
          },
          async () => {
            await db('thing').insert({ data: JSON.stringify({ value }), big: '9007199254740993' });
            seen.push(await db('thing'), await db('thing').columnInfo());
            await db('thing').truncate();
            seen.push(await db('thing'), await db('thing').insert([{ big: 1 }, { big: 2 }]));
            seen.push(await db('thing').orderBy('id').pluck('big'), await db('thing').del());
          },
        );
      }
      return seen;
    },
  ],
  [
    'a column that is renamed, and a view',
    (open) => {
      const db = open();
      const describeTable = (table: Knex.CreateTableBuilder) => {
        table.increments('id');
        table.string('name').notNullable().defaultTo('x');
      };
      return withTable(db, describeTable, async () => {
        await db.schema.dropViewIfExists('things');
        await db.schema.table('thing', (table) => table.renameColumn('name', 'title'));
        await db('thing').insert([{ title: 'a' }, {}]);
        await db.schema.createView('things', (view) => {
          view.columns(['title']);
          view.as(db('thing').select('title').where('id', '>', 1));
        });
        const seen = [await db('things'), await db('thing').columnInfo()];
        await db.schema.renameView('things', 'other_things');
        seen.push(await db('other_things'));
        await db.schema.dropView('other_things');
        return seen;
      });
    },
  ],
  [
    'stacks that begin where a query was asked for',
    async (open) => {
      const db = open({ asyncStackTraces: true });
      const trx = await db.transaction();
      const failures = [
        await failureOf(db.raw('select * from nothing')),
        await failureOf(db.schema.renameTable('nothing', 'more')),
        await failureOf(db('nothing')),
        await failureOf(db.select('*').from('nothing')),
        await failureOf(db('nothing').insert({ a: 1 })),
        await failureOf(db.queryBuilder().from('nothing')),
        await failureOf(trx.raw('select * from nothing')),
        await failureOf(trx('nothing')),
      ];
      await trx.rollback();
      return failures.map((failure) => [callsOn(failure), 'originalStack' in failure]);
    },
  ],
  [
    'stacks of builders that somebody has wrapped',
    async (open) => {
      const db = open({ asyncStackTraces: true });
      const { client } = db;
      // As the logger of Knex's own tests does.
      const { raw, schemaBuilder } = client;
      client.raw = function wrappedRaw(...given: [never]) {
        return raw.apply(this, given);
      };
      client.schemaBuilder = function wrappedSchema() {
        return schemaBuilder.call(this);
      };
      const failures = [
        await failureOf(db.raw('select * from nothing')),
        await failureOf(db.schema.renameTable('nothing', 'more')),
      ];
      return failures.map((failure) => callsOn(failure).map((call) => call.split('.').at(-1)));
    },
  ],
  [
    'events of an instance, a builder, a transaction and a copy',
    async (open) => {
      const db = open();
      const seen: unknown[] = [];
      const heard = (rows: unknown, event: Record<string, unknown>, builder: unknown) => {
        const uids = [event['__knexUid'], event['__knexQueryUid']];
        seen.push([rows, keysOf(event), uids.map((uid) => typeof uid), typeof builder]);
      };
      db.on('query-response', heard);
      const copy = db.withUserParams({});
      for (const one of [db, copy]) {
        await one('person').where('id', 1).select('id').on('query-response', heard);
        await one.transaction((trx) => trx('person').where('id', 1).select('id'));
      }
      db.removeListener('query-response', heard);
      const failed = (error: Error, event: object) => seen.push([error.message, keysOf(event)]);
      db.on('query-error', failed);
      await failureOf(db.raw('no query').on('query-error', failed));
      const started = db('person').on('start', (builder: Knex.QueryBuilder) => {
        builder.where('id', 2).select('id').first();
      });
      return [seen, await started];
    },
  ],
  [
    'hooks for answers and names',
    async (open) => {
      const db = open();
      const { config } = db.client;
      const contexts: unknown[] = [];
      config.postProcessResponse = (answer: unknown, context: unknown) => {
        contexts.push(context);
        return answer;
      };
      config.wrapIdentifier = (name: string, wrap: (name: string) => string, context: unknown) => {
        contexts.push(context);
        return wrap(name.toLowerCase());
      };
      const seen = [
        await db('PERSON').where('ID', 1).queryContext('a'),
        (await db.raw('select ?? from person where id = 1', ['NAME']).queryContext('b'))[0],
        await db.transaction((trx) => trx('PERSON').where('ID', 2).queryContext({ c: 1 })),
        await rowsOf(db('PERSON').where('ID', 3).queryContext('d').stream()),
        Object.keys(await db('PERSON').columnInfo()).sort(),
      ];
      return [seen, contexts];
    },
  ],
  [
    'options of mysql2 for one query, and for one stream',
    async (open) => {
      const db = open();
      const typeCast = (field: { string(): string | null }) => field.string()?.toUpperCase();
      return [
        await db('person').orderBy('id').options({ rowsAsArray: true }),
        await db('person').orderBy('id').options({ typeCast }),
        await rowsOf(db('person').orderBy('id').options({ typeCast }).stream()),
      ];
    },
  ],
  [
    'comments and hints in the text',
    async (open) => {
      const db = open();
      return [
        await db('person').orderBy('id').hintComment('no_such_hint()').pluck('id'),
        await db('person').comment('a comment').orderBy('id').pluck('id'),
        await db.raw('SHOW TABLES LIKE ?', ['person']).then(([found]) => found.length),
        await db.select(db.raw('? as n', [1])),
      ];
    },
  ],
  [
    'what cannot be compiled, or is refused',
    async (open) => {
      const db = open();
      return [
        await outcomeOf(db('person').insert([])),
        await outcomeOf(Promise.resolve().then(() => db('person').where('id', undefined as never))),
        await outcomeOf(db('person').distinctOn('id')),
        await outcomeOf(db.from(db('person').where('id', 1))),
        await outcomeOf(db.schema.createSchema('nothing')),
        await outcomeOf(db('person').insert({ id: 1 })),
        await outcomeOf(db('person').insert({ age: 'not a number' as never })),
      ];
    },
  ],
  [
    'several statements in one text',
    async (open) => {
      const { connection } = open().client.config as { connection: { password: string } };
      const { password } = connection;
      const db = open({ connection: { ...connection, password, multipleStatements: true } });
      return [
        (await db.raw('select 1 as a; select 2 as b'))[0],
        (await db.raw('update person set age = 36 where id = 1; select row_count() as n'))[0][1],
        await outcomeOf(db.raw('select 1; no query')),
      ];
    },
  ],
  [
    'a stream that fails: before its connection, in its query, in its bindings, in its handler',
    async (open) => {
      const db = open();
      const errorOf = async (stream: NodeJS.ReadableStream) =>
        (await once(stream, 'error').then(([error]) => error as Error)).message;
      const handled = db('nothing').stream((stream) => {
        stream.on('error', () => {});
        stream.resume();
      });
      const seen = [
        await errorOf(db('person').select('nothing').stream()),
        await errorOf(db('person').whereRaw('id = ? and name = ?', ['2']).stream()),
        await outcomeOf(handled),
        await outcomeOf(rowsOf(db.raw('select 1; select 2').stream())),
      ];
      // The stock client releases once more then, and fails if it has no pool any more.
      await sleep(20);
      return seen;
    },
  ],
];

/** What the stock client does twice or not at all, and ours once. */
const streams: readonly [string, (db: Knex) => Promise<unknown>][] = [
  ['read to its end', (db) => rowsOf(db('person').select('id').stream())],
  [
    'piped to its end',
    async (db) => {
      const seen: unknown[] = [];
      const into = target((row) => {
        seen.push(row);
        return null;
      });
      db('person').select('id').pipe(into);
      await finished(into);
      return seen;
    },
  ],
  ['whose query fails', (db) => outcomeOf(rowsOf(db('nothing').stream()))],
  [
    'destroyed after its first row',
    async (db) => {
      for await (const row of db('person').select('id').stream({ highWaterMark: 1 })) {
        return row;
      }
      return null;
    },
  ],
  [
    'whose reader throws',
    async (db) => {
      try {
        for await (const _row of db.raw('select 1 union select 2 union select 3').stream()) {
          throw new Error('no more');
        }
      } catch (error) {
        return (error as Error).message;
      }
      return null;
    },
  ],
  [
    'piped into what fails',
    async (db) => {
      const into = target(() => new Error('full'));
      const stream = db('person').select('id').stream();
      stream.on('error', () => {});
      stream.pipe(into);
      const failure = await failureOf(finished(into));
      stream.destroy();
      return failure.message;
    },
  ],
  [
    'given to a handler',
    async (db) => {
      const seen: unknown[] = [];
      await db('person')
        .select('id')
        .stream((stream) => stream.on('data', (row) => seen.push(row)));
      return seen;
    },
  ],
];

describe.each(flavors)('Knex statements on %s', async (flavor) => {
  const contract = await makeContract(flavor);

  describe.each(ways)('%s', (way) => {
    it.each(rows)('are as with the stock client: %s', async (_what, run) => {
      expect(await run(contract.ours(way))).toEqual(await contract.expected(run));
    });

    it.each(streams)('give their slot back once: a stream %s', async (_what, use) => {
      const db = contract.ours(way)(oneSlot);
      const seen = await use(contract.stock());
      await sleep(20);
      expect(await releases(db, () => use(db))).toEqual({
        seen,
        count: 1,
        next: [1],
      });
    });

    // The stock client keeps the connection of such a stream for ever.
    it('give their slot back once: a stream piped by the builder into what is closed', async () => {
      const db = contract.ours(way)(oneSlot);
      const use = async () => {
        const into = target(() => null);
        db('person').select('id').pipe(into);
        into.destroy();
        return (await failureOf(finished(into))).message;
      };
      const seen = 'Premature close';
      expect(await releases(db, use)).toEqual({ seen, count: 1, next: [1] });
    });
  });
});
