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
import {
  type DriverOptions,
  parseDialectOptions,
  type ReplicatedMysqlDialectOptions,
} from './options.ts';

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

  /** @throws `RWSPLIT_OPTIONS` with every problem of the options. */
  constructor(options: ReplicatedMysqlDialectOptions) {
    this.#options = parseDialectOptions(options);
  }

  createDriver(): Driver {
    return new ReplicatedMysqlDriver(this.#options);
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
