import { replication } from './accounts.ts';
import type { AdminConnection } from './admin-connection.ts';
import type { Flavor } from './flavor.ts';

/** What differs between the flavours in the language of replication. */
interface Dialect {
  readonly follow: (host: string, port: number) => string;
  /** Statements that set the delay, in order, between them nothing else. */
  readonly delay: (seconds: number) => readonly string[];
  readonly executed: string;
  /** Takes the executed set and seconds. */
  readonly wait: string;
  /** Column of SHOW REPLICA STATUS: what the replica has in its relay log. */
  readonly received: string;
}

const dialects: Readonly<Record<Flavor, Dialect>> = {
  mysql: {
    follow: (host, port) =>
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST='${host}', SOURCE_PORT=${port},
       SOURCE_USER='${replication.user}', SOURCE_PASSWORD='${replication.password}',
       SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1,
       SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=100000`,
    delay: (seconds) => [
      'STOP REPLICA SQL_THREAD',
      `CHANGE REPLICATION SOURCE TO SOURCE_DELAY=${seconds}`,
      'START REPLICA SQL_THREAD',
    ],
    executed: 'SELECT @@GLOBAL.gtid_executed AS executed',
    wait: 'SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?) AS result',
    received: 'Retrieved_Gtid_Set',
  },
  mariadb: {
    follow: (host, port) =>
      `CHANGE MASTER TO MASTER_HOST='${host}', MASTER_PORT=${port},
       MASTER_USER='${replication.user}', MASTER_PASSWORD='${replication.password}',
       MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1`,
    delay: (seconds) => [
      'STOP REPLICA',
      `CHANGE MASTER TO MASTER_DELAY=${seconds}`,
      'START REPLICA',
    ],
    executed: 'SELECT @@GLOBAL.gtid_binlog_pos AS executed',
    wait: 'SELECT MASTER_GTID_WAIT(?, ?) AS result',
    received: 'Gtid_IO_Pos',
  },
};

/** The replication side of one server. */
export class Replication {
  readonly #connection: AdminConnection;
  readonly #dialect: Dialect;

  constructor(connection: AdminConnection, flavor: Flavor) {
    this.#connection = connection;
    this.#dialect = dialects[flavor];
  }

  /** Makes the server a replica of another one, instead of the one before, and starts it. */
  async follow(host: string, port: number): Promise<void> {
    await this.#connection.query('STOP REPLICA');
    await this.#connection.query(this.#dialect.follow(host, port));
    await this.#connection.query('START REPLICA');
  }

  /** Ends {@link follow}, with no trace left: the server is no replica any more. */
  async forget(): Promise<void> {
    await this.#connection.query('STOP REPLICA');
    await this.#connection.query('RESET REPLICA ALL');
  }

  /** Closes the connection to the primary; what came over it is still applied. */
  async stopReceiving(): Promise<void> {
    await this.#connection.query('STOP REPLICA IO_THREAD');
  }

  async stopApplying(): Promise<void> {
    await this.#connection.query('STOP REPLICA SQL_THREAD');
  }

  async startApplying(): Promise<void> {
    await this.#connection.query('START REPLICA SQL_THREAD');
  }

  async delay(seconds: number): Promise<void> {
    for (const statement of this.#dialect.delay(seconds)) await this.#connection.query(statement);
  }

  /** The GTID set that the server has committed. */
  async executed(): Promise<string> {
    const [row] = await this.#connection.query<{ executed: string }>(this.#dialect.executed);
    return row?.executed ?? '';
  }

  /** The GTID set in the replica's relay log, empty where nothing came since its last start. */
  async received(): Promise<string> {
    const [row] = await this.#connection.query('SHOW REPLICA STATUS');
    return `${row?.[this.#dialect.received] ?? ''}`;
  }

  /** Whether the server had committed this GTID set within the time. */
  async reaches(gtids: string, seconds: number): Promise<boolean> {
    const [row] = await this.#connection.query<{ result: number | null }>(this.#dialect.wait, [
      gtids,
      seconds,
    ]);
    // 0 on both; a timeout is 1 on MySQL and -1 on MariaDB.
    return row?.result === 0;
  }

  /** What keeps the replica from following, in the server's words; empty when nothing does. */
  async problem(): Promise<string> {
    const [row] = await this.#connection.query('SHOW REPLICA STATUS');
    const columns = ['Last_IO_Error', 'Last_SQL_Error'];
    return columns
      .map((name) => row?.[name] ?? '')
      .join(' ')
      .trim();
  }
}
