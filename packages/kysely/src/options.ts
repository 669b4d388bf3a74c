import {
  type HostInfo,
  optionProblems,
  optionsError,
  type ReplicatedPoolOptions,
} from '@rwsplit/core';
import type { DatabaseConnection } from 'kysely';
import { SetupConnection } from './connection.ts';

/** Options of {@link ReplicatedMysqlDialect}: those of the pool, and Kysely's two hooks. */
export interface ReplicatedMysqlDialectOptions
  extends Omit<ReplicatedPoolOptions, 'onCreateConnection'> {
  /**
   * Sets up each new connection of every host, before its first statement; a promise is awaited.
   *
   * @default none
   */
  readonly onCreateConnection?: (connection: DatabaseConnection, host: HostInfo) => unknown;
  /**
   * Called each time that Kysely asks for a connection: for each query, transaction and
   * `db.connection()`; a promise is awaited. Its statements are routed like any other, and keep what
   * follows on the primary if they leave state behind: settings belong in `onCreateConnection`.
   *
   * @default none
   */
  readonly onReserveConnection?: (connection: DatabaseConnection) => unknown;
}

/** Options that were checked, for the pool and for the driver. */
export interface DriverOptions {
  readonly pool: ReplicatedPoolOptions;
  readonly onReserveConnection: ((connection: DatabaseConnection) => unknown) | null;
}

/**
 * Checks the options of a dialect.
 *
 * @throws `RWSPLIT_OPTIONS` that lists every problem.
 */
export function parseDialectOptions(options: ReplicatedMysqlDialectOptions): DriverOptions {
  const { onReserveConnection = null, ...rest } = options ?? {};
  const problems = optionProblems(rest);
  if (onReserveConnection !== null && typeof onReserveConnection !== 'function') {
    problems.push(
      `onReserveConnection: expected a function, found a value of type ${typeof onReserveConnection}`,
    );
  }
  if (problems.length > 0) {
    throw optionsError(problems);
  }
  return { pool: forPool(rest), onReserveConnection };
}

/** The pool's hook gets mysql2's connection, Kysely's users know Kysely's. */
function forPool(
  options: Omit<ReplicatedMysqlDialectOptions, 'onReserveConnection'>,
): ReplicatedPoolOptions {
  const { onCreateConnection, ...rest } = options;
  if (onCreateConnection === undefined) {
    return rest;
  }
  return {
    ...rest,
    onCreateConnection: (connection, host) =>
      onCreateConnection(new SetupConnection(connection), host),
  };
}
