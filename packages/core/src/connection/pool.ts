import { EventEmitter } from 'node:events';
import { Catalogue } from '../catalogue/catalogue.ts';
import type { CatalogueStats } from '../catalogue/stats.ts';
import { weight } from '../config/checks.ts';
import type { HostConfig, ReplicatedPoolOptions } from '../config/options.ts';
import { optionsError, type ParsedOptions, parseOptions } from '../config/parse.ts';
import { Causality, type ConsistencyStats } from '../consistency/causality.ts';
import { poolClosed, RwSplitError } from '../errors.ts';
import type { ClassificationStats } from '../explain/classification-stats.ts';
import { roleOf, routeAlone } from '../explain/explain.ts';
import { type Explanation, explanationOf } from '../explain/explanation.ts';
import type { HostState } from '../hosts/health.ts';
import { type RemoveOptions, Roster } from '../monitor/roster.ts';
import type { Host } from '../pool/host.ts';
import type { HostInfo } from '../pool/host-info.ts';
import type { Hosts } from '../pool/hosts.ts';
import {
  type CommandCallback,
  escaping,
  limitOf,
  type Pool,
  type PoolConnection,
  type PromisePoolShape,
  type RawPoolConfig,
  type SqlValue,
  type StatementCallback,
} from '../pool/mysql2.ts';
import { Share } from '../pool/share.ts';
import type { Dialect } from '../statement/facts.ts';
import { currentSession } from './client-session.ts';
import { ReplicatedConnection } from './connection.ts';
import { type Flow, followFlows, nextFlow } from './flow.ts';
import { Gate } from './gate.ts';
import { promisePool } from './promise.ts';
import { RunStatement } from './run-statement.ts';
import { newSharedSession } from './shared-session.ts';
import { readArguments, type Statement } from './statement.ts';
import type { StatementOptions } from './statement-options.ts';
import { findStorage } from './storage.ts';
import { type SessionContext, TaskQueue } from './task-queue.ts';

/** One host in {@link PoolStats}. */
export interface HostStats extends HostInfo {
  /** Whether it is offered statements. */
  readonly isUp: boolean;
  readonly state: HostState;
  /** Whether it serves its cluster now, where that can be found out; else `true`. */
  readonly isMember: boolean;
  /** How far it is behind the primary, in milliseconds; `null` if that is not known, or nobody has asked. */
  readonly lag: number | null;
  readonly weight: number;
  readonly groups: readonly string[];
  readonly zone: string | null;
  /** Connection failures in a row. */
  readonly failures: number;
  /** Code of the last failure; `null` while it is up. */
  readonly lastFailure: string | null;
  /** Statements and sessions that have a connection of it, or wait for one. */
  readonly outstanding: number;
  /** The server's `VERSION()`; `null` before the first connection. */
  readonly version: string | null;
}

/** A pool at one moment. */
export interface PoolStats {
  readonly hosts: readonly HostStats[];
  /** The dialect by which statements are classified now. */
  readonly dialect: Dialect;
  /** What is known of views and functions that no text shows. */
  readonly catalogue: CatalogueStats;
  /** What the classifier and the parser behind it have done. */
  readonly classification: ClassificationStats;
  /** How reads got what they have to see. */
  readonly consistency: ConsistencyStats;
}

/**
 * A pool in mysql2's shape over one primary and its replicas. Whatever takes a mysql2 pool takes it.
 * Make one with {@link createReplicatedPool}.
 */
export class ReplicatedPool extends EventEmitter {
  readonly #roster: Roster;
  readonly #config: RawPoolConfig;
  /** Events that somebody listens for. */
  readonly #events = new Set<string | symbol>();
  readonly #catalogue: Catalogue;
  readonly #causality: Causality;
  readonly #context: SessionContext;
  #isClosed = false;

  constructor(options: ParsedOptions) {
    super();
    this.#catalogue = new Catalogue(options.routing, () => this.#hosts);
    this.#roster = new Roster(options, {
      onVersion: (version) => this.#catalogue.learnVersion(version),
      lacksWrites: (host, milliseconds) => this.#causality.areLacking(host, milliseconds),
      forgetWrites: () => this.#causality.forget(),
      onJoin: (host) => this.#forwardFrom(host),
    });
    this.#config = this.#hosts.primary.pool.config;
    this.#causality = new Causality(options.routing, this.#hosts);
    this.#context = this.#makeContext(options.routing);
    this.#forwardEvents();
  }

  get #hosts(): Hosts {
    return this.#roster.hosts;
  }

  /** The parsed options of the configured primary's pool, as mysql2 has them on its pools. */
  get config(): RawPoolConfig {
    return this.#config;
  }

  /**
   * Gives a connection at once: it takes one of a host when its first statement needs it, and an
   * unreachable server is that statement's error.
   *
   * @throws `RWSPLIT_POOL_CLOSED`, by the callback, after {@link end}.
   */
  getConnection(
    callback: (error: Error | null, connection: ReplicatedConnection & PoolConnection) => void,
  ): void {
    const connection: object = new ReplicatedConnection(
      this.#context,
      this.config.connectionConfig,
    );
    const error = this.#isClosed ? poolClosed('gives no more connections') : null;
    process.nextTick(callback, error, connection as ReplicatedConnection & PoolConnection);
  }

  /** Gives a connection back; the same as its `release()`. */
  releaseConnection(connection: ReplicatedConnection): void {
    connection.release();
  }

  /** Runs one statement in a session of its own, with mysql2's arguments. */
  query(sql: string | StatementOptions, callback?: StatementCallback): Statement;
  query(sql: string | StatementOptions, values: unknown, callback?: StatementCallback): Statement;
  query(sql: unknown, values?: unknown, callback?: unknown): Statement {
    return this.#runAlone('query', sql, values, callback);
  }

  /** Runs one statement in a session of its own; the server prepares it. */
  execute(sql: string | StatementOptions, callback?: StatementCallback): Statement;
  execute(sql: string | StatementOptions, values: unknown, callback?: StatementCallback): Statement;
  execute(sql: unknown, values?: unknown, callback?: unknown): Statement {
    return this.#runAlone('execute', sql, values, callback);
  }

  /**
   * Refuses new statements, and closes every host's pool when its running statements are done, or after
   * `closeTimeout`. What went wrong is in one AggregateError.
   */
  end(callback: CommandCallback = () => {}): void {
    if (this.#isClosed) {
      process.nextTick(
        callback,
        new RwSplitError('RWSPLIT_POOL_CLOSED', 'The pool is closed already'),
      );
      return;
    }
    this.#isClosed = true;
    this.#catalogue.close();
    const hasWaiters = this.#causality.close();
    this.#roster.stop();
    if (hasWaiters) {
      // Those who have waited for a replica get their connection first.
      setImmediate(() => this.#endPools(callback));
    } else {
      this.#endPools(callback);
    }
  }

  #endPools(callback: CommandCallback): void {
    this.#roster.close().then((errors) => {
      const error =
        errors.length > 0
          ? new AggregateError(errors, `${errors.length} of the pool's hosts could not be closed`)
          : null;
      process.nextTick(callback, error);
    });
  }

  /**
   * Has a further replica take part in reads. What it does not say itself, it takes over from the primary.
   *
   * @throws `RWSPLIT_OPTIONS` with every problem; `RWSPLIT_POOL_CLOSED`.
   *
   * ```ts
   * import { createReplicatedPool } from '@rwsplit/core';
   *
   * const pool = createReplicatedPool({
   *   primary: { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' },
   * });
   * pool.addReplica({ host: 'db-2', name: 'second' });
   * pool.setWeight('second', 0.1); // a tenth of the reads of others, while its caches fill
   * await pool.removeReplica('second'); // when the last of its statements is answered
   * await pool.promise().end();
   * ```
   */
  addReplica(replica: HostConfig): void {
    this.#refuseIfClosed('takes no more replicas');
    this.#roster.add(replica);
  }

  /**
   * Gives a replica no more reads, and closes its connections when those that run are done, or after a while.
   *
   * @param name the configured name, or `address:port`.
   * @param options how long to wait: `drain`: `true`, as long as `closeTimeout`; in milliseconds; or
   *   `false`: not at all.
   * @throws `RWSPLIT_OPTIONS` if no replica has this name; `RWSPLIT_CLOSE_TIMEOUT` if something had to be
   *   broken off.
   */
  async removeReplica(name: string, options: RemoveOptions = {}): Promise<void> {
    this.#refuseIfClosed('has no replicas any more');
    await this.#roster.remove(name, options);
  }

  /**
   * Changes how much of the reads a replica gets: see `weight` of hosts.
   *
   * @throws `RWSPLIT_OPTIONS`.
   */
  setWeight(name: string, value: number): void {
    const expected = weight(value);
    if (expected !== null) {
      throw optionsError([`setWeight(name, weight): expected ${expected}, found ${value}`]);
    }
    this.#refuseIfClosed('has no replicas any more');
    this.#roster.setWeight(name, value);
  }

  #refuseIfClosed(what: string): void {
    if (this.#isClosed) {
      throw poolClosed(what);
    }
  }

  /** The hosts as they are now. */
  stats(): PoolStats {
    return {
      dialect: this.#catalogue.dialect,
      catalogue: this.#catalogue.stats(),
      classification: this.#catalogue.classification,
      consistency: this.#causality.stats,
      hosts: this.#hosts.all.map((host) => ({
        name: host.name,
        role: host.role,
        isUp: host.isAvailable,
        state: host.health.state,
        isMember: host.isMember,
        lag: host.lag,
        weight: host.weight,
        groups: host.groups,
        zone: host.zone,
        failures: host.health.failures,
        lastFailure: host.health.lastFailure,
        outstanding: host.outstanding,
        version: host.version,
      })),
    };
  }

  /**
   * Tells where this pool would run a text as the first statement of a session, and why, by what it
   * knows of its servers now. Nothing is run. See `explain()`, which needs no pool.
   */
  explain(sql: string): Explanation {
    const catalogue = this.#catalogue;
    const facts = catalogue.classify(sql);
    const route = routeAlone(facts, {
      wasRefused: facts.reason === null && catalogue.wasRefused(sql),
      replicas: this.#hosts.replicas.length,
      isCatalogueBehind: catalogue.isBehind,
    });
    return explanationOf(sql, facts, route, roleOf(route), catalogue.inspector);
  }

  /**
   * Goes on for another pool on the same servers: reads see what was written by that one. For adapters
   * that make a new pool for new settings.
   */
  continue(previous: ReplicatedPool): void {
    this.#causality.continue(previous.#causality);
  }

  /**
   * Whether the session that the caller is in holds a connection of this pool, on which its next
   * statement runs: it needs no other one. For adapters that count connections themselves.
   */
  get isHeldHere(): boolean {
    return currentSession()?.part(this.#context, newSharedSession).isBound ?? false;
  }

  escape(value: SqlValue): string {
    const { stringifyObjects, timezone } = this.config.connectionConfig;
    return escaping.escape(value, stringifyObjects, timezone);
  }

  escapeId(value: string | string[]): string {
    return escaping.escapeId(value, false);
  }

  format(sql: string, values?: SqlValue | SqlValue[]): string {
    const { stringifyObjects, timezone } = this.config.connectionConfig;
    return escaping.format(sql, values, stringifyObjects, timezone);
  }

  /** This pool in the shape of `mysql2/promise`. */
  promise(promise?: PromiseConstructor): PromisePoolShape {
    return promisePool(this, promise);
  }

  [Symbol.dispose](): void {
    if (!this.#isClosed) {
      this.end();
    }
  }

  #runAlone(
    method: 'query' | 'execute',
    sql: unknown,
    values: unknown,
    callback: unknown,
  ): Statement {
    const flow = this.#nextFlow(sql);
    const statement = readArguments(method, sql, values, callback);
    const queue = new TaskQueue(this.#context, statement.session ?? currentSession(), flow);
    queue.enqueue(new RunStatement(queue, statement));
    queue.release();
    return statement;
  }

  /** Flows are followed from the first statement on that somebody may ask about. */
  #nextFlow(sql: unknown): Flow | null {
    if (findStorage() === undefined && !this.#isPlainRead(sql)) {
      followFlows();
    }
    return nextFlow();
  }

  #isPlainRead(sql: unknown): boolean {
    const text = typeof sql === 'object' && sql !== null && 'sql' in sql ? sql.sql : sql;
    return typeof text === 'string' && this.#catalogue.classify(text).reason === null;
  }

  /**
   * The events of every host's mysql2 pool, each with the physical connection that it is about. Only
   * those that somebody listens for: mysql2 emits two with every statement.
   */
  #forwardEvents(): void {
    const events = new Set<string | symbol>(['connection', 'acquire', 'release', 'enqueue']);
    this.on('newListener', (event: string | symbol) => {
      if (events.delete(event)) {
        this.#events.add(event);
        for (const host of this.#hosts.all) {
          this.#forward(event, host);
        }
      }
    });
  }

  #forwardFrom(host: Host): void {
    for (const event of this.#events) {
      this.#forward(event, host);
    }
  }

  #forward(event: string | symbol, { pool }: Host): void {
    pool.on(event, (connection: unknown) => this.emit(event, connection));
  }

  #makeContext(routing: ParsedOptions['routing']): SessionContext {
    const { acquireTimeout, primaryReadShare, maxLag = null, onLag, onNoReplica } = routing;
    const most =
      primaryReadShare === 1
        ? Number.POSITIVE_INFINITY
        : Math.max(1, Math.floor(limitOf(this.#hosts.primary.pool) * primaryReadShare));
    const isClosed = () => this.#isClosed;
    return {
      hosts: this.#hosts,
      catalogue: this.#catalogue,
      causality: this.#causality,
      gate: new Gate(this.#hosts, routing),
      monitor: this.#roster.monitor,
      share: new Share(most, acquireTimeout),
      policy: { maxLag, onLag, onNoReplica },
      acquireTimeout,
      get isClosed() {
        return isClosed();
      },
    };
  }
}

/**
 * Makes a pool in mysql2's shape whose connections choose a host per statement. No connection is
 * opened yet. It has mysql2's types as well, for whatever takes a pool of mysql2; of their members, those
 * that are about one server (`state`, `serverHandshake`, `authorized`) are not there.
 *
 * @throws `RWSPLIT_OPTIONS` with every problem of the options.
 *
 * ```ts
 * import { createReplicatedPool } from '@rwsplit/core';
 *
 * const pool = createReplicatedPool({
 *   primary: { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' },
 *   replicas: [{ host: 'db-2' }, { host: 'db-3' }],
 * });
 * const [rows] = await pool.promise().query('SELECT name FROM person WHERE id = ?', [1]);
 * await pool.promise().end();
 * ```
 */
export function createReplicatedPool(options: ReplicatedPoolOptions): ReplicatedPool & Pool {
  const pool: object = new ReplicatedPool(parseOptions(options));
  return pool as ReplicatedPool & Pool;
}
