import {
  createReplicatedPool,
  type ReplicatedConnection,
  type ReplicatedPool,
} from '@rwsplit/core';
import {
  CompiledQuery,
  createQueryId,
  type DatabaseConnection,
  type Driver,
  IdentifierNode,
  type QueryCompiler,
  RawNode,
  type TransactionSettings,
} from 'kysely';
import { SessionConnection } from './connection.ts';
import type { DriverOptions } from './options.ts';

/**
 * Gives Kysely sessions of a pool. The pool is this driver's own, from `init` to `destroy`: several
 * Kysely instances may be made from one dialect.
 */
export class ReplicatedMysqlDriver implements Driver {
  readonly #options: DriverOptions;
  #pool: ReplicatedPool | null = null;
  /** Opened while Kysely is still in the caller's flow: later on it waits for this driver first. */
  #first: Promise<ReplicatedConnection> | null = null;

  readonly #onPool: (isOpen: boolean) => void;

  /** @param onPool told when it has a pool, and when it has none any more. */
  constructor(options: DriverOptions, onPool: (isOpen: boolean) => void = () => {}) {
    this.#options = options;
    this.#onPool = onPool;
  }

  get pool(): ReplicatedPool | null {
    return this.#pool;
  }

  async init(): Promise<void> {
    this.#pool = createReplicatedPool(this.#options.pool);
    this.#onPool(true);
    this.#first = this.#openSession();
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const session = this.#first ?? this.#openSession();
    this.#first = null;
    const connection = new SessionConnection(await session);
    try {
      await this.#options.onReserveConnection?.(connection);
    } catch (error) {
      connection.release();
      throw error;
    }
    return connection;
  }

  async beginTransaction(
    connection: DatabaseConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    const isUsed = isSession(connection) && connection.isUsed;
    try {
      const characteristics = characteristicsOf(settings);
      if (characteristics !== '') {
        // MySQL manual, SET TRANSACTION: without a scope it is about the next transaction.
        await run(connection, `set transaction ${characteristics}`);
      }
      await run(connection, 'begin');
    } catch (error) {
      // Not every version of Kysely releases a connection whose transaction did not begin.
      if (isSession(connection) && !isUsed) {
        await connection.reset();
      }
      throw error;
    }
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await run(connection, 'commit');
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await run(connection, 'rollback');
    } catch (error) {
      // With its connection gone, the server has rolled back. Kysely would show this error in place
      // of the one that made it roll back.
      if (!isSession(connection) || connection.isConnected) {
        throw error;
      }
    }
  }

  async savepoint(
    connection: DatabaseConnection,
    name: string,
    compileQuery: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await runSavepoint(connection, 'savepoint', name, compileQuery);
  }

  async rollbackToSavepoint(
    connection: DatabaseConnection,
    name: string,
    compileQuery: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await runSavepoint(connection, 'rollback to', name, compileQuery);
  }

  async releaseSavepoint(
    connection: DatabaseConnection,
    name: string,
    compileQuery: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await runSavepoint(connection, 'release savepoint', name, compileQuery);
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    if (isSession(connection)) {
      connection.release();
    }
  }

  async destroy(): Promise<void> {
    const pool = this.#pool;
    this.#onPool(false);
    await new Promise<void>((resolve, reject) => {
      if (pool === null) {
        resolve();
      } else {
        pool.end((error) => (error ? reject(error) : resolve()));
      }
    });
  }

  #openSession(): Promise<ReplicatedConnection> {
    return new Promise((resolve, reject) => {
      if (this.#pool === null) {
        reject(new Error('The driver is not initialized'));
        return;
      }
      this.#pool.getConnection((error, session) => {
        if (error === null) {
          session.shareWithSession();
          resolve(session);
        } else {
          reject(error);
        }
      });
    });
  }
}

function isSession(connection: DatabaseConnection): connection is SessionConnection {
  return connection instanceof SessionConnection;
}

/** Through the connection's own method, which Kysely wraps for its `log`. */
async function run(connection: DatabaseConnection, sql: string): Promise<void> {
  await connection.executeQuery(CompiledQuery.raw(sql));
}

async function runSavepoint(
  connection: DatabaseConnection,
  command: string,
  name: string,
  compileQuery: QueryCompiler['compileQuery'],
): Promise<void> {
  const node = RawNode.createWithChildren([
    RawNode.createWithSql(`${command} `),
    IdentifierNode.create(name),
  ]);
  await connection.executeQuery(compileQuery(node, createQueryId()));
}

function characteristicsOf({ isolationLevel, accessMode }: TransactionSettings): string {
  const parts = [];
  if (isolationLevel !== undefined) {
    parts.push(`isolation level ${isolationLevel}`);
  }
  if (accessMode !== undefined) {
    parts.push(accessMode);
  }
  return parts.join(', ');
}
