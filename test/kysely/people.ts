import { ReplicatedMysqlDialect, type ReplicatedMysqlDialectOptions } from '@rwsplit/kysely';
import { type Generated, Kysely, type KyselyConfig } from 'kysely';
import type { Cluster } from '../support/servers/cluster.ts';
import type { FreshDatabase } from '../support/shared-cluster.ts';

/** The database of these tests. */
export interface Tables {
  person: {
    id: Generated<number>;
    name: string;
    age: number | null;
  };
  pet: {
    id: Generated<number>;
    owner_id: number;
    nick_name: string;
  };
}

/** How many rows `person` has to begin with: a join of four of it runs for minutes. */
export const crowd = 400;

/** Creates the tables, on every server when this resolves. */
export async function createTables(cluster: Cluster, { name }: { name: string }): Promise<void> {
  const { primary } = cluster;
  await primary.query(
    `CREATE TABLE ${name}.person (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100) NOT NULL, age INT)`,
  );
  await primary.query(
    `CREATE TABLE ${name}.pet (id INT PRIMARY KEY AUTO_INCREMENT, owner_id INT NOT NULL, nick_name VARCHAR(100) NOT NULL)`,
  );
  const people = Array.from({ length: crowd }, (_, index) => `('person ${index}', ${index})`);
  await primary.query(`INSERT INTO ${name}.person (name, age) VALUES ${people.join(', ')}`);
  await primary.query(`INSERT INTO ${name}.pet (owner_id, nick_name) VALUES (1, 'Rex')`);
  await cluster.waitUntilReplicated();
}

/** The hosts of a cluster as the dialect takes them. */
export function hosts(cluster: Cluster, database: Pick<FreshDatabase, 'connectionOptions'>) {
  return {
    primary: { ...database.connectionOptions(cluster.primary), name: cluster.primary.name },
    replicas: cluster.replicas.map((server) => ({
      ...database.connectionOptions(server),
      name: server.name,
    })),
  };
}

/** What {@link open} takes: parts of the dialect's options and of Kysely's. */
export interface OpenOptions
  extends Partial<ReplicatedMysqlDialectOptions>,
    Pick<KyselyConfig, 'log' | 'plugins'> {}

/** A Kysely over a cluster; `await using` closes it. */
export function open(
  cluster: Cluster,
  database: Pick<FreshDatabase, 'connectionOptions'>,
  { log, plugins, ...options }: OpenOptions = {},
): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: new ReplicatedMysqlDialect({
      ...hosts(cluster, database),
      // A replica that has not caught up yet must not change where things run.
      causalWait: 10_000,
      ...options,
    }),
    ...(log === undefined ? {} : { log }),
    ...(plugins === undefined ? {} : { plugins }),
  });
}

/** The names of the servers that ran statements with this text, as `primary` or `replica`. */
export async function rolesOf(cluster: Cluster, tag: string): Promise<string[]> {
  const ran = await cluster.whoRan(tag);
  return ran.map(({ server }) => server.replace(/-\d+$/, ''));
}

/** Everything that the primary was sent on the connections that ran something with this text. */
export async function sentWith(cluster: Cluster, tag: string): Promise<string[]> {
  const statements = await cluster.primary.statements();
  const threads = new Set(
    statements.filter(({ sql }) => sql.includes(tag)).map(({ threadId }) => threadId),
  );
  return statements
    .filter(({ threadId, command }) => threads.has(threadId) && command === 'Query')
    .map(({ sql }) => sql);
}

let count = 0;

/** A text that no other statement has. */
export function newTag(): string {
  count += 1;
  return `kysely-${process.pid}-${count}-`;
}
