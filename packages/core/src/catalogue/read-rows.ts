import { failureOf } from '../pool/failure.ts';
import type { Dialect } from '../statement/facts.ts';
import type { CataloguePart, CatalogueRows, ColumnRow, FunctionRow, ViewRow } from './rows.ts';
import { dialectOf } from './server-versions.ts';

/** Runs one query; each row is an array of its columns. */
export type Query = (sql: string) => Promise<readonly (readonly unknown[])[]>;

/** Rows of each kind that are read: beyond them, what is missing is reported. */
const mostRows = 20_000;

/** The same for names of tables. */
const mostTables = 100_000;

/** How long the server may take for one of the queries, in seconds: it is there for the application. */
const longestQuery = 10;

const systemSchemas = "('mysql', 'information_schema', 'performance_schema', 'sys')";

/**
 * Reads what texts do not show. A part that this account may not read, or that takes too long, is
 * named in `unread`; a broken connection is an error.
 *
 * @param given the dialect that the user named, or `null`.
 */
export async function readRows(query: Query, given: Dialect | null): Promise<CatalogueRows> {
  const [first] = await query('SELECT VERSION(), DATABASE()');
  const version = String(first?.[0]);
  const database = first?.[1] ?? null;
  const parts = new Parts(query, (given ?? dialectOf(version)) === 'mariadb');
  const autoIsNull = await parts.autoIsNull();
  const functions = await parts.functions();
  const views = await parts.views();
  return {
    version,
    database: database === null ? null : String(database),
    autoIsNull,
    functions,
    views,
    columns: await parts.columns(),
    tables: views.length === 0 ? [] : await parts.tables(),
    unread: parts.unread,
  };
}

class Parts {
  readonly unread: CataloguePart[] = [];
  readonly #query: Query;
  readonly #isMariadb: boolean;

  constructor(query: Query, isMariadb: boolean) {
    this.#query = query;
    this.#isMariadb = isMariadb;
  }

  async autoIsNull(): Promise<boolean> {
    const rows = await this.#ask('SELECT @@sql_auto_is_null');
    return Number(rows?.[0]?.[0] ?? 0) !== 0;
  }

  async functions(): Promise<FunctionRow[]> {
    const rows = await this.#read(
      'functions',
      'ROUTINE_SCHEMA, ROUTINE_NAME, SQL_DATA_ACCESS, IS_DETERMINISTIC FROM information_schema.ROUTINES' +
        ` WHERE ROUTINE_TYPE = 'FUNCTION' AND ROUTINE_SCHEMA NOT IN ${systemSchemas}`,
    );
    return rows.map(([database, name, access, deterministic]) => ({
      database: String(database),
      name: String(name),
      isDeclaredPure:
        String(deterministic) === 'YES' && /^(NO SQL|READS SQL DATA)$/.test(String(access)),
    }));
  }

  async views(): Promise<ViewRow[]> {
    const rows = await this.#read(
      'views',
      'TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS' +
        ` WHERE TABLE_SCHEMA NOT IN ${systemSchemas}`,
    );
    const views = rows.map(([database, name, body]) => ({
      database: String(database),
      name: String(name),
      body: String(body ?? ''),
    }));
    if (views.some(({ body }) => body === '')) {
      this.unread.push('view bodies');
    }
    return views;
  }

  /**
   * MySQL has only deterministic built-in functions there (manual, CREATE TABLE and Generated
   * Columns); MariaDB also user variables and functions of the session, in those that are not stored.
   */
  async columns(): Promise<ColumnRow[]> {
    if (!this.#isMariadb) {
      return [];
    }
    const rows = await this.#read(
      'generated columns',
      'TABLE_SCHEMA, TABLE_NAME, GENERATION_EXPRESSION FROM information_schema.COLUMNS' +
        ` WHERE GENERATION_EXPRESSION IS NOT NULL AND EXTRA NOT LIKE '%STORED%'` +
        ` AND TABLE_SCHEMA NOT IN ${systemSchemas}`,
    );
    return rows.map(([database, table, expression]) => ({
      database: String(database),
      table: String(table),
      expression: String(expression),
    }));
  }

  /** Names alone, which no server has to open a table for. */
  async tables(): Promise<string[] | null> {
    const rows = await this.#read(
      'tables',
      `TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN ${systemSchemas}`,
      mostTables,
    );
    return this.unread.includes('tables')
      ? null
      : rows.map(([database, name]) => `${String(database)}.${String(name)}`);
  }

  async #read(
    part: CataloguePart,
    what: string,
    most = mostRows,
  ): Promise<readonly (readonly unknown[])[]> {
    // LIMIT also keeps sql_select_limit from cutting the answer short.
    const rows = await this.#ask(`${this.#limited()} ${what} LIMIT ${most + 1}`);
    if (rows === null || rows.length > most) {
      this.unread.push(part);
    }
    return rows ?? [];
  }

  #limited(): string {
    return this.#isMariadb
      ? `SET STATEMENT max_statement_time=${longestQuery} FOR SELECT`
      : `SELECT /*+ MAX_EXECUTION_TIME(${longestQuery * 1000}) */`;
  }

  /** The rows; `null` if the server refuses the query. */
  async #ask(sql: string): Promise<readonly (readonly unknown[])[] | null> {
    try {
      return await this.#query(sql);
    } catch (error) {
      const failure = error instanceof Error ? failureOf(error) : 'client';
      if (failure === 'statement' || failure === 'differs') {
        return null;
      }
      throw error;
    }
  }
}
