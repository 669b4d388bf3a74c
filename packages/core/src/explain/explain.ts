import { decide, type Situation } from '../routing/decide.ts';
import type { Route } from '../routing/reasons.ts';
import { freshSession } from '../session/state.ts';
import { createClassifier } from '../statement/classifier.ts';
import type { Dialect, Facts } from '../statement/facts.ts';
import { type Explanation, explanationOf } from './explanation.ts';
import { Inspector } from './inspector.ts';
import { type ExplainOptions, parseExplainOptions } from './options.ts';

/** Explains one text after the other by the same options. */
export class Explainer {
  readonly inspector: Inspector;
  readonly #classifier;

  /** @throws `RWSPLIT_OPTIONS` with every problem of the options. */
  constructor(options: ExplainOptions) {
    const parsed = parseExplainOptions(options);
    this.#classifier = createClassifier(parsed);
    this.inspector = new Inspector(parsed);
  }

  get dialect(): Dialect {
    return this.#classifier.dialect;
  }

  /** What the text says. */
  classify(sql: string): Facts {
    return this.#classifier.classify(sql);
  }

  /** What becomes of the text as the only statement of a session. */
  explain(sql: string): Explanation {
    const facts = this.classify(sql);
    const route = routeAlone(facts, anyPool);
    return explanationOf(sql, facts, route, roleOf(route), this.inspector);
  }
}

/** What a decision needs to know of a pool. */
export type PoolSituation = Pick<Situation, 'wasRefused' | 'replicas' | 'isCatalogueBehind'>;

/** A pool with a replica, of which nothing else is known. */
export const anyPool: PoolSituation = { wasRefused: false, replicas: 1, isCatalogueBehind: false };

/** The decision on the first statement of a session. */
export function routeAlone(facts: Facts, pool: PoolSituation): Route {
  const forcePrimary = facts.hint === 'primary';
  return decide({ ...pool, facts, state: freshSession, isAnswerable: false, forcePrimary });
}

/** The role of a route; that of a session without a connection runs on the primary. */
export function roleOf(route: Route): Explanation['role'] {
  return route.role === 'current' ? 'primary' : route.role;
}

/** Explainers by their options: to make one costs more than to ask it a hundred times. */
const explainers = new Map<string, Explainer>();
const mostExplainers = 8;

function explainerFor(options: ExplainOptions): Explainer {
  const { dialect, version, pureFunctions, primaryTables } = parseExplainOptions(options);
  const key = JSON.stringify([dialect, version, pureFunctions, primaryTables]);
  const known = explainers.get(key);
  if (known !== undefined) {
    return known;
  }
  if (explainers.size === mostExplainers) {
    explainers.clear();
  }
  const explainer = new Explainer(options);
  explainers.set(key, explainer);
  return explainer;
}

/**
 * Tells where a pool with replicas would run a statement, and why, without a pool and without a
 * server: by the code that routes. It is about the text as the first statement of a session: bound
 * values, open transactions and the servers' catalogue are not in it. (`pool.explain()` knows the
 * catalogue.)
 *
 * @param sql the text as it would be given to `query()`; any text has an explanation.
 * @throws `RWSPLIT_OPTIONS` with every problem of the options.
 *
 * ```ts
 * import { explain } from '@rwsplit/core';
 *
 * const { role, reason, word, tables } = explain('SELECT price(id) FROM shop.item', {
 *   dialect: 'mysql',
 *   version: '8.4.5',
 * });
 * console.log(role, reason, word); // primary unknown-function price
 * console.log(tables); // [ { db: 'shop', table: 'item' } ]
 * console.log(explain('SELECT price(id) FROM shop.item', { pureFunctions: ['price'] }).role); // replica
 * ```
 */
export function explain(sql: string, options: ExplainOptions = {}): Explanation {
  return explainerFor(options).explain(sql);
}
