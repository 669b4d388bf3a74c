import { randomBytes } from 'node:crypto';
import { afterAll, inject } from 'vitest';
import { attachCluster, type Cluster, type ConnectionOptions } from './servers/cluster.ts';
import type { Flavor } from './servers/flavor.ts';
import type { Server } from './servers/server.ts';

const attached = new Map<Flavor, Cluster>();

/**
 * The cluster of this flavour that `global-setup.ts` started for all test files: for tests that
 * leave servers and replication alone. Tests of faults and lag start one with `startCluster`.
 */
export function sharedCluster(flavor: Flavor): Cluster {
  const cluster = attached.get(flavor) ?? attachCluster(inject('clusters')[flavor]);
  attached.set(flavor, cluster);
  return cluster;
}

/** A database of one test file, on all servers of a cluster. */
export interface FreshDatabase {
  readonly name: string;
  /** Options for mysql2 to connect to one server and this database as the application user. */
  connectionOptions(server: Server): ConnectionOptions;
}

/**
 * Creates an empty database under a name of its own, present on all replicas when this resolves.
 * To be called at the top level of a test file or `describe` (with `await`): dropped after it.
 */
export async function freshDatabase(cluster: Cluster): Promise<FreshDatabase> {
  // The application user may do anything in databases named like this.
  const name = `${cluster.database}_${randomBytes(6).toString('hex')}`;
  afterAll(async () => {
    await cluster.primary.query(`DROP DATABASE ${name}`);
  });
  await cluster.primary.query(`CREATE DATABASE ${name}`);
  await cluster.waitUntilReplicated();
  return { name, connectionOptions: (server) => cluster.connectionOptions(server, name) };
}
