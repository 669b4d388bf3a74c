import type { Connection } from 'mysql2/promise';
import { errno, onEach, type Server, spread } from './server.ts';

/**
 * What the server says to calls of a name. `'keyword'`: the grammar knows the name, and no plain
 * call of it; `CAST` is one, and so is `SELECT`.
 */
export type Existence = 'built-in' | 'keyword' | 'none';

const parseError = 1064;
/** ER_SP_DOES_NOT_EXIST; ER_FUNC_INEXISTENT_NAME_COLLISION, its form for MariaDB's soft keywords. */
const noSuchFunction = new Set([1305, 1630]);

const scratchDatabase = 'rwsplit_existence';

/** The names among `candidates` that the server's own functions or its keywords have. */
export async function findFunctions(
  server: Server,
  candidates: Iterable<string>,
): Promise<Map<string, Existence>> {
  // A database without stored functions: whatever answers is the server's own.
  await onEach(server, `CREATE DATABASE IF NOT EXISTS ${scratchDatabase}`);
  await onEach(server, `USE ${scratchDatabase}`);
  const known = new Map<string, Existence>();
  await spread(server, candidates, async (connection, name) => {
    const answer = await existence(connection, name);
    if (answer !== 'none') known.set(name, answer);
  });
  await onEach(server, `DROP DATABASE IF EXISTS ${scratchDatabase}`);
  return known;
}

async function existence(connection: Connection, name: string): Promise<Existence> {
  let isRefused = false;
  for (const args of ['', '0,0', '0', '0,0,0', '0,0,0,0', '*']) {
    const answer = await errno(connection, `SELECT ${name}(${args}) LIMIT 0`);
    if (noSuchFunction.has(answer)) isRefused = true;
    else if (answer !== parseError) return 'built-in';
    // MariaDB's POINT() does not exist while POINT(0, 0) does; no name needs a third call.
    if (isRefused && args === '0,0') return 'none';
  }
  return isRefused ? 'none' : 'keyword';
}
