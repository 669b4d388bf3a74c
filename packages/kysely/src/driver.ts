import {
  createReplicatedPool,
  currentSession,
  openStep,
  type ReplicatedConnection,
  type ReplicatedPool,
} from '@rwsplit/core';
import { type DatabaseConnection, MysqlDriver, type TransactionSettings } from 'kysely';
import { SessionConnection } from './connection.ts';
import type { OperationOptions } from './hosts.ts';
import type { DriverOptions } from './options.ts';

/** A session of the pool, and whose session around it it is part of. */
interface OpenedSession {
  readonly owner: ReturnType<typeof currentSession>;
  readonly session: Promise<ReplicatedConnection>;
}

/**
 * Kysely's driver for MySQL, with sessions of a pool in place of connections. The pool is this driver's own,
 * from `init` to `destroy`: several Kysely instances may be made from one dialect.
 */
export class ReplicatedMysqlDriver extends MysqlDriver {
  readonly #options: DriverOptions;
  #pool: ReplicatedPool | null = null;
  /** Opened while Kysely is still in the caller's flow: later on it waits for this driver first. */
  #first: OpenedSession | null = null;

  readonly #onPool: (isOpen: boolean) => void;

  /** @param onPool told when it has a pool, and when it has none any more. */
  constructor(options: DriverOptions, onPool: (isOpen: boolean) => void = () => {}) {
    // All that would ask for its pool is done here.
    super({ pool: notInitialized });
    this.#options = options;
    this.#onPool = onPool;
  }

  get pool(): ReplicatedPool | null {
    return this.#pool;
  }

  override async init(operation?: OperationOptions): Promise<void> {
    const options = this.#options.pool(operation);
    if ('then' in options) {
      // What is awaited now takes it out of the caller's flow.
      openStep();
      this.#pool = createReplicatedPool(await options);
    } else {
      this.#pool = createReplicatedPool(options);
    }
    this.#onPool(true);
    this.#first = { owner: currentSession(), session: this.#openSession() };
  }

  override async acquireConnection(operation?: OperationOptions): Promise<DatabaseConnection> {
    const connection = new SessionConnection(await this.#nextSession());
    try {
      await this.#options.onReserveConnection?.(connection, operation);
    } catch (error) {
      connection.release();
      throw error;
    }
    return connection;
  }

  override async beginTransaction(
    connection: DatabaseConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    const isUsed = isSession(connection) && connection.isUsed;
    try {
      await super.beginTransaction(connection, settings);
    } catch (error) {
      // Not every version of Kysely releases a connection whose transaction did not begin.
      if (isSession(connection) && !isUsed) {
        await connection.reset();
      }
      throw error;
    }
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.rollbackTransaction(connection);
    } catch (error) {
      // With its connection gone, the server has rolled back. Kysely would show this error in place
      // of the one that made it roll back.
      if (!isSession(connection) || connection.isConnected) {
        throw error;
      }
    }
  }

  override async releaseConnection(connection: DatabaseConnection): Promise<void> {
    if (isSession(connection)) {
      connection.release();
    }
  }

  override async destroy(): Promise<void> {
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

  #nextSession(): Promise<ReplicatedConnection> {
    const first = this.#first;
    this.#first = null;
    if (first === null) {
      return this.#openSession();
    }
    // Who waited for this driver is not served in order: those who can be aborted come later.
    if (first.owner === currentSession()) {
      return first.session;
    }
    first.session.then((session) => session.release(), ignore);
    return this.#openSession();
  }

  #openSession(): Promise<ReplicatedConnection> {
    const pool = this.#pool;
    if (pool === null) {
      return notInitialized();
    }
    return new Promise((resolve, reject) => {
      pool.getConnection((error, session) => {
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

function ignore(): void {}

function notInitialized(): Promise<never> {
  return Promise.reject(new Error('The driver is not initialized'));
}
