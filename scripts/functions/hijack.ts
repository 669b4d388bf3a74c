import type { Connection } from 'mysql2/promise';
import { statement, type Tail } from './samples.ts';
import { errno, onEach, type Server, spread } from './server.ts';

/**
 * Which spellings of a call run a stored function of the same name, in the current database, in
 * place of the built-in one: none, all but `name(`, or every one.
 */
export type Hijack = 'never' | 'with-gap' | 'always';

/** How hard to try. */
export interface Effort {
  /** Numbers of parameters of the stored functions. */
  readonly arities: readonly number[];
  /** Numbers of arguments of the calls. */
  readonly argumentCounts: readonly number[];
  readonly sqlModes: readonly string[];
}

/** What stands between a name and its parenthesis; the first one touches. */
export const gaps = ['', ' ', '\n', '\t', '/**/', '/*! */', '-- \n'] as const;

const decoyDatabase = 'rwsplit_decoys_';
/** ER_SIGNAL_EXCEPTION: the decoy ran. ER_SP_WRONG_NO_OF_ARGS: the call was resolved to the decoy. */
const decoyErrors = new Set([1644, 1318]);

/** All that the manuals give reason to try: what a gap means depends on the sql_mode. */
export function thoroughEffort({ dialect }: Server): Effort {
  const both = ['DEFAULT', "'IGNORE_SPACE'", "'ANSI'", "''"];
  return {
    arities: [0, 1, 2, 3],
    argumentCounts: [0, 1, 2, 3, 4],
    sqlModes: dialect === 'mariadb' ? [...both, "'ORACLE'"] : both,
  };
}

/** Enough to tell the three answers apart, in a few seconds. */
export function quickEffort({ dialect }: Server): Effort {
  const both = ['DEFAULT', "'IGNORE_SPACE'"];
  return {
    arities: [1],
    argumentCounts: [0, 1],
    sqlModes: dialect === 'mariadb' ? [...both, "'ORACLE'"] : both,
  };
}

/**
 * Tries to get between every name and what the server itself does with it.
 *
 * @param tails Calls that must go on working, of the names that are functions.
 */
export async function findHijacks(
  server: Server,
  names: readonly string[],
  effort: Effort,
  tails: ReadonlyMap<string, Tail> = new Map(),
): Promise<Map<string, Hijack>> {
  const found = new Map<string, Hijack>(names.map((name) => [name, 'never']));
  const record = (name: string, gap: string) => {
    if (gap === '') found.set(name, 'always');
    else if (found.get(name) !== 'always') found.set(name, 'with-gap');
  };
  for (const arity of effort.arities) {
    await createDecoys(server, names, arity);
    await spread(server, tails, async (connection, [name, tail]) => {
      for (const gap of await failingGaps(connection, name, tail)) record(name, gap);
    });
    for (const mode of effort.sqlModes) {
      await onEach(server, `SET SESSION sql_mode = ${mode}`);
      await spread(server, names, async (connection, name) => {
        const reached = await reachingGaps(connection, name, effort.argumentCounts);
        for (const gap of reached) record(name, gap);
      });
    }
    await onEach(server, 'SET SESSION sql_mode = DEFAULT');
    await dropDecoys(server, arity);
  }
  return found;
}

export async function dropDecoys(server: Server, arity: number): Promise<void> {
  await onEach(server, `DROP DATABASE IF EXISTS ${decoyDatabase}${arity}`);
}

/** Whether the statement ends at a decoy. */
export async function reachesDecoy(connection: Connection, sql: string): Promise<boolean> {
  return decoyErrors.has(await errno(connection, sql));
}

/** Creates a stored function of each name, which fails when it runs, where unqualified names look. */
export async function createDecoys(
  server: Server,
  names: Iterable<string>,
  arity: number,
): Promise<void> {
  const database = `${decoyDatabase}${arity}`;
  await server.connections[0].query(`DROP DATABASE IF EXISTS ${database}`);
  await onEach(server, `CREATE DATABASE IF NOT EXISTS ${database}`);
  await onEach(server, `USE ${database}`);
  const parameters = Array.from({ length: arity }, (_, index) => `p${index} TEXT`).join();
  await spread(server, names, async (connection, name) => {
    await connection.query(
      `CREATE FUNCTION \`${name}\`(${parameters}) RETURNS TEXT DETERMINISTIC NO SQL
       BEGIN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'decoy'; RETURN NULL; END`,
    );
  });
}

/** The gaps with which plain calls end at the decoy. */
async function reachingGaps(
  connection: Connection,
  name: string,
  argumentCounts: readonly number[],
): Promise<Set<string>> {
  const reached = new Set<string>();
  for (const count of argumentCounts) {
    const args = Array(count).fill('0').join();
    for (const gap of gaps) {
      if (await reachesDecoy(connection, `SELECT ${name}${gap}(${args})`)) reached.add(gap);
    }
  }
  return reached;
}

/** The gaps with which a call that works without decoys does not. */
async function failingGaps(connection: Connection, name: string, tail: Tail): Promise<string[]> {
  const failing: string[] = [];
  for (const gap of gaps) {
    if ((await errno(connection, statement(name, tail, gap))) !== 0) failing.push(gap);
  }
  return failing;
}
