import { app, appDatabase } from './accounts.ts';
import type { Flavor } from './flavor.ts';
import type { Server } from './server.ts';

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

/** Servers with the same data, whichever of them is the primary. */
export class Deployment<S extends Server = Server> {
  readonly flavor: Flavor;
  /** Dotted number without vendor suffix, as in `9.7.4`. */
  readonly version: string;
  /** In the order of their start, whatever their roles are now. */
  readonly all: readonly [S, ...S[]];
  /** A database that {@link user} may do anything in. */
  readonly database: string = appDatabase;
  readonly user: string = app.user;
  readonly password: string = app.password;

  constructor(flavor: Flavor, version: string, servers: readonly [S, ...S[]]) {
    this.flavor = flavor;
    this.version = version;
    this.all = servers;
  }

  /** Options for mysql2 to connect to one server as the application user. */
  connectionOptions(server: Server, database: string = this.database): ConnectionOptions {
    const { host, port } = server;
    return { host, port, user: this.user, password: this.password, database };
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
