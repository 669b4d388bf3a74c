import type { Server } from '../../support/servers/server.ts';
import { performanceSchema } from './leftovers.ts';

/** Arguments for servers that keep each command of the protocol, which their general logs do not. */
export const commandHistory: readonly string[] = [
  ...performanceSchema,
  '--performance-schema-consumer-events-statements-current=ON',
  '--performance-schema-consumer-events-statements-history-long=ON',
  '--performance-schema-events-statements-history-long-size=10000',
];

/** A command that a server was sent by the application. */
export interface Command {
  /** Of the performance schema: no other connection ever has it. */
  readonly threadId: number;
  /** The text of a statement, or the name of another command in brackets: `[Ping]`. */
  readonly text: string;
}

/** A moment in a server's history: the last command of each thread. */
export type Moment = ReadonlyMap<number, number>;

interface Row {
  readonly thread: number;
  readonly event: number;
  readonly name: string;
  readonly text: string | null;
}

// The last command of a thread may not have come to the history yet. A thread that is gone has no
// user any more.
const history = `SELECT DISTINCT e.THREAD_ID AS thread, e.EVENT_ID AS event, e.EVENT_NAME AS name, e.SQL_TEXT AS text
  FROM (
    SELECT THREAD_ID, EVENT_ID, EVENT_NAME, SQL_TEXT FROM performance_schema.events_statements_history_long
    UNION SELECT THREAD_ID, EVENT_ID, EVENT_NAME, SQL_TEXT FROM performance_schema.events_statements_current
  ) e LEFT JOIN performance_schema.threads t USING (THREAD_ID)
  WHERE (t.THREAD_ID IS NULL OR t.PROCESSLIST_USER = 'app') AND e.EVENT_NAME <> 'statement/com/Quit'
  ORDER BY thread, event`;

/** Now. */
export async function momentOf(server: Server): Promise<Moment> {
  const rows = await read(server);
  return new Map(rows.map(({ thread, event }) => [thread, event]));
}

/** All that the application has sent to a server since, thread by thread. */
export async function commandsSince(server: Server, moment: Moment): Promise<Command[]> {
  const rows = await read(server);
  return rows
    .filter(({ thread, event }) => event > (moment.get(thread) ?? 0))
    .map(({ thread, name, text }) => ({ threadId: thread, text: textOf(name, text) }));
}

async function read(server: Server): Promise<Row[]> {
  const rows = await server.query<Row & Record<string, unknown>>(history);
  return rows.map(({ thread, event, name, text }) => ({
    thread: Number(thread),
    event: Number(event),
    name,
    text,
  }));
}

function textOf(name: string, text: string | null): string {
  // The text of a PREPARE is that of the prepared statement on MySQL.
  const command = name.replace(/^statement\/(com\/|sql\/(?=\w+_sql$))/, '');
  return command === name ? (text ?? name) : `[${command.toLowerCase()}]`;
}

/** The counters of a server that statements move. */
export async function counters(server: Server): Promise<ReadonlyMap<string, number>> {
  const rows = await server.query<{ Variable_name: string; Value: string }>(
    "SHOW GLOBAL STATUS WHERE Variable_name LIKE 'Com\\_%' OR Variable_name = 'Questions'",
  );
  return new Map(rows.map(({ Variable_name, Value }) => [Variable_name, Number(Value)]));
}

/** By how much counters have grown. */
export function growth(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Record<string, number> {
  const all = [...after].map(([name, value]) => [name, value - (before.get(name) ?? 0)] as const);
  return Object.fromEntries(all.filter(([, by]) => by !== 0));
}
