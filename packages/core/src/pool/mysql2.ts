/**
 * The only file that imports mysql2. Everything else sees the shapes below, which name no more of
 * mysql2 than is used.
 */
import type { EventEmitter } from 'node:events';
import type { ConnectionOptions, Pool, PoolConnection, PoolOptions, SqlValue } from 'mysql2';
import mysql from 'mysql2';
import type {
  PoolConnection as PromiseConnectionShape,
  Pool as PromisePoolShape,
} from 'mysql2/promise';
import mysqlPromise from 'mysql2/promise';

export type {
  ConnectionOptions,
  Pool,
  PoolConnection,
  PoolOptions,
  PromiseConnectionShape,
  PromisePoolShape,
  SqlValue,
};

/** An error of mysql2, or of the server behind it. */
export interface DriverError extends Error {
  code?: string | number;
  errno?: number;
  fatal?: boolean;
}

/** The callback of a statement in mysql2's convention. */
export type StatementCallback = (
  error: DriverError | null,
  result?: unknown,
  fields?: unknown,
) => void;

/** The callback of a command that answers with success or an error. */
export type CommandCallback = (error?: DriverError | null) => void;

/** One physical connection out of one mysql2 pool. */
export interface RawConnection extends EventEmitter {
  readonly threadId: number | null;
  readonly config: ConnectionOptions;
  query(options: object | string, callback?: StatementCallback): EventEmitter;
  query(sql: string, values: unknown, callback?: StatementCallback): EventEmitter;
  execute(options: object | string, callback?: StatementCallback): EventEmitter;
  execute(sql: string, values: unknown, callback?: StatementCallback): EventEmitter;
  ping(callback: CommandCallback): void;
  reset(callback: CommandCallback): void;
  changeUser(options: object, callback: CommandCallback): void;
  prepare(
    options: object | string,
    callback: (error: DriverError | null, statement?: unknown) => void,
  ): unknown;
  unprepare(options: object | string): unknown;
  pause(): void;
  resume(): void;
  release(): void;
  destroy(): void;
}

/** One mysql2 pool: all connections to one host. */
export interface RawPool extends EventEmitter {
  getConnection(callback: (error: DriverError | null, connection?: RawConnection) => void): void;
  end(callback: CommandCallback): void;
  readonly config: RawPoolConfig;
}

/** What is read of a pool's parsed options; mysql2's own types have another shape than its objects. */
export interface RawPoolConfig {
  readonly connectionLimit?: number;
  readonly resetOnRelease?: boolean;
  readonly waitForConnections?: boolean;
  readonly connectionConfig: ConnectionOptions;
}

/** A pool that a user made: of mysql2, or of mysql2/promise, which wraps one. */
export type UserPool = Pool | PromisePoolShape;

/** Opens no connection yet: mysql2 connects when one is asked for. */
export function createRawPool(options: PoolOptions): RawPool {
  return unwrapPool(mysql.createPool(options));
}

/** The callback pool behind what a user handed in. */
export function unwrapPool(pool: UserPool): RawPool {
  const plain: unknown = 'pool' in pool ? pool.pool : pool;
  return plain as RawPool;
}

/** Whether a value is a pool of mysql2 or of mysql2/promise. */
export function isPool(value: unknown): value is UserPool {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  return hasPoolShape(value) || ('pool' in value && hasPoolShape(value.pool));
}

function hasPoolShape(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'getConnection' in value &&
    typeof value.getConnection === 'function' &&
    'config' in value &&
    typeof value.config === 'object'
  );
}

/** A connection outside every pool, for what must not wait for one: `KILL QUERY`. */
export function createSingleConnection(options: ConnectionOptions): RawConnection {
  const connection: unknown = mysql.createConnection(options);
  return connection as RawConnection;
}

/** Closes a connection at once: its own `destroy()` waits for the answer to what it is doing. */
export function dropConnection(connection: RawConnection): void {
  const { stream } = connection as unknown as { stream: { destroy(): void } };
  stream.destroy();
}

/** Whether a connection keeps the process alive. */
export function keepAlive(connection: RawConnection, isNeeded: boolean): void {
  const { stream } = connection as unknown as { stream: { ref?(): void; unref?(): void } };
  if (isNeeded) {
    stream.ref?.();
  } else {
    stream.unref?.();
  }
}

/** Takes a connection out of its pool and closes it, also where the network is silent. */
export function discardConnection(connection: RawConnection): void {
  connection.destroy();
  dropConnection(connection);
}

/**
 * Whether somebody waits for a connection of a pool, who may not be one of ours. mysql2 has no
 * public word for it: where its queue is not found, somebody may.
 */
export function mayHaveWaiters(pool: RawPool): boolean {
  const { _connectionQueue: queue } = pool as unknown as { _connectionQueue?: { length?: number } };
  return queue?.length !== 0;
}

/** Whether a connection of a pool is there and free, as far as mysql2 lets that be seen. */
export function hasFree(pool: RawPool): boolean {
  const { _freeConnections: free } = pool as unknown as { _freeConnections?: { length?: number } };
  return free?.length !== 0;
}

/** How many connections a pool may have; mysql2 takes 0 for any number, and 10 if nothing is said. */
export function limitOf({ config }: RawPool): number {
  const { connectionLimit = 10 } = config;
  return connectionLimit === 0 ? Number.POSITIVE_INFINITY : connectionLimit;
}

/** The connections of a pool that nobody uses, as far as mysql2 lets them be seen. */
export function freeConnections(pool: RawPool): readonly RawConnection[] {
  return listed((pool as unknown as { _freeConnections?: unknown })._freeConnections);
}

/** All connections of a pool, and those that are being made, as far as mysql2 lets them be seen. */
export function allConnections(pool: RawPool): readonly RawConnection[] {
  return listed((pool as unknown as { _allConnections?: unknown })._allConnections);
}

/** mysql2 keeps its connections in queues of the package denque. */
function listed(queue: unknown): readonly RawConnection[] {
  const { toArray } = (queue ?? {}) as { toArray?: () => RawConnection[] };
  return toArray === undefined ? [] : toArray.call(queue);
}

/** Fails at once all that a connection runs, and takes it out of its pool. */
export function breakConnection(connection: RawConnection, why: Error): void {
  const { stream } = connection as unknown as { stream: { destroy(error: Error): void } };
  stream.destroy(why);
}

/** Whether mysql2 knows that a connection is of no use any more. */
export function isDead(connection: RawConnection): boolean {
  const { _fatalError, _protocolError, _closing, stream } = connection as unknown as {
    _fatalError?: unknown;
    _protocolError?: unknown;
    _closing?: boolean;
    stream?: { destroyed?: boolean };
  };
  return Boolean(_fatalError || _protocolError || _closing || stream?.destroyed);
}

interface PromiseWrappers {
  readonly PromisePool: new (pool: object, promise?: PromiseConstructor) => PromisePoolShape;
  readonly PromisePoolConnection: new (
    connection: object,
    promise?: PromiseConstructor,
  ) => PromiseConnectionShape;
}

/** mysql2's own promise wrappers; they fit whatever has its callback shape. Not in its types. */
export const { PromisePool, PromisePoolConnection } = mysqlPromise as unknown as PromiseWrappers;

/** mysql2's own escaping functions. */
export const escaping = { escape: mysql.escape, escapeId: mysql.escapeId, format: mysql.format };

/** The part before the first underscore of a collation is its charset. */
const charsets = new Map(
  Object.entries(mysql.Charsets).map(([name, number]) => [
    Number(number),
    name.split('_')[0] ?? name,
  ]),
);
const keepsLowBytes = new Set(['LATIN1', 'ASCII', 'BINARY']);
const rewritesAscii = new Set(['ARMSCII8', 'SWE7']);

/**
 * The characters that mysql2 does not send to this pool's server as they are; `null` if it sends all.
 * For `latin1`, `ascii` and `binary` it keeps the low byte of each, so that U+0127 arrives as an
 * apostrophe; others have their own places for what is not ASCII (`sjis`: a yen sign arrives as a
 * backslash) and some for a part of ASCII.
 */
export function garbledCharacters({ config }: RawPool): RegExp | null {
  const { charsetNumber } = config.connectionConfig;
  const charset = charsetNumber === undefined ? 'UTF8MB4' : (charsets.get(charsetNumber) ?? '');
  if (charset.startsWith('UTF8')) {
    return null;
  }
  if (keepsLowBytes.has(charset)) {
    return /[^\0-\xff]/;
  }
  return rewritesAscii.has(charset) ? /./s : /[^\0-\x7e]/;
}
