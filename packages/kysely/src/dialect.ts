import type { ReplicatedPool } from '@rwsplit/core';
import {
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  MysqlAdapter,
  MysqlIntrospector,
  type QueryCompiler,
} from 'kysely';
import { ReplicatedMysqlDriver } from './driver.ts';
import { HintingQueryCompiler } from './hints.ts';
import { type DialectOptions, type DriverOptions, parseDialectOptions } from './options.ts';

/**
 * Kysely's dialect for one MySQL or MariaDB primary and its replicas: plain reads outside a
 * transaction run on a replica, everything else on the primary.
 *
 * ```ts
 * import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
 * import { Kysely } from 'kysely';
 *
 * const db = new Kysely<{ person: { name: string } }>({
 *   dialect: new ReplicatedMysqlDialect({
 *     primary: { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' },
 *     replicas: [{ host: 'db-2' }, { host: 'db-3' }],
 *   }),
 * });
 * await db.selectFrom('person').select('name').execute();
 * await db.destroy();
 * ```
 */
export class ReplicatedMysqlDialect implements Dialect {
  readonly #options: DriverOptions;
  readonly #drivers = new Set<ReplicatedMysqlDriver>();

  /** @throws `RWSPLIT_OPTIONS` with every problem of the options. */
  constructor(options: DialectOptions) {
    this.#options = parseDialectOptions(options);
  }

  createDriver(): Driver {
    const driver: ReplicatedMysqlDriver = new ReplicatedMysqlDriver(this.#options, (isOpen) => {
      if (isOpen) {
        this.#drivers.add(driver);
      } else {
        this.#drivers.delete(driver);
      }
    });
    return driver;
  }

  /**
   * Core's pools behind the Kysely instances made from this dialect, each from its first query until it is
   * destroyed: to add and remove replicas, and to see how the hosts are.
   *
   * ```ts
   * import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
   * import { Kysely } from 'kysely';
   *
   * const primary = { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' };
   * const dialect = new ReplicatedMysqlDialect({ primary, replicas: [{ host: 'db-2' }] });
   * const db = new Kysely<{ person: { name: string } }>({ dialect });
   * await db.selectFrom('person').select('name').execute();
   * for (const pool of dialect.pools) {
   *   pool.addReplica({ host: 'db-3' });
   *   for (const { name, state, lag } of pool.stats().hosts) console.log(name, state, lag);
   * }
   * await db.destroy();
   * ```
   */
  get pools(): readonly ReplicatedPool[] {
    return [...this.#drivers].flatMap(({ pool }) => pool ?? []);
  }

  createQueryCompiler(): QueryCompiler {
    return new HintingQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new MysqlAdapter();
  }

  // Kysely's own types have `any` here: an introspector works on every database.
  createIntrospector(db: Parameters<Dialect['createIntrospector']>[0]): DatabaseIntrospector {
    return new MysqlIntrospector(db);
  }
}
