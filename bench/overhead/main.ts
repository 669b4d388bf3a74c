/**
 * What rwsplit costs on top of the stock dialects: a primary-key read of one row through mysql2's pool,
 * Knex and Kysely, each stock and with rwsplit, on the same server, in turn in one run.
 * Prints the median latency, the CPU time of this process per query, and the ratios.
 *
 * `npm run bench:overhead [rounds] [mysql|mariadb]`
 */
import { createReplicatedPool } from '@rwsplit/core';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
import Knex, { type Knex as KnexType } from 'knex';
import { Kysely, MysqlDialect } from 'kysely';
import mysql from 'mysql2';
import { flavors } from '../../test/support/servers/flavor.ts';
import { startCluster } from '../../test/support/servers/start-cluster.ts';

const rounds = Number(process.argv[2] ?? 40);
const perRound = 500;
const flavor = flavors.find((one) => one === process.argv[3]) ?? 'mysql';

interface Contender {
  read(id: number): Promise<unknown>;
  close(): Promise<unknown>;
}

await using cluster = await startCluster({ flavor, replicas: 0, statementLog: false });
await cluster.primary.query('CREATE TABLE app.item (id INT PRIMARY KEY, name VARCHAR(40))');
await cluster.primary.query(
  `INSERT INTO app.item VALUES ${Array.from({ length: 1000 }, (_, id) => `(${id}, 'item ${id}')`).join()}`,
);
const server = cluster.connectionOptions(cluster.primary);
// The same server as primary and as replica: what differs is rwsplit alone.
const replicated = { primary: server, replicas: [server] };

const pairs: Record<string, readonly [stock: Contender, split: Contender]> = {
  'mysql2 pool': [
    ofPool(mysql.createPool(server).promise()),
    ofPool(createReplicatedPool(replicated).promise()),
  ],
  Knex: [
    ofKnex(Knex({ client: 'mysql2', connection: { ...server } })),
    ofKnex(Knex({ client: ReplicatedMysql2, connection: { ...server }, replicas: [server] })),
  ],
  Kysely: [
    ofKysely(new Kysely({ dialect: new MysqlDialect({ pool: mysql.createPool(server) }) })),
    ofKysely(new Kysely({ dialect: new ReplicatedMysqlDialect(replicated) })),
  ],
};

console.log(
  `${flavor} ${cluster.version}, Node ${process.version}, ${rounds} rounds of ${perRound} reads each`,
);
console.log(
  '             p50 stock  p50 rwsplit  ratio (median of rounds)   CPU stock  CPU rwsplit  ratio',
);
for (const [name, [stock, split]] of Object.entries(pairs)) {
  await measure(stock);
  await measure(split);
  const samples: { stock: Sample; split: Sample }[] = [];
  for (let round = 0; round < rounds; round++) {
    // Who goes first changes, so that neither has the warmer cache.
    const isStockFirst = round % 2 === 0;
    const first = await measure(isStockFirst ? stock : split);
    const second = await measure(isStockFirst ? split : stock);
    samples.push(isStockFirst ? { stock: first, split: second } : { stock: second, split: first });
  }
  const of = (pick: (sample: (typeof samples)[number]) => number) => median(samples.map(pick));
  console.log(
    [
      name.padEnd(12),
      us(of(({ stock }) => stock.p50)),
      us(of(({ split }) => split.p50)),
      of(({ stock, split }) => split.p50 / stock.p50)
        .toFixed(3)
        .padStart(8),
      us(of(({ stock }) => stock.cpu)).padStart(28),
      us(of(({ split }) => split.cpu)),
      of(({ stock, split }) => split.cpu / stock.cpu)
        .toFixed(3)
        .padStart(8),
    ].join(' '),
  );
  await Promise.all([stock.close(), split.close()]);
}

interface Sample {
  /** Microseconds. */
  readonly p50: number;
  /** Microseconds of this process per read. */
  readonly cpu: number;
}

async function measure(contender: Contender): Promise<Sample> {
  const latencies: number[] = [];
  const cpuBefore = process.cpuUsage();
  for (let read = 0; read < perRound; read++) {
    const startedAt = performance.now();
    await contender.read(read % 1000);
    latencies.push((performance.now() - startedAt) * 1000);
  }
  const cpu = process.cpuUsage(cpuBefore);
  return { p50: median(latencies), cpu: (cpu.user + cpu.system) / perRound };
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function us(value: number): string {
  return `${value.toFixed(1)} µs`.padStart(10);
}

function ofPool(pool: {
  query(sql: string, values: number[]): Promise<unknown>;
  end(): Promise<void>;
}): Contender {
  return {
    read: (id) => pool.query('SELECT id, name FROM item WHERE id = ?', [id]),
    close: () => pool.end(),
  };
}

function ofKnex(knex: KnexType): Contender {
  return {
    read: (id) => knex('item').select('id', 'name').where({ id }),
    close: () => knex.destroy(),
  };
}

function ofKysely(db: Kysely<{ item: { id: number; name: string } }>): Contender {
  return {
    read: (id) => db.selectFrom('item').select(['id', 'name']).where('id', '=', id).execute(),
    close: () => db.destroy(),
  };
}
