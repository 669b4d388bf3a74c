import { followFlows, openStep } from '@rwsplit/core';
import {
  type CompiledQuery,
  type KyselyPlugin,
  MysqlQueryCompiler,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryId,
  type QueryResult,
  type RootOperationNode,
  type UnknownRow,
} from 'kysely';
import { withSessionOf } from './in-session.ts';
import type { Pluggable } from './pluggable.ts';

/**
 * Runs queries on the primary that could run on a replica.
 *
 * A hint counts for the query that is executed: on a subquery, a CTE or an arm of a union it says
 * nothing.
 *
 * ```ts
 * import { forcePrimary, ReplicatedMysqlDialect } from '@rwsplit/kysely';
 * import { Kysely, sql } from 'kysely';
 *
 * const primary = { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' };
 * const dialect = new ReplicatedMysqlDialect({ primary, replicas: [{ host: 'db-2' }] });
 * const db = new Kysely<{ person: { name: string } }>({ dialect });
 * await db.selectFrom('person').selectAll().$call(forcePrimary).execute(); // one query
 * await forcePrimary(sql`SELECT COUNT(*) FROM person`).execute(db); // raw SQL
 * await forcePrimary(db).selectFrom('person').selectAll().execute(); // every query of a copy
 * await db.destroy();
 * ```
 *
 * @returns a copy of the same type; what was given stays as it is.
 */
export function forcePrimary<T extends Pluggable<T>>(target: T): T {
  return target.withPlugin(plugin);
}

/**
 * Queries that went through the plugin and are to be compiled next. By the query's id: plugins that
 * run later may clone every node.
 */
const transformed = new WeakSet<QueryId>();

/** On the compiled query, as it is shared by no other; and its copies have it too. */
const forced = Symbol.for('rwsplit.forcePrimary');

class ForcePrimaryPlugin implements KyselyPlugin {
  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    transformed.add(queryId);
    return node;
  }

  async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return result;
  }
}

const plugin = new ForcePrimaryPlugin();

/**
 * Moves the hint from the query's id to what it compiles to: a builder and the copy of it that
 * `forcePrimary` made have one id, and only one of the two is hinted.
 */
export class HintingQueryCompiler extends MysqlQueryCompiler {
  override compileQuery(node: RootOperationNode, queryId: QueryId): CompiledQuery {
    if (node.kind !== 'SelectQueryNode') {
      // Somebody may ask about it next; here is still the caller's flow.
      followFlows();
      openStep();
    }
    const compiled = withSessionOf(super.compileQuery(node, queryId), queryId);
    return transformed.delete(queryId) ? Object.freeze({ ...compiled, [forced]: true }) : compiled;
  }
}

/** Whether `forcePrimary` was applied to a query. */
export function isForced(query: CompiledQuery): boolean {
  // A compiler of the user's own leaves the hint at the id.
  return forced in query || transformed.has(query.queryId);
}
