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

/** What a query was given on its way through plugins. */
interface Transformed {
  /** As it was before: what reaches the compiler as it was has gone through no plugin. */
  readonly original: RootOperationNode;
  readonly hints: Hints;
}

/**
 * Queries that went through a plugin in this turn. By the query's id: plugins that run later may clone every
 * node. Only until the next one is compiled, as whoever asks a builder for its node, to put it into another
 * query, does so with the id that its copies have.
 */
const transformed = new Map<QueryId, Transformed>();

/** Hints that no compiler of ours has taken: those of a dialect with a compiler of the user's own. */
const left = new WeakMap<QueryId, Hints>();

/** On the compiled query, as it is shared by no other; and its copies have it too. */
const key = Symbol.for('rwsplit.hints');

interface Hinted {
  readonly [key]?: Hints;
}

/** Queries whose hints are on them, if they have any. */
const compiledHere = new WeakSet<object>();

/** Gives hints to the queries that go through it. */
export class HintPlugin implements KyselyPlugin {
  readonly #hints: Hints;

  constructor(hints: Hints) {
    this.#hints = hints;
  }

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    const before = transformed.get(queryId);
    if (before === undefined || before.original === node) {
      transformed.set(queryId, { original: node, hints: this.#hints });
      queueMicrotask(leave);
    } else {
      const { original, hints } = before;
      transformed.set(queryId, { original, hints: { ...hints, ...this.#hints } });
    }
    return { ...node };
  }

  async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return result;
  }
}

function leave(): void {
  for (const [queryId, { hints }] of transformed) {
    left.set(queryId, hints);
  }
  transformed.clear();
}

/** Moves hints to what a query compiles to: a builder and the hinted copy of it have one id. */
export class HintingQueryCompiler extends MysqlQueryCompiler {
  override compileQuery(node: RootOperationNode, queryId: QueryId): CompiledQuery {
    if (node.kind !== 'SelectQueryNode') {
      // Somebody may ask about it next; here is still the caller's flow.
      followFlows();
      openStep();
    }
    const given = transformed.get(queryId);
    transformed.clear();
    const compiled = super.compileQuery(node, queryId);
    const isHinted = given !== undefined && given.original !== node;
    const query = isHinted ? Object.freeze({ ...compiled, [key]: given.hints }) : compiled;
    compiledHere.add(query);
    return query;
  }
}

/** The hints of a query. */
export function hintsOf(query: CompiledQuery & Hinted): Hints {
  const own = query[key];
  if (own !== undefined || compiledHere.has(query)) {
    return own ?? none;
  }
  return left.get(query.queryId) ?? none;
}
