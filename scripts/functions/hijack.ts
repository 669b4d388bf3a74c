import type { Connection } from 'mysql2/promise';
import { errno, spread } from './probe.ts';

/**
 * Which spellings of a call run a stored function of the same name, in the current database, in
 * place of the built-in one: none, all but `name(`, or every one.
 */
export type Hijack = 'never' | 'with-gap' | 'always';

/** The spellings between a name and its parenthesis; the first one touches. */
export const gaps = ['', ' ', '\n', '\t', '/**/', '/*! */', '-- \n'] as const;

const decoyDatabase = 'rwsplit_decoys_';
/** ER_SIGNAL_EXCEPTION: the decoy ran. ER_SP_WRONG_NO_OF_ARGS: the call was resolved to the decoy. */
const decoyErrors = new Set([1644, 1318]);

/** Creates a stored function of each name and number of parameters, which fails when it runs. */
export async function createDecoys(
  connections: readonly Connection[],
  names: readonly string[],
  arities: readonly number[],
): Promise<void> {
  for (const arity of arities) {
    for (const connection of connections) {
      await connection.query(`CREATE DATABASE IF NOT EXISTS ${decoyDatabase}${arity}`);
    }
    const parameters = Array.from({ length: arity }, (_, index) => `p${index} TEXT`).join();
    await spread(connections, names, async (connection, name) => {
      await connection.query(
        `CREATE FUNCTION ${decoyDatabase}${arity}.\`${name}\`(${parameters}) RETURNS TEXT
         DETERMINISTIC NO SQL
         BEGIN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'decoy'; RETURN NULL; END`,
      );
    });
  }
}

export async function dropDecoys(
  connection: Connection,
  arities: readonly number[],
): Promise<void> {
  for (const arity of arities) {
    await connection.query(`DROP DATABASE IF EXISTS ${decoyDatabase}${arity}`);
  }
}

/** Makes the decoys of this number of parameters the ones that an unqualified name finds. */
export async function useDecoys(connection: Connection, arity: number): Promise<void> {
  await connection.query(`USE ${decoyDatabase}${arity}`);
}

/** Calls `name` in every spelling, with as many arguments as `argumentCounts` says. */
export async function hijack(
  connection: Connection,
  name: string,
  argumentCounts: readonly number[],
): Promise<Hijack> {
  let verdict: Hijack = 'never';
  for (const count of argumentCounts) {
    const call = `(${Array(count).fill('0').join()})`;
    for (const gap of gaps) {
      const answer = await errno(connection, `SELECT ${name}${gap}${call}`);
      if (!decoyErrors.has(answer)) continue;
      if (gap === '') return 'always';
      verdict = 'with-gap';
    }
  }
  return verdict;
}
