import type { PoolConnection } from 'mysql2';
import type { Server } from '../../support/servers/server.ts';

/** Arguments for servers that tell what their connections hold. */
export const performanceSchema: readonly string[] = [
  '--performance-schema=ON',
  // MariaDB has these off by default.
  '--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON',
  '--performance-schema-instrument=transaction=ON',
  '--performance-schema-instrument=statement/%=ON',
  '--performance-schema-consumer-events-transactions-current=ON',
  '--performance-schema-consumer-events-statements-current=ON',
];

/** What sessions leave behind in connections here, so that it can be looked for. */
export const names = {
  variable: 'leak_variable',
  lock: 'leak_lock',
  temporaryTable: 'leak_temporary',
  prepared: 'leak_prepared',
  handler: 'leak_handler',
  /** A session variable and a value that nobody else sets. */
  setting: 'max_sort_length',
  settingValue: 4321,
} as const;

const threads = `performance_schema.threads t WHERE t.PROCESSLIST_USER = 'app'`;

/** One question to a server for each kind of state; each row of an answer is something left behind. */
const questions = {
  // Of all connections: an application's are the only ones here that begin transactions and wait.
  transactions: `SELECT trx_mysql_thread_id AS id, trx_state AS what FROM information_schema.INNODB_TRX
    WHERE trx_mysql_thread_id IN (SELECT PROCESSLIST_ID FROM ${threads})`,
  begun: `SELECT t.PROCESSLIST_ID AS id, e.STATE AS what
    FROM performance_schema.events_transactions_current e JOIN performance_schema.threads t USING (THREAD_ID)
    WHERE e.STATE = 'ACTIVE' AND t.PROCESSLIST_USER = 'app'`,
  locks: `SELECT t.PROCESSLIST_ID AS id, CONCAT_WS(' ', l.OBJECT_TYPE, l.OBJECT_SCHEMA, l.OBJECT_NAME, l.LOCK_TYPE) AS what
    FROM performance_schema.metadata_locks l JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID
    WHERE t.PROCESSLIST_USER = 'app'`,
  variables: `SELECT t.PROCESSLIST_ID AS id, v.VARIABLE_NAME AS what
    FROM performance_schema.user_variables_by_thread v JOIN performance_schema.threads t USING (THREAD_ID)
    WHERE t.PROCESSLIST_USER = 'app'`,
  prepared: `SELECT t.PROCESSLIST_ID AS id, p.STATEMENT_NAME AS what
    FROM performance_schema.prepared_statements_instances p JOIN performance_schema.threads t ON t.THREAD_ID = p.OWNER_THREAD_ID
    WHERE p.STATEMENT_NAME IS NOT NULL AND t.PROCESSLIST_USER = 'app'`,
} as const;

/** Something that a connection holds. */
export interface Leftover {
  readonly threadId: number;
  readonly what: string;
}

/** What the application's connections hold on a server, by the server itself. */
export async function leftovers(server: Server): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const [kind, question] of Object.entries(questions)) {
    const rows = await server.query<{ id: number; what: unknown }>(question);
    found.push(...rows.map(({ id, what }) => ({ threadId: Number(id), what: `${kind} ${what}` })));
  }
  return found;
}

/** The ids of the application's connections, by the server. */
export async function connectionIds(server: Server): Promise<number[]> {
  const rows = await server.query<{ id: number }>(
    `SELECT t.PROCESSLIST_ID AS id FROM ${threads} ORDER BY id`,
  );
  return rows.map(({ id }) => Number(id));
}

/** What the application's connections have run last, by their ids: a text, or the name of another command. */
export async function lastStatements(server: Server): Promise<ReadonlyMap<number, string>> {
  const found = await server.query<{ id: number; text: string }>(
    `SELECT t.PROCESSLIST_ID AS id, COALESCE(e.SQL_TEXT, e.EVENT_NAME) AS text
      FROM performance_schema.events_statements_current e JOIN performance_schema.threads t USING (THREAD_ID)
      WHERE t.PROCESSLIST_USER = 'app'`,
  );
  return new Map(found.map(({ id, text }) => [Number(id), text]));
}

/** What only a connection itself can tell. */
export interface SelfReport {
  /** What it holds that its next user must not meet, in words. */
  readonly holds: readonly string[];
  /** Its database, role and session variables. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Names that a session must not know before it has made them: each statement, and the number of the error for that. */
export const unknownNames = [
  [`SELECT 1 FROM ${names.temporaryTable}`, 1146],
  [`EXECUTE ${names.prepared}`, 1243],
  [`HANDLER ${names.handler} READ FIRST`, 1109],
] as const;

/** Asks one physical connection about itself. */
export async function selfReport(connection: PoolConnection): Promise<SelfReport> {
  const holds: string[] = [];
  const { serverStatus } = (await ask(connection, 'DO 0')) as { serverStatus: number };
  // SERVER_STATUS_IN_TRANS and SERVER_STATUS_AUTOCOMMIT of the client/server protocol.
  if ((serverStatus & 1) !== 0) {
    holds.push('a transaction');
  }
  if ((serverStatus & 2) === 0) {
    holds.push('autocommit=0');
  }
  for (const [sql, expected] of unknownNames) {
    const answer = await ask(connection, sql).catch((error: { errno?: number }) => error.errno);
    if (answer !== expected) {
      holds.push(`${sql}: ${typeof answer === 'number' ? answer : 'known'}`);
    }
  }
  return { holds, settings: await settingsOf(connection) };
}

async function settingsOf(connection: PoolConnection): Promise<Record<string, unknown>> {
  const rows = (await ask(connection, 'SHOW SESSION VARIABLES')) as {
    Variable_name: string;
    Value: string;
  }[];
  const [own] = (await ask(
    connection,
    "SELECT DATABASE() AS db, LOWER(COALESCE(CURRENT_ROLE(), 'none')) AS role",
  )) as [object];
  const variables = rows
    .filter(({ Variable_name }) => !ofTheMoment.test(Variable_name))
    .map(({ Variable_name, Value }) => [Variable_name, Value]);
  return { ...Object.fromEntries(variables), ...own };
}

/** What is of the server, or of the last statement, and is listed all the same. */
const ofTheMoment =
  /^(timestamp|pseudo_thread_id|rand_seed.*|last_insert_id|identity|insert_id|error_count|warning_count|(global_)?gtid_.*|last_gtid|innodb_.*|in_transaction|statement_id|proxy_.*|log_bin_.*|system_versioning_.*)$/;

/** What a connection would hand to the transaction that its next user begins. */
export async function pendingTransaction(
  server: Server,
  connection: PoolConnection,
): Promise<string> {
  await ask(connection, 'START TRANSACTION');
  const [row] = await server.query(
    `SELECT e.ISOLATION_LEVEL AS isolation, e.ACCESS_MODE AS access
      FROM performance_schema.events_transactions_current e JOIN performance_schema.threads t USING (THREAD_ID)
      WHERE t.PROCESSLIST_ID = ?`,
    [connection.threadId],
  );
  await ask(connection, 'ROLLBACK');
  return `${row?.['isolation']} ${row?.['access']}`;
}

function ask(connection: PoolConnection, sql: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    connection.query(sql, (error, result) => (error ? reject(error) : resolve(result)));
  });
}
