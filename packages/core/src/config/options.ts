import { type Consistency, consistencies } from '../consistency/levels.ts';
import { type Balancing, balancings } from '../hosts/choose.ts';
import { type TopologyName, topologyNames } from '../hosts/topology-names.ts';
import type { OnCreateConnection } from '../pool/host-info.ts';
import type { PoolOptions, UserPool } from '../pool/mysql2.ts';
import {
  array,
  boolean,
  check,
  count,
  duration,
  durationOrFalse,
  durationOrZero,
  func,
  oneOf,
  positiveInteger,
  text,
  weight,
} from './checks.ts';

/** Options of one host: those of a mysql2 pool, and a name. */
export interface HostOptions extends PoolOptions {
  /**
   * What events, errors and `stats()` call the host. Unique in its pool.
   *
   * @default `address:port`
   */
  readonly name?: string;
  /**
   * How much of the reads it gets, compared with the other replicas. 0: none, while another one can have
   * them.
   *
   * @default 1
   */
  readonly weight?: number;
  /**
   * The groups of replicas that it is in. Reads run in `'default'`, unless `useReplica` names another
   * group for them.
   *
   * @default ['default']
   */
  readonly groups?: readonly string[];
  /**
   * Where it is: reads prefer the replicas in the zone that the pool is in.
   *
   * @default none
   */
  readonly zone?: string;
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
   * `'roundRobin'` each in turn, `'random'` any; all by their weights. Or a function that picks one of
   * those that may have the read; while it fails, `'leastOutstanding'` takes its place.
   *
   * @default 'leastOutstanding'
   */
  readonly balancing?: Balancing;
  /**
   * Where this process is: see `zone` of hosts.
   *
   * @default none
   */
  readonly zone?: string;
  /**
   * How many of the replicas this process uses, of each group, so that a fleet of processes does not open
   * connections to all of them. Which ones, `subsetKey` decides; for one that is out of service another
   * one comes in.
   *
   * @default all
   */
  readonly subset?: number;
  /**
   * What decides which replicas are in the subset: the same ones for the same key.
   *
   * @default the name of the machine, the process id and the thread id
   */
  readonly subsetKey?: string;
  /**
   * The weight of the primary among the replicas, for reads that could run on a replica. 0: it gets none
   * of them while there are replicas.
   *
   * @default 0
   */
  readonly primaryReads?: number;
  /**
   * What becomes of a read while no replica can have it, because all are out of service: `'primary'` runs it
   * there, `'error'` refuses it with `RWSPLIT_NO_REPLICA`.
   *
   * @default 'primary'
   */
  readonly onNoReplica?: 'primary' | 'error';
  /**
   * How much of the primary's connections such reads, and those that lag keeps from the replicas, may have
   * at the same time, from 0 to 1; at least one. Others wait for `acquireTimeout` at most.
   *
   * @default 1
   */
  readonly primaryReadShare?: number;
  /**
   * Whether statements run before the primary has been reached for the first time. If not, they are
   * refused with `RWSPLIT_PRIMARY_DOWN` until then.
   *
   * @default true
   */
  readonly allowPrimaryDown?: boolean;
  /**
   * Whether statements run before any replica has been reached for the first time. If not, they are
   * refused with `RWSPLIT_NO_REPLICA` until then.
   *
   * @default true
   */
  readonly allowReplicasDown?: boolean;
  /**
   * How far a replica may lag behind for reads to run on it, in milliseconds. One whose lag is not known
   * gets none. For sessions and statements that say nothing else.
   *
   * @default no limit
   */
  readonly maxLag?: number;
  /**
   * What becomes of a read for which all replicas lag too far behind: `'primary'` runs it there,
   * `'leastLagged'` on the replica that lags least, `'error'` refuses it with
   * `RWSPLIT_REPLICAS_LAGGING`.
   *
   * @default 'primary'
   */
  readonly onLag?: 'primary' | 'leastLagged' | 'error';
  /**
   * A table as `pt-heartbeat` keeps it, as `'db.table'`: lag is then how old its newest `ts` is. Without
   * it, the server says how far it is behind.
   *
   * @default none
   */
  readonly heartbeatTable?: string;
  /**
   * How it is known which host is the primary: `'static'` by this configuration; `'readOnly'` by which one
   * takes writes; `'groupReplication'` by the members of the group; `'aurora'` by Aurora's table of
   * replicas. The last two find hosts that are not configured too.
   *
   * @default 'static'
   */
  readonly topology?: TopologyName;
  /**
   * How often each host is asked for its role and its lag, in milliseconds, if they matter.
   *
   * @default 1000
   */
  readonly probeInterval?: number;
  /**
   * How long a host may take to answer that, or to give a sign of life, in milliseconds.
   *
   * @default 1000
   */
  readonly probeTimeout?: number;
  /**
   * Where roles are found out: how long a statement waits for a primary while there is none, in
   * milliseconds; 0: not at all. Then it fails with `RWSPLIT_PRIMARY_DOWN`.
   *
   * @default 10000
   */
  readonly primaryWait?: number;
  /**
   * How old a connection may become, in milliseconds, before it is replaced, shortened by up to a tenth
   * at random: so that hosts that are new behind a name get connections too. `false`: any age.
   *
   * @default 1800000
   */
  readonly maxLifetime?: number | false;
  /**
   * How many connections each host is kept warm with, from the first statement on.
   *
   * @default 0
   */
  readonly minIdle?: number;
  /**
   * How often it is looked up where the names of hosts lead, in milliseconds; connections to where they led
   * before are then replaced. `false`: never.
   *
   * @default 30000
   */
  readonly dnsRefresh?: number | false;
  /**
   * How long statements that run may take when the pool is closed, in milliseconds; then their connections
   * are closed.
   *
   * @default 10000
   */
  readonly closeTimeout?: number;
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
   * writes, and so do those that name none and have one address for their primary. At most 32 letters,
   * digits, dashes and underscores.
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

function balancing(value: unknown): string | null {
  const expected = typeof value === 'function' ? null : oneOf(balancings)(value);
  return expected === null ? null : `${expected} or a function`;
}

/** The check of each routing option: unknown keys are refused, so that no typo goes unseen. */
export const routingChecks = {
  dialect: check(oneOf(['mysql', 'mariadb'])),
  balancing: check(balancing),
  zone: check(text('the name of a zone')),
  subset: check(positiveInteger('replicas')),
  subsetKey: check(text('a text')),
  primaryReads: check(weight),
  onNoReplica: check(oneOf(['primary', 'error'])),
  primaryReadShare: check((value) =>
    typeof value === 'number' && value >= 0 && value <= 1 ? null : 'a number from 0 to 1',
  ),
  allowPrimaryDown: check(boolean),
  allowReplicasDown: check(boolean),
  maxLag: check(durationOrZero),
  onLag: check(oneOf(['primary', 'leastLagged', 'error'])),
  heartbeatTable: check((value) =>
    typeof value === 'string' && /^[^.`\s]+\.[^.`\s]+$/.test(value)
      ? null
      : "a table name, 'db.table'",
  ),
  topology: check(oneOf(topologyNames)),
  probeInterval: check(duration),
  probeTimeout: check(duration),
  primaryWait: check(durationOrZero),
  maxLifetime: check(durationOrFalse),
  minIdle: check(count),
  dnsRefresh: check(durationOrFalse),
  closeTimeout: check(durationOrZero),
  consistency: check(oneOf(consistencies)),
  causalWait: check(durationOrZero),
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
  primaryReads: 0,
  onNoReplica: 'primary',
  primaryReadShare: 1,
  allowPrimaryDown: true,
  allowReplicasDown: true,
  onLag: 'primary',
  topology: 'static',
  probeInterval: 1_000,
  probeTimeout: 1_000,
  primaryWait: 10_000,
  maxLifetime: 1_800_000,
  minIdle: 0,
  dnsRefresh: 30_000,
  closeTimeout: 10_000,
  causalWait: 50,
  causalWindow: 5_000,
  cluster: '',
  acquireTimeout: 10_000,
  checkIdleAfter: 30_000,
  catalogueRefresh: 300_000,
  trustDeclarations: false,
} as const satisfies RoutingOptions;
