import type { Place, ScopeMarks } from '../consistency/marks.ts';
import type { Placement } from '../consistency/placement.ts';
import { publishStatement, statementChannel } from '../diagnostics.ts';
import { RwSplitError } from '../errors.ts';
import { codeOf, failureOf } from '../pool/failure.ts';
import type { HostInfo } from '../pool/host-info.ts';
import type { HostsCallback, ReplicaLimits } from '../pool/hosts.ts';
import type { Lease } from '../pool/lease.ts';
import type { DriverError } from '../pool/mysql2.ts';
import { decide } from '../routing/decide.ts';
import type { Route } from '../routing/reasons.ts';
import { recoveryFrom } from '../routing/recover.ts';
import { closesConnection, undoes } from '../session/endings.ts';
import { observe, observeError } from '../session/observe.ts';
import { predict } from '../session/predict.ts';
import {
  afterConnectionLoss,
  afterLeaving,
  afterRollback,
  isBound,
  isHeld,
  type SessionState,
} from '../session/state.ts';
import { showsData, type Written, writtenBy, writtenDespite } from '../session/written.ts';
import type { Facts, StatementKind } from '../statement/facts.ts';
import { needsCheck, type Obstacle, SessionCheck } from './check-session.ts';
import { responseOf, rolledBack } from './response.ts';
import type { Session } from './session.ts';
import type { Statement } from './statement.ts';
import { factsOf, textWithCode } from './statement-facts.ts';
import type { SessionContext, Task, TaskQueue } from './task-queue.ts';

/** A statement on its way through a session: from its text to its answer. */
export class RunStatement implements Task {
  readonly #queue: TaskQueue;
  readonly #statement: Statement;
  readonly #tried: HostInfo[] = [];
  readonly #startedAt = statementChannel.hasSubscribers ? performance.now() : 0;
  #done: () => void = () => {};
  #kind: StatementKind = 'other';
  #host: HostInfo | null = null;
  /** To be called when a change of a definition is over; `null` while it makes none. */
  #changed: (() => void) | null = null;
  #isFinished = false;
  /** For a replica to have what it has to see, in milliseconds. */
  #waited = 0;

  constructor(queue: TaskQueue, statement: Statement) {
    this.#queue = queue;
    this.#statement = statement;
  }

  run(done: () => void): void {
    this.#done = done;
    const facts = this.#classify();
    this.#queue.settle(facts.pin, facts.asks, (error) => {
      if (error !== null) {
        this.#refuseUnsent('follow-up', error);
      } else {
        this.#check(facts);
      }
    });
  }

  refuse(error: Error): void {
    this.#endChange();
    this.#statement.settle(error);
  }

  get #context(): SessionContext {
    return this.#queue.context;
  }

  get #session(): Session {
    return this.#queue.session;
  }

  #classify(): Facts {
    const { catalogue, hosts } = this.#context;
    const facts = factsOf(this.#statement, catalogue, hosts);
    this.#kind = facts.kind;
    return facts;
  }

  #check(facts: Facts): void {
    const session = this.#session;
    if (facts.asks.includes('insert-id')) {
      session.comeBack();
    }
    if (this.#isGivenUp) {
      this.#refuseUnsent('transaction', destroyedWhileWaiting());
    } else if (needsCheck(session.state, facts)) {
      const proceed = (obstacle: Obstacle | null) => this.#proceed(obstacle, facts);
      new SessionCheck(this.#context, session, this.#statement, facts, proceed).run();
    } else {
      this.#route(facts);
    }
  }

  #proceed(obstacle: Obstacle | null, facts: Facts): void {
    if (this.#isGivenUp) {
      this.#refuseUnsent('transaction', destroyedWhileWaiting());
    } else if (obstacle === null) {
      this.#route(facts);
    } else if (obstacle.kind === 'refused') {
      this.#refuseUnsent(obstacle.reason, obstacle.error);
    } else {
      process.nextTick(() => this.#finish(transactionRoute, null, rolledBack()));
    }
  }

  #route(facts: Facts): void {
    const { catalogue } = this.#context;
    const route = this.#decide(facts);
    // The first plain read finds out what no text shows.
    if (route.role !== 'replica') {
      this.#follow(route, factsOnRoute(route, facts));
    } else if (catalogue.admits(() => this.#routeAgain(route))) {
      this.#place(route, facts);
    }
  }

  /** Finds the replicas that have what a plain read has to see, or waits for one; else the primary has it. */
  #place(route: Route, facts: Facts): void {
    const { causality } = this.#context;
    const need = causality.needOf(this.#statement.wishes.consistency, this.#marks);
    const placement = causality.find(need, this.#tried);
    if (placement !== null || need === null) {
      this.#followTo(placement, route, facts);
      return;
    }
    const startedAt = performance.now();
    // Who waits holds no connection that others may need.
    this.#session.moveTo('replica');
    causality.seek(need, this.#tried, (found) => {
      this.#waited += performance.now() - startedAt;
      this.#followTo(found, route, facts);
    });
  }

  #followTo(placement: Placement | null, route: Route, facts: Facts): void {
    if (placement?.role === 'none') {
      this.#finish(route, placement.error);
    } else if (placement?.role === 'primary') {
      this.#follow({ ...route, role: 'primary', reason: placement.reason }, facts);
    } else {
      this.#follow(route, facts, placement);
    }
  }

  /** What the session has written and seen. */
  get #marks(): ScopeMarks | null {
    return this.#queue.marks;
  }

  #routeAgain(route: Route): void {
    if (this.#isGivenUp) {
      this.#finish(route, destroyedWhileWaiting());
    } else {
      this.#check(this.#classify());
    }
  }

  get #isGivenUp(): boolean {
    return this.#queue.isDestroyed || this.#statement.isSettled;
  }

  #decide(facts: Facts): Route {
    const { catalogue, hosts } = this.#context;
    const { state, lease } = this.#session;
    const { sql, forcePrimary } = this.#statement;
    return decide({
      facts,
      state,
      isAnswerable: lease !== null,
      forcePrimary: forcePrimary || facts.hint === 'primary',
      wasRefused: facts.reason === null && catalogue.wasRefused(sql),
      replicas: hosts.replicas.length,
      isCatalogueBehind: catalogue.isBehind,
    });
  }

  /** Finds the connection that a route asks for: the one held, or another. */
  #follow(route: Route, facts: Facts, limits: ReplicaLimits | null = null): void {
    const session = this.#session;
    if (this.#isGivenUp) {
      this.#finish(route, destroyedWhileWaiting());
      return;
    }
    const isHeldUsable = session.lease !== null && isUsable(session.lease, route, limits);
    const held = isHeldUsable
      ? session.lease
      : session.moveTo(route.role === 'replica' ? 'replica' : 'primary');
    if (held !== null) {
      this.#send(held, route, facts);
      return;
    }
    const role = route.role === 'current' ? 'primary' : route.role;
    const leased: HostsCallback = (error, lease) => {
      if (lease === undefined && route.reason === 'catalogue-pending') {
        // It only had the primary's word for what it reads; without that, it goes by its text.
        this.#context.catalogue.doWithout();
        this.#place({ role: 'replica', reason: 'read', word: null }, facts);
      } else if (lease === undefined) {
        this.#finish(route, error);
      } else if (this.#isGivenUp) {
        lease.giveBack();
        this.#finish(route, destroyedWhileWaiting());
      } else if (lease.host.role === 'replica' && limits?.admits(lease.host) === false) {
        // It came back as another one while it was waited for.
        lease.giveBack();
        this.#place(route, facts);
      } else {
        session.hold(lease);
        const isSubstitute = role === 'replica' && lease.host.role === 'primary';
        this.#send(
          lease,
          isSubstitute ? { ...route, reason: 'replicas-unavailable' } : route,
          facts,
        );
      }
    };
    this.#context.hosts.lease(role, this.#tried, leased, limits);
  }

  #send(lease: Lease, route: Route, facts: Facts): void {
    const session = this.#session;
    const before = session.state;
    const expected = predict(before, facts);
    session.state = expected;
    this.#host = lease.host;
    const place = this.#context.causality.placeOf(lease.host);
    const attempt = { lease, place, route, facts, before, expected };
    this.#changed = this.#context.catalogue.watch(facts, () => textWithCode(this.#statement));
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

  #succeeded(attempt: Attempt, result: unknown, fields: unknown): void {
    const { lease, place, route, facts, before, expected } = attempt;
    const session = this.#session;
    const { isUntracked } = session;
    const response = responseOf(result);
    const after = observe(expected, facts, response, this.#context.catalogue.dialect);
    session.state = after;
    session.ran(this.#statement, response.insertId);
    if (closesConnection(facts, this.#statement.sql)) {
      session.loseConnection();
    }
    if (showsData(facts, response, before)) {
      this.#saw(place);
    }
    const known = isUntracked ? 'asked' : 'told';
    const gtids = this.#context.hosts.primary.gtids === null ? 'none' : known;
    this.#note(lease, writtenBy(facts, response, { before, after, gtids }), () =>
      this.#finish(route, null, result, fields),
    );
  }

  /** The caller has seen what is in a place: no later read of the session may be older. */
  #saw(place: Place | null): void {
    const marks = this.#marks;
    if (marks !== null && this.#statement.wishes.consistency !== 'eventual') {
      this.#context.causality.saw(marks, place);
    }
  }

  /** Goes on when later reads will find what was written. */
  #note({ host }: Lease, written: Written, goOn: () => void): void {
    if (host.role === 'primary' && this.#statement.wishes.isTracked) {
      this.#context.causality.note(written, this.#marks, goOn);
    } else {
      goOn();
    }
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
    const { lease, place, route, facts, before, expected } = attempt;
    const failure = failureOf(error);
    session.state = observeError(before, expected, facts);
    session.ran(null, null);
    if (this.#statement.hasAnswered) {
      this.#saw(place);
    }
    const isGone = failure === 'connection' || failure === 'not-sent' || failure === 'client';
    if (isGone && failure !== 'client') {
      lease.host.connectionLost();
    }
    if (isGone) {
      session.state = afterConnectionLoss(failure === 'not-sent' ? before : expected);
    }
    if (isGone || failure === 'timeout') {
      session.spoil();
    }
    if (isGone && undoes(facts, this.#statement.sql) && before.transaction !== 'none') {
      // The server rolls back what was open on a connection that breaks.
      session.state = afterRollback(session.state);
      session.letGo();
      this.#finish(route, null, rolledBack());
      return;
    }
    // A plain read that only waits for the catalogue may run on a replica after all.
    const mayMove = isGone && route.reason === 'catalogue-pending';
    const recovery = recoveryFrom({
      failure,
      role: mayMove ? 'replica' : lease.host.role,
      isTied: isHeld(before) || facts.asks.length > 0,
      hasAnswered: this.#statement.hasAnswered,
      hasRetried: this.#tried.includes(lease.host),
    });
    if (recovery === null || this.#queue.isDestroyed) {
      if (isGone || (failure === 'timeout' && !isBound(session.state))) {
        session.letGo();
      }
      this.#note(lease, writtenDespite(failure, facts, before), () => this.#finish(route, error));
      return;
    }
    this.#tried.push(lease.host);
    if (recovery.reason === 'fence') {
      this.#context.catalogue.rememberRefusal(this.#statement.sql);
    }
    // A write may be sent again on the primary; what came before it is not on the new connection.
    session.state = afterLeaving(before);
    session.letGo();
    const reason = recovery.reason ?? (mayMove ? 'read' : route.reason);
    const again = { ...recovery, word: route.word, reason };
    if (again.role === 'replica') {
      this.#place(again, facts);
    } else {
      this.#follow(again, factsOnRoute(again, facts));
    }
  }

  /** Nothing was sent. */
  #refuseUnsent(reason: 'transaction' | 'follow-up', error: Error): void {
    process.nextTick(() => this.#finish({ role: 'current', reason, word: null }, error));
  }

  #finish(route: Route, error: Error | null, result?: unknown, fields?: unknown): void {
    if (this.#isFinished) {
      return;
    }
    this.#isFinished = true;
    this.#endChange();
    if (statementChannel.hasSubscribers) {
      const { catalogue } = this.#context;
      const { sql } = this.#statement;
      const event = {
        host: this.#host?.name ?? null,
        role: this.#host?.role ?? null,
        reason: route.reason,
        word: route.word,
        tried: this.#tried.map((host) => host.name),
        waited: this.#waited,
        duration: performance.now() - this.#startedAt,
        error: error === null ? null : codeOf(error),
        kind: this.#kind,
      };
      publishStatement(sql, event, catalogue.inspector);
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
}

const transactionRoute: Route = { role: 'current', reason: 'transaction', word: null };

/** What a session holds, it holds on the primary; on a replica there are only answers. */
function isUsable({ host }: Lease, { role, reason }: Route, limits: ReplicaLimits | null): boolean {
  if (role === 'current') {
    return host.role === 'primary' || reason === 'follow-up';
  }
  return role === host.role && limits?.admits(host) !== false;
}

/** What a replica refused writes, although its text does not say so. */
function factsOnRoute({ reason }: Route, facts: Facts): Facts {
  return reason === 'fence'
    ? { ...facts, callsUnknown: true, callsWriting: true, pin: facts.pin ?? 'unknown-state' }
    : facts;
}

/** One sending of a statement, and what was known before and while it ran. */
interface Attempt {
  readonly lease: Lease;
  /** What the session notes of where it ran. */
  readonly place: Place | null;
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
