import { setTimeout as sleep } from 'node:timers/promises';
import type { Knex } from 'knex';
import { describe, expect, it, vi } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { failureOf, newTag } from './bed.ts';
import { makeContract, type Open, outcomeOf, type Row, ways } from './contract-bed.ts';

const numUsed = (db: Knex) => db.client.pool?.numUsed();

/** The people of that name; they are gone afterwards. */
async function take(db: Knex, name: string): Promise<number> {
  return db('person').where('name', name).del();
}

const rows: readonly Row[] = [
  [
    'commits, with a value, by hand and by callback',
    async (open) => {
      const db = open();
      const trx = await db.transaction();
      await trx('person').insert({ name: 'New' });
      await trx.commit();
      const byHand = db.transaction((inner) => {
        inner('person')
          .insert({ name: 'New' })
          .then(() => inner.commit('value'), inner.rollback);
      });
      const called = db.transaction((inner) => {
        inner.commit('called');
      }) as unknown as Knex.ChainableInterface<string>;
      const callback = await new Promise((resolve) => {
        called.asCallback((...given: unknown[]) => resolve(given));
      });
      return [trx.isCompleted(), await byHand, callback, await take(db, 'New'), numUsed(db)];
    },
  ],
  [
    'rollbacks, with and without an error',
    async (open) => {
      const db = open();
      const insertAnd = (end: (trx: Knex.Transaction) => unknown, options?: object) =>
        outcomeOf(
          db.transaction(async (trx) => {
            await trx('person').insert({ name: 'New' });
            await end(trx);
          }, options),
        );
      const strict = { doNotRejectOnRollback: false };
      const seen = [
        await insertAnd(() => Promise.reject(new Error('no'))),
        await insertAnd((trx) => trx('nothing')),
        await outcomeOf(db.transaction((trx) => void trx.rollback(), strict)),
        await outcomeOf(db.transaction((trx) => void trx.rollback(new Error('why')))),
        await outcomeOf(
          db.transaction(() => {
            throw new Error('at once');
          }),
        ),
      ];
      const provided = await db.transactionProvider()();
      await provided.rollback();
      await provided.executionPromise;
      return [seen, await take(db, 'New'), await outcomeOf(provided('person')), numUsed(db)];
    },
  ],
  [
    'nested ones, one after the other, kept and undone',
    async (open) => {
      const db = open();
      const order: string[] = [];
      await db.transaction(async (trx) => {
        await Promise.all([
          trx.transaction(async (first) => {
            await sleep(30);
            await first('person').insert({ name: 'New' });
            order.push('first');
          }),
          trx.transaction(async (second) => {
            order.push(`second sees ${(await second('person').where('name', 'New')).length}`);
          }),
        ]);
        const undone = trx.transaction(async (inner) => {
          await inner('person').insert({ name: 'Undone' });
          await inner('nothing');
        });
        order.push((await failureOf(undone)).message);
        const savepoint = await trx.transaction();
        await savepoint('person').insert({ name: 'Undone' });
        await savepoint.rollback();
      });
      return [order, await take(db, 'New'), await take(db, 'Undone'), numUsed(db)];
    },
  ],
  [
    'isolation levels and read only ones',
    async (open) => {
      const db = open();
      const grows = async (options: Knex.TransactionConfig) => {
        const trx = await db.transaction(options);
        const before = (await trx('person')).length;
        await db('person').insert({ name: 'New' });
        const after = (await trx('person')).length;
        await trx.commit();
        return after - before;
      };
      const seen = [
        await grows({ isolationLevel: 'read committed' }),
        await grows({ isolationLevel: 'repeatable read' }),
        await grows({ readOnly: true }),
        await outcomeOf(
          db.transaction((trx) => trx('person').insert({ name: 'New' }), { readOnly: true }),
        ),
        // Knex writes no comma between the two, which both servers refuse.
        await outcomeOf(
          db.transaction((trx) => trx('person').first(), {
            isolationLevel: 'read committed',
            readOnly: true,
          }),
        ),
      ];
      return [seen, await take(db, 'New'), numUsed(db), await db('person').where('id', 1).first()];
    },
  ],
  [
    'events: one uid, and the id of the transaction',
    async (open) => {
      const db = open();
      const uids = new Set<unknown>();
      const kinds: string[] = [];
      const trx = db.transaction(async (inner) => {
        await inner('person').where('id', 1);
        await inner.schema.hasTable('person');
      });
      // The types of Knex leave out that it is one.
      (trx as unknown as Knex).on('query', (event: Record<string, unknown>) => {
        uids.add(event['__knexUid']);
        kinds.push(`${typeof event['__knexTxId']}: ${event['sql']}`);
      });
      await trx;
      return [uids.size, kinds];
    },
  ],
  [
    'a connection of one’s own, which is not released',
    async (open) => {
      const db = open();
      const connection: unknown = await db.client.acquireConnection();
      const release = vi.spyOn(db.client, 'releaseConnection');
      await db.transaction((trx) => trx('person').insert({ name: 'New' }), { connection });
      const seen = [release.mock.calls.length, numUsed(db)];
      await db.client.releaseConnection(connection);
      return [...seen, await take(db, 'New'), numUsed(db)];
    },
  ],
  [
    'locks of others',
    async (open) => {
      const db = open();
      const locking = (use: () => PromiseLike<unknown>) =>
        db.transaction(async (trx) => {
          await trx('person').forUpdate();
          return outcomeOf(use());
        });
      return [
        await locking(() => db('person').forUpdate().noWait().first()),
        await locking(() => db('person').forUpdate().timeout(60)),
        await locking(() => db('person').orderBy('id').pluck('id')),
      ];
    },
  ],
  [
    'DDL inside, with its warning',
    async (open) => {
      const warn = vi.fn();
      const db = open({ log: { warn } });
      await db.schema.dropTableIfExists('thing');
      await db.transaction(async (trx) => {
        await trx.transaction(async (inner) => {
          await inner.schema.createTable('thing', (table) => table.increments('id'));
          await inner('thing').insert({});
        });
      });
      const found = await db('thing');
      await db.schema.dropTable('thing');
      return [found, warn.mock.calls];
    },
  ],
  [
    'an error of a nested one that nobody waits for',
    async (open) => {
      const heard = vi.fn();
      process.on('unhandledRejection', heard);
      const seen = await open().transaction(async (trx) => {
        const inner = await trx.transaction(undefined, { doNotRejectOnRollback: false });
        await inner.rollback();
        return (await failureOf(inner.executionPromise)).message;
      });
      await sleep(20);
      process.off('unhandledRejection', heard);
      return [seen, heard.mock.calls];
    },
  ],
  [
    'a full pool, found while waiting and while inside',
    async (open) => {
      const db = open({ pool: { min: 0, max: 1 }, acquireConnectionTimeout: 150 });
      const inside = await outcomeOf(db.transaction(() => db.transaction(() => Promise.resolve())));
      const trx = await db.transaction();
      const seen = [
        await outcomeOf(db.raw('select ?', [7])),
        // The time of a query begins when it has its connection.
        await outcomeOf(db('person').timeout(20, { cancel: true })),
        await outcomeOf(db('person').timeout(20)),
      ];
      await trx.rollback();
      return [inside, seen, await db('person').where('id', 1).pluck('name'), numUsed(db)];
    },
  ],
];

const timeouts: readonly Row[] = [
  ['left running', (open) => outcomeOf(open().raw('select sleep(0.4)').timeout(60))],
  [
    'ended, beside a transaction and in one',
    async (open) => {
      const db = open();
      const slow = () => db.raw('select sleep(5)').timeout(60, { cancel: true });
      return [
        await outcomeOf(slow()),
        await outcomeOf(db.transaction((trx) => slow().transacting(trx))),
        await outcomeOf(db.withUserParams({ a: 1 }).raw('select sleep(0.4)').timeout(60)),
        await db('person').where('id', 1).pluck('name'),
      ];
    },
  ],
  [
    'ended with a full pool, as the list of processes shows',
    async (open) => {
      const other = open();
      const db = open({ pool: { min: 0, max: 1 } });
      await Promise.all([other.raw('select 1'), db.raw('select 1')]);
      const tag = newTag();
      const outcome = outcomeOf(db.raw(`select sleep(5) -- ${tag}`).timeout(500, { cancel: true }));
      const isRunning = async () => {
        const [processes] = await other.raw('show processlist');
        return processes.some(({ Info }: { Info: string | null }) => Info?.includes(tag));
      };
      await vi.waitUntil(isRunning, { interval: 10, timeout: 5_000 });
      const { sql, ...seen } = (await outcome) as { sql: string };
      await vi.waitUntil(async () => !(await isRunning()), { timeout: 5_000 });
      return [seen, sql.replace(tag, '')];
    },
  ],
  [
    'that cannot be ended',
    async (open) => {
      const db = open();
      const prototype = Object.getPrototypeOf(db.client);
      const cancel = vi.spyOn(prototype, '_wrappedCancelQueryCall').mockImplementation(() => {
        throw new Error('no way');
      });
      const slow = () => db.raw('select sleep(0.5)').timeout(60, { cancel: true });
      const first = await outcomeOf(slow());
      cancel.mockRestore();
      return [first, await outcomeOf(slow())];
    },
  ],
];

/** Rolled back because of an error of the user's, whatever becomes of the ROLLBACK. */
const rollbacks: readonly [string, (open: Open, error: Error) => Promise<unknown>][] = [
  [
    'whose connection is gone',
    (open, error) => {
      const db = open();
      return db.transaction(async (trx) => {
        const { threadId } = await trx.client.acquireConnection();
        await db.raw('kill ?', [threadId]);
        await sleep(50);
        throw error;
      });
    },
  ],
  [
    'nested, whose connection is gone',
    (open, error) => {
      const db = open();
      return db.transaction((trx) =>
        trx.transaction(async (inner) => {
          const { threadId } = await trx.client.acquireConnection();
          await inner('person').first();
          await db.raw('kill ?', [threadId]);
          await sleep(50);
          throw error;
        }),
      );
    },
  ],
  [
    'whose ROLLBACK is refused',
    (open, error) =>
      open().transaction(async (trx) => {
        await trx('person').insert({ name: 'New' });
        const { client } = trx;
        const query = client._query;
        client._query = function (connection: unknown, statement: { sql: string }) {
          return statement.sql === 'ROLLBACK'
            ? query.call(this, connection, { sql: 'ROLLBACK no query' })
            : query.call(this, connection, statement);
        };
        throw error;
      }),
  ],
];

describe.each(flavors)('Knex transactions on %s', async (flavor) => {
  const contract = await makeContract(flavor);

  describe.each(ways)('%s', (way) => {
    it.each(rows)('are as with the stock client: %s', async (_what, run) => {
      expect(await run(contract.ours(way))).toEqual(await contract.expected(run));
    });

    it.each(timeouts)(
      'too slow a statement is as with the stock client: %s',
      async (_what, run) => {
        expect(await run(contract.ours(way))).toEqual(await contract.expected(run));
      },
    );

    it.each(rollbacks)('fail with what they were rolled back for: one %s', async (_what, run) => {
      const open = contract.ours(way);
      const error = new Error('the user’s');
      expect(await failureOf(run(open, error))).toBe(error);
      expect(await open()('person').where('name', 'New').forcePrimary()).toEqual([]);
      expect(await failureOf(run(contract.stock, error))).not.toBe(error);
    });

    it('tell of a savepoint that the server did not undo', async () => {
      const db = contract.ours(way)();
      const trx = await db.transaction();
      const inner = await trx.transaction();
      const { client } = inner;
      const query = client._query;
      client._query = function (connection: unknown) {
        return query.call(this, connection, { sql: 'no query' });
      };
      await inner.rollback(new Error('the user’s'));
      expect(await failureOf(inner.executionPromise)).toMatchObject({ code: 'ER_PARSE_ERROR' });
      await trx.rollback();
    });
  });
});
