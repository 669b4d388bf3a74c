import type { Connection } from 'mysql2/promise';

/** What the server says to a call of a name. */
export type Existence = 'built-in' | 'keyword' | 'none';

const parseError = 1064;
/** ER_SP_DOES_NOT_EXIST, and ER_FUNC_INEXISTENT_NAME_COLLISION: a built-in's name, but not touching. */
const noSuchFunction = new Set([1305, 1630]);

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

/**
 * Whether `name` is a function of the server itself. `'keyword'`: the grammar knows the name, and
 * no plain call of it. MariaDB's `POINT()` does not exist while `POINT(0, 0)` does, hence the
 * arities. The current database must hold no stored functions.
 */
export async function existence(connection: Connection, name: string): Promise<Existence> {
  let refused = false;
  for (const args of ['', '0', '0,0', '0,0,0', '0,0,0,0', '*']) {
    const answer = await errno(connection, `SELECT ${name}(${args}) LIMIT 0`);
    if (noSuchFunction.has(answer)) refused = true;
    else if (answer !== parseError) return 'built-in';
    // No function of these servers needs more than two arguments and is unknown with fewer.
    if (refused && args === '0,0') return 'none';
  }
  return refused ? 'none' : 'keyword';
}

/** Calls `work` for every item, on all connections at once. */
export async function spread<T>(
  connections: readonly Connection[],
  items: readonly T[],
  work: (connection: Connection, item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    connections.map(async (connection) => {
      for (const item of queue) await work(connection, item);
    }),
  );
}
