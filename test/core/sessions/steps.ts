import type { Random } from '../../proofs/random.ts';
import { names, unknownNames } from './leftovers.ts';

/** Runs one statement in a session, and gives its rows. */
export type Run = (sql: string, values?: readonly unknown[]) => Promise<unknown>;

/** What a session throws of its own accord. */
export class Thrown extends Error {
  readonly code = 'THROWN';
}

/** Rows that every test of these sessions has: `item (id, n)`, ids from 1. */
export const rows = 8;

/** Statements that leave nothing behind. */
const plain = [
  'SELECT COUNT(*) AS n FROM item',
  'SELECT id, n FROM item ORDER BY id',
  'UPDATE item SET n = n + 1 WHERE id = 1',
  'UPDATE item SET n = n + 1 WHERE id = 2',
  'UPDATE item SET n = n + 1 WHERE id IN (3, 4)',
  'INSERT INTO note (text) VALUES (1)',
  'DO SLEEP(0.005)',
  'SELECT SLEEP(0.003) AS slept FROM item WHERE id = 1',
] as const;

/** Statements that the server refuses. */
const refused = [
  'SELECT * FROM no_such_table',
  'SELEC 1',
  'SELECT nonsense FROM item',
  'INSERT INTO item VALUES (1, 0)',
  'UPDATE no_such_table SET n = 1',
  'RELEASE SAVEPOINT no_such_savepoint',
  'SET SESSION no_such_variable = 1',
] as const;

/** Statements that leave something in the connection. */
const stateful = [
  `SET @${names.variable} = 1`,
  `SELECT @${names.variable} := 2 AS v`,
  `SELECT id INTO @${names.variable} FROM item WHERE id = 1`,
  `SET SESSION ${names.setting} = ${names.settingValue}`,
  'SET NAMES latin1',
  "SET time_zone = '+07:00'",
  "SET sql_mode = ''",
  `CREATE TEMPORARY TABLE IF NOT EXISTS ${names.temporaryTable} (id INT)`,
  `SELECT GET_LOCK('${names.lock}', 0) AS got`,
  'LOCK TABLES item READ',
  'LOCK TABLES note WRITE',
  `PREPARE ${names.prepared} FROM 'SELECT 1'`,
  `HANDLER item OPEN AS ${names.handler}`,
  'USE app_other',
  'SET autocommit = 0',
  'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  'SET TRANSACTION READ ONLY',
] as const;

/** Statements that begin a transaction, or end one. */
const transactional = [
  'BEGIN',
  'START TRANSACTION',
  'START TRANSACTION READ ONLY',
  'START TRANSACTION WITH CONSISTENT SNAPSHOT',
  'SELECT n FROM item WHERE id = 5 FOR UPDATE',
  'SAVEPOINT s',
  'COMMIT',
  'COMMIT AND CHAIN',
  'ROLLBACK',
  'ROLLBACK AND CHAIN',
] as const;

/** Statements that end more than the transaction, or do it in an unusual way. */
const rare = [
  'COMMIT RELEASE',
  'ROLLBACK RELEASE',
  "XA START 'leak'",
  'CREATE TABLE IF NOT EXISTS made (id INT)',
  'KILL CONNECTION_ID()',
  'SET ROLE NONE',
] as const;

/** A statement of a session that may leave anything behind. */
export function anyStep(random: Random): string {
  const which = random.below(100);
  if (which < 30) {
    return random.pick(plain);
  }
  if (which < 42) {
    return random.pick(refused);
  }
  if (which < 72) {
    return random.pick(stateful);
  }
  return which < 96 ? random.pick(transactional) : random.pick(rare);
}

/** A statement for a transaction that somebody else begins and ends. */
export function innerStep(random: Random): string {
  const which = random.below(100);
  if (which < 55) {
    return random.pick(plain);
  }
  return which < 75 ? random.pick(refused) : random.pick(stateful);
}

/** Runs a few steps; most sessions go on after an error of the server, and some give up. */
export async function runSteps(
  random: Random,
  run: Run,
  step: (random: Random) => string = anyStep,
): Promise<void> {
  const givesUp = random.chance(0.3);
  const throws = random.chance(0.15);
  const count = 1 + random.below(5);
  for (let index = 0; index < count; index++) {
    try {
      await run(step(random));
    } catch (error) {
      if (givesUp) {
        throw error;
      }
    }
  }
  if (throws) {
    throw new Thrown('by a session');
  }
}

/** Asks a session that has done nothing yet for what only another one can have left. */
export async function findNothing(run: Run): Promise<void> {
  for (const [text] of unknownNames) {
    // On the primary, where it would be. Any error will do: a connection may have been killed.
    const isKnown = await run(`/* route:primary */ ${text}`).then(
      () => true,
      () => false,
    );
    if (isKnown) {
      throw new Error(`a new session knows what it has not made: ${text}`);
    }
  }
  const answer = (await run(
    `SELECT @${names.variable} AS variable, @@${names.setting} AS setting, DATABASE() AS db`,
  )) as [{ variable: unknown; setting: unknown; db: unknown }];
  const [{ variable, setting, db }] = answer;
  if (variable !== null || Number(setting) === names.settingValue || db !== 'app') {
    throw new Error(`a new session found ${JSON.stringify(answer)}`);
  }
}
