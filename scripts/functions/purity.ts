import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { split } from './judge.ts';
import { volatileNames } from './pure.ts';
import { statement, type Tail } from './samples.ts';

/** Two sessions of one server that differ in all that a function could read of a session. */
export interface SessionPair {
  readonly plain: Connection;
  /** Another user, database, last insert id; it holds a user lock and has a user variable. */
  readonly odd: Connection;
}

const volatile: ReadonlySet<string> = new Set(split(volatileNames));

/** A call that takes longer waits for something. */
const longestCallMs = 400;

/** The lock name is the session's own: two such pairs may be at work on one server. */
const oddState = [
  "SELECT GET_LOCK(CONCAT('rwsplit_odd_', CONNECTION_ID()), 0)",
  'SET @odd = 1',
  'SELECT LAST_INSERT_ID(4711)',
];

/** Prepares the sessions; the odd one must be somebody else in another database. */
export async function makeSessionPair(plain: Connection, odd: Connection): Promise<SessionPair> {
  for (const sql of oddState) await odd.query(sql);
  for (const connection of [plain, odd]) {
    // The fence that replica connections have: a write is refused.
    await connection.query('SET SESSION TRANSACTION READ ONLY');
    // Stops the clock of this session, which else would tell the two apart.
    await connection.query('SET timestamp = 1600000000.123456');
    await connection.query("SET SESSION session_track_system_variables = '*'");
    await connection.query('SET SESSION session_track_state_change = ON');
    await connection.query('SET SESSION session_track_schema = ON');
  }
  return { plain, odd };
}

/** Why each function is not pure, by name; empty when none shows anything. */
export async function findImpurities(
  pair: SessionPair,
  tails: ReadonlyMap<string, Tail>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const [name, tail] of tails) {
    const why = await impurity(pair, name, tail);
    if (why !== undefined) found.set(name, why);
  }
  return found;
}

async function impurity(
  { plain, odd }: SessionPair,
  name: string,
  tail: Tail,
): Promise<string | undefined> {
  const sql = statement(name, tail);
  const before = await sessionState(plain);
  const started = performance.now();
  const answer = await firstRow(plain, sql);
  if (performance.now() - started > longestCallMs) return 'it waits';
  const after = await sessionState(plain);
  if (after !== before) return 'it changes the session';
  const tracked = await trackedChange(plain, sql);
  if (tracked !== undefined) return `the server tracks a change of ${tracked}`;
  // So that the statement before is not the same in both sessions.
  await odd.query('SELECT 1 UNION SELECT 2 UNION SELECT 3');
  const other = await firstRow(odd, sql);
  if (answer !== other && !volatile.has(name)) return 'two sessions get different answers';
  return undefined;
}

/** All that a session has and a query can show. */
async function sessionState(connection: Connection): Promise<string> {
  const [variables] = await connection.query<RowDataPacket[]>({
    sql: "SHOW SESSION VARIABLES WHERE variable_name NOT IN ('warning_count', 'error_count')",
    rowsAsArray: true,
  });
  const rest = await firstRow(
    connection,
    'SELECT LAST_INSERT_ID(), RELEASE_ALL_LOCKS(), DATABASE()',
  );
  return JSON.stringify([variables, rest]);
}

/** What the OK packet says about the session; a result set carries no such word, DO does. */
async function trackedChange(connection: Connection, sql: string): Promise<string | undefined> {
  const [header] = await connection.query<ResultSetHeader>(`DO (${sql})`);
  const changes = header.stateChanges;
  if (changes === undefined || changes === null) return undefined;
  const variables = Object.keys(changes.systemVariables);
  if (variables.length > 0) return variables.join();
  if (changes.schema !== null) return 'the database';
  if (changes.gtids.length > 0) return 'the data';
  return changes.trackStateChange === null ? undefined : 'session state';
}

async function firstRow(connection: Connection, sql: string): Promise<string> {
  const [rows] = await connection.query<RowDataPacket[]>({ sql, rowsAsArray: true });
  return JSON.stringify(rows[0] ?? null);
}
