import { type Item, type Reader, statement, trimmed } from './items.ts';

/*
 * The general query log as MySQL (since 5.7) and MariaDB write it. An entry begins with a time, the
 * id of a thread and the name of a protocol command; every other line goes on with the text of the
 * entry before it. Nothing in the format tells such a line from one of a statement that looks like
 * an entry itself.
 */

/**
 * MySQL writes the time of each entry, MariaDB and older versions only where it has changed. The id
 * stands to the right of at least five columns.
 */
const entry =
  /^(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d)\t|\d{6} [ \d]\d:\d\d:\d\d\t|\t\t) *(\d+) ([A-Z][A-Za-z_ ]*?)(?:\t|$)/;
/** Longest part of a line that is looked at for the start of an entry. */
const longestStart = 160;

/** Names of commands, as the servers spell them. A line with another one is no entry. */
const entryCommands = new Set([
  'Binlog Dump',
  'Binlog Dump GTID',
  'Change user',
  'Clone',
  'Close stmt',
  'Connect',
  'Connect Out',
  'Create DB',
  'Daemon',
  'Debug',
  'Delayed insert',
  'Drop DB',
  'Error',
  'Execute',
  'Fetch',
  'Field List',
  'Init DB',
  'Kill',
  'Long Data',
  'Ping',
  'Prepare',
  'Processlist',
  'Query',
  'Quit',
  'Refresh',
  'Register Replica',
  'Register Slave',
  'Reset Connection',
  'Reset connection',
  'Reset stmt',
  'Set option',
  'Shutdown',
  'Sleep',
  'Slave_IO',
  'Slave_SQL',
  'Slave_worker',
  'Statistics',
  'Subscribe Group Replication Stream',
  'Table Dump',
  'Time',
  'Bulk_execute',
  'Unimpl get tid',
]);
const newSession = new Set([
  'Change user',
  'Connect',
  'Quit',
  'Reset Connection',
  'Reset connection',
]);

const banner = /, Version: (\d+\.\d+\.\d+\S*) .*started with:$/;
/** The two lines behind a banner. */
const afterBanner = /^(?:Tcp port: |TCP Port: |Time\s+Id Command\s+Argument)/;

/** What the server does for itself. */
const serverThread = '0';

interface Entry {
  readonly thread: string;
  readonly command: string;
  readonly lines: string[];
}

/** Whether a line is one that only a general log has. */
export function isLogLine(line: string): boolean {
  return startOf(line) !== null || banner.test(line.slice(0, 1_000)) || afterBanner.test(line);
}

/** Reads a general log. */
export class GeneralLog implements Reader {
  #open: Entry | null = null;
  /** By thread: it has sent `EXECUTE` as text, and the server logs what that runs as well. */
  readonly #executing = new Set<string>();

  line(text: string): Item[] {
    const begun = startOf(text);
    if (begun !== null) {
      const items = this.end();
      this.#open = begun;
      return items;
    }
    const version = banner.exec(text.slice(0, 1_000))?.[1];
    if (version !== undefined) {
      return [...this.end(), { kind: 'server', version }];
    }
    // Before the first entry stand the end of an older one, or the column titles.
    this.#open?.lines.push(text);
    return [];
  }

  end(): Item[] {
    const open = this.#open;
    this.#open = null;
    return open === null ? [] : this.#itemsOf(open);
  }

  #itemsOf({ thread, command, lines }: Entry): Item[] {
    if (thread === serverThread) {
      return [];
    }
    if (newSession.has(command)) {
      this.#executing.delete(thread);
      return [{ kind: 'session', thread }];
    }
    if (command === 'Query') {
      return this.#query(trimmed(lines.join('\n')), thread);
    }
    const isOwn = command === 'Execute' || command === 'Bulk_execute';
    if (isOwn && !this.#executing.delete(thread)) {
      return [statement(trimmed(lines.join('\n')), thread)];
    }
    return [];
  }

  #query(sql: string, thread: string): Item[] {
    if (/^execute\s/i.test(sql.slice(0, 16))) {
      this.#executing.add(thread);
    } else {
      this.#executing.delete(thread);
    }
    return [statement(sql, thread)];
  }
}

function startOf(line: string): Entry | null {
  const first = line.charCodeAt(0);
  // A digit or a tab: all others need no closer look.
  if (first !== 9 && !(first >= 48 && first <= 57)) {
    return null;
  }
  const match = entry.exec(line.slice(0, longestStart));
  const [start = '', thread = '', command = ''] = match ?? [];
  if (match === null || !entryCommands.has(command)) {
    return null;
  }
  return { thread, command, lines: [line.slice(start.length)] };
}
