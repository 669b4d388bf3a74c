import { anyPool, roleOf } from '../explain/explain.ts';
import { decide } from '../routing/decide.ts';
import type { Role, Route } from '../routing/reasons.ts';
import { endsTransaction } from '../session/implicit-commit.ts';
import { observe } from '../session/observe.ts';
import { predict } from '../session/predict.ts';
import { freshSession, pinOf, type SessionPin, type SessionState } from '../session/state.ts';
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
 * Pins that say nothing of what the application counts on: a session that ends after its statement
 * or transaction ends them. The others are of state that it has made to use it.
 */
const givenBack: ReadonlySet<SessionPin | null> = new Set([null, 'has-written', 'unknown-state']);

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
      isAnswerable: this.#held !== null,
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
    const response = { serverStatus: statusAfter(before, facts), insertId: null };
    const answered = observe(
      predict(before, facts),
      facts,
      { ...response, hasChangedState: false, gtids: null, hasRows: false, isIdle: false },
      'unknown',
    );
    if (this.#isWhole) {
      return answered;
    }
    this.#isSettingUp &&= facts.kind === 'set' || facts.word === 'set';
    if (this.#isSettingUp) {
      return before;
    }
    const isGivenBack = answered.transaction === 'none' && givenBack.has(pinOf(answered));
    return isGivenBack ? { ...answered, holds: [], hasWritten: false } : answered;
  }
}

/** What the server's flags would say. */
function statusAfter({ transaction }: SessionState, facts: Facts): number {
  return (isOpenAfter(transaction === 'open', facts) ? inTransaction : 0) | autocommit;
}

function isOpenAfter(isOpen: boolean, facts: Facts): boolean {
  return facts.kind === 'begin' || (isOpen && !endsTransaction(facts));
}
