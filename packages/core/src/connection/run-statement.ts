import { type StatementEvent, statementChannel } from '../diagnostics.ts';
import { RwSplitError } from '../errors.ts';
import { failureOf } from '../pool/failure.ts';
import type { HostInfo } from '../pool/host-info.ts';
import type { Lease } from '../pool/lease.ts';
import type { DriverError } from '../pool/mysql2.ts';
import { decide } from '../routing/decide.ts';
import type { Route } from '../routing/reasons.ts';
import { recoveryFrom } from '../routing/recover.ts';
import { observe, observeError } from '../session/observe.ts';
import { predict } from '../session/predict.ts';
import {
  afterConnectionLoss,
  freshSession,
  isBound,
  isClean,
  type SessionState,
} from '../session/state.ts';
import type { Facts } from '../statement/facts.ts';
import { carriesCode } from './bound-values.ts';
import { rolledBack, serverStatusOf } from './response.ts';
import type { Session, Task } from './session.ts';
import type { Statement } from './statement.ts';

/** A statement on its way through a session: from its text to its answer. */
export class RunStatement implements Task {
  readonly #session: Session;
  readonly #statement: Statement;
  readonly #tried: HostInfo[] = [];
  readonly #startedAt = statementChannel.hasSubscribers ? performance.now() : 0;
  #done: () => void = () => {};
  #host: HostInfo | null = null;

  constructor(session: Session, statement: Statement) {
    this.#session = session;
    this.#statement = statement;
  }

  run(done: () => void): void {
    this.#done = done;
    const facts = this.#session.context.classify(this.#statement.sql);
    if (this.#session.state.lost) {
      this.#afterLoss(facts);
    } else {
      this.#follow(this.#decide(facts), facts);
    }
  }

  refuse(error: Error): void {
    this.#statement.settle(error);
  }

  #decide(facts: Facts): Route {
    const { context, state, lease } = this.#session;
    const { sql, values, forcePrimary, method } = this.#statement;
    return decide({
      facts,
      state,
      holdsConnection: lease !== null,
      forcePrimary: forcePrimary || facts.hint === 'primary',
      // Only query() writes values into the text; execute() sends them beside it.
      hasBoundCode: facts.reason === null && method === 'query' && carriesCode(values),
      wasRefused: facts.reason === null && context.wasRefused(sql),
      replicas: context.hosts.replicas.length,
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
      if (lease === undefined) {
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
    try {
      this.#statement.send(lease.connection, (error, result, fields) => {
        if (error !== null) {
          this.#failed(error, { lease, route, facts, before, expected });
          return;
        }
        session.state = observe(expected, { serverStatus: serverStatusOf(result) });
        this.#finish(route, null, result, fields);
      });
    } catch (error) {
      // mysql2 throws for values that it cannot send, before anything was sent.
      session.state = before;
      this.#finish(route, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #failed(error: DriverError, attempt: Attempt): void {
    const session = this.#session;
    const { lease, route, facts, before, expected } = attempt;
    const failure = failureOf(error);
    session.state = observeError(before, expected);
    if (failure === 'connection' || failure === 'not-sent') {
      session.spoil();
      session.state = afterConnectionLoss(failure === 'not-sent' ? before : expected);
      lease.host.connectionLost(error);
    }
    if (failure === 'timeout') {
      session.spoil();
    }
    const recovery = recoveryFrom({
      failure,
      role: lease.host.role,
      isTied: !isClean(before) || facts.followUp !== null,
      hasAnswered: this.#statement.hasAnswered,
      hasRetried: this.#tried.includes(lease.host),
    });
    if (recovery === null || session.isDestroyed) {
      if (!isBound(session.state) || session.state.lost) {
        session.letGo();
      }
      this.#finish(route, error);
      return;
    }
    this.#tried.push(lease.host);
    if (recovery.reason === 'fence') {
      session.context.rememberRefusal(this.#statement.sql);
    }
    session.state = before;
    session.letGo();
    this.#follow({ ...recovery, word: route.word, reason: recovery.reason ?? route.reason }, facts);
  }

  /** What was open on the lost connection is gone, and what was meant for it must not run elsewhere. */
  #afterLoss(facts: Facts): void {
    const session = this.#session;
    const route: Route = { role: 'current', reason: 'transaction', word: null };
    session.letGo();
    if (facts.kind === 'rollback' && session.state.transaction !== 'none') {
      session.state = session.state.dirty
        ? { ...session.state, transaction: 'none' }
        : freshSession;
      process.nextTick(() => this.#finish(route, null, rolledBack()));
      return;
    }
    const what = session.state.transaction === 'none' ? 'session state' : 'transaction';
    const error = new RwSplitError(
      'RWSPLIT_SESSION_LOST',
      `The connection that held the ${what} of this session broke, and the ${what} with it: ` +
        'nothing more runs in this session. Roll back or release the connection, and start again',
    );
    process.nextTick(() => this.#finish(route, error));
  }

  #finish(route: Route, error: Error | null, result?: unknown, fields?: unknown): void {
    if (statementChannel.hasSubscribers) {
      statementChannel.publish(this.#event(route, error));
    }
    this.#done();
    this.#statement.settle(error, result, fields);
  }

  #event(route: Route, error: Error | null): StatementEvent {
    const host = this.#host;
    return {
      sql: this.#statement.sql,
      host: host?.name ?? null,
      role: host?.role ?? null,
      reason: route.reason,
      word: route.word,
      tried: this.#tried.map((host) => host.name),
      duration: performance.now() - this.#startedAt,
      error,
    };
  }
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
