import { heartbeatLag } from '../hosts/lag.ts';
import type { Row } from '../topology/topology.ts';
import { isRefusal } from './lag-sources.ts';

/**
 * The age of the newest row of a table as `pt-heartbeat` writes it: on the primary, once a second, with
 * its time in the column `ts`. A text or a DATETIME has no time zone, and is read as UTC, which is what
 * `pt-heartbeat --utc` writes; without `--utc` it writes the time of the machine that it runs on. A
 * TIMESTAMP needs no such word.
 */
export class Heartbeat {
  readonly #typeSql: string;
  readonly #textSql: string;
  readonly #timestampSql: string;
  /** Type of the column; `null`: not known yet. */
  #type: string | null = null;

  /** @param table `db.table` */
  constructor(table: string) {
    const dot = table.indexOf('.');
    const [database, name] = [table.slice(0, dot), table.slice(dot + 1)];
    const from = `FROM ${quotedName(database)}.${quotedName(name)}`;
    this.#typeSql =
      'SELECT DATA_TYPE AS type FROM information_schema.COLUMNS' +
      ` WHERE TABLE_SCHEMA = ${hexText(database)} AND TABLE_NAME = ${hexText(name)} AND COLUMN_NAME = 'ts'`;
    // Of several rows, one for each server that was a primary, only the newest is still written.
    this.#textSql = `SELECT TIMESTAMPDIFF(MICROSECOND, MAX(ts), UTC_TIMESTAMP(6)) AS age ${from}`;
    // Not against NOW(6): both change with the session's time zone, and are ambiguous for an hour a year.
    this.#timestampSql =
      "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))" +
      ` - UNIX_TIMESTAMP(MAX(ts)) * 1000000 AS age ${from}`;
  }

  /** Milliseconds; `null` if the table is empty, missing or not to be read: it may come. */
  async measure(ask: (sql: string) => Promise<readonly Row[]>): Promise<number | null> {
    try {
      this.#type ??= typeIn(await ask(this.#typeSql));
      return heartbeatLag(
        await ask(this.#type === 'timestamp' ? this.#timestampSql : this.#textSql),
      );
    } catch (error) {
      if (isRefusal(error)) {
        return null;
      }
      throw error;
    }
  }

  /** The table may be another one. */
  reset(): void {
    this.#type = null;
  }
}

function typeIn(rows: readonly Row[]): string | null {
  const type = rows[0]?.['type'];
  return type === undefined ? null : String(type).toLowerCase();
}

function quotedName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** A text that means the same in every sql_mode. */
function hexText(text: string): string {
  return text === '' ? "''" : `_utf8mb4 x'${Buffer.from(text).toString('hex')}'`;
}
