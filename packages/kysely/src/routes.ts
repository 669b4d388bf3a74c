import type { RoutedStatement } from '@rwsplit/core';
import type { CompiledQuery } from 'kysely';

const routes = new WeakMap<object, RoutedStatement>();

/**
 * Where a compiled query ran the last time, and why: for Kysely's `log`. Executions of one compiled query
 * at the same time are not told apart.
 *
 * ```ts
 * import { ReplicatedMysqlDialect, routeOf } from '@rwsplit/kysely';
 * import { Kysely } from 'kysely';
 *
 * const primary = { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' };
 * const db = new Kysely<{ person: { name: string } }>({
 *   dialect: new ReplicatedMysqlDialect({ primary, replicas: [{ host: 'db-2' }] }),
 *   log({ query, queryDurationMillis }) {
 *     const route = routeOf(query);
 *     console.log(query.sql, queryDurationMillis, route?.host, route?.role, route?.reason);
 *   },
 * });
 * await db.selectFrom('person').select('name').execute();
 * await db.destroy();
 * ```
 *
 * @returns `null` if it has not run, or was refused before a host was looked for.
 */
export function routeOf(query: CompiledQuery): RoutedStatement | null {
  return routes.get(query) ?? null;
}

/** To be called when it is known where a query ran. */
export function noteRoute(query: CompiledQuery, route: RoutedStatement): void {
  routes.set(query, route);
}

/** To be called before a query runs again. */
export function forgetRoute(query: CompiledQuery): void {
  routes.delete(query);
}
