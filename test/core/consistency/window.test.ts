import {
  createReplicatedPool,
  type ReplicatedPool,
  type ReplicatedPoolOptions,
  withSession,
} from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { replication } from '../../support/servers/accounts.ts';
import { type Flavor, flavors } from '../../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../../support/servers/start-cluster.ts';
import { look, through } from './bed.ts';
import { readOf, schemaOf, waysOf, write } from './ways.ts';

/**
 * MariaDB gives GTIDs to all that it writes to its binary log: without them it has none, and its replica
 * follows nobody.
 */
const settings = {
  mysql: ['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF'],
  mariadb: ['--skip-log-bin'],
} as const;

/** A primary that gives no GTIDs, and a replica. */
class Pair implements AsyncDisposable {
  readonly flavor: Flavor;
  readonly source: OwnedCluster;
  readonly copy: OwnedCluster;

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

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.source.stop(), this.copy.stop()]);
  }
}

describe.each(flavors)('%s', (flavor) => {
  let pair: Pair;
  let last = 100;
  const pools: ReplicatedPool[] = [];

  beforeAll(async () => {
    pair = await Pair.start(flavor);
    await pair.hold();
  });
  afterAll(() => pair[Symbol.asyncDispose]());
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.promise().end()));
  });

  /** A pool whose window is over long after the test, unless told otherwise. */
  function open(change: Partial<ReplicatedPoolOptions> = {}): ReplicatedPool {
    const { source, copy } = pair;
    const pool = createReplicatedPool({
      primary: {
        ...source.connectionOptions(source.primary),
        connectionLimit: 2,
        multipleStatements: true,
      },
      replicas: [{ ...copy.connectionOptions(copy.primary), name: 'replica' }],
      catalogueRefresh: false,
      causalWindow: 600_000,
      ...change,
    });
    pools.push(pool);
    return pool;
  }

  function next(): number {
    last += 10;
    return last;
  }

  describe.each(waysOf(flavor))('$how', (way) => {
    it('is read by the process', async () => {
      const id = next();
      const pool = open();
      const connection = await pool.promise().getConnection();
      await write(way, async (sql) => (await connection.query(sql))[0], id);
      connection.release();
      const seen = await look(through(pool), readOf(way, id));
      expect(seen).toMatchObject({ rows: [{ id }], reason: 'causal-window' });
    });

    it('is read by its session, and by another one with its token', async () => {
      const id = next();
      const pool = open();
      const token = await withSession(async (session) => {
        await write(way, through(pool), id);
        expect((await look(through(pool), readOf(way, id))).rows).toEqual([{ id }]);
        return session.token();
      });
      await withSession({ after: token ?? 'none' }, async () => {
        const seen = await look(through(open()), readOf(way, id));
        expect(seen).toMatchObject({ rows: [{ id }], reason: 'causal-window' });
      });
    });
  });
});
