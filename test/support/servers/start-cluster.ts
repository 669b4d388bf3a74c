import { findServer, type ServerProgram } from './find.ts';
import type { Flavor } from './flavor.ts';
import { OwnedCluster } from './owned-cluster.ts';
import { OwnedServer } from './owned-server.ts';
import { freePorts } from './ports.ts';
import { clusterSettings } from './settings.ts';
import { Site } from './site.ts';

export { OwnedCluster } from './owned-cluster.ts';

export interface ClusterOptions {
  readonly flavor: Flavor;
  /** How many replicas. Default: 2. */
  readonly replicas?: number;
  /**
   * Whether the servers write down every statement, which `statements` and `whoRan` need.
   * Default: true. For measurements: false.
   */
  readonly statementLog?: boolean;
  /**
   * Whether a commit waits until a replica has received it, for ever if need be: nothing that was
   * acknowledged is lost when the primary is killed. Needs a replica. Default: false.
   */
  readonly semiSync?: boolean;
  /** Further arguments for every server, such as `--performance-schema=ON`. */
  readonly settings?: readonly string[];
}

/**
 * Starts a primary and its GTID replicas on free loopback ports, in a temporary folder.
 *
 * Everything is gone after `stop()`, and also when this process dies without it.
 */
export async function startCluster(options: ClusterOptions): Promise<OwnedCluster> {
  const program = await findServer(options.flavor);
  const ports = await freePorts(1 + (options.replicas ?? 2));
  const site = await Site.open();
  const servers = await Promise.all(
    ports.map((port, index) => newServer(options, { program, site, port, index })),
  );
  const [primary, ...replicas] = servers;
  if (primary === undefined) throw new Error('no port for the primary');
  const all = [primary, ...replicas] as const;
  const cluster = new OwnedCluster(program, all, site, options.semiSync ?? false);
  try {
    await cluster.create();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

interface Position {
  readonly program: ServerProgram;
  readonly site: Site;
  readonly port: number;
  /** 0 is the primary. */
  readonly index: number;
}

async function newServer(options: ClusterOptions, position: Position): Promise<OwnedServer> {
  const { flavor, statementLog: isLogging = true, semiSync: isSemiSync = false } = options;
  const { program, site, port, index } = position;
  const name = index === 0 ? 'primary' : `replica-${index}`;
  return new OwnedServer({
    program,
    name,
    port,
    serverId: index + 1,
    folder: await site.home(name),
    pids: site.pids,
    isReplica: index > 0,
    settings: (role) => [
      ...clusterSettings(flavor, { ...role, isLogging, isSemiSync }),
      ...(options.settings ?? []),
    ],
  });
}
