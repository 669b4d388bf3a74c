import { promisify } from 'node:util';
import knex, { type Knex } from 'knex';
import type { Flavor } from '../support/servers/flavor.ts';
import { type Bed, makeBed } from './bed.ts';

/** Opens a Knex instance, with what a row changes in its configuration. Destroyed after the test. */
export type Open = (change?: Partial<Knex.Config>) => Knex;

/** What an application does, and what it gets to see of it. */
export type Row = readonly [what: string, run: (open: Open) => Promise<unknown>];

/** Our client both ways: nothing that an application sees may tell them from the stock client. */
export const ways = ['with the primary as its replica', 'with a read-only replica'] as const;
export type Way = (typeof ways)[number];

/** The same database by the stock client and by ours. */
export interface Contract {
  readonly bed: Bed;
  readonly stock: Open;
  /** What the stock client makes of a row; found out once. */
  readonly expected: (run: Row[1]) => Promise<unknown>;
  readonly ours: (way: Way) => Open;
}

/** Sets connections up as Knex's own integration tests do. */
const pool = {
  min: 0,
  max: 4,
  afterCreate: (connection: HookedConnection, done: (error?: Error) => void) => {
    const query = promisify(connection.query).bind(connection);
    query("SET sql_mode = 'TRADITIONAL'", []).then(() => done(), done);
  },
};

/** A MariaDB primary that is asked as a replica never says that it has what it wrote itself (measured). */
const noWait = { causalWait: 10 };

interface HookedConnection {
  query(sql: string, values: unknown[], done: (error: Error | null) => void): void;
}

/** To be awaited in a `describe`. */
export async function makeContract(flavor: Flavor): Promise<Contract> {
  const bed = await makeBed(flavor);
  const stock: Open = (change) => bed.open({ pool, ...change, client: 'mysql2' });
  const known = new Map<Row[1], Promise<unknown>>();
  return {
    bed,
    stock,
    expected: (run) => {
      const outcome = known.get(run) ?? run(stock);
      known.set(run, outcome);
      return outcome;
    },
    ours: (way) => (change) => {
      return way === ways[0]
        ? bed.open({ pool, replicas: [{ ...bed.primary }], replication: noWait, ...change })
        : bed.open({ pool, replicas: bed.replicas.slice(0, 1), ...change });
    },
  };
}

/** An answer or an error, in a shape that can be compared. */
export async function outcomeOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    return { answer: await promise };
  } catch (error) {
    const { name, message, code, errno, sql, bindings, timeout } = error as Record<string, unknown>;
    const isTimeout = error instanceof knex.KnexTimeoutError;
    return { name, message, code, errno, sql, bindings, timeout, isTimeout };
  }
}
