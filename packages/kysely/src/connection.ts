import {
  isRwSplitError,
  type RawConnection,
  type ReplicatedConnection,
  type StatementOptions,
} from '@rwsplit/core';
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import { hintsOf } from './hints.ts';
import type { OperationOptions } from './hosts.ts';
import { toQueryResult } from './result.ts';
import { forgetRoute, noteRoute } from './routes.ts';

/** One session of the pool as Kysely's connection: it chooses its host at each query. */
export class SessionConnection implements DatabaseConnection {
  readonly #session: ReplicatedConnection;
  #isUsed = false;

  constructor(session: ReplicatedConnection) {
    this.#session = session;
  }

  /** Whether a query was given to it. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** Whether it holds a connection of a host. */
  get isConnected(): boolean {
    return this.#session.host !== null;
  }

  async executeQuery<R>(query: CompiledQuery, options?: OperationOptions): Promise<QueryResult<R>> {
    this.#isUsed = true;
    const signal = options?.signal;
    signal?.addEventListener('abort', this.#withdraw);
    try {
      return toQueryResult(await send(this.#session, query));
    } catch (error) {
      if (signal?.aborted && isRwSplitError(error) && error.code === 'RWSPLIT_CANCELLED') {
        // It was never sent, and who asked for it has the error of the abort: Kysely would log this one.
        return { rows: [] };
      }
      throw extendStack(error, new Error());
    } finally {
      signal?.removeEventListener('abort', this.#withdraw);
    }
  }

  async *streamQuery<R>(
    query: CompiledQuery,
    _chunkSize?: number,
    options?: OperationOptions,
  ): AsyncIterableIterator<QueryResult<R>> {
    this.#isUsed = true;
    const signal = options?.signal;
    signal?.addEventListener('abort', this.#withdraw);
    try {
      for await (const row of this.#session.query(statementOf(query)).stream()) {
        yield { rows: [row] };
      }
    } finally {
      signal?.removeEventListener('abort', this.#withdraw);
    }
  }

  /**
   * Ends the running query on the host that runs it. Kysely's control connection is not used: it is
   * one of this pool, so that it could be one to another host.
   */
  async cancelQuery(): Promise<void> {
    await this.#session.cancel('query');
  }

  /** Ends the connection of the running query on its host, and this session with it. */
  async killSession(): Promise<void> {
    await this.#session.cancel('connection');
  }

  /** Forgets what the session did, and gives its connection back, without ending the session. */
  async reset(): Promise<void> {
    await new Promise((resolve) => this.#session.reset(resolve));
  }

  release(): void {
    this.#session.release();
  }

  /** What is aborted before it was sent is not sent at all, as it is with a pool that is full. */
  readonly #withdraw = (): void => {
    if (!this.isConnected) {
      this.#session.cancel('query').catch(ignore);
    }
  };
}

/** A connection of a host while `onCreateConnection` sets it up. */
export class SetupConnection implements DatabaseConnection {
  readonly #connection: RawConnection;

  constructor(connection: RawConnection) {
    this.#connection = connection;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return toQueryResult(await send(this.#connection, query));
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    const { rows } = await this.executeQuery<R>(query);
    for (const row of rows) {
      yield { rows: [row] };
    }
  }
}

/** What both kinds of connections have in common. */
interface Target {
  query(
    statement: StatementOptions,
    callback: (error: Error | null, answer?: unknown) => void,
  ): unknown;
}

function send(target: Target, query: CompiledQuery): Promise<unknown> {
  return new Promise((resolve, reject) => {
    target.query(statementOf(query), (error, answer) => {
      if (error === null) {
        resolve(answer);
      } else {
        reject(error);
      }
    });
  });
}

function statementOf(query: CompiledQuery): StatementOptions {
  forgetRoute(query);
  return {
    sql: query.sql,
    values: query.parameters,
    onRouted: (routed) => noteRoute(query, routed),
    ...hintsOf(query),
  };
}

/** Adds the frames of those who wait for the query: an error of mysql2 only has mysql2's own. */
function extendStack(error: unknown, here: Error): unknown {
  if (error instanceof Error && error.stack !== undefined && here.stack !== undefined) {
    error.stack += here.stack.slice(here.stack.indexOf('\n'));
  }
  return error;
}

function ignore(): void {}
