import { createReplicatedPool, type ReplicatedPoolOptions } from '@rwsplit/core';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
import knexFactory, { type Knex } from 'knex';
import { CompiledQuery, Kysely, sql } from 'kysely';

/** What all three take in one form. */
type Options = Omit<ReplicatedPoolOptions, 'onCreateConnection'>;

/** Runs one statement and gives its rows, or the server's answer to a write. */
export type Run = (sql: string, values?: readonly unknown[]) => Promise<unknown>;

/** What the contract asks of each API: the same acts, by each library's own means. */
export interface Api {
  readonly run: Run;
  /** The same statement with the library's own primary hint. */
  readonly runOnPrimary: Run;
  /** Rows one by one; stops after `most`. */
  stream(sql: string, most: number): Promise<unknown[]>;
  /** One connection, reserved by the library's own means. */
  withConnection(work: (run: Run) => Promise<void>): Promise<void>;
  /** The library's own transaction; what `work` throws rolls it back. */
  transaction(work: (run: Run, nested: Nested) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** A savepoint inside a transaction; what `work` throws rolls back to it. */
export type Nested = (work: (run: Run) => Promise<void>) => Promise<void>;

export const apis = {
  'bare pool': barePool,
  Knex: knexApi,
  Kysely: kyselyApi,
} as const satisfies Record<string, (options: Options) => Api>;

function barePool(options: Options): Api {
  const pool = createReplicatedPool(options).promise();
  const on =
    (target: { query(sql: string, values?: unknown[]): Promise<[unknown, unknown]> }): Run =>
    async (text, values = []) =>
      (await target.query(text, [...values]))[0];
  const reserve = async (work: (run: Run) => Promise<void>) => {
    const connection = await pool.getConnection();
    try {
      await work(on(connection));
    } finally {
      connection.release();
    }
  };
  return {
    run: on(pool),
    runOnPrimary: async (text, values = []) => {
      const [rows] = await pool.query({ sql: text, values: [...values], forcePrimary: true });
      return rows;
    },
    stream: async (text, most) => {
      const connection = await pool.getConnection();
      try {
        const command = connection.connection.query(text) as unknown as {
          stream(): AsyncIterable<unknown>;
        };
        return await take(command.stream(), most);
      } finally {
        connection.release();
      }
    },
    withConnection: reserve,
    transaction: (work) =>
      reserve((run) =>
        bracket(run, 'START TRANSACTION', 'COMMIT', 'ROLLBACK', () =>
          work(run, (inner) =>
            bracket(run, 'SAVEPOINT s', 'RELEASE SAVEPOINT s', 'ROLLBACK TO s', () => inner(run)),
          ),
        ),
      ),
    close: () => pool.end(),
  };
}

async function bracket(
  run: Run,
  begin: string,
  commit: string,
  rollback: string,
  work: () => Promise<void>,
): Promise<void> {
  await run(begin);
  try {
    await work();
  } catch (error) {
    await run(rollback);
    throw error;
  }
  await run(commit);
}

function knexApi({ primary, replicas, ...replication }: Options): Api {
  const knex = knexFactory({
    client: ReplicatedMysql2,
    connection: primary as Knex.MySql2ConnectionConfig,
    pool: { min: 0, max: 10 },
    ...(replicas === undefined ? {} : { replicas }),
    replication,
  });
  const on =
    (executor: Knex | Knex.Transaction, force = false): Run =>
    async (text, values = []) => {
      const raw = executor.raw(text, [...values] as Knex.RawBinding[]);
      return (await (force ? raw.queryContext({ forcePrimary: true }) : raw))[0];
    };
  return {
    run: on(knex),
    runOnPrimary: on(knex, true),
    stream: (text, most) => take(knex.raw(text).stream(), most),
    withConnection: async (work) => {
      const connection: unknown = await knex.client.acquireConnection();
      try {
        await work(async (text, values = []) => {
          const raw = knex.raw(text, [...values] as Knex.RawBinding[]).connection(connection);
          return (await raw)[0];
        });
      } finally {
        await knex.client.releaseConnection(connection);
      }
    },
    transaction: (work) =>
      knex.transaction((trx) =>
        work(on(trx), (inner) => trx.transaction((savepoint) => inner(on(savepoint)))),
      ),
    close: () => knex.destroy(),
  };
}

function kyselyApi(options: Options): Api {
  const db = new Kysely<unknown>({ dialect: new ReplicatedMysqlDialect(options) });
  const on =
    (executor: Pick<Kysely<unknown>, 'executeQuery'>): Run =>
    async (text, values = []) =>
      (await executor.executeQuery(CompiledQuery.raw(text, [...values]))).rows;
  return {
    run: on(db),
    // A raw compiled query carries no hint but the comment: it is the text that all APIs share.
    runOnPrimary: (text, values) => on(db)(`/* route:primary */ ${text}`, values),
    stream: async (text, most) => {
      const rows = db.getExecutor().stream(CompiledQuery.raw(text), 1);
      const taken: unknown[] = [];
      for await (const result of rows) {
        taken.push(...result.rows);
        if (taken.length >= most) {
          break;
        }
      }
      return taken;
    },
    withConnection: (work) => db.connection().execute((connection) => work(on(connection))),
    transaction: (work) =>
      db.transaction().execute((trx) =>
        work(on(trx), async (inner) => {
          await sql`savepoint s`.execute(trx);
          try {
            await inner(on(trx));
          } catch (error) {
            await sql`rollback to savepoint s`.execute(trx);
            throw error;
          }
          await sql`release savepoint s`.execute(trx);
        }),
      ),
    close: () => db.destroy(),
  };
}

async function take(rows: AsyncIterable<unknown>, most: number): Promise<unknown[]> {
  const taken: unknown[] = [];
  for await (const row of rows) {
    taken.push(row);
    if (taken.length >= most) {
      break;
    }
  }
  return taken;
}
