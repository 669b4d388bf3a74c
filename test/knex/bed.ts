import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import knex, { type Knex } from 'knex';
import { afterEach } from 'vitest';
import type { Cluster, ConnectionOptions } from '../support/servers/cluster.ts';
import type { Flavor } from '../support/servers/flavor.ts';
import { type FreshDatabase, freshDatabase, sharedCluster } from '../support/shared-cluster.ts';

/** One database on a shared cluster, and Knex instances on it. */
export interface Bed {
  readonly cluster: Cluster;
  readonly database: FreshDatabase;
  readonly primary: ConnectionOptions;
  readonly replicas: readonly ConnectionOptions[];
  /** A Knex instance with both replicas; destroyed after the test. */
  open(change?: Partial<Knex.Config>): Knex;
  /** Which kind of server ran the statements with this text, by the servers' own logs. */
  ran(tag: string): Promise<('primary' | 'replica')[]>;
}

/** To be awaited in a `describe`. The database has a table `person` of three rows. */
export async function makeBed(flavor: Flavor): Promise<Bed> {
  const cluster = sharedCluster(flavor);
  const database = await freshDatabase(cluster);
  await cluster.primary.query(
    `CREATE TABLE ${database.name}.person (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(80), age INT)`,
  );
  await cluster.primary.query(
    `INSERT INTO ${database.name}.person (name, age) VALUES ('Ada', 36), ('Brook', 20), ('Cleo', NULL)`,
  );
  await cluster.waitUntilReplicated();
  const opened: Knex[] = [];
  afterEach(async () => {
    // A test that failed may have left a transaction open, which Knex would wait for.
    const all = Promise.all(opened.splice(0).map((db) => db.destroy()));
    await Promise.race([all, sleep(5_000)]);
  });
  const primary = database.connectionOptions(cluster.primary);
  const replicas = cluster.replicas.map((server) => database.connectionOptions(server));
  return {
    cluster,
    database,
    primary,
    replicas,
    open(change) {
      const db = knex({
        client: ReplicatedMysql2,
        connection: { ...primary },
        replicas,
        log: { warn: () => {} },
        ...change,
        // A replica that has not caught up yet must not change where things run.
        replication: { causalWait: 10_000, ...change?.replication },
      });
      opened.push(db);
      return db;
    },
    async ran(tag) {
      const statements = await cluster.whoRan(tag);
      return statements.map(({ server }) => (server === 'primary' ? 'primary' : 'replica'));
    },
  };
}

/** A text that no other statement has. */
export function newTag(): string {
  return `tag_${randomBytes(6).toString('hex')}`;
}

/** The error that a promise is rejected with. */
export async function failureOf(promise: PromiseLike<unknown>): Promise<Error> {
  const outcome = await Promise.allSettled([promise]);
  if (outcome[0].status === 'fulfilled') {
    throw new Error('it was fulfilled');
  }
  return outcome[0].reason as Error;
}
