import { type ClientSession, type Consistency, followFlows, openStep } from '@rwsplit/core';
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

/** What the user has said of a query beside its text. */
export interface Hints {
  readonly forcePrimary?: true;
  readonly useReplica?: true | string;
  readonly session?: ClientSession;
  readonly consistency?: Consistency;
  readonly maxLag?: number;
}

const none: Hints = {};

/**
 * Hints of queries that went through a plugin and are to be compiled next. By the query's id: plugins
 * that run later may clone every node.
 */
const transformed = new WeakMap<QueryId, Hints>();

/** On the compiled query, as it is shared by no other; and its copies have it too. */
const key = Symbol.for('rwsplit.hints');

interface Hinted {
  readonly [key]?: Hints;
}

/** Gives hints to the queries that go through it. */
export class HintPlugin implements KyselyPlugin {
  readonly #hints: Hints;

  constructor(hints: Hints) {
    this.#hints = hints;
  }

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    transformed.set(queryId, { ...transformed.get(queryId), ...this.#hints });
    return node;
  }

  async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return result;
  }
}

/**
 * Moves hints from the query's id to what it compiles to: a builder and the hinted copy of it have one
 * id, and only one of the two is hinted.
 */
export class HintingQueryCompiler extends MysqlQueryCompiler {
  override compileQuery(node: RootOperationNode, queryId: QueryId): CompiledQuery {
    if (node.kind !== 'SelectQueryNode') {
      // Somebody may ask about it next; here is still the caller's flow.
      followFlows();
      openStep();
    }
    const compiled = super.compileQuery(node, queryId);
    const hints = transformed.get(queryId);
    transformed.delete(queryId);
    return hints === undefined ? compiled : Object.freeze({ ...compiled, [key]: hints });
  }
}

/** The hints of a query. */
export function hintsOf(query: CompiledQuery & Hinted): Hints {
  // A compiler of the user's own leaves them at the id.
  return query[key] ?? transformed.get(query.queryId) ?? none;
}
