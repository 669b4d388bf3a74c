import { AdminConnection, type Row } from './admin-connection.ts';
import type { Flavor } from './flavor.ts';
import { Replication } from './replication.ts';
import { type Mark, type Statement, type StatementFilter, StatementLog } from './statement-log.ts';

/** What another process needs to know to use a running server: plain data. */
export interface ServerInfo {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly serverId: number;
  readonly logFile: string;
}

/** A running server, whoever started it. */
export class Server {
  /** `primary`, `replica-1`, `replica-2`, … */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  protected readonly admin: AdminConnection;
  /** @internal */
  readonly replication: Replication;
  readonly #serverId: number;
  readonly #log: StatementLog;

  constructor(info: ServerInfo, flavor: Flavor) {
    this.name = info.name;
    this.host = info.host;
    this.port = info.port;
    this.#serverId = info.serverId;
    this.admin = new AdminConnection(info.host, info.port);
    this.replication = new Replication(this.admin, flavor);
    this.#log = new StatementLog(info.logFile);
  }

  get serverId(): number {
    return this.#serverId;
  }

  /** Runs SQL as the admin user: never shown by {@link statements}; opens a connection if needed. */
  query<R extends Row = Row>(sql: string, values?: readonly unknown[]): Promise<R[]> {
    return this.admin.query<R>(sql, values);
  }

  /** A counter of `SHOW GLOBAL STATUS`. */
  async status(name: string): Promise<number> {
    const [row] = await this.query<{ Value: string }>(
      'SHOW GLOBAL STATUS WHERE Variable_name = ?',
      [name],
    );
    if (row === undefined) throw new Error(`no status variable ${name}`);
    return Number(row.Value);
  }

  /** Now, in this server's log: for {@link statements}. */
  mark(): Promise<Mark> {
    return this.#log.mark();
  }

  /**
   * What application users sent to this server, in the order it arrived, from its general log.
   * Also works while the server hangs or is dead.
   */
  statements(filter?: StatementFilter): Promise<Statement[]> {
    return this.#log.read(filter);
  }

  /** @internal Whether a query has a chance of an answer. */
  get isAnswering(): boolean {
    return true;
  }

  /** Closes the admin connection (the next query opens another). */
  disconnect(): void {
    this.admin.close();
  }
}
