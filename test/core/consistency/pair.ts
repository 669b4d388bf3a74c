import {
  createReplicatedPool,
  type ReplicatedPool,
  type ReplicatedPoolOptions,
} from '@rwsplit/core';
import { replication } from '../../support/servers/accounts.ts';
import type { Flavor } from '../../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../../support/servers/start-cluster.ts';
import { schemaOf } from './ways.ts';

/**
 * MariaDB gives GTIDs to all that it writes to its binary log: without them it has none, and its replica
 * follows nobody.
 */
const settings = {
  mysql: ['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF'],
  mariadb: ['--skip-log-bin'],
} as const;

/** A primary that gives no GTIDs, and a replica; that of MySQL follows it. */
export class Pair implements AsyncDisposable {
  readonly flavor: Flavor;
  readonly source: OwnedCluster;
  readonly copy: OwnedCluster;
  readonly #pools: ReplicatedPool[] = [];

  private constructor(flavor: Flavor, [source, copy]: readonly [OwnedCluster, OwnedCluster]) {
    this.flavor = flavor;
    this.source = source;
    this.copy = copy;
  }

  static async start(flavor: Flavor): Promise<Pair> {
    const options = { flavor, replicas: 0, statementLog: false };
    const [source, copy] = await Promise.all([
      startCluster({ ...options, settings: settings[flavor] }),
      startCluster({ ...options, settings: [...settings[flavor], '--server-id=2'] }),
    ]);
    const pair = new Pair(flavor, [source, copy]);
    if (flavor === 'mysql') {
      await pair.#follow();
    }
    await pair.create(schemaOf(flavor));
    return pair;
  }

  /** By the position in the binary log, as before there were GTIDs. */
  async #follow(): Promise<void> {
    const { host, port } = this.source.primary;
    const [status] = await this.source.primary.query<{ File: string; Position: number }>(
      'SHOW BINARY LOG STATUS',
    );
    await this.copy.primary.query(
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST = ?, SOURCE_PORT = ?, SOURCE_USER = ?,
       SOURCE_PASSWORD = ?, SOURCE_LOG_FILE = ?, SOURCE_LOG_POS = ?, SOURCE_AUTO_POSITION = 0,
       GET_SOURCE_PUBLIC_KEY = 1`,
      [host, port, replication.user, replication.password, status?.File, status?.Position],
    );
    await this.copy.primary.query('START REPLICA');
  }

  async create(statements: readonly string[]): Promise<void> {
    const targets = this.flavor === 'mysql' ? [this.source] : [this.source, this.copy];
    for (const { primary, database } of targets) {
      await primary.query(`USE ${database}`);
      for (const sql of statements) {
        await primary.query(sql);
      }
    }
  }

  async hold(): Promise<void> {
    if (this.flavor === 'mysql') {
      await this.copy.primary.query('STOP REPLICA SQL_THREAD');
    }
  }

  /** A pool on both, which reads no catalogue. */
  open(change: Partial<ReplicatedPoolOptions> = {}): ReplicatedPool {
    const { source, copy } = this;
    const pool = createReplicatedPool({
      primary: {
        ...source.connectionOptions(source.primary),
        connectionLimit: 2,
        multipleStatements: true,
      },
      replicas: [{ ...copy.connectionOptions(copy.primary), name: 'replica' }],
      catalogueRefresh: false,
      ...change,
    });
    this.#pools.push(pool);
    return pool;
  }

  async closePools(): Promise<void> {
    await Promise.all(this.#pools.splice(0).map((pool) => pool.promise().end()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closePools();
    await Promise.all([this.source.stop(), this.copy.stop()]);
  }
}
