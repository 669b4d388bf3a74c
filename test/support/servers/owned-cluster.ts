import { Cluster, type ClusterInfo } from './cluster.ts';
import type { ServerProgram } from './find.ts';
import type { OwnedServer } from './owned-server.ts';
import { Roles } from './roles.ts';
import type { Site } from './site.ts';

/** A cluster that this process started and ends. */
export class OwnedCluster extends Cluster<OwnedServer> implements AsyncDisposable {
  readonly #site: Site;
  readonly #roles: Roles;

  constructor(
    { flavor, version }: ServerProgram,
    servers: readonly [OwnedServer, ...OwnedServer[]],
    site: Site,
    isSemiSync: boolean,
  ) {
    super(flavor, version, servers);
    this.#site = site;
    this.#roles = new Roles(flavor, isSemiSync);
  }

  /** The temporary folder with all of the cluster's files. */
  get folder(): string {
    return this.#site.folder;
  }

  /** For `attachCluster` in another process. */
  get info(): ClusterInfo {
    const servers = [this.primary, ...this.replicas].map((server) => server.info);
    return { flavor: this.flavor, version: this.version, servers };
  }

  /** @internal */
  async create(): Promise<void> {
    await this.#site.create(this.all);
    await this.#follow(this.replicas);
    await this.waitUntilReplicated();
  }

  /**
   * Makes a replica the primary, in order: nothing is lost, and the old primary, like all others,
   * follows the new one.
   */
  async switchover(to: OwnedServer): Promise<void> {
    const from = this.primary;
    if (to === from) throw new Error(`${to.name} is the primary already`);
    await this.#roles.refuseWrites(from);
    await this.#roles.catchUp(to, await from.replication.executed());
    await this.#roles.promote(to);
    this.primaryIsNow(to);
    await this.#follow(this.replicas.filter((replica) => replica !== from));
    await this.#roles.demote(from, to);
  }

  /**
   * Kills the primary, if it still runs, and makes the replica that received the most the new one,
   * which the others follow. Without `semiSync`, what none of them had received is lost.
   *
   * @returns the new primary
   */
  async failover(): Promise<OwnedServer> {
    await this.primary.kill();
    const candidates = this.replicas.filter((replica) => replica.isAnswering);
    // Nothing may come in while they are compared.
    await Promise.all(candidates.map(({ replication }) => replication.stopReceiving()));
    const chosen = await this.#roles.mostAdvanced(candidates);
    await this.#roles.catchUp(chosen, await chosen.replication.received());
    await this.#roles.promote(chosen);
    this.primaryIsNow(chosen);
    await this.#follow(candidates.filter((replica) => replica !== chosen));
    return chosen;
  }

  /**
   * Makes a server that a {@link failover} replaced a replica, with a new data directory, which
   * gets all of the data: the old one may have what was lost. Its statement log starts anew.
   */
  async rebuild(server: OwnedServer): Promise<void> {
    if (server === this.primary) throw new Error(`${server.name} is the primary`);
    server.startsAs('replica');
    await server.recreate();
    await this.#follow([server]);
  }

  /** Kills the servers and removes their files. Calling it again does nothing. */
  stop(): Promise<void> {
    return this.#site.close(this.all);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #follow(replicas: readonly OwnedServer[]): Promise<void> {
    const { host, port } = this.primary;
    const running = replicas.filter((replica) => replica.isAnswering);
    await Promise.all(running.map(({ replication }) => replication.follow(host, port)));
  }
}
