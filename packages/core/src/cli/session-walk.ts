import { anyPool, roleOf } from '../explain/explain.ts';
import { decide } from '../routing/decide.ts';
import type { Role, Route } from '../routing/reasons.ts';
import { observe } from '../session/observe.ts';
import { predict } from '../session/predict.ts';
import { freshSession, type SessionState } from '../session/state.ts';
import type { Facts } from '../statement/facts.ts';

/** Where a statement of a session would run. */
export interface Step {
  readonly route: Route;
  readonly role: Role;
}

/** IN_TRANS and AUTOCOMMIT of the protocol's status flags; see `session/observe.ts`. */
const inTransaction = 1;
const autocommit = 2;

/**
 * Statements that commit what is open before they run (MySQL manual, "Statements That Cause an
 * Implicit Commit").
 */
const commits = new Set(
  (
    'alter analyze cache change check create drop flush grant import install load lock optimize ' +
    'purge rename repair reset restart revoke shutdown start stop truncate uninstall'
  ).split(' '),
);

/**
 * Pins that say nothing of what the application counts on: a session that ends after its statement
 * or transaction ends them. The others are of state that it has made to use it.
 */
const givenBack: ReadonlySet<SessionState['pin']> = new Set(['has-written', 'unknown-state']);

/**
 * Walks through one session without a server: the state that rwsplit would expect, and the decision
 * on each statement.
 */
export class SessionWalk {
  #state: SessionState = freshSession;
  #held: Role | null = null;
  readonly #isWhole: boolean;
  /** Nothing but SET has run: an application sets up its connection. */
  #isSettingUp = true;

  /**
   * @param isWhole whether all of it is one session of the application. Else its connection came
   *   from a pool and went back between transactions, and was set up with SET when it was new.
   */
  constructor(isWhole: boolean) {
    this.#isWhole = isWhole;
  }

  step(facts: Facts): Step {
    const route = decide({
      facts,
      state: this.#state,
      holdsConnection: this.#held !== null,
      forcePrimary: facts.hint === 'primary',
      ...anyPool,
    });
    const role = route.role === 'current' ? (this.#held ?? 'primary') : roleOf(route);
    this.#held = role;
    this.#state = this.#stateAfter(facts);
    return { route, role };
  }

  #stateAfter(facts: Facts): SessionState {
    const before = this.#state;
    const answered = observe(predict(before, facts), { serverStatus: statusAfter(before, facts) });
    if (this.#isWhole) {
      return answered;
    }
    this.#isSettingUp &&= facts.kind === 'set';
    if (this.#isSettingUp) {
      return before;
    }
    const isGivenBack = answered.transaction === 'none' && givenBack.has(answered.pin);
    return isGivenBack ? { ...answered, pin: null } : answered;
  }
}

/** What the server's flags would say. */
function statusAfter({ transaction }: SessionState, facts: Facts): number {
  return (isOpenAfter(transaction === 'open', facts) ? inTransaction : 0) | autocommit;
}

function isOpenAfter(isOpen: boolean, { kind, word, pin }: Facts): boolean {
  if (kind === 'begin') return true;
  if (kind === 'commit' || kind === 'rollback') return false;
  const isTemporary = pin === 'temporary-table';
  return isOpen && !(commits.has(word ?? '') && !isTemporary);
}
