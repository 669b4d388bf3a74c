import type { ClientSession } from '@rwsplit/core';
import type {
  CompiledQuery,
  KyselyPlugin,
  PluginTransformQueryArgs,
  PluginTransformResultArgs,
  QueryId,
  QueryResult,
  RootOperationNode,
  UnknownRow,
} from 'kysely';
import type { Pluggable } from './pluggable.ts';

/**
 * Runs queries in a session that was opened by hand, with `openSession()`: for those who want no
 * AsyncLocalStorage. Transactions and `db.connection()` are sessions of their own.
 *
 * ```ts
 * import { inSession, openSession, ReplicatedMysqlDialect } from '@rwsplit/kysely';
 * import { Kysely, sql } from 'kysely';
 *
 * const primary = { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' };
 * const dialect = new ReplicatedMysqlDialect({ primary, replicas: [{ host: 'db-2' }] });
 * const db = new Kysely<{ person: { name: string } }>({ dialect });
 * const session = openSession();
 * const inIt = inSession(db, session);
 * await sql`SET @least = 2`.execute(inIt);
 * await sql`SELECT name FROM person WHERE id >= @least`.execute(inIt);
 * session.end();
 * await db.destroy();
 * ```
 *
 * @returns a copy of the same type; what was given stays as it is.
 */
export function inSession<T extends Pluggable<T>>(target: T, session: ClientSession): T {
  return target.withPlugin(new SessionPlugin(session));
}

/** Queries that went through the plugin, by their ids: plugins that run later may clone every node. */
const transformed = new WeakMap<QueryId, ClientSession>();

/** On the compiled query, as it is shared by no other; and its copies have it too. */
const given = Symbol.for('rwsplit.session');

class SessionPlugin implements KyselyPlugin {
  readonly #session: ClientSession;

  constructor(session: ClientSession) {
    this.#session = session;
  }

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    transformed.set(queryId, this.#session);
    return node;
  }

  async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return result;
  }
}

/** Moves the session from a query's id to what it compiles to. */
export function withSessionOf(compiled: CompiledQuery, queryId: QueryId): CompiledQuery {
  const session = transformed.get(queryId);
  transformed.delete(queryId);
  return session === undefined ? compiled : Object.freeze({ ...compiled, [given]: session });
}

/** The session that was given to a query. */
export function sessionOf(query: CompiledQuery): ClientSession | undefined {
  // A compiler of the user's own leaves it at the id.
  const { [given]: session } = query as { [given]?: ClientSession };
  return session ?? transformed.get(query.queryId);
}
