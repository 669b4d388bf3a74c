import type * as core from '@rwsplit/core';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
import knexFactory, { type Knex } from 'knex';
import { CompiledQuery, Kysely } from 'kysely';
import { type Kind, slots } from './plan.ts';
import { type Stage, setUp } from './stage.ts';

/** The module under test: these sources, or a copy of them with a mistake. */
export type Core = typeof core;

/** A statement as a session says it. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
  readonly method: 'query' | 'execute';
}

export type Run = (statement: Statement) => Promise<unknown>;

/** What a session does from its first statement to its last; it ends when this is done. */
export type Work = (run: Run) => Promise<'commit' | 'rollback'>;

/** Pools of one size over the subject's database, opened when a session asks for one. */
export class Subject {
  readonly #core: Core;
  readonly #stage: Stage;
  readonly #limit: number;
  #pool: core.ReplicatedPool | null = null;
  #kysely: Kysely<unknown> | null = null;
  #knex: Knex | null = null;

  constructor(module: Core, stage: Stage, limit: number) {
    this.#core = module;
    this.#stage = stage;
    this.#limit = limit;
  }

  /** Is one logical client of this kind while it works. */
  hold(kind: Kind, work: Work): Promise<void> {
    return holds[kind](this, work);
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    await Promise.all([
      pool === null ? null : new Promise<unknown>((resolve) => pool.end(resolve)),
      this.#kysely?.destroy(),
      this.#knex?.destroy(),
    ]);
  }

  get core(): Core {
    return this.#core;
  }

  get pool(): core.ReplicatedPool {
    this.#pool ??= this.#core.createReplicatedPool({
      ...this.#hosts(),
      onCreateConnection: (connection) =>
        new Promise((resolve, reject) =>
          connection.query(setUp, (error) => (error === null ? resolve(null) : reject(error))),
        ),
    });
    return this.#pool;
  }

  get kysely(): Kysely<unknown> {
    this.#kysely ??= new Kysely<unknown>({
      dialect: new ReplicatedMysqlDialect({
        ...this.#hosts(),
        onCreateConnection: (connection) => connection.executeQuery(CompiledQuery.raw(setUp)),
      }),
    });
    return this.#kysely;
  }

  get knex(): Knex {
    const { primary, replicas, ...replication } = this.#hosts();
    this.#knex ??= knexFactory({
      client: ReplicatedMysql2,
      connection: primary as Knex.MySql2ConnectionConfig,
      replicas,
      replication,
      pool: {
        min: 0,
        // Of acquisitions: one for every session. The limit of connections is that of each host.
        max: slots,
        afterCreate: (
          connection: { query(sql: string, done: (error: Error | null) => void): void },
          done: (error: Error | null) => void,
        ) => connection.query(setUp, done),
      },
    });
    return this.#knex;
  }

  #hosts() {
    const { cluster, subject } = this.#stage;
    const [primary, ...replicas] = cluster.all.map((server) => ({
      ...this.#stage.connectionOptions(subject, server),
      name: server.name,
      connectionLimit: this.#limit,
    }));
    if (primary === undefined) throw new Error('a cluster has a primary');
    return {
      primary,
      replicas,
      dialect: cluster.flavor,
      acquireTimeout: 5000,
      // The process is what writes, whichever of its pools it writes with.
      cluster: this.#stage.name,
      causalWait: 100,
    } as const;
  }
}

/** Whether the pools of this size have a connection for every session, and for those that have ended. */
export function isRoomy(limit: number): boolean {
  return limit >= 2 * slots;
}

type Hold = (subject: Subject, work: Work) => Promise<void>;

const holds: Readonly<Record<Kind, Hold>> = {
  connection: async ({ pool }, work) => {
    const connection = await new Promise<core.ReplicatedConnection>((resolve, reject) =>
      pool.getConnection((error, given) => (error === null ? resolve(given) : reject(error))),
    );
    try {
      await work((statement) => answerOf(connection, statement));
    } finally {
      connection.release();
    }
  },
  handle: async ({ pool, core: { openSession } }, work) => {
    const session = openSession();
    try {
      await work((statement) => answerOf(pool, statement, { session }));
    } finally {
      session.end();
    }
  },
  scope: ({ pool, core: { withSession } }, work) =>
    withSession(async () => {
      await work((statement) => answerOf(pool, statement));
    }),
  alone: async ({ pool }, work) => {
    await work((statement) => answerOf(pool, statement));
  },
  'kysely-connection': ({ kysely }, work) =>
    kysely.connection().execute(async (connection) => {
      await work(inKysely(connection));
    }),
  'kysely-scope': ({ kysely, core: { withSession } }, work) =>
    withSession(async () => {
      await work(inKysely(kysely));
    }),
  'kysely-alone': async ({ kysely }, work) => {
    await work(inKysely(kysely));
  },
  'knex-transaction': ({ knex }, work) =>
    knex
      .transaction(async (transaction) => {
        if ((await work(inKnex(transaction))) === 'rollback') throw new GivenUp();
      })
      .catch((error: unknown) => {
        if (!(error instanceof GivenUp)) throw error;
      }),
  'knex-scope': ({ knex, core: { withSession } }, work) =>
    withSession(async () => {
      await work(inKnex(knex));
    }),
  'knex-alone': async ({ knex }, work) => {
    await work(inKnex(knex));
  },
};

class GivenUp extends Error {}

interface Target {
  query(options: core.StatementOptions, done: Done): unknown;
  execute(options: core.StatementOptions, done: Done): unknown;
}

type Done = (error: Error | null, result?: unknown) => void;

function answerOf(
  target: Target,
  { sql, values, method }: Statement,
  options: object = {},
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    target[method]({ ...options, sql, values: [...values] }, (error, result) =>
      error === null ? resolve(result) : reject(error),
    );
  });
}

function inKysely(executor: Pick<Kysely<unknown>, 'executeQuery'>): Run {
  return async ({ sql, values }) => {
    const result = await executor.executeQuery(CompiledQuery.raw(sql, [...values]));
    const { rows, insertId, numAffectedRows, numChangedRows } = result;
    if (numAffectedRows === undefined) return rows;
    return { affectedRows: numAffectedRows, insertId: insertId ?? 0, changedRows: numChangedRows };
  };
}

function inKnex(executor: Knex | Knex.Transaction): Run {
  return async ({ sql, values }) => {
    // With an empty list of bindings, it counts the question marks inside strings too.
    const raw =
      values.length === 0 ? executor.raw(sql) : executor.raw(sql, [...values].map(Number));
    return (await raw)[0];
  };
}
