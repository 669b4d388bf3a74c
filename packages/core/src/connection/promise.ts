import {
  type PromiseConnectionShape,
  PromisePool,
  PromisePoolConnection,
  type PromisePoolShape,
  type SqlValue,
} from '../pool/mysql2.ts';

/** What mysql2's promise wrappers call on a connection, and these two on top. */
interface WrappedConnection {
  format(sql: string, values?: SqlValue | SqlValue[]): string;
  unprepare(options: string | { readonly sql: string }): unknown;
}

interface WrappedPool {
  getConnection(
    callback: (error: Error | null, connection: WrappedConnection & object) => void,
  ): void;
}

/**
 * mysql2's promise wrapper runs a few methods of its own connections on what it wraps; these two need
 * their private parts.
 */
class PromiseConnection extends PromisePoolConnection {
  readonly #connection: WrappedConnection;
  constructor(connection: WrappedConnection, promise?: PromiseConstructor) {
    super(connection, promise);
    this.#connection = connection;
  }
  override format(sql: string, values?: SqlValue | SqlValue[]): string {
    return this.#connection.format(sql, values);
  }
  override unprepare(options: string | { readonly sql: string }): void {
    this.#connection.unprepare(options);
  }
}

class PromisePoolWithOurConnections extends PromisePool {
  readonly #pool: WrappedPool;
  readonly #promise: PromiseConstructor;
  constructor(pool: WrappedPool, promise: PromiseConstructor = Promise) {
    super(pool, promise);
    this.#pool = pool;
    this.#promise = promise;
  }
  override getConnection(): Promise<PromiseConnectionShape> {
    return new this.#promise((resolve, reject) => {
      this.#pool.getConnection((error, connection) => {
        if (error === null) {
          resolve(new PromiseConnection(connection, this.#promise));
        } else {
          reject(error);
        }
      });
    });
  }
}

/** A connection in the shape of `mysql2/promise`. */
export function promiseConnection(
  connection: WrappedConnection,
  promise?: PromiseConstructor,
): PromiseConnectionShape {
  return new PromiseConnection(connection, promise);
}

/** A pool in the shape of `mysql2/promise`. */
export function promisePool(pool: WrappedPool, promise?: PromiseConstructor): PromisePoolShape {
  return new PromisePoolWithOurConnections(pool, promise);
}
