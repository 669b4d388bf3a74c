import { outsideFlows, ReplicatedConnection, type ReplicatedPool } from '@rwsplit/core';
import type { Knex } from 'knex';
import { asStep, FlowingQueryBuilder, inFlow, rawInFlow } from './flow.ts';
import { addForcePrimary } from './force-primary.ts';
import { HintableRaw, HintableSchemaBuilder } from './hintable.ts';
import { noteInstance } from './migrating.ts';
import { hasReplicas, nativePool, splitOptions } from './options.ts';
import { HintedRunner } from './runner.ts';
import { SchemaRunner } from './schema-runner.ts';
import { hideSecrets, withPrintableReplicas } from './secrets.ts';
import { putSeedsOnPrimary } from './seeds.ts';
import { type Session, Sessions } from './sessions.ts';
import { Slot, slotOf } from './slot.ts';
import { withStackOf } from './stacks.ts';
import { type DoneCallback, type Runnable, StockSchemaBuilder } from './stock.ts';
import { TracedMysql2 } from './traced-client.ts';
import { ReplicatedTransaction } from './transaction.ts';
import { addUseReplica } from './use-replica.ts';

/**
 * The sessions behind each pool of Knex. Not in the client: Knex makes others of it without calling
 * the constructor, for transactions and for `withUserParams`, and those share at most the pool.
 */
const sessionsOf = new WeakMap<object, Sessions>();

/**
 * Core's pool behind an instance of Knex, to add and remove replicas, and to see how its hosts are; `null`
 * if it has no replicas, or no pool yet or any more, and of a transaction. With a function for `connection`, the pool of the
 * current settings.
 *
 * ```ts
 * import { poolOf, ReplicatedMysql2 } from '@rwsplit/knex';
 * import Knex from 'knex';
 *
 * const connection = { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' };
 * const knex = Knex({ client: ReplicatedMysql2, connection, replicas: [{ host: 'db-2' }] });
 * await knex('person').select('name');
 * poolOf(knex)?.addReplica({ host: 'db-3' });
 * for (const { name, state, lag } of poolOf(knex)?.stats().hosts ?? []) console.log(name, state, lag);
 * await knex.destroy();
 * ```
 */
export function poolOf(knex: Knex): ReplicatedPool | null {
  const { pool } = knex.client as { pool?: object };
  return (pool === undefined ? undefined : sessionsOf.get(pool)?.pool) ?? null;
}

/**
 * Knex's client for mysql2 that runs reads on replicas. What it does not say here, it does as the
 * stock client; without `replicas` in its configuration it is the stock client.
 *
 * ```ts
 * import { ReplicatedMysql2 } from '@rwsplit/knex';
 * import knex from 'knex';
 *
 * const db = knex({
 *   client: ReplicatedMysql2,
 *   connection: { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' },
 *   replicas: [{ host: 'db-2' }, { host: 'db-3' }],
 * });
 * await db('person').select('name');
 * await db.destroy();
 * ```
 *
 * @throws `RWSPLIT_OPTIONS`, at construction, with every problem of `replicas` and `replication`.
 */
export class ReplicatedMysql2 extends TracedMysql2 {
  static {
    addForcePrimary();
    addUseReplica();
    putSeedsOnPrimary();
  }

  constructor(config: Knex.Config) {
    super(withPrintableReplicas(config));
    noteInstance(this.config);
    if (hasReplicas(config)) {
      hideSecrets(this.config.connection);
    }
  }

  override initializePool(config: Knex.Config = this.config): void {
    if (this.pool !== undefined || !hasReplicas(this.config)) {
      super.initializePool(config);
      return;
    }
    const pool = { ...this.poolDefaults(), ...config.pool };
    const own = nativePool(this.config);
    if (own !== null) {
      this.connectionSettings = {};
      this.initializeDriver();
    }
    // There are none yet if `connection` is a function.
    const settings: object | undefined = this.connectionSettings;
    const options = splitOptions({ ...this.config, pool }, settings ?? {}, own);
    const sessions = new Sessions(options, pool, own);
    if (settings !== undefined) {
      this.connectionSettings = sessions.expect(settings);
    }
    // Knex's own pool is one of slots in any case.
    const { connectionPool: _, ...others } = config;
    super.initializePool(others);
    if (this.pool !== undefined) {
      sessionsOf.set(this.pool, sessions);
    }
  }

  /** Knex's pool makes slots; the hooks of `pool` are for connections. */
  override getPoolSettings(poolConfig: Knex.PoolConfig = {}): unknown {
    if (!hasReplicas(this.config)) {
      return super.getPoolSettings(poolConfig);
    }
    const { afterCreate: _, validate, ...rest } = poolConfig;
    // Others than Knex's pool may ask about what is no slot.
    const validateSlot = (slot: unknown) =>
      slot instanceof Slot ? slot.aside((session) => validate?.(session)) : validate?.(slot);
    return super.getPoolSettings(
      validate === undefined ? rest : { ...rest, validate: validateSlot },
    );
  }

  override async validateConnection(connection: unknown): Promise<boolean> {
    // Knex 3.1 asks for settings only when it makes one, and slots would last for ever.
    return connection instanceof Slot
      ? this.connectionConfigExpirationChecker?.() !== true
      : super.validateConnection(connection);
  }

  override async acquireRawConnection(): Promise<unknown> {
    const sessions = this.pool && sessionsOf.get(this.pool);
    if (sessions === undefined) {
      return super.acquireRawConnection();
    }
    this.connectionSettings = sessions.renew(this.connectionSettings);
    await outsideFlows(() => sessions.reach((primary) => this.checkVersion?.(primary)));
    return new Slot(sessions);
  }

  override async destroyRawConnection(connection: unknown): Promise<void> {
    if (!(connection instanceof Slot)) {
      await super.destroyRawConnection(connection);
    }
  }

  override async acquireConnection(): Promise<unknown> {
    const sessions = this.pool && sessionsOf.get(this.pool);
    if (sessions?.isHeldHere) {
      return new Slot(sessions, false).open();
    }
    const acquired = await super.acquireConnection();
    if (!(acquired instanceof Slot)) {
      return acquired;
    }
    try {
      return await acquired.open();
    } catch (error) {
      await super.releaseConnection(acquired);
      throw error;
    }
  }

  override releaseConnection(connection: unknown): Promise<void> {
    const slot = slotOf(connection);
    if (slot !== undefined) {
      slot.close(connection as Session);
      return slot.isCounted ? super.releaseConnection(slot) : Promise.resolve();
    }
    // Released before, or, in Knex 3.1, never acquired: a stream that was closed early.
    const isNothing = connection === undefined || connection instanceof ReplicatedConnection;
    return isNothing ? Promise.resolve() : super.releaseConnection(connection);
  }

  override async destroy(callback?: DoneCallback): Promise<void> {
    const sessions = this.pool && sessionsOf.get(this.pool);
    if (sessions === undefined) {
      return super.destroy(callback);
    }
    try {
      await super.destroy();
      await sessions.end();
    } catch (error) {
      if (callback === undefined) {
        throw error;
      }
      callback(error);
      return;
    }
    callback?.();
  }

  override transaction(...options: readonly unknown[]): Knex.Transaction {
    const transaction: unknown = asStep(() => new ReplicatedTransaction(this, ...options));
    return transaction as Knex.Transaction;
  }

  override queryBuilder(): Knex.QueryBuilder {
    const builder: unknown = hasReplicas(this.config)
      ? inFlow(new FlowingQueryBuilder(this))
      : super.queryBuilder();
    return withStackOf(ReplicatedMysql2.prototype.queryBuilder, builder as Knex.QueryBuilder);
  }

  override schemaBuilder(): Knex.SchemaBuilder {
    const builder = inFlow(new HintableSchemaBuilder(this));
    return withStackOf(ReplicatedMysql2.prototype.schemaBuilder, builder);
  }

  override raw(...given: unknown[]): Knex.Raw {
    const raw = rawInFlow(given[0], new HintableRaw(this).set(...given));
    return withStackOf(ReplicatedMysql2.prototype.raw, raw);
  }

  override runner(builder: Runnable): HintedRunner {
    const isSchema = builder instanceof StockSchemaBuilder;
    return isSchema ? new SchemaRunner(this, builder) : new HintedRunner(this, builder);
  }

  override async cancelQuery(connectionToKill?: unknown): Promise<unknown> {
    const slot = slotOf(connectionToKill);
    if (slot !== undefined) {
      return slot.aside((control) => this._wrappedCancelQueryCall(control, connectionToKill));
    }
    // A connection of the user's own: as Knex does it, but for what it calls a raw connection here.
    const control = await super.acquireRawConnection();
    try {
      return await this._wrappedCancelQueryCall(control, connectionToKill);
    } finally {
      await super.destroyRawConnection(control);
    }
  }

  /**
   * Ends a statement on the host that runs it: a thread id means nothing on another one. What still
   * waits for a server is never sent.
   */
  override async _wrappedCancelQueryCall(
    control: unknown,
    connectionToKill: unknown,
  ): Promise<unknown> {
    return connectionToKill instanceof ReplicatedConnection
      ? connectionToKill.cancel('query')
      : super._wrappedCancelQueryCall(control, connectionToKill);
  }
}
