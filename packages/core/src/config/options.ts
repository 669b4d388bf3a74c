import { type Consistency, consistencies } from '../consistency/levels.ts';
import { type Balancing, balancings } from '../hosts/choose.ts';
import type { OnCreateConnection } from '../pool/host-info.ts';
import type { PoolOptions, UserPool } from '../pool/mysql2.ts';
import { array, boolean, check, duration, func, oneOf, text } from './checks.ts';

/** Options of one host: those of a mysql2 pool, and a name. */
export interface HostOptions extends PoolOptions {
  /**
   * What events, errors and `stats()` call the host. Unique in its pool.
   *
   * @default `address:port`
   */
  readonly name?: string;
}

/** A host as options, as a URL (`mysql://user:password@address:port/database`), or as a pool. */
export type HostConfig = HostOptions | string | UserPool;

/** Options that say how statements are routed; the same for the bare pool, Knex and Kysely. */
export interface RoutingOptions {
  /**
   * The SQL dialect of the servers. Without it, the first connection asks; until then only what is
   * safe in both dialects runs on a replica.
   *
   * @default detected
   */
  readonly dialect?: 'mysql' | 'mariadb';
  /**
   * How a replica is picked: `'leastOutstanding'` takes the one with the fewest statements under way,
   * `'roundRobin'` each in turn.
   *
   * @default 'leastOutstanding'
   */
  readonly balancing?: Balancing;
  /**
   * What a plain read must see of the writes before it: `'session'` those of its session, `'process'`
   * those of this process, `'eventual'` whatever a replica has by now.
   *
   * @default 'session' inside a session, 'process' outside of any
   */
  readonly consistency?: Consistency;
  /**
   * How long a read waits for a replica to have what it must see, in milliseconds, before it runs on the
   * primary. It waits only if no replica is known to have it. 0: not at all.
   *
   * @default 50
   */
  readonly causalWait?: number;
  /**
   * Where the primary gives its transactions no GTIDs: how long reads stay on the primary after a write
   * that they must see, in milliseconds. It should be longer than replicas ever lag behind.
   *
   * @default 5000
   */
  readonly causalWindow?: number;
  /**
   * What tokens call this primary and its replicas: the same in all processes that exchange tokens. Needed
   * where a session uses several primaries. Pools of one process that name the same see each other's
   * writes. At most 32 letters, digits, dashes and underscores.
   *
   * @default ''
   */
  readonly cluster?: string;
  /**
   * How long a statement waits for a connection of one host, in milliseconds. A read is then offered to
   * the next replica, and last to the primary; what only the primary can run fails with
   * `RWSPLIT_ACQUIRE_TIMEOUT`.
   *
   * @default 10000
   */
  readonly acquireTimeout?: number;
  /**
   * How long a connection may have been idle, in milliseconds, to be used without a sign of life of its
   * server: after that it is pinged before its next statement, and replaced if no answer comes. One
   * that is in steady use is never pinged. `false`: none ever is.
   *
   * @default 30000
   */
  readonly checkIdleAfter?: number | false;
  /**
   * Stored or loadable functions that only read, as `'f'` or `'db.f'`: calls of them may run on a
   * replica. Any other function that is no built-in keeps its statement on the primary. Names are
   * written without quotes; a built-in function that locks, writes or depends on its session, such
   * as `sleep`, is refused.
   *
   * @default []
   */
  readonly pureFunctions?: readonly string[];
  /**
   * Tables that are always read on the primary, as `'t'` or `'db.t'`, without quotes. The migration
   * tables of Knex and Kysely are among them without being named.
   *
   * @default []
   */
  readonly primaryTables?: readonly string[];
  /**
   * How often what no text shows is read from the primary's catalogue, in milliseconds: which views and
   * generated columns hide a function or a variable. It is also read before the first plain read, and
   * after a `CREATE` or `ALTER` of a view or function that this pool ran. `false`: never.
   *
   * @default 300000
   */
  readonly catalogueRefresh?: number | false;
  /**
   * Takes the word of stored functions that are declared `DETERMINISTIC`, and `NO SQL` or `READS SQL
   * DATA`: calls of them may run on a replica. No server checks such a declaration.
   *
   * @default false
   */
  readonly trustDeclarations?: boolean;
  /**
   * Sets up each new connection of every host before its first statement, again when a session left
   * state in it and it was reset, and those that read the catalogue; a promise is awaited.
   *
   * @default none
   */
  readonly onCreateConnection?: OnCreateConnection;
}

/** Options of {@link createReplicatedPool}. */
export interface ReplicatedPoolOptions extends RoutingOptions {
  /** The server that writes go to. */
  readonly primary: HostConfig;
  /**
   * The servers that reads go to. Each takes over what it does not say itself (user, password,
   * database, TLS, type casts, limits, …) from `primary`.
   *
   * @default []
   */
  readonly replicas?: readonly HostConfig[];
}

function durationOrFalse(value: unknown): string | null {
  const expected = value === false ? null : duration(value);
  return expected === null ? null : `${expected} or false`;
}

/** The check of each routing option: unknown keys are refused, so that no typo goes unseen. */
export const routingChecks = {
  dialect: check(oneOf(['mysql', 'mariadb'])),
  balancing: check(oneOf(balancings)),
  consistency: check(oneOf(consistencies)),
  causalWait: check((value) => (value === 0 ? null : duration(value))),
  causalWindow: check(duration),
  cluster: check((value) =>
    typeof value === 'string' && /^[A-Za-z0-9_-]{0,32}$/.test(value)
      ? null
      : 'at most 32 letters, digits, dashes and underscores',
  ),
  acquireTimeout: check(duration),
  checkIdleAfter: check(durationOrFalse),
  pureFunctions: check(array(text("function names, 'f' or 'db.f'"))),
  primaryTables: check(array(text("table names, 't' or 'db.t'"))),
  catalogueRefresh: check(durationOrFalse),
  trustDeclarations: check(boolean),
  onCreateConnection: check(func),
} satisfies Record<keyof RoutingOptions, unknown>;

/** The defaults that the documentation above names. */
export const routingDefaults = {
  balancing: 'leastOutstanding',
  causalWait: 50,
  causalWindow: 5_000,
  cluster: '',
  acquireTimeout: 10_000,
  checkIdleAfter: 30_000,
  catalogueRefresh: 300_000,
  trustDeclarations: false,
} as const satisfies RoutingOptions;
