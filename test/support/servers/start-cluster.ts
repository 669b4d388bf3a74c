import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, type ClusterInfo } from './cluster.ts';
import { findServer, type ServerProgram } from './find.ts';
import type { Flavor } from './flavor.ts';
import { OwnedServer } from './owned-server.ts';
import { freePorts } from './ports.ts';
import { Watchdog } from './watchdog.ts';

export interface ClusterOptions {
  readonly flavor: Flavor;
  /** How many replicas. Default: 2. */
  readonly replicas?: number;
  /**
   * Whether the servers write down every statement, which `statements` and `whoRan` need.
   * Default: true. For measurements: false.
   */
  readonly statementLog?: boolean;
  /** Further arguments for every server, such as `--performance-schema=ON`. */
  readonly settings?: readonly string[];
}

/** A cluster that this process started and ends. */
export class OwnedCluster extends Cluster<OwnedServer> implements AsyncDisposable {
  /** The temporary folder with all of the cluster's files. */
  readonly folder: string;
  readonly #watchdog: Watchdog;

  constructor(
    { flavor, version }: ServerProgram,
    servers: readonly [OwnedServer, ...OwnedServer[]],
    folder: string,
    watchdog: Watchdog,
  ) {
    super(flavor, version, servers);
    this.folder = folder;
    this.#watchdog = watchdog;
  }

  /** For `attachCluster` in another process. */
  get info(): ClusterInfo {
    const servers = this.all.map((server) => server.info);
    return { flavor: this.flavor, version: this.version, servers };
  }

  /** @internal */
  async create(): Promise<void> {
    const { host, port } = this.primary;
    const starts = await Promise.allSettled(this.all.map((server) => server.create()));
    // Only now: the one that failed first must not have the others' files removed as they start.
    for (const start of starts) if (start.status === 'rejected') throw start.reason;
    await Promise.all(this.replicas.map(({ replication }) => replication.follow(host, port)));
    await this.waitUntilReplicated();
  }

  /** Kills the servers and removes their files. Calling it again does nothing. */
  async stop(): Promise<void> {
    // Nothing in there is needed again: no reason to wait for an orderly shutdown.
    await Promise.all(this.all.map((server) => server.kill()));
    await rm(this.folder, { recursive: true, force: true });
    this.#watchdog.dismiss();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/**
 * Starts a primary and its GTID replicas on free loopback ports, in a temporary folder.
 *
 * Everything is gone after `stop()`, and also when this process dies without it.
 */
export async function startCluster(options: ClusterOptions): Promise<OwnedCluster> {
  const program = await findServer(options.flavor);
  const folder = await mkdtemp(join(tmpdir(), 'rwsplit-'));
  const watchdog = new Watchdog(folder);
  const ports = await freePorts(1 + (options.replicas ?? 2));
  const servers = ports.map((port, index) => {
    const name = index === 0 ? 'primary' : `replica-${index}`;
    const home = join(folder, name);
    mkdirSync(home);
    return new OwnedServer({
      program,
      name,
      port,
      serverId: index + 1,
      folder: home,
      pids: watchdog.pids,
      isLogging: options.statementLog ?? true,
      settings: options.settings ?? [],
    });
  });
  const [primary, ...replicas] = servers;
  if (primary === undefined) throw new Error('no port for the primary');
  const cluster = new OwnedCluster(program, [primary, ...replicas], folder, watchdog);
  try {
    await cluster.create();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
