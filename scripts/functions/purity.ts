import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { split } from './judge.ts';
import { volatileNames } from './pure.ts';
import { statement, type Tail } from './samples.ts';
import { type Account, connect, firstRow } from './server.ts';

/** Two sessions of one server that differ in all that a function could read of a session. */
export interface SessionPair {
  readonly plain: Connection;
  /** Another user, database and last insert id; it holds a user lock and has a user variable. */
  readonly odd: Connection;
}

const volatile: ReadonlySet<string> = new Set(split(volatileNames));

/** A call that takes longer waits for something. */
const longestCallMs = 400;

const oddAccount = { user: 'rwsplit_odd', password: 'odd' };

/** Variables that change with every statement, and the seed that RAND draws from. */
const restless: ReadonlySet<string> = new Set([
  'error_count',
  'rand_seed1',
  'rand_seed2',
  'statement_id',
  'warning_count',
]);

/** One leaves other rows found, one other rows changed, than the query of the session's state. */
const previousStatements = ['SELECT 1 UNION SELECT 2 UNION SELECT 3', 'DO 0'];

export async function openSessionPair(account: Account): Promise<SessionPair> {
  const plain = await connect(account);
  const { user, password } = oddAccount;
  await plain.query(`CREATE USER IF NOT EXISTS ${user} IDENTIFIED BY '${password}'`);
  const odd = await connect({ ...account, ...oddAccount });
  const oddState = [
    'USE information_schema',
    "SELECT GET_LOCK('rwsplit_odd', 0)",
    'SET @odd = 1',
    'SELECT LAST_INSERT_ID(4711)',
  ];
  for (const sql of oddState) await odd.query(sql);
  for (const connection of [plain, odd]) await prepare(connection);
  return { plain, odd };
}

export async function closeSessionPair({ plain, odd }: SessionPair): Promise<void> {
  await odd.end();
  await plain.query('SET SESSION TRANSACTION READ WRITE');
  await plain.query(`DROP USER IF EXISTS ${oddAccount.user}`);
  await plain.end();
}

async function prepare(connection: Connection): Promise<void> {
  // The fence that replica connections have: a write is refused.
  await connection.query('SET SESSION TRANSACTION READ ONLY');
  // With its clock stopped, NOW() is the same in both sessions.
  await connection.query('SET timestamp = 1600000000.123456');
  await connection.query('SET SESSION session_track_state_change = ON');
}

/** Why each function is not pure, by name; empty when nothing shows. */
export async function findImpurities(
  pair: SessionPair,
  tails: Iterable<readonly [name: string, tail: Tail]>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const [name, tail] of tails) {
    const why = await impurity(pair, name, statement(name, tail));
    if (why !== undefined) found.set(name, why);
  }
  return found;
}

async function impurity(
  { plain, odd }: SessionPair,
  name: string,
  sql: string,
): Promise<string | undefined> {
  const before = await sessionState(plain);
  const answer = await firstRow(plain, sql);
  if ((await sessionState(plain)) !== before) return 'it changes the session';
  if (await isTracked(plain, sql)) return 'the server tracks a change';
  // A busy machine can make one call slow.
  if ((await isSlow(plain, sql)) && (await isSlow(plain, sql))) return 'it waits';
  for (const previous of previousStatements) {
    await odd.query(previous);
    const other = await firstRow(odd, sql);
    if (answer !== other && !volatile.has(name)) return 'two sessions get different answers';
  }
  return undefined;
}

async function isSlow(connection: Connection, sql: string): Promise<boolean> {
  const started = performance.now();
  await connection.query(sql);
  return performance.now() - started > longestCallMs;
}

/** All that a session has and a query can show. */
async function sessionState(connection: Connection): Promise<string> {
  const [rows] = await connection.query<RowDataPacket[]>('SHOW SESSION VARIABLES');
  const variables = rows.filter((row) => !restless.has(String(row['Variable_name'])));
  const rest = await firstRow(
    connection,
    'SELECT LAST_INSERT_ID(), RELEASE_ALL_LOCKS(), DATABASE()',
  );
  return JSON.stringify([variables, rest]);
}

/** What mysql2 reads from an OK packet and its types do not mention. */
interface TrackedHeader extends ResultSetHeader {
  readonly stateChanges?: { readonly trackStateChange: string | null };
}

/**
 * Whether the OK packet tells of state that no query shows, such as user variables and temporary
 * tables. A result set carries no such word, hence DO.
 */
async function isTracked(connection: Connection, sql: string): Promise<boolean> {
  const [header] = await connection.query<TrackedHeader>(`DO (${sql})`);
  const change = header.stateChanges?.trackStateChange;
  return change !== undefined && change !== null;
}
