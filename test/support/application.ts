import { type Connection, createConnection } from 'mysql2/promise';
import type { ConnectionOptions } from './servers/cluster.ts';

/** Opens an application connection for the time of a callback. */
export async function withConnection<T>(
  options: ConnectionOptions,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await createConnection(options);
  try {
    return await use(connection);
  } finally {
    connection.destroy();
  }
}

/** Runs one statement on a connection of its own. */
export function runOnce(options: ConnectionOptions, sql: string): Promise<unknown> {
  return withConnection(options, async (connection) => (await connection.query(sql))[0]);
}
