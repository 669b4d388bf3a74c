import knex from 'knex';
import { type Runnable, StockQueryBuilder, type WithOptions } from './stock.ts';

/** The hint, as an option of a statement: Knex hands options on to the connection. */
const hint = { forcePrimary: true } as const;

/** Query builders, raw queries and schema builders. */
export interface Hintable {
  options(options: Readonly<Record<string, unknown>>): unknown;
}

/**
 * Runs a query on the primary, wherever it could run: a query builder, a raw query or a schema
 * builder, which is given back as it is. Of nested queries, the outermost decides.
 *
 * ```ts
 * import { forcePrimary, ReplicatedMysql2 } from '@rwsplit/knex';
 * import Knex from 'knex';
 *
 * const connection = { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' };
 * const knex = Knex({ client: ReplicatedMysql2, connection, replicas: [{ host: 'db-2' }] });
 * const [rows] = await forcePrimary(knex.raw('SELECT COUNT(*) AS people FROM person'));
 * await knex.destroy();
 * ```
 */
export function forcePrimary<Builder extends Hintable>(builder: Builder): Builder {
  builder.options(hint);
  return builder;
}

/** Gives query builders their method `forcePrimary()`, unless another copy of this package has. */
export function addForcePrimary(): void {
  if (!('forcePrimary' in StockQueryBuilder.prototype)) {
    knex.QueryBuilder.extend('forcePrimary', function () {
      return forcePrimary(this);
    });
  }
}

/** Whether the user wants it on the primary, by `forcePrimary` or by the query context. */
export function wantsPrimary(builder: Runnable): boolean {
  const { _options: options } = builder;
  return (
    (options !== undefined && isHint(Object.assign({}, ...options))) ||
    isHint(builder.queryContext())
  );
}

/** Whether options, or a query context, hold the hint. */
export function isHint(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'forcePrimary' in value &&
    value.forcePrimary === true
  );
}

/** Adds the hint to the options of a statement, or of a stream. */
export function addHint(target: WithOptions): void {
  target.options = { ...target.options, ...hint };
}
