import type { TestProject } from 'vitest/node';
import type { ClusterInfo } from './servers/cluster.ts';
import type { Flavor } from './servers/flavor.ts';
import { startCluster } from './servers/start-cluster.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The clusters that all test files share; see `sharedCluster`. */
    readonly clusters: Readonly<Record<Flavor, ClusterInfo>>;
  }
}

/** Vitest's globalSetup: starts one cluster of each flavour, before any test file and for all. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [mysql, mariadb] = await Promise.all([
    startCluster({ flavor: 'mysql' }),
    startCluster({ flavor: 'mariadb' }),
  ]);
  project.provide('clusters', { mysql: mysql.info, mariadb: mariadb.info });
  return async () => {
    await Promise.all([mysql.stop(), mariadb.stop()]);
  };
}
