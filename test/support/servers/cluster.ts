import { Deployment } from './deployment.ts';
import type { Flavor } from './flavor.ts';
import { Server, type ServerInfo } from './server.ts';

export type { ConnectionOptions, Ran } from './deployment.ts';

/** What another process needs to know to use a running cluster: plain data. */
export interface ClusterInfo {
  readonly flavor: Flavor;
  readonly version: string;
  readonly servers: readonly ServerInfo[];
}

/** A running primary with its replicas, whoever started it. */
export class Cluster<S extends Server = Server> extends Deployment<S> {
  #primary: S;

  constructor(flavor: Flavor, version: string, servers: readonly [S, ...S[]]) {
    super(flavor, version, servers);
    this.#primary = servers[0];
  }

  /** The one that was started as such, or the one that a role switch chose last. */
  get primary(): S {
    return this.#primary;
  }

  /** Called after a role switch. */
  protected primaryIsNow(server: S): void {
    this.#primary = server;
  }

  /** All others, running or not. */
  get replicas(): readonly S[] {
    return this.all.filter((server) => server !== this.#primary);
  }

  /**
   * Waits until every replica that runs has all that the primary has committed.
   *
   * @param timeoutMs for each replica; default 10 seconds
   * @throws Error that names the replica that did not get there, and why, if the server knows
   */
  async waitUntilReplicated(timeoutMs = 10_000): Promise<void> {
    const executed = await this.primary.replication.executed();
    if (executed === '') return;
    const answering = this.replicas.filter((replica) => replica.isAnswering);
    await Promise.all(
      answering.map(async ({ name, replication }) => {
        if (await replication.reaches(executed, timeoutMs / 1000)) return;
        const problem = (await replication.problem()) || 'it is behind';
        throw new Error(`${name} did not catch up within ${timeoutMs} ms: ${problem}`);
      }),
    );
  }
}

/** Connects to a cluster that another process runs. */
export function attachCluster({ flavor, version, servers }: ClusterInfo): Cluster {
  const [primary, ...replicas] = servers.map((info) => new Server(info, flavor));
  if (primary === undefined) throw new Error('a cluster has at least a primary');
  return new Cluster(flavor, version, [primary, ...replicas]);
}
