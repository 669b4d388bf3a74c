import { type StatementEvent, statementChannel } from '../diagnostics.ts';
import { RwSplitError } from '../errors.ts';
import { codeOf, failureOf } from '../pool/failure.ts';
import type { HostInfo } from '../pool/host-info.ts';
import type { Lease } from '../pool/lease.ts';
import type { DriverError } from '../pool/mysql2.ts';
import { decide } from '../routing/decide.ts';
import type { Route } from '../routing/reasons.ts';
import { recoveryFrom } from '../routing/recover.ts';
import { observe, observeError } from '../session/observe.ts';
import { predict } from '../session/predict.ts';
import {
  afterAnswer,
  afterConnectionLoss,
  afterRollback,
  asksForLostAnswer,
  isBound,
  isClean,
  type SessionState,
} from '../session/state.ts';
import type { Facts, StatementKind } from '../statement/facts.ts';
import { rolledBack, serverStatusOf } from './response.ts';
import type { Session, Task } from './session.ts';
import { sessionLost } from './session-lost.ts';
import type { Statement } from './statement.ts';
import { factsOf, textWithCode } from './statement-facts.ts';

/** A statement on its way through a session: from its text to its answer. */
export class RunStatement implements Task {
  readonly #session: Session;
  readonly #statement: Statement;
  readonly #tried: HostInfo[] = [];
  readonly #startedAt = statementChannel.hasSubscribers ? performance.now() : 0;
  #done: () => void = () => {};
  #kind: StatementKind = 'other';
  #host: HostInfo | null = null;
  /** To be called when a change of a definition is over; `null` while it makes none. */
  #changed: (() => void) | null = null;
  #isFinished = false;

  constructor(session: Session, statement: Statement) {
    this.#session = session;
    this.#statement = statement;
  }

  run(done: () => void): void {
    this.#done = done;
    this.#route();
  }

  refuse(error: Error): void {
    this.#endChange();
    this.#statement.settle(error);
  }

  #route(): void {
    const { context, state } = this.#session;
    const facts = factsOf(this.#statement, context.catalogue, context.hosts);
    this.#kind = facts.kind;
    if (state.lost || asksForLostAnswer(state, facts)) {
      this.#afterLoss(facts);
      return;
    }
    const route = this.#decide(facts);
    // The first plain read finds out what no text shows.
    if (route.role !== 'replica' || context.catalogue.admits(() => this.#routeAgain(route))) {
      this.#follow(route, factsOnRoute(route, facts));
    }
  }

  #routeAgain(route: Route): void {
    if (this.#session.isDestroyed || this.#statement.isSettled) {
      this.#finish(route, destroyedWhileWaiting());
    } else {
      this.#route();
    }
  }

  #decide(facts: Facts): Route {
    const { context, state, lease } = this.#session;
    const { sql, forcePrimary } = this.#statement;
    return decide({
      facts,
      state,
      holdsConnection: lease !== null,
      forcePrimary: forcePrimary || facts.hint === 'primary',
      wasRefused: facts.reason === null && context.catalogue.wasRefused(sql),
      replicas: context.hosts.replicas.length,
      isCatalogueBehind: context.catalogue.isBehind,
    });
  }

  /** Finds the connection that a route asks for: the one held, or another. */
  #follow(route: Route, facts: Facts): void {
    const session = this.#session;
    const held = session.lease;
    if (held !== null && (route.role === 'current' || route.role === held.host.role)) {
      this.#send(held, route, facts);
      return;
    }
    session.letGo();
    const role = route.role === 'current' ? 'primary' : route.role;
    session.context.hosts.lease(role, this.#tried, (error, lease) => {
      if (lease === undefined && route.reason === 'catalogue-pending') {
        // It only had the primary's word for what it reads; without that, it goes by its text.
        session.context.catalogue.doWithout();
        this.#follow({ role: 'replica', reason: 'read', word: null }, facts);
      } else if (lease === undefined) {
        this.#finish(route, error);
      } else if (session.isDestroyed || this.#statement.isSettled) {
        lease.giveBack();
        this.#finish(route, destroyedWhileWaiting());
      } else {
        session.hold(lease);
        const isSubstitute = role === 'replica' && lease.host.role === 'primary';
        this.#send(
          lease,
          isSubstitute ? { ...route, reason: 'replicas-unavailable' } : route,
          facts,
        );
      }
    });
  }

  #send(lease: Lease, route: Route, facts: Facts): void {
    const session = this.#session;
    const before = session.state;
    const expected = predict(before, facts);
    session.state = expected;
    this.#host = lease.host;
    const attempt = { lease, route, facts, before, expected };
    this.#changed = session.context.catalogue.watch(facts, () => textWithCode(this.#statement));
    let isAnswered = false;
    try {
      this.#statement.send(lease.connection, (error, result, fields) => {
        isAnswered = true;
        if (error === null) {
          this.#succeeded(attempt, result, fields);
        } else {
          this.#failed(error, attempt);
        }
      });
    } catch (error) {
      if (isAnswered) {
        // It is the caller's own, thrown where the answer was given.
        throw error;
      }
      this.#unsent(error, attempt);
    }
  }

  #succeeded({ route, facts, expected }: Attempt, result: unknown, fields: unknown): void {
    const session = this.#session;
    const observed = observe(expected, { serverStatus: serverStatusOf(result) });
    session.state = afterAnswer(observed, facts);
    if (closesConnection(facts, this.#statement.sql)) {
      session.state = afterConnectionLoss(session.state);
      session.spoil();
      session.letGo();
    }
    this.#finish(route, null, result, fields);
  }

  /** mysql2 throws for values that it cannot send, and for some statements on a closed connection. */
  #unsent(thrown: unknown, attempt: Attempt): void {
    const error: DriverError = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (error.fatal === true) {
      this.#failed(error, attempt);
    } else {
      this.#session.state = attempt.before;
      this.#finish(attempt.route, error);
    }
  }

  #failed(error: DriverError, attempt: Attempt): void {
    const session = this.#session;
    const { lease, route, facts, before, expected } = attempt;
    const failure = failureOf(error);
    session.state = observeError(before, expected);
    const isGone = failure === 'connection' || failure === 'not-sent' || failure === 'client';
    if (isGone) {
      session.state = afterConnectionLoss(failure === 'not-sent' ? before : expected);
    }
    if (isGone || failure === 'timeout') {
      session.spoil();
    }
    // A plain read that only waits for the catalogue may run on a replica after all.
    const mayMove = isGone && route.reason === 'catalogue-pending';
    const recovery = recoveryFrom({
      failure,
      role: mayMove ? 'replica' : lease.host.role,
      isTied: !isClean(before) || facts.followUp !== null,
      hasAnswered: this.#statement.hasAnswered,
      hasRetried: this.#tried.includes(lease.host),
    });
    if (recovery === null || session.isDestroyed) {
      if (isGone || !isBound(session.state)) {
        session.letGo();
      }
      this.#finish(route, error);
      return;
    }
    this.#tried.push(lease.host);
    if (recovery.reason === 'fence') {
      session.context.catalogue.rememberRefusal(this.#statement.sql);
    }
    // A write may be sent again on the primary; what came before it is not on the new connection.
    session.state = lease.host.role === 'primary' ? { ...before, lostAnswers: 'all' } : before;
    session.letGo();
    const reason = recovery.reason ?? (mayMove ? 'read' : route.reason);
    const again = { ...recovery, word: route.word, reason };
    this.#follow(again, factsOnRoute(again, facts));
  }

  /** What was open on the lost connection is gone, and what was meant for it must not run elsewhere. */
  #afterLoss(facts: Facts): void {
    const session = this.#session;
    const { lost } = session.state;
    const route: Route = {
      role: 'current',
      reason: lost ? 'transaction' : 'follow-up',
      word: null,
    };
    if (lost) {
      session.letGo();
    }
    if (lost && facts.kind === 'rollback' && session.state.transaction !== 'none') {
      session.state = afterRollback(session.state);
      process.nextTick(() => this.#finish(route, null, rolledBack()));
      return;
    }
    const error = sessionLost(session.state);
    process.nextTick(() => this.#finish(route, error));
  }

  #finish(route: Route, error: Error | null, result?: unknown, fields?: unknown): void {
    if (this.#isFinished) {
      return;
    }
    this.#isFinished = true;
    this.#endChange();
    if (statementChannel.hasSubscribers) {
      statementChannel.publish(this.#event(route, error));
    }
    try {
      this.#done();
    } finally {
      this.#statement.settle(error, result, fields);
    }
  }

  #endChange(): void {
    const changed = this.#changed;
    this.#changed = null;
    changed?.();
  }

  #event(route: Route, error: Error | null): StatementEvent {
    const host = this.#host;
    const { catalogue } = this.#session.context;
    const { sql } = this.#statement;
    return {
      sql,
      host: host?.name ?? null,
      role: host?.role ?? null,
      reason: route.reason,
      word: route.word,
      tried: this.#tried.map((host) => host.name),
      duration: performance.now() - this.#startedAt,
      error: error === null ? null : codeOf(error),
      kind: this.#kind,
      get tables() {
        return catalogue.inspector.tables(sql);
      },
      get fingerprint() {
        return catalogue.inspector.fingerprint(sql);
      },
    };
  }
}

/** What a replica refused writes, although its text does not say so. */
function factsOnRoute({ reason }: Route, facts: Facts): Facts {
  return reason === 'fence' ? { ...facts, callsUnknown: true } : facts;
}

/** `COMMIT RELEASE` and `ROLLBACK RELEASE`: the server closes the connection after its answer. */
function closesConnection(facts: Facts, sql: string): boolean {
  return (facts.kind === 'commit' || facts.kind === 'rollback') && /\brelease\b/i.test(sql);
}

/** One sending of a statement, and what was known before and while it ran. */
interface Attempt {
  readonly lease: Lease;
  readonly route: Route;
  readonly facts: Facts;
  readonly before: SessionState;
  readonly expected: SessionState;
}

function destroyedWhileWaiting(): RwSplitError {
  return new RwSplitError(
    'RWSPLIT_CONNECTION_DESTROYED',
    'The connection was destroyed while its statement waited for a server',
  );
}
