/**
 * How far a replica is behind, from what its server says of itself. Pure: rows in; milliseconds out, or
 * `null` where it cannot be known. Unknown is not zero: a replica that has lost its primary has applied
 * all it knows of.
 */
import type { Row } from '../topology/topology.ts';

/**
 * Lag in milliseconds, or `null`; `again`: the rows were read between two states, and the next ones will
 * tell; `elsewhere`: this source cannot tell it for this server.
 */
export type AppliedLag = number | null | 'again' | 'elsewhere';

/** What the performance schema says of one channel: rows of `appliedSql`, by their `part`. */
interface Channel {
  readonly name: string;
  readonly connection: Row | null;
  readonly applier: Row | null;
  /** The coordinator and its workers. */
  readonly threads: readonly Row[];
}

/**
 * Lag by the times at which transactions were committed on the server that they come from, of which
 * MySQL keeps microseconds: that of the oldest one that was received and is not committed here. Of
 * several channels the worst counts.
 *
 * @param rows of `appliedSql` in `monitor/lag-sources.ts`
 */
export function appliedLag(rows: readonly Row[]): AppliedLag {
  if (rows.some(isWithoutGtid)) {
    return 'elsewhere';
  }
  const lags = channelsOf(rows).map(channelLag);
  return lags.includes('again') && !lags.includes(null) ? 'again' : worst(lags);
}

/** Without a GTID there is no telling whether a transaction was applied. */
function isWithoutGtid(row: Row): boolean {
  return row['gtidMode'] !== 'ON' || [row['latest'], row['current']].includes('ANONYMOUS');
}

function channelsOf(rows: readonly Row[]): Channel[] {
  const names = new Set(rows.map(({ channel }) => String(channel)));
  return [...names]
    .map((name) => {
      const own = rows.filter((row) => String(row['channel']) === name);
      return {
        name,
        connection: own.find(({ part }) => part === 'connection') ?? null,
        applier: own.find(({ part }) => part === 'applier') ?? null,
        threads: own.filter(({ part }) => part === 'thread'),
      };
    })
    .filter((channel) => !isAtRest(channel));
}

/** Group Replication has a second channel, which runs only while a member joins. */
function isAtRest({ name, connection }: Channel): boolean {
  return name === 'group_replication_recovery' && connection?.['state'] === 'OFF';
}

function channelLag({ connection, applier, threads }: Channel): number | null | 'again' {
  // CONNECTING is not ON: what the primary has committed meanwhile is not known.
  if (connection?.['state'] !== 'ON' || applier?.['state'] !== 'ON') {
    return null;
  }
  const isReceiving = connection['current'] !== '';
  const received = isReceiving ? age(connection, 'currentCommitted') : 0;
  if (connection['missing'] === '') {
    return received;
  }
  const inHand = threads.filter(({ current, missing }) => current !== '' || missing !== '');
  if (inHand.length > 0) {
    // Taken up in order: nothing that waits is older than what the threads have in hand.
    return worst(inHand.map(ageInHand));
  }
  if (applier['delay'] !== null) {
    // Measured: while the applier waits for SOURCE_DELAY, no thread says for which transaction.
    return Number(applier['delay']) * 1000;
  }
  if (connection['missing'] === connection['latest']) {
    return age(connection, 'latestCommitted');
  }
  return 'again';
}

/** A thread that is between two transactions may have left the last one to another, which has not begun. */
function ageInHand(thread: Row): number | null {
  return age(thread, thread['current'] === '' ? 'latestCommitted' : 'currentCommitted');
}

/** Milliseconds since a commit; `null` if its time is not known: servers before MySQL 8.0 send none. */
function age(row: Row, committed: 'currentCommitted' | 'latestCommitted'): number | null {
  const seconds = Number(row[committed]);
  // A clock that is behind the primary's would make it negative.
  return seconds > 0 ? Math.max(0, Math.round((Number(row['now']) - seconds) * 1000)) : null;
}

/**
 * Lag in whole seconds, from the rows of `SHOW REPLICA STATUS` in any of its spellings, one for each
 * channel, of which the worst counts. `null` without rows: the server is no replica.
 */
export function statusLag(rows: readonly Row[]): number | null {
  return worst(rows.map(rowLag));
}

function rowLag(row: Row): number | null {
  const receiver = row['Replica_IO_Running'] ?? row['Slave_IO_Running'];
  const applier = row['Replica_SQL_Running'] ?? row['Slave_SQL_Running'];
  const behind = row['Seconds_Behind_Source'] ?? row['Seconds_Behind_Master'] ?? null;
  // Measured: while a replica applies what it still has, MySQL gives seconds also without a primary.
  if (receiver !== 'Yes' || applier !== 'Yes' || behind === null) {
    return null;
  }
  // While it waits for its delay, the seconds grow up to the delay, over and over: it is late by all of it.
  const isWaiting = (row['SQL_Remaining_Delay'] ?? null) !== null;
  return Math.max(Number(behind), isWaiting ? Number(row['SQL_Delay']) : 0) * 1000;
}

/** How far clocks may differ before a heartbeat out of the future says that they cannot be compared. */
const clockTolerance = 1_000;

/**
 * The age of the newest heartbeat.
 *
 * @param rows one with `age` in microseconds, `NULL` if the table is empty
 */
export function heartbeatLag(rows: readonly Row[]): number | null {
  const microseconds = rows[0]?.['age'] ?? null;
  if (microseconds === null) {
    return null;
  }
  const milliseconds = Math.round(Number(microseconds) / 1000);
  return milliseconds < -clockTolerance ? null : Math.max(0, milliseconds);
}

/** The largest; `null` if one is not known, or there is none. */
function worst(lags: readonly (number | null | 'again')[]): number | null {
  const known = lags.filter((lag) => typeof lag === 'number');
  return known.length === 0 || known.length < lags.length ? null : Math.max(...known);
}
