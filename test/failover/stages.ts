import { setTimeout as sleep } from 'node:timers/promises';
import { createReplicatedPool, type ReplicatedPool } from '@rwsplit/core';
import { app } from '../support/servers/accounts.ts';
import type { Flavor } from '../support/servers/flavor.ts';
import type { OwnedServer } from '../support/servers/owned-server.ts';
import { startCluster } from '../support/servers/start-cluster.ts';
import { startGroup } from '../support/servers/start-group.ts';
import { Load, type Outcome } from './load.ts';

/** Servers whose primary can be made another one. */
export interface Stage {
  readonly servers: readonly OwnedServer[];
  readonly topology: 'readOnly' | 'groupReplication';
  /** Ends the primary, and resolves when another server has its place. */
  readonly fail: () => Promise<unknown>;
  /** Moves the primary in order. */
  readonly move: () => Promise<unknown>;
  /** The options of a connection to a server. */
  connectionOptions(server: OwnedServer): object;
  stop(): Promise<void>;
}

/** Asynchronous replication; a failover manager is played by the test. */
export async function asynchronous(flavor: Flavor): Promise<Stage> {
  // Without it, what is acknowledged may be lost, whatever the client does.
  const cluster = await startCluster({ flavor, semiSync: true, statementLog: false });
  const [next] = cluster.replicas;
  return {
    servers: cluster.all,
    topology: 'readOnly',
    fail: () => cluster.failover(),
    move: () => (next === undefined ? Promise.resolve() : cluster.switchover(next)),
    connectionOptions: (server) => cluster.connectionOptions(server),
    stop: () => cluster.stop(),
  };
}

const groupTables = ['replication_group_members', 'replication_group_member_stats'];

/** Group Replication, which elects by itself. */
export async function group(): Promise<Stage> {
  const members = await startGroup({ statementLog: false });
  const first = await members.primary();
  for (const table of groupTables) {
    await first.query(`GRANT SELECT ON performance_schema.${table} TO ${app.user}@'%'`);
  }
  const [next] = await members.secondaries();
  return {
    servers: members.all,
    topology: 'groupReplication',
    fail: async () => {
      await first.kill();
      await members.primary();
    },
    move: () => (next === undefined ? Promise.resolve() : members.switchover(next)),
    connectionOptions: (server) => members.connectionOptions(server),
    stop: () => members.stop(),
  };
}

/** What a failover under load came to. */
export interface Failover extends Outcome {
  /** From the end of the old primary, or the order to move, until a server took writes, in milliseconds. */
  readonly election: number;
  /** From then until the first write was acknowledged there, in milliseconds. */
  readonly beyond: number;
  /** Ids on the new primary. */
  readonly there: readonly number[];
}

// Replicas that have all but the last writes may be slow to show them on a busy machine.
const poolOptions = { primaryWait: 30_000, probeInterval: 500, causalWait: 10_000 };

/** Writes all the time while the primary becomes another one, and counts afterwards. */
export async function failOver(stage: Stage, how: 'fail' | 'move'): Promise<Failover> {
  const [primary, ...replicas] = stage.servers.map((server) => ({
    ...stage.connectionOptions(server),
    name: server.name,
  }));
  if (primary === undefined) {
    throw new Error('no server');
  }
  const { topology } = stage;
  const pool = createReplicatedPool({ primary, replicas, topology, ...poolOptions });
  try {
    await pool.promise().query('DROP TABLE IF EXISTS written');
    await pool.promise().query('CREATE TABLE written (n INT AUTO_INCREMENT PRIMARY KEY, id INT)');
    return await under(pool, stage, how);
  } finally {
    await pool.promise().end();
  }
}

async function under(pool: ReplicatedPool, stage: Stage, how: 'fail' | 'move'): Promise<Failover> {
  const load = new Load(pool);
  await until(() => load.acknowledged > 100);
  const [, ...others] = stage.servers;
  const startedAt = performance.now();
  const elected = firstToTakeWrites(others);
  await stage[how]();
  const { server, at } = await elected;
  await until(() => load.firstWrites.has(server.name));
  const before = load.acknowledged;
  await until(() => load.acknowledged > before + 100);
  const outcome = await load.stop();
  const rows = await server.query<{ id: number }>('SELECT id FROM app.written');
  return {
    ...outcome,
    election: at - startedAt,
    beyond: Math.max(0, (load.firstWrites.get(server.name) ?? 0) - at),
    there: rows.map(({ id }) => id),
  };
}

async function firstToTakeWrites(
  servers: readonly OwnedServer[],
): Promise<{ readonly server: OwnedServer; readonly at: number }> {
  for (;;) {
    for (const server of servers) {
      const [row] = await server
        .query<{ taking: number }>('SELECT @@GLOBAL.read_only = 0 AS taking')
        .catch(() => []);
      if (Number(row?.taking) === 1) {
        return { server, at: performance.now() };
      }
    }
    await sleep(5);
  }
}

/** Fails by the limit of the test that waits. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await sleep(5);
  }
}
