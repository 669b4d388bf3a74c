import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import type { FunctionTable } from '../../packages/core/src/statement/functions/table.ts';

/** Where a server is, and an account with every right. */
export interface Account {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** A running server, asked over a few connections at once. */
export interface Server {
  readonly dialect: FunctionTable['dialect'];
  /** Dotted number without vendor suffix. */
  readonly version: string;
  readonly connections: readonly [Connection, ...Connection[]];
}

export async function connect(account: Account): Promise<Connection> {
  return createConnection({
    ...account,
    // mysql2 asks for IGNORE_SPACE by itself, which changes what a call is.
    flags: ['-IGNORE_SPACE'],
    // Two large integers that differ in their last digit are not the same answer.
    supportBigNumbers: true,
  });
}

export async function openServer(account: Account): Promise<Server> {
  const first = await connect(account);
  const [rows] = await first.query<RowDataPacket[]>('SELECT VERSION() AS version');
  const version = String(rows[0]?.['version']);
  return {
    dialect: /mariadb/i.test(version) ? 'mariadb' : 'mysql',
    version: /^[\d.]+/.exec(version)?.[0] ?? version,
    connections: [first, await connect(account)],
  };
}

export async function closeServer({ connections }: Server): Promise<void> {
  for (const connection of connections) await connection.end();
}

/** Calls `work` for every item, on all connections at once. */
export async function spread<T>(
  { connections }: Server,
  items: Iterable<T>,
  work: (connection: Connection, item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items].values();
  await Promise.all(
    connections.map(async (connection) => {
      for (const item of queue) await work(connection, item);
    }),
  );
}

/** Runs a statement on every connection. */
export async function onEach({ connections }: Server, sql: string): Promise<void> {
  for (const connection of connections) await connection.query(sql);
}

/** Runs a statement; the server's error number, 0 if there was none. */
export async function errno(connection: Connection, sql: string): Promise<number> {
  try {
    await connection.query(sql);
    return 0;
  } catch (error) {
    const code = error instanceof Error && 'errno' in error ? Number(error.errno) : Number.NaN;
    // Anything else (a lost connection, an error of the client) is no answer of the server.
    if (!(code >= 1000 && code < 60000)) throw error;
    return code;
  }
}

/** The first row as JSON. */
export async function firstRow(connection: Connection, sql: string): Promise<string> {
  const [rows] = await connection.query<RowDataPacket[]>({ sql, rowsAsArray: true });
  return JSON.stringify(rows[0] ?? null);
}
