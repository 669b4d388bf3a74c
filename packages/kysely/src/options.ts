import {
  type HostInfo,
  optionProblems,
  optionsError,
  type ReplicatedPoolOptions,
} from '@rwsplit/core';
import type { DatabaseConnection } from 'kysely';
import { SetupConnection } from './connection.ts';
import {
  asGiven,
  type DialectHost,
  isPromise,
  knownHost,
  type OperationOptions,
  poolOptions,
} from './hosts.ts';

type ReserveHook = (connection: DatabaseConnection, operation?: OperationOptions) => unknown;

/** Options of {@link ReplicatedMysqlDialect}: those of the pool, and those of Kysely's `MysqlDialect`. */
export interface ReplicatedMysqlDialectOptions
  extends Omit<ReplicatedPoolOptions, 'primary' | 'replicas' | 'onCreateConnection'> {
  /** The server that writes go to. */
  readonly primary: DialectHost;
  readonly pool?: undefined;
  /**
   * The servers that reads go to. Each takes over what it does not say itself (user, password,
   * database, TLS, type casts, limits, …) from the primary.
   *
   * @default []
   */
  readonly replicas?: readonly DialectHost[];
  /**
   * Sets up each new connection of every host, before its first statement; a promise is awaited.
   *
   * @default none
   */
  readonly onCreateConnection?: (connection: DatabaseConnection, host: HostInfo) => unknown;
  /**
   * Called each time that Kysely asks for a connection: for each query, transaction and
   * `db.connection()`; a promise is awaited. No host is chosen by then: its statements are routed like
   * any other, and keep what follows on the primary if they leave state behind. Settings belong in
   * `onCreateConnection`.
   *
   * @default none
   */
  readonly onReserveConnection?: ReserveHook;
  /**
   * Taken so that the options of Kysely's `MysqlDialect` are options here, and not used: what cancels a
   * query logs in to the host that runs it, as that host's pool does.
   *
   * @default none
   */
  readonly controlConnection?: unknown;
}

/** The same, with the name that the primary has in the options of Kysely's `MysqlDialect`. */
export interface MysqlDialectOptions
  extends Omit<ReplicatedMysqlDialectOptions, 'primary' | 'pool'> {
  /** The server that writes go to: `primary` by another name. */
  readonly pool: DialectHost;
  readonly primary?: undefined;
}

/** What a dialect is made of. */
export type DialectOptions = ReplicatedMysqlDialectOptions | MysqlDialectOptions;

/** Options that were checked, for the driver. */
export interface DriverOptions {
  /** Those of its pool; a promise of them, if functions are to give hosts. */
  readonly pool: (
    operation?: OperationOptions,
  ) => ReplicatedPoolOptions | Promise<ReplicatedPoolOptions>;
  readonly onReserveConnection: ReserveHook | null;
}

/**
 * Checks the options of a dialect. What functions give is checked when they have given it.
 *
 * @throws `RWSPLIT_OPTIONS` that lists every problem.
 */
export function parseDialectOptions(options: DialectOptions): DriverOptions {
  const { pool, onReserveConnection, controlConnection: _, ...given } = options ?? {};
  const { primary = pool, replicas = [], onCreateConnection, ...rest } = given;
  const known = {
    primary: knownHost(primary),
    replicas: Array.isArray(replicas) ? replicas.map(knownHost) : replicas,
  };
  const problems = [
    ...optionProblems({ ...rest, ...known, onCreateConnection }),
    ...ownProblems(options ?? {}),
  ];
  if (primary === undefined || problems.length > 0) {
    throw optionsError(pool === undefined ? problems : problems.map(asPool));
  }
  const hosts = { primary: asGiven(primary), replicas: replicas.map(asGiven) };
  const routing = { ...rest, ...forPool(onCreateConnection) };
  return {
    pool: (operation) => poolOptions(hosts, routing, operation),
    onReserveConnection: onReserveConnection ?? null,
  };
}

function ownProblems({
  primary,
  pool,
  replicas,
  onReserveConnection,
}: Partial<Record<keyof DialectOptions, unknown>>): string[] {
  const hosts = Array.isArray(replicas) ? replicas : [];
  const problems = [
    ...promiseProblem('primary', primary),
    ...promiseProblem('pool', pool),
    ...hosts.flatMap((host, index) => promiseProblem(`replicas[${index}]`, host)),
  ];
  if (primary !== undefined && pool !== undefined) {
    problems.push('pool: expected nothing, as it is another name of `primary`, which is there too');
  }
  if (onReserveConnection !== undefined && typeof onReserveConnection !== 'function') {
    problems.push(
      `onReserveConnection: expected a function, found a value of type ${typeof onReserveConnection}`,
    );
  }
  return problems;
}

function promiseProblem(key: string, host: unknown): string[] {
  return isPromise(host)
    ? [`${key}: expected a host, or a function that gives one or a promise of it, found a promise`]
    : [];
}

/** A problem by the name that the primary was given under. */
function asPool(problem: string): string {
  return problem.replace(/^primary(?=[.:])/, 'pool');
}

/** The pool's hook gets mysql2's connection, Kysely's users know Kysely's. */
function forPool(
  onCreateConnection: ReplicatedMysqlDialectOptions['onCreateConnection'],
): Pick<ReplicatedPoolOptions, 'onCreateConnection'> {
  return onCreateConnection === undefined
    ? {}
    : {
        onCreateConnection: (connection, host) =>
          onCreateConnection(new SetupConnection(connection), host),
      };
}
