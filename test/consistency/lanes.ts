import {
  createReplicatedPool,
  type ReplicatedConnection,
  type ReplicatedPool,
  type StatementOptions,
} from '@rwsplit/core';
import { forcePrimary as forceInKnex, ReplicatedMysql2 } from '@rwsplit/knex';
import { forcePrimary as forceInKysely, ReplicatedMysqlDialect } from '@rwsplit/kysely';
import knexFactory, { type Knex } from 'knex';
import { CompiledQuery, Kysely } from 'kysely';
import type { Cluster } from '../support/servers/cluster.ts';
import type { Value } from './history.ts';

/** What statements run on: a whole library, one connection of it, or a transaction. */
export interface Executor {
  send(sql: string, values: readonly number[]): Promise<unknown>;
  /** The versions of registers; 0 where there is no row. */
  read(table: string, registers: readonly number[], forcePrimary?: boolean): Promise<Value[]>;
}

type Work = (executor: Executor) => Promise<void>;

/** A way to the servers, through one pool of its own. */
export interface Lane extends Executor {
  readonly name: string;
  transaction(work: Work): Promise<void>;
  connection(work: Work): Promise<void>;
}

/** All lanes of one part in one process, and what closes their pools. */
export class Lanes implements AsyncDisposable {
  readonly all: readonly [Lane, ...Lane[]];
  readonly pool: ReplicatedPool;
  readonly #knex: Knex;
  readonly #kysely: Kysely<Tables>;

  /** @param name so that what one lane writes is read through another, and lanes elsewhere apart. */
  constructor(cluster: Cluster, name: string) {
    const options = optionsOf(cluster, name);
    const { primary, replicas, ...replication } = options;
    this.pool = createReplicatedPool(options);
    this.#kysely = new Kysely({ dialect: new ReplicatedMysqlDialect(options) });
    this.#knex = knexFactory({
      client: ReplicatedMysql2,
      connection: primary as Knex.MySql2ConnectionConfig,
      replicas,
      replication,
      pool: { min: 0, max: 100 },
    });
    this.all = [
      new PoolLane('pool', this.pool, 'query'),
      new PoolLane('prepared', this.pool, 'execute'),
      new StreamLane(this.pool),
      new KnexLane(this.#knex),
      new KyselyLane(this.#kysely),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const pool = new Promise((resolve) => this.pool.end(resolve));
    await Promise.all([pool, this.#knex.destroy(), this.#kysely.destroy()]);
  }
}

function optionsOf(cluster: Cluster, name: string) {
  const [primary, ...replicas] = cluster.all.map((server) => ({
    ...cluster.connectionOptions(server),
    name: server.name,
    connectionLimit: 6,
  }));
  if (primary === undefined) throw new Error('a cluster has a primary');
  return {
    primary,
    replicas,
    dialect: cluster.flavor,
    acquireTimeout: 5000,
    // Another cluster in the same process is not this one.
    cluster: `${name}-${cluster.primary.port}`,
  } as const;
}

type Method = 'query' | 'execute';
type Done = (error: Error | null, result?: unknown) => void;

interface Target {
  query(options: StatementOptions, done: Done): unknown;
  execute(options: StatementOptions, done: Done): unknown;
}

class PoolExecutor implements Executor {
  protected readonly method: Method;
  readonly #target: Target;

  constructor(target: Target, method: Method) {
    this.#target = target;
    this.method = method;
  }

  send(sql: string, values: readonly number[], forcePrimary = false): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#target[this.method]({ sql, values: [...values], forcePrimary }, (error, result) =>
        error === null ? resolve(result) : reject(error),
      );
    });
  }

  async read(table: string, registers: readonly number[], forcePrimary = false): Promise<Value[]> {
    const marks = registers.map(() => '?').join(', ');
    const sql = `SELECT id, version FROM ${table} WHERE id IN (${marks})`;
    return valuesOf(registers, await this.send(sql, registers, forcePrimary));
  }
}

class PoolLane extends PoolExecutor implements Lane {
  readonly name: string;
  readonly #pool: ReplicatedPool;

  constructor(name: string, pool: ReplicatedPool, method: Method) {
    super(pool, method);
    this.name = name;
    this.#pool = pool;
  }

  connection(work: Work): Promise<void> {
    return this.#borrow((connection) => work(new PoolExecutor(connection, this.method)));
  }

  transaction(work: Work): Promise<void> {
    return this.#borrow(async (connection) => {
      // As text: MySQL prepares no BEGIN.
      const control = new PoolExecutor(connection, 'query');
      await control.send('BEGIN', []);
      try {
        await work(new PoolExecutor(connection, this.method));
      } catch (error) {
        // The connection may be what was lost: then the server rolls back by itself.
        await control.send('ROLLBACK', []).catch(() => {});
        throw error;
      }
      await control.send('COMMIT', []);
    });
  }

  async #borrow(work: (connection: ReplicatedConnection) => Promise<void>): Promise<void> {
    const connection = await new Promise<ReplicatedConnection>((resolve, reject) =>
      this.#pool.getConnection((error, given) => (error === null ? resolve(given) : reject(error))),
    );
    try {
      await work(connection);
    } finally {
      connection.release();
    }
  }
}

/** Rows one by one, as they come. */
class StreamLane extends PoolLane {
  readonly #pool: ReplicatedPool;

  constructor(pool: ReplicatedPool) {
    super('stream', pool, 'query');
    this.#pool = pool;
  }

  override async send(
    sql: string,
    values: readonly number[],
    forcePrimary = false,
  ): Promise<unknown> {
    const rows: unknown[] = [];
    const statement = this.#pool.query({ sql, values: [...values], forcePrimary });
    for await (const row of statement.stream()) rows.push(row);
    return rows;
  }
}

class KnexLane implements Lane {
  readonly name = 'knex';
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  send(sql: string, values: readonly number[]): Promise<unknown> {
    return inKnex(this.#knex).send(sql, values);
  }

  read(table: string, registers: readonly number[], forcePrimary?: boolean): Promise<Value[]> {
    return inKnex(this.#knex).read(table, registers, forcePrimary);
  }

  async transaction(work: Work): Promise<void> {
    await this.#knex.transaction((transaction) => work(inKnex(transaction)));
  }

  async connection(work: Work): Promise<void> {
    const { client } = this.#knex;
    const connection: unknown = await client.acquireConnection();
    try {
      await work(inKnex(this.#knex, connection));
    } finally {
      await client.releaseConnection(connection);
    }
  }
}

/** @param connection Knex's word for a session of ours, which it passes on as it is. */
function inKnex(knex: Knex | Knex.Transaction, connection?: unknown): Executor {
  const on = <Query extends { connection(of: never): unknown }>(query: Query): Query => {
    if (connection !== undefined) query.connection(connection as never);
    return query;
  };
  return {
    send: async (sql, values) => (await on(knex.raw(sql, [...values])))[0],
    read: async (table, registers, forcePrimary = false) => {
      const query = on(
        knex(table)
          .select('id', 'version')
          .whereIn('id', [...registers]),
      );
      return valuesOf(registers, await (forcePrimary ? forceInKnex(query) : query));
    },
  };
}

type Tables = Record<string, { id: number; version: number }>;

class KyselyLane implements Lane {
  readonly name = 'kysely';
  readonly #kysely: Kysely<Tables>;

  constructor(kysely: Kysely<Tables>) {
    this.#kysely = kysely;
  }

  send(sql: string, values: readonly number[]): Promise<unknown> {
    return inKysely(this.#kysely).send(sql, values);
  }

  read(table: string, registers: readonly number[], forcePrimary?: boolean): Promise<Value[]> {
    return inKysely(this.#kysely).read(table, registers, forcePrimary);
  }

  transaction(work: Work): Promise<void> {
    return this.#kysely.transaction().execute((transaction) => work(inKysely(transaction)));
  }

  connection(work: Work): Promise<void> {
    return this.#kysely.connection().execute((connection) => work(inKysely(connection)));
  }
}

function inKysely(kysely: Kysely<Tables>): Executor {
  return {
    send: (sql, values) => kysely.executeQuery(CompiledQuery.raw(sql, [...values])),
    read: async (table, registers, forcePrimary = false) => {
      const db = forcePrimary ? forceInKysely(kysely) : kysely;
      const query = db.selectFrom(table).select(['id', 'version']).where('id', 'in', registers);
      return valuesOf(registers, await query.execute());
    },
  };
}

function valuesOf(registers: readonly number[], rows: unknown): Value[] {
  const versions = new Map(
    (rows as readonly { id: number; version: number }[]).map(({ id, version }) => [id, version]),
  );
  return registers.map((register) => ({ register, version: Number(versions.get(register) ?? 0) }));
}
