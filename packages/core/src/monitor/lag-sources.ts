import { type AppliedLag, appliedLag, statusLag } from '../hosts/lag.ts';
import type { Row } from '../topology/topology.ts';

/** A question about the replication of a server, and what the answer says. */
export interface LagSource {
  readonly sql: string;
  /** See {@link AppliedLag}. */
  read(rows: readonly Row[]): AppliedLag;
}

/** Seconds since 1970, of a TIMESTAMP column: no time zone has a part in it. 0 for "none". */
function unixTime(column: string): string {
  return `UNIX_TIMESTAMP(${column}_ORIGINAL_COMMIT_TIMESTAMP)`;
}

/** The part of a GTID or set that the server lacks. Its column may say ANONYMOUS, which is no set. */
function notCommitted(column: string): string {
  return `IF(${column} LIKE '%:%', GTID_SUBTRACT(${column}, @@GLOBAL.gtid_executed), '')`;
}

// UNIX_TIMESTAMP() has no fractions, and that of NOW(6) is an hour off at the end of summer time. A
// division would leave four digits of them (div_precision_increment).
const now = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) * 0.000001";

const schema = 'performance_schema.replication_';

/**
 * What MySQL says of each channel. Measured: it says so with `performance_schema = OFF` too. The
 * threads come first: what they had in hand may be committed when the received set is read, and not
 * the other way round.
 */
const appliedSql =
  `SELECT 'thread' AS part, CHANNEL_NAME AS channel, SERVICE_STATE AS state,` +
  ` LAST_PROCESSED_TRANSACTION AS latest, ${unixTime('LAST_PROCESSED_TRANSACTION')} AS latestCommitted,` +
  ` PROCESSING_TRANSACTION AS current, ${unixTime('PROCESSING_TRANSACTION')} AS currentCommitted,` +
  ` ${notCommitted('LAST_PROCESSED_TRANSACTION')} AS missing, NULL AS delay,` +
  ` ${now} AS now, @@GLOBAL.gtid_mode AS gtidMode` +
  ` FROM ${schema}applier_status_by_coordinator` +
  ` UNION ALL SELECT 'thread', CHANNEL_NAME, SERVICE_STATE, '', 0, APPLYING_TRANSACTION,` +
  ` ${unixTime('APPLYING_TRANSACTION')}, '', NULL, ${now}, @@GLOBAL.gtid_mode` +
  ` FROM ${schema}applier_status_by_worker` +
  ` UNION ALL SELECT 'applier', s.CHANNEL_NAME, s.SERVICE_STATE, '', 0, '', 0, '',` +
  ` IF(s.REMAINING_DELAY IS NULL, NULL, c.DESIRED_DELAY), ${now}, @@GLOBAL.gtid_mode` +
  ` FROM ${schema}applier_status s JOIN ${schema}applier_configuration c` +
  ' ON c.CHANNEL_NAME = s.CHANNEL_NAME' +
  ` UNION ALL SELECT 'connection', CHANNEL_NAME, SERVICE_STATE, LAST_QUEUED_TRANSACTION,` +
  ` ${unixTime('LAST_QUEUED_TRANSACTION')}, QUEUEING_TRANSACTION,` +
  ` ${unixTime('QUEUEING_TRANSACTION')}, ${notCommitted('RECEIVED_TRANSACTION_SET')}, NULL,` +
  ` ${now}, @@GLOBAL.gtid_mode FROM ${schema}connection_status`;

/**
 * From the best to the last, so that the first that a server has and the account may read tells most:
 * `ALL` is MariaDB's word for all channels, which MySQL shows anyway; `SLAVE` is the word before
 * MariaDB 10.5.1 and MySQL 8.0.22.
 */
export const lagSources: readonly LagSource[] = [
  { sql: appliedSql, read: appliedLag },
  { sql: 'SHOW ALL REPLICAS STATUS', read: statusLag },
  { sql: 'SHOW REPLICA STATUS', read: statusLag },
  { sql: 'SHOW ALL SLAVES STATUS', read: statusLag },
  { sql: 'SHOW SLAVE STATUS', read: statusLag },
];

/** The rights and things that a server may lack for a source: it is then asked another way. */
const refusals: ReadonlySet<number> = new Set([
  // Rights: to a database, table, column, routine; a global privilege.
  1044, 1142, 1143, 1370, 1227,
  // Unknown: database, column, statement, table, system variable, function; the performance schema is
  // of another version, or off.
  1049,
  1054, 1064, 1146, 1193, 1305, 1682, 1683,
]);

/** Whether an error says that this server, or this account, has no such source. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && refusals.has(Number(error.errno));
}
