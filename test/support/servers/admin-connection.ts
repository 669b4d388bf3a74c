import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { admin } from './accounts.ts';

/** A row as an admin query returns it. */
export type Row = Readonly<Record<string, unknown>>;

/** One lazily opened connection as the admin user, opened anew after the server was away. */
export class AdminConnection {
  readonly #host: string;
  readonly #port: number;
  #connection: Promise<Connection> | undefined;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  /** Rows of a query; none for a statement that returns no result set. */
  async query<R extends Row = Row>(sql: string, values: readonly unknown[] = []): Promise<R[]> {
    this.#connection ??= this.#open();
    const connection = await this.#connection;
    const [rows] = await connection.query<(R & RowDataPacket)[]>(sql, [...values]);
    return Array.isArray(rows) ? rows : [];
  }

  /** Drops the connection; the next query opens another one. */
  close(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.then((open) => open.destroy()).catch(() => {});
  }

  #open(): Promise<Connection> {
    const opening = createConnection({
      host: this.#host,
      port: this.#port,
      ...admin,
      connectTimeout: 5_000,
      supportBigNumbers: true,
    });
    const forget = () => {
      if (this.#connection === mine) this.#connection = undefined;
    };
    const mine = opening.then(
      (connection) => {
        connection.on('error', forget);
        connection.on('end', forget);
        return connection;
      },
      (error: unknown) => {
        forget();
        throw error;
      },
    );
    return mine;
  }
}
