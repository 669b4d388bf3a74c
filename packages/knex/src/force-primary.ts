import knex, { type Knex } from 'knex';
import { type Hints, primaryHint } from './hints.ts';
import { StockQueryBuilder } from './stock.ts';

/** Query builders, raw queries and schema builders; and query builders of Objection. */
export type Hintable = HasOptions | BuildsKnex;

interface HasOptions {
  options(options: Readonly<Record<string, unknown>>): unknown;
}

/** Objection's builders hand options on to Knex, which their types do not say. */
interface BuildsKnex {
  onBuildKnex(build: (query: Knex.QueryBuilder) => void): unknown;
}

/** Says something of where a query runs, as options of its statements. */
export function hint(query: Hintable, hints: Hints): void {
  if ('options' in query) {
    query.options({ ...hints });
  } else {
    query.onBuildKnex((builder) => void builder.options({ ...hints }));
  }
}

/**
 * Runs a query on the primary, wherever it could run: a query builder, a raw query or a schema
 * builder, which is given back as it is. Of nested queries, the outermost decides. It is also a method of
 * all three, and `queryContext({ forcePrimary: true })`, or `useMaster: true`, is the same for queries that
 * say nothing themselves.
 *
 * Of Objection it takes query builders, and is about that one query; `.context({ onBuild: forcePrimary })` is
 * about a whole graph.
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
  hint(builder, primaryHint);
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
