import {
  createReplicatedPool,
  type HostOptions,
  type HostSnapshot,
  type ReplicatedPool,
  type RoutingOptions,
} from '@rwsplit/core';
import type { Random } from '../proofs/random.ts';
import type { OwnedServer } from '../support/servers/owned-server.ts';
import type { OwnedCluster } from '../support/servers/start-cluster.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** Of each host, and so of each pool on a server. */
export const connectionLimit = 6;
/** Of each pool to a server: of the monitor, the vitals, the watch, the snapshots, the catalogue. */
const sideConnections = 5;
export const lastingPools = 2;
/** More may be closing, and no more are there for long. */
export const mostConnections = lastingPools * (connectionLimit + sideConnections);

/** Short times, so that a run of minutes sees what takes hours elsewhere. */
const common = {
  topology: 'readOnly',
  cluster: 'soak',
  probeInterval: 500,
  probeTimeout: 1000,
  primaryWait: 5000,
  acquireTimeout: 4000,
  closeTimeout: 2000,
  checkIdleAfter: 1500,
  catalogueRefresh: 5000,
} as const satisfies RoutingOptions;

/** A pool that lives for a whole run, and what of it differs from host to host. */
export interface LastingPool {
  readonly pool: ReplicatedPool;
  readonly hostOf: (server: OwnedServer) => HostOptions;
}

/** Servers, the network before them, and the pools that live for a whole run. */
export class Stage implements AsyncDisposable {
  readonly cluster: OwnedCluster;
  readonly lasting: readonly [LastingPool, LastingPool];
  readonly #proxies: ReadonlyMap<OwnedServer, TcpProxy>;

  private constructor(cluster: OwnedCluster, proxies: ReadonlyMap<OwnedServer, TcpProxy>) {
    this.cluster = cluster;
    this.#proxies = proxies;
    this.lasting = [this.#weighted(), this.#chosen()];
  }

  static async open(cluster: OwnedCluster): Promise<Stage> {
    const { primary, database } = cluster;
    // No key on `id`: a write that is carried out twice is to be seen.
    await primary.query(
      `CREATE TABLE ${database}.entry (place BIGINT AUTO_INCREMENT PRIMARY KEY, id INT NOT NULL, KEY (id))`,
    );
    await cluster.waitUntilReplicated();
    const proxies = new Map<OwnedServer, TcpProxy>();
    for (const server of cluster.all) proxies.set(server, await TcpProxy.start(server));
    return new Stage(cluster, proxies);
  }

  proxyOf(server: OwnedServer): TcpProxy {
    const proxy = this.#proxies.get(server);
    if (proxy === undefined) throw new Error(`${server.name} has no proxy`);
    return proxy;
  }

  /** A pool for a short while, with options by chance, such as to refuse what others do. */
  brief(random: Random): ReplicatedPool {
    return this.#open((server) => this.#hostOf(server), {
      balancing: random.pick(['leastOutstanding', 'roundRobin', 'random'] as const),
      onNoReplica: random.pick(['primary', 'error'] as const),
      onLag: random.pick(['primary', 'leastLagged', 'error'] as const),
      ...(random.chance(0.5) ? { maxLag: 1000 } : {}),
      allowReplicasDown: random.chance(0.5),
      allowPrimaryDown: random.chance(0.5),
      minIdle: random.below(3),
      maxLifetime: 500 + random.below(1500),
      closeTimeout: random.pick([0, 50, 2000]),
    });
  }

  /** Ends the network; pools are the run's to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of this.#proxies.values()) proxy.close();
  }

  #weighted(): LastingPool {
    const hostOf = (server: OwnedServer) => this.#hostOf(server);
    const pool = this.#open(hostOf, {
      primaryReads: 0.2,
      primaryReadShare: 0.5,
      maxLag: 3000,
      minIdle: 2,
      maxLifetime: 3000,
      dnsRefresh: false,
    });
    return { pool, hostOf };
  }

  #chosen(): LastingPool {
    const hostOf = (server: OwnedServer) => ({
      ...this.#hostOf(server),
      // A name, so that there is something to look up.
      host: 'localhost',
      zone: server.name.endsWith('1') ? 'here' : 'there',
    });
    const pool = this.#open(hostOf, {
      balancing: leastOf,
      zone: 'here',
      subset: 1,
      subsetKey: 'soak',
      maxLag: 1000,
      onLag: 'leastLagged',
      maxLifetime: 2000,
      dnsRefresh: 1000,
    });
    return { pool, hostOf };
  }

  #hostOf(server: OwnedServer): HostOptions {
    return {
      ...this.cluster.connectionOptions(server),
      port: this.proxyOf(server).port,
      name: server.name,
      connectionLimit,
      // Room for 16,000 of them makes a tenth of a megabyte of each connection, however few there are.
      maxPreparedStatements: 20,
    };
  }

  #open(hostOf: (server: OwnedServer) => HostOptions, options: RoutingOptions): ReplicatedPool {
    const { primary, replicas, flavor } = this.cluster;
    return createReplicatedPool({
      ...common,
      dialect: flavor,
      ...options,
      primary: hostOf(primary),
      replicas: replicas.map(hostOf),
    });
  }
}

let choices = 0;

/** A user's function, wrong now and then. */
function leastOf(hosts: readonly HostSnapshot[]): HostSnapshot | string {
  choices += 1;
  if (choices % 101 === 0) throw new Error('a mistake in the balancing function');
  if (choices % 103 === 0) return 'nobody';
  return [...hosts].sort((one, other) => one.outstanding - other.outstanding)[0] ?? 'nobody';
}
