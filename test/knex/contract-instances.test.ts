import { inspect } from 'node:util';
import type { Knex } from 'knex';
import { createPool } from 'mysql2';
import { describe, expect, it, vi } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { freePorts } from '../support/servers/ports.ts';
import { newTag } from './bed.ts';
import {
  type Contract,
  makeContract,
  type Open,
  outcomeOf,
  type Row,
  ways,
} from './contract-bed.ts';

interface Hooked {
  readonly threadId: number;
  query(sql: string, done: (error: Error | null) => void): void;
}

/** Knex's pool, as far as applications look at it. */
interface TarnPool {
  readonly min: number;
  readonly max: number;
  readonly destroyed: boolean;
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
  numPendingCreates(): number;
  destroy(): Promise<unknown>;
}

const poolOf = (db: Knex) => db.client.pool as TarnPool | undefined;

/** A deep copy of what can be seen of a configuration, as lodash makes it. */
function copyOf<Value>(value: Value): Value {
  const isPlain = typeof value === 'object' && value !== null;
  if (!isPlain) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(copyOf) as Value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copyOf(one)])) as Value;
}

/** A second instance of the same configuration, copied before it is changed. */
function again(open: Open, db: Knex, pool: Knex.PoolConfig): Knex {
  const config = copyOf(db.client.config) as Knex.Config & { connection: { password: string } };
  // Knex hides it in its configuration, so that copies lack it: its own tests put it back like this.
  config.connection.password = (db.client.config.connection as { password: string }).password;
  return open({ ...config, pool: { ...config.pool, ...pool } });
}

async function connectionId(db: Knex): Promise<number> {
  const [rows] = await db.raw('select connection_id() as id');
  return rows[0].id;
}

const rows: readonly Row[] = [
  [
    'the pool is destroyed once, however often the instance is',
    async (open) => {
      const db = open();
      await db.raw('select 1');
      const pool = poolOf(db);
      const destroy = vi.spyOn(pool as TarnPool, 'destroy');
      await db.destroy();
      await db.destroy();
      return [destroy.mock.calls.length, poolOf(db), pool?.destroyed];
    },
  ],
  [
    'an instance of a spread configuration starts, ends and starts again',
    async (open) => {
      const db = open({ ...open().client.config });
      await db.destroy();
      const before = poolOf(db);
      db.initialize();
      const ending = db.destroy();
      const isDestroyed = poolOf(db)?.destroyed;
      await ending;
      db.initialize();
      return [before, isDestroyed, await db('person').orderBy('id').pluck('name')];
    },
  ],
  [
    'an instance of a deep copy of a configuration',
    async (open) => {
      const db = again(open, open(), { max: 1 });
      await db('person').where('id', 1).update({ age: 36 });
      return [poolOf(db)?.max, await db('person').where('id', 1).first()];
    },
  ],
  [
    'figures of the pool',
    async (open) => {
      const db = open({ pool: { min: 1, max: 2 } });
      const pool = poolOf(db) as TarnPool;
      const figures = () => [
        [pool.min, pool.max, pool.numUsed(), pool.numFree()],
        [pool.numPendingAcquires(), pool.numPendingCreates()],
      ];
      const seen = [figures()];
      const all = [await db.transaction(), await db.transaction()];
      seen.push(figures());
      const waiting = Promise.resolve(db.raw('select 1'));
      await vi.waitUntil(() => pool.numPendingAcquires() === 1);
      seen.push(figures());
      await Promise.all(all.map((trx) => trx.rollback()));
      await waiting;
      return [...seen, figures()];
    },
  ],
  [
    'a connection of one’s own: its marks, its methods, its place',
    async (open) => {
      const db = open();
      const connection = await db.client.acquireConnection();
      const used = poolOf(db)?.numUsed();
      const [answer] = await connection.promise().query('select 2 as two');
      const same = (await db.raw('select 3 as three').connection(connection))[0];
      const methods = ['query', 'execute', 'ping', 'changeUser', 'prepare', 'escape', 'on', 'end'];
      const kinds = methods.map((key) => typeof connection[key]);
      const uid = typeof connection.__knexUid;
      await db.client.releaseConnection(connection);
      return [used, answer, same, kinds, uid, poolOf(db)?.numUsed()];
    },
  ],
  [
    'what afterCreate is given',
    async (open) => {
      const seen: unknown[] = [];
      const afterCreate = (connection: Record<string, unknown>, done: () => void) => {
        const { __knexUid, threadId, query, execute, on, config } = connection;
        seen.push([__knexUid, threadId, query, execute, on, config].map((value) => typeof value));
        done();
      };
      await open({ pool: { min: 0, max: 1, afterCreate } })('person');
      return seen[0];
    },
  ],
  [
    'an error of afterCreate, each time',
    async (open) => {
      const afterCreate = (_: unknown, done: (error: Error) => void) => done(new Error('no hook'));
      const db = open({ pool: { min: 0, max: 1, afterCreate } });
      return [
        await outcomeOf(db('person')),
        await outcomeOf(db.transaction()),
        await outcomeOf(db('person').insert({ name: 'X' })),
      ];
    },
  ],
  [
    'a connection is replaced at its age',
    async (open) => {
      const db = open({ pool: { min: 0, max: 1, maxConnectionLifetimeMillis: 200 } });
      const first = await connectionId(db);
      const isKept = (await connectionId(db)) === first;
      // However slow the machine is, it is replaced at some time.
      await vi.waitUntil(async () => (await connectionId(db)) !== first, { timeout: 10_000 });
      return isKept;
    },
  ],
  [
    'the pool’s settings asked about anything',
    async (open) => {
      const asked: unknown[] = [];
      const warn = vi.fn();
      const db = open({ log: { warn } });
      const answerTo = (settings: object, connection: object) => {
        const { validate } = db.client.getPoolSettings(settings) as {
          validate: (connection: object) => Promise<boolean>;
        };
        return outcomeOf(validate(connection));
      };
      const validate = async (connection: unknown) => asked.push(connection) < 0;
      const answers = [
        await answerTo({ validate }, {}),
        await answerTo({ validate: () => Promise.reject(new Error('boom')) }, {}),
        await answerTo({ maxConnectionLifetimeMillis: 1 }, { __knexLifetimeLimit: -1 }),
        await answerTo({}, { __knex__disposed: 'gone' }),
      ];
      return [answers, asked, warn.mock.calls];
    },
  ],
  [
    'connection as a function is asked once, and again when its answer expires',
    async (open) => {
      const { connection } = open().client.config as { connection: { password: string } };
      const whole = { ...connection, password: connection.password };
      const asked = async (...expired: boolean[]) => {
        let count = 0;
        const db = open({
          pool: { min: 0, max: 2 },
          connection: () => {
            const isExpired = expired[count++];
            return isExpired === undefined
              ? whole
              : { ...whole, expirationChecker: () => isExpired };
          },
        });
        await db.transaction(() => db.transaction(() => Promise.resolve()));
        return count;
      };
      return [await asked(), await asked(false), await asked(true)];
    },
  ],
  [
    'connection as a function whose answer is always expired',
    async (open) => {
      let isExpired = false;
      const { connection } = open().client.config as { connection: { password: string } };
      const whole = { ...connection, password: connection.password };
      const db = open({ connection: () => ({ ...whole, expirationChecker: () => isExpired }) });
      await db.raw('select 1');
      isExpired = true;
      const settings = db.client.getPoolSettings({}) as {
        validate: (of: object) => Promise<boolean>;
      };
      return outcomeOf(settings.validate({}));
    },
  ],
  [
    'a TLS profile that mysql2 does not know is the error of a query',
    async (open) => {
      const { connection } = open().client.config as { connection: { password: string } };
      const whole = { ...connection, password: connection.password };
      const db = open({ connection: { ...whole, ssl: 'No Such Profile' } });
      return [await outcomeOf(db.raw('select 1')), await outcomeOf(db.transaction())];
    },
  ],
  [
    'a server that is not there, asked by a schema builder',
    async (open) => {
      const [port = 1] = await nowhere;
      const db = open({ connection: { host: '127.0.0.1', port, user: 'nobody', password: 'x' } });
      return [
        await outcomeOf(db.schema.raw('SELECT 1 as 1')),
        await outcomeOf(db.schema.hasTable('person')),
      ];
    },
  ],
  [
    'a pool of mysql2’s as connectionPool, which outlives the instance',
    async (open) => {
      const { connection } = open().client.config as { connection: { password: string } };
      const pool = createPool({ ...connection, password: connection.password });
      const settings: object = { connection: undefined, connectionPool: pool };
      const db = open(settings);
      const seen = [
        await db('person').orderBy('id').pluck('name'),
        await db.transaction((trx) => trx('person').where('id', 1).pluck('name')),
      ];
      for await (const row of db('person').where('id', 2).select('name').stream()) {
        seen.push(row);
      }
      await db.destroy();
      const [rowsAfter] = await pool.promise().query('select 1 as alive');
      await pool.promise().end();
      return [seen, rowsAfter];
    },
  ],
  [
    'what the client says of itself',
    async (open) => {
      const db = open();
      await db('person').first();
      const { client } = db;
      const { dialect, driverName, canCancelQuery, version, connectionSettings } = client;
      const isMariaDB: unknown = Reflect.get(client, 'isMariaDB');
      const about = { dialect, driverName, canCancelQuery, version, isMariaDB };
      const { password, ...shown } = connectionSettings as { password: string };
      return [about, client.database(), String(client), password, shown];
    },
  ],
  [
    'debug shows what is run',
    async (open) => {
      const seen: unknown[] = [];
      const debug = (shown: { sql: string } | object[]) =>
        seen.push(Array.isArray(shown) ? shown.length : [shown.sql]);
      const db = open({ log: { debug } });
      await db('person').where('id', 1).debug(true);
      await db.raw('select 1').debug(true);
      await db.transaction((trx) => trx('person').first().debug(true));
      await open({ log: { debug }, debug: true })('person').first();
      return seen;
    },
  ],
];

/** A port that nobody listens on. */
const nowhere = freePorts(1);

describe.each(flavors)('Knex instances on %s', async (flavor) => {
  const contract: Contract = await makeContract(flavor);

  describe.each(ways)('%s', (way) => {
    it.each(rows)('are like those of the stock client: %s', async (_what, run) => {
      expect(await run(contract.ours(way))).toEqual(await contract.expected(run));
    });

    it('run reads where they should, meanwhile', async () => {
      const tag = newTag();
      await contract.ours(way)()('person').where('name', tag);
      expect(await contract.bed.ran(tag)).toEqual([way === ways[0] ? 'primary' : 'replica']);
    });

    it('end when no hook is running any more', async () => {
      const begun: number[] = [];
      const ended: (Error | null)[] = [];
      const afterCreate = (connection: Hooked, done: (error: Error | null) => void) => {
        begun.push(connection.threadId);
        // Many hooks do nothing about an error, which is an unhandled rejection then.
        setTimeout(() => {
          connection.query('SET @hooked = 1', (error) => {
            ended.push(error);
            done(error);
          });
        }, 60);
      };
      const db = contract.ours(way)({ pool: { min: 0, max: 1, afterCreate } });
      await db('person').first();
      // What is asked about views then is asked on a connection of its own.
      await db.schema.raw('CREATE OR REPLACE VIEW a_view AS SELECT 1 AS one');
      await vi.waitUntil(() => begun.length > ended.length, { interval: 5 });
      await db.destroy();
      expect(ended).toEqual(begun.map(() => null));
    });

    it('show no password', async () => {
      const { bed } = contract;
      const db = contract.ours(way)();
      await db('person').where('id', 1).update({ age: 36 });
      await db('person').first();
      const shown = inspect(db('person').select('*'), { depth: null });
      expect(shown).not.toContain(bed.primary.password);
    });
  });
});
