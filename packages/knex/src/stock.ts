/**
 * The parts of Knex that this package extends. Knex's types leave most of them out, so that they are
 * described here, no wider than they are used. Source: Knex's `lib/client.js`,
 * `lib/dialects/mysql/index.js` and `lib/execution/runner.js`.
 */
import type { Transform, Writable } from 'node:stream';
import type { Knex } from 'knex';
import QueryBuilder from 'knex/lib/dialects/mysql/query/mysql-querybuilder.js';
import ClientMysql2 from 'knex/lib/dialects/mysql2/index.js';
import Transaction from 'knex/lib/dialects/mysql2/transaction.js';
import Runner from 'knex/lib/execution/runner.js';
import Seeder from 'knex/lib/migrations/seed/Seeder.js';
import Raw from 'knex/lib/raw.js';
import SchemaBuilder from 'knex/lib/schema/builder.js';

/** A compiled statement on its way to a connection. */
export interface CompiledStatement {
  sql: string;
  bindings?: unknown;
  readonly method?: string;
  /** For the connection. */
  options?: Readonly<Record<string, unknown>>;
  /** In milliseconds; `false` or none: there is no limit. */
  readonly timeout?: number | false;
  /** Rows and fields, once there is an answer. */
  response?: unknown;
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
  query(connection: unknown, statement: CompiledStatement | string): Promise<unknown>;
  stream(
    connection: unknown,
    statement: CompiledStatement | string,
    stream: Transform,
    options?: Readonly<Record<string, unknown>>,
  ): Promise<unknown>;
  /** @returns the statement, with its response. */
  _query(connection: unknown, statement: CompiledStatement): Promise<CompiledStatement>;
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

/** What goes along with a query whose rows are streamed. */
export interface Streaming {
  readonly stream: Transform;
}

/** Runs one builder on one connection. */
export interface StockRunner {
  readonly client: Knex.Client;
  readonly builder: Runnable;
  /** Before one is acquired, there is none. */
  readonly connection: unknown;
  query(statement: CompiledStatement | string): Promise<unknown>;
  /** @param streaming given for streams alone. */
  ensureConnection(run: unknown, streaming?: Streaming): Promise<unknown>;
  stream(options?: unknown): Transform;
  pipe(writable: Writable, options?: unknown): Writable;
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

/** A raw query. */
export interface StockRaw extends Knex.Raw {
  set(...given: readonly unknown[]): this;
}

export type StockRawClass = new (client: Knex.Client) => StockRaw;

export type StockSchemaBuilderClass = new (client: Knex.Client) => Knex.SchemaBuilder;

/** Runs seeds. */
export interface StockSeeder {
  readonly knex: { readonly client: Knex.Client };
  run(config: unknown): Promise<unknown>;
}

/** One transaction on one connection; a nested one is a savepoint. */
export interface StockTransaction {
  /** Settles the promise of the transaction, unless it is settled. */
  _rejecter(error: unknown): void;
  begin(connection: unknown): Promise<unknown>;
  /** @param error why; what the promise of the transaction is rejected with. */
  rollback(connection: unknown, error?: unknown): Promise<unknown>;
  /** The same for a nested one. */
  rollbackTo(connection: unknown, error?: unknown): Promise<unknown>;
}

export type StockTransactionClass = new (
  client: Knex.Client,
  ...options: readonly unknown[]
) => StockTransaction;

export const StockMysql2 = ClientMysql2 as StockClientClass;
export const StockRunner = Runner as StockRunnerClass;
export const StockQueryBuilder = QueryBuilder as StockQueryBuilderClass;
export const StockRaw = Raw as StockRawClass;
export const StockSchemaBuilder = SchemaBuilder as StockSchemaBuilderClass;
export const StockSeeder = Seeder as { readonly prototype: StockSeeder };
export const StockTransaction = Transaction as StockTransactionClass;
