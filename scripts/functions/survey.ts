import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { FunctionTable } from '../../packages/core/src/statement/functions/table.ts';
import { createDecoys, dropDecoys, type Hijack, hijack, useDecoys } from './hijack.ts';
import { isJudged, judgedImpure, judgedPure } from './judge.ts';
import { type Existence, errno, existence, spread } from './probe.ts';
import { findTail, statement, type Tail } from './samples.ts';

/** A running server, as the survey asks it. */
export interface Server {
  /** Connections with every right, without the client flag IGNORE_SPACE, to be used at once. */
  readonly connections: readonly [Connection, ...Connection[]];
}

/** What one server says about functions. */
export interface Survey {
  readonly dialect: FunctionTable['dialect'];
  readonly version: string;
  /** By name: the server's own functions, and keywords that are judged to be functions. */
  readonly known: ReadonlyMap<string, Existence>;
  /** A call of each pure function that the server accepts. */
  readonly tails: ReadonlyMap<string, Tail>;
  /** Of each pure function with a call: which spellings run a stored function instead. */
  readonly hijacks: ReadonlyMap<string, Hijack>;
}

/** Whether white space before the parenthesis matters depends on `IGNORE_SPACE` alone. */
const sqlModes = {
  mysql: ['DEFAULT', "'IGNORE_SPACE'", "'ANSI'", "''"],
  mariadb: ['DEFAULT', "'IGNORE_SPACE'", "'ANSI'", "''", "'ORACLE'"],
} as const;

const scratchDatabase = 'rwsplit_survey';

/** `9.7.4-2` → `9.7.4`. */
export async function serverVersion(
  connection: Connection,
): Promise<Pick<Survey, 'dialect' | 'version'>> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT VERSION() AS version');
  const version = String(rows[0]?.['version']);
  return {
    dialect: /mariadb/i.test(version) ? 'mariadb' : 'mysql',
    version: /^[\d.]+/.exec(version)?.[0] ?? version,
  };
}

/** The names among `candidates` that the server's own functions or keywords have. */
export async function findFunctions(
  { connections }: Server,
  candidates: Iterable<string>,
): Promise<Map<string, Existence>> {
  for (const connection of connections) {
    await connection.query(`CREATE DATABASE IF NOT EXISTS ${scratchDatabase}`);
    await connection.query(`USE ${scratchDatabase}`);
  }
  const known = new Map<string, Existence>();
  await spread(connections, [...candidates], async (connection, name) => {
    const answer = await existence(connection, name);
    if (answer !== 'none') known.set(name, answer);
  });
  await connections[0].query(`DROP DATABASE IF EXISTS ${scratchDatabase}`);
  return known;
}

/** A call of each name that the server accepts. */
export async function findTails(
  { connections }: Server,
  names: readonly string[],
): Promise<Map<string, Tail>> {
  const tails = new Map<string, Tail>();
  await spread(connections, names, async (connection, name) => {
    const tail = await findTail(connection, name);
    if (tail !== undefined) tails.set(name, tail);
  });
  return tails;
}

/** Tries to get between every name and its built-in function, in every sql_mode. */
export async function findHijacks(
  { connections }: Server,
  dialect: Survey['dialect'],
  tails: ReadonlyMap<string, Tail>,
  arities: readonly number[] = [0, 1, 2, 3],
): Promise<Map<string, Hijack>> {
  const names = [...tails.keys()];
  const hijacks = new Map<string, Hijack>();
  await dropDecoys(connections[0], arities);
  await createDecoys(connections, names, arities);
  for (const mode of sqlModes[dialect]) {
    for (const arity of arities) {
      for (const connection of connections) {
        await connection.query(`SET SESSION sql_mode = ${mode}`);
        await useDecoys(connection, arity);
      }
      await spread(connections, names, async (connection, name) => {
        const verdict = await hijack(connection, name, [0, 1, 2, 3, 4]);
        hijacks.set(name, worse(hijacks.get(name) ?? 'never', verdict));
      });
    }
  }
  for (const connection of connections) await connection.query('SET SESSION sql_mode = DEFAULT');
  await dropDecoys(connections[0], arities);
  return hijacks;
}

function worse(one: Hijack, other: Hijack): Hijack {
  const order: readonly Hijack[] = ['never', 'with-gap', 'always'];
  return order[Math.max(order.indexOf(one), order.indexOf(other))] ?? 'always';
}

/** Built-ins of the server that nobody has judged. */
export function unjudged(known: ReadonlyMap<string, Existence>): string[] {
  return [...known]
    .filter(([name, answer]) => answer === 'built-in' && !isJudged(name))
    .map(([name]) => name)
    .sort();
}

/** What is judged pure and proven, what is judged impure and exists. */
export function toTable(survey: Survey): FunctionTable {
  const pure = (verdict: Hijack) =>
    [...survey.hijacks]
      .filter(([name, found]) => found === verdict && judgedPure.has(name))
      .map(([name]) => name)
      .sort()
      .join(' ');
  const impure = [...survey.known.keys()].sort().flatMap((name) => {
    const verdict = judgedImpure.get(name);
    return verdict === undefined ? [] : [[name, verdict] as const];
  });
  return {
    dialect: survey.dialect,
    version: survey.version,
    pure: pure('never'),
    touching: pure('with-gap'),
    impure: Object.fromEntries(impure),
  };
}

export { errno, statement };
