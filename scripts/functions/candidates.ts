import { readFile } from 'node:fs/promises';
import type { Connection, RowDataPacket } from 'mysql2/promise';

/** What a built-in function may be called. */
const identifier = /^[a-z_][a-z0-9_]{0,63}$/;

/** Where the servers themselves list names; a table that one of them lacks gives none. */
const nameQueries = [
  'SELECT word AS name FROM information_schema.keywords',
  'SELECT `function` AS name FROM information_schema.sql_functions',
  'SELECT udf_name AS name FROM performance_schema.user_defined_functions',
  'SELECT name FROM mysql.help_topic',
  'SELECT name FROM mysql.help_keyword',
];

/** Names that the server lists: keywords, functions, loaded functions, help topics. Lower case. */
export async function listedNames(connection: Connection): Promise<Set<string>> {
  const names = new Set<string>();
  for (const query of nameQueries) {
    const rows = await rowsOrNone(connection, query);
    for (const row of rows) add(names, String(row['name']));
  }
  return names;
}

/**
 * Names in the server's binary, lower case. The table of native functions holds pointers to
 * strings, so every function's name ends at a NUL there.
 *
 * @param suffixes The linker lets `ORD` share the tail of `RECORD`; `true` adds every tail.
 */
export async function binaryNames(path: string, suffixes: boolean): Promise<Set<string>> {
  const text = (await readFile(path)).toString('latin1');
  const names = new Set<string>();
  for (const [found] of text.matchAll(/(?:[A-Z0-9_]+|[a-z0-9_]+)\0/g)) {
    const word = found.slice(0, -1);
    add(names, word);
    if (suffixes && word === word.toUpperCase()) {
      for (let start = 1; start < word.length; start++) add(names, word.slice(start));
    }
  }
  return names;
}

async function rowsOrNone(connection: Connection, query: string): Promise<RowDataPacket[]> {
  try {
    const [rows] = await connection.query<RowDataPacket[]>(query);
    return rows;
  } catch {
    return [];
  }
}

function add(names: Set<string>, name: string): void {
  const lower = name.toLowerCase();
  if (identifier.test(lower)) names.add(lower);
}
