import { pinOf, type SessionState } from '../session/state.ts';
import type { Facts } from '../statement/facts.ts';
import type { Route, RouteReason } from './reasons.ts';

/** All that a decision depends on. */
export interface Situation {
  readonly facts: Facts;
  readonly state: SessionState;
  /** Whether the session holds the connection that can answer what the statement asks. */
  readonly isAnswerable: boolean;
  /** The hint given with the statement, by API or by comment. */
  readonly forcePrimary: boolean;
  /** Whether a replica has refused a statement of this text before. */
  readonly wasRefused: boolean;
  /** How many replicas are configured. */
  readonly replicas: number;
  /** Whether a definition has changed, and what it hides is not known yet. */
  readonly isCatalogueBehind: boolean;
}

/**
 * Where a statement runs. The first rule that applies wins:
 * what binds the session, then what the statement needs, then what the caller wishes, and only
 * what is left may go to a replica.
 */
export function decide(situation: Situation): Route {
  const { facts, state } = situation;
  if (state.transaction !== 'none') {
    return route('current', 'transaction');
  }
  const pin = pinOf(state);
  if (pin !== null) {
    return route('current', `pinned:${pin}`);
  }
  if (situation.isAnswerable && facts.asks.length > 0) {
    return route('current', 'follow-up', facts.word);
  }
  if (facts.reason !== null) {
    return route('primary', facts.reason, facts.word);
  }
  if (situation.forcePrimary) {
    return route('primary', 'force-primary');
  }
  if (situation.wasRefused) {
    return route('primary', 'fence');
  }
  if (situation.replicas === 0) {
    return withoutReplicas;
  }
  return situation.isCatalogueBehind ? beforeCatalogue : plainRead;
}

/** Of what may run on a replica. */
export const plainRead: Route = { role: 'replica', reason: 'read', word: null };
const beforeCatalogue: Route = { role: 'primary', reason: 'catalogue-pending', word: null };
const withoutReplicas: Route = { role: 'primary', reason: 'no-replicas', word: null };

function route(role: Route['role'], reason: RouteReason, word: string | null = null): Route {
  return { role, reason, word };
}
