import { app, appDatabase } from './accounts.ts';
import type { Flavor } from './flavor.ts';
import { Server, type ServerInfo } from './server.ts';

/** What another process needs to know to use a running cluster: plain data. */
export interface ClusterInfo {
  readonly flavor: Flavor;
  readonly version: string;
  readonly servers: readonly ServerInfo[];
}

/** What mysql2's `createConnection` and `createPool` take. */
export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A server that ran a statement. */
export interface Ran {
  /** The server's name. */
  readonly server: string;
  readonly sql: string;
  readonly threadId: number;
}

/** A running primary with its replicas, whoever started it. */
export class Cluster<S extends Server = Server> {
  readonly flavor: Flavor;
  /** Dotted number without vendor suffix, as in `9.7.4`. */
  readonly version: string;
  readonly primary: S;
  readonly replicas: readonly S[];
  /** A database that {@link user} may do anything in. */
  readonly database: string = appDatabase;
  readonly user: string = app.user;
  readonly password: string = app.password;

  constructor(flavor: Flavor, version: string, [primary, ...replicas]: readonly [S, ...S[]]) {
    this.flavor = flavor;
    this.version = version;
    this.primary = primary;
    this.replicas = replicas;
  }

  /** The primary and then the replicas. */
  get all(): readonly [S, ...S[]] {
    return [this.primary, ...this.replicas];
  }

  /** Options for mysql2 to connect to one server as the application user. */
  connectionOptions(server: Server, database: string = this.database): ConnectionOptions {
    const { host, port } = server;
    return { host, port, user: this.user, password: this.password, database };
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

  /** The servers that were sent a statement with this text in it, by their own general logs. */
  async whoRan(tag: string): Promise<Ran[]> {
    const perServer = await Promise.all(
      this.all.map(async (server) => {
        const statements = await server.statements({ containing: tag });
        // Prepare is not a run: mysql2 prepares once and executes many times.
        return statements
          .filter(({ command }) => command === 'Query' || command === 'Execute')
          .map(({ sql, threadId }) => ({ server: server.name, sql, threadId }));
      }),
    );
    return perServer.flat();
  }
}

/** Connects to a cluster that another process runs. */
export function attachCluster({ flavor, version, servers }: ClusterInfo): Cluster {
  const [primary, ...replicas] = servers.map((info) => new Server(info, flavor));
  if (primary === undefined) throw new Error('a cluster has at least a primary');
  return new Cluster(flavor, version, [primary, ...replicas]);
}
