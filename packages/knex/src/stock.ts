/**
 * The parts of Knex that this package extends. Knex's types leave most of them out, so that they are
 * described here, no wider than they are used. Source: Knex's `lib/client.js`,
 * `lib/dialects/mysql/index.js` and `lib/execution/runner.js`.
 */
import type { Transform } from 'node:stream';
import type { Knex } from 'knex';
import ClientMysql2 from 'knex/lib/dialects/mysql2/index.js';
import Transaction from 'knex/lib/dialects/mysql2/transaction.js';
import Runner from 'knex/lib/execution/runner.js';
import QueryBuilder from 'knex/lib/query/querybuilder.js';

/** A compiled statement on its way to a connection. */
export interface CompiledStatement extends WithOptions {
  sql: string;
  bindings?: unknown;
}

/** What Knex's version check asks of a connection. */
export interface VersionSource {
  query(sql: string, callback: (error: Error | null, rows?: unknown) => void): unknown;
}

/** Called when something is done, with what went wrong. */
export type DoneCallback = (error?: unknown) => void;

/** The stock mysql2 client. */
export interface StockClient extends Knex.Client {
  acquireConnection(): Promise<unknown>;
  releaseConnection(connection: unknown): Promise<void>;
  destroy(callback?: DoneCallback): Promise<void>;
  cancelQuery(connectionToKill?: unknown): Promise<unknown>;
  _wrappedCancelQueryCall(control: unknown, connectionToKill: unknown): Promise<unknown>;
  _stream(
    connection: unknown,
    statement: CompiledStatement,
    stream: Transform,
    options?: Readonly<Record<string, unknown>>,
  ): Promise<unknown>;
  /** Knex has it since 3.2. */
  checkVersion?(connection: VersionSource): Promise<unknown>;
}

/** Like `typeof Knex.Client`, for the mysql2 client. */
export type StockClientClass = Omit<typeof Knex.Client, 'prototype'> &
  (new (
    config: Knex.Config,
  ) => StockClient);

/** Whatever Knex can run: query builders, raw queries, schema builders. */
export interface Runnable {
  readonly _options?: readonly Readonly<Record<string, unknown>>[];
  queryContext(): unknown;
}

/** A statement, or what goes along with a stream. */
export interface WithOptions {
  options?: Readonly<Record<string, unknown>>;
}

/** Runs one builder on one connection. */
export interface StockRunner {
  readonly client: Knex.Client;
  readonly builder: Runnable;
  query(statement: CompiledStatement | string): Promise<unknown>;
  /** @param parameters given for streams alone. */
  ensureConnection(run: unknown, parameters?: WithOptions): Promise<unknown>;
}

export type StockRunnerClass = new (client: Knex.Client, builder: Runnable) => StockRunner;

/** The methods of query builders that make them write. */
export interface StockQueryBuilder {
  insert(...given: unknown[]): unknown;
  upsert(...given: unknown[]): unknown;
  update(...given: unknown[]): unknown;
  increment(...given: unknown[]): unknown;
  decrement(...given: unknown[]): unknown;
  delete(...given: unknown[]): unknown;
  truncate(...given: unknown[]): unknown;
}

export type StockQueryBuilderClass = new (client: Knex.Client) => StockQueryBuilder;

/** One transaction on one connection; a nested one is a savepoint. */
export interface StockTransaction extends Knex.Transaction {
  begin(connection: unknown): Promise<unknown>;
}

export type StockTransactionClass = new (
  client: Knex.Client,
  ...options: readonly unknown[]
) => StockTransaction;

export const StockMysql2 = ClientMysql2 as StockClientClass;
export const StockRunner = Runner as StockRunnerClass;
export const StockQueryBuilder = QueryBuilder as StockQueryBuilderClass;
export const StockTransaction = Transaction as StockTransactionClass;
