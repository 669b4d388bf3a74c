import type { Place, ScopeMarks } from '../consistency/marks.ts';
import { publishStatement, type RoutedStatement, statementChannel } from '../diagnostics.ts';
import { poolClosed } from '../errors.ts';
import { codeOf, failureOf, isOfServer } from '../pool/failure.ts';
import type { HostInfo } from '../pool/host-info.ts';
import type { Lease } from '../pool/lease.ts';
import type { DriverError } from '../pool/mysql2.ts';
import { decide, plainRead } from '../routing/decide.ts';
import type { Failure } from '../routing/failure.ts';
import type { Route, RouteReason } from '../routing/reasons.ts';
import { type Recovery, recoveryFrom } from '../routing/recover.ts';
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
import {
  mayCommitWithin,
  showsData,
  type Written,
  writtenBy,
  writtenDespite,
} from '../session/written.ts';
import type { Facts, StatementKind } from '../statement/facts.ts';
import { Attempts } from './attempts.ts';
import { needsCheck, type Obstacle, SessionCheck } from './check-session.ts';
import {
  destroyedWhileWaiting,
  primaryIsFull,
  sessionLost,
  unknownOutcome,
  writeOnReplica,
} from './refusals.ts';
import { type Found, ReplicaSearch } from './replica-search.ts';
import { responseOf, rolledBack } from './response.ts';
import type { Session } from './session.ts';
import type { Statement } from './statement.ts';
import { factsOf, textWithCode } from './statement-facts.ts';
import type { SessionContext, Task, TaskQueue } from './task-queue.ts';

/** A statement on its way through a session: from its text to its answer. */
export class RunStatement implements Task {
  readonly #queue: TaskQueue;
  readonly #statement: Statement;
  readonly #attempts: Attempts;
  readonly #startedAt = statementChannel.hasSubscribers ? performance.now() : 0;
  #done: () => void = () => {};
  #kind: StatementKind = 'other';
  #host: HostInfo | null = null;
  /** To be called when a change of a definition is over; `null` while it makes none. */
  #changed: (() => void) | null = null;
  #isFinished = false;
  /** How it was lost on the primary; `null`: it was not. */
  #loss: DriverError | null = null;
  /** Whether it has a part of what reads may have of the primary. */
  #hasShare = false;
  /** For a replica to have what it has to see, in milliseconds. */
  #waited = 0;

  constructor(queue: TaskQueue, statement: Statement) {
    this.#queue = queue;
    this.#statement = statement;
    this.#attempts = new Attempts(queue.context.acquireTimeout);
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
    this.#leaveShare();
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
    } else if (facts.asks.length === 0) {
      session.leaveIfReplaced(this.#context.hosts.seat.isTaken);
    }
    if (this.#statement.useReplica && facts.kind === 'write') {
      this.#refuseUnsent('use-replica', writeOnReplica());
    } else if (this.#isGivenUp) {
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
      this.#search(route, facts);
    }
  }

  /** Finds where a plain read runs. */
  #search(route: Route, facts: Facts): void {
    const read = {
      wishes: this.#statement.wishes,
      marks: this.#marks,
      attempts: this.#attempts,
    };
    const search = new ReplicaSearch(this.#context, this.#session, read, (found) => {
      this.#waited += search.waited;
      this.#found(found, route, facts);
    });
    search.run();
  }

  #found(found: Found, route: Route, facts: Facts): void {
    if (found.kind === 'refused') {
      this.#finish(route, found.error);
    } else if (found.kind === 'primary' && this.#loss !== null) {
      // Its text says that it reads; if it does more, it must not be done twice.
      this.#finish(route, this.#loss);
    } else if (found.kind === 'primary') {
      this.#follow({ ...route, role: 'primary', reason: found.reason }, facts);
    } else {
      this.#run(found.lease, route, facts);
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

  /** Finds the connection to the primary that a route asks for: the one held, or another. */
  #follow(route: Route, facts: Facts): void {
    const session = this.#session;
    if (this.#isGivenUp) {
      this.#finish(route, destroyedWhileWaiting());
      return;
    }
    const isUsable = session.lease !== null && mayUse(session.lease, route);
    if (!isUsable && route.role === 'current' && isHeld(session.state)) {
      // What it is bound to is not there; anywhere else it would mean something else.
      session.loseConnection();
      this.#finish(route, sessionLost(session.state));
      return;
    }
    if (substitutes.has(route.reason) && !this.#hasShare) {
      const { share } = this.#context;
      if (!share.hasRoom) {
        // Who waits holds no connection that others may need.
        session.moveTo('replica');
      }
      share.enter((isIn) => {
        this.#hasShare = isIn;
        if (isIn) {
          this.#follow(route, facts);
        } else {
          this.#finish(route, primaryIsFull(route));
        }
      });
      return;
    }
    const held = isUsable ? session.lease : session.moveTo('primary');
    if (held === null) {
      this.#lease(route, facts);
    } else {
      this.#send(held, route, facts);
    }
  }

  #lease(route: Route, facts: Facts): void {
    const { hosts, catalogue } = this.#context;
    hosts.leasePrimary((failure, lease) => {
      if (lease !== undefined) {
        this.#run(lease, route, facts);
      } else if (route.reason === 'catalogue-pending') {
        // It only had the primary's word for what it reads; without that, it goes by its text.
        catalogue.doWithout();
        this.#search(plainRead, facts);
      } else {
        this.#finish(route, failure?.error ?? null);
      }
    });
  }

  #run(lease: Lease, route: Route, facts: Facts): void {
    const session = this.#session;
    if (!this.#isGivenUp) {
      session.hold(lease);
      this.#send(lease, route, facts);
      return;
    }
    if (session.lease !== lease) {
      lease.giveBack();
    }
    this.#finish(route, destroyedWhileWaiting());
  }

  #send(lease: Lease, route: Route, facts: Facts): void {
    const session = this.#session;
    const before = session.state;
    const expected = predict(before, facts);
    session.state = expected;
    this.#host = lease.host;
    const place = this.#context.causality.placeOf(lease);
    const attempt = { lease, place, route, facts, before, expected };
    this.#changed = this.#context.catalogue.watch(facts, () => textWithCode(this.#statement));
    let isAnswered = false;
    lease.began();
    try {
      this.#statement.send(lease.connection, (error, result, fields) => {
        isAnswered = true;
        lease.ended();
        if (error === null) {
          lease.host.answered();
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
      lease.ended();
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
  #note({ role }: Lease, written: Written, goOn: () => void): void {
    if (role === 'primary' && this.#statement.wishes.isTracked) {
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
    const { lease, route, facts, before } = attempt;
    const failure = failureOf(error);
    const isGone = goneBy.has(failure);
    this.#noteFailure(failure, error, attempt);
    if (isGone && undoes(facts, this.#statement.sql) && before.transaction !== 'none') {
      // The server rolls back what was open on a connection that breaks.
      const session = this.#session;
      session.state = afterRollback(session.state);
      session.letGo();
      this.#finish(route, null, rolledBack());
      return;
    }
    // A plain read that only waits for the catalogue may run on a replica after all.
    const mayMove = isGone && route.reason === 'catalogue-pending';
    const recovery = recoveryFrom({
      failure,
      role: mayMove ? 'replica' : lease.role,
      isTied: isHeld(before) || facts.asks.length > 0,
      isPlainRead: facts.reason === null && movable.has(route.reason),
      mayBePartial: mayCommitWithin(facts),
      hasAnswered: this.#statement.hasAnswered,
      isExhausted: this.#attempts.isExhausted(lease.role, failure),
    });
    if (recovery?.role === 'primary' && this.#loss !== null) {
      // On the primary it may have been carried out; and what a replica refused is no read.
      this.#giveUp('connection', this.#loss, attempt);
    } else if (recovery === null || this.#queue.isDestroyed || this.#context.isClosed) {
      this.#giveUp(failure, error, attempt);
    } else {
      this.#loss ??= lease.role === 'primary' && failure === 'connection' ? error : null;
      this.#runAgain(recovery, attempt);
    }
  }

  /** What a failure says of the session, its connection and the host. */
  #noteFailure(failure: Failure, error: DriverError, attempt: Attempt): void {
    const session = this.#session;
    const { lease, place, facts, before, expected } = attempt;
    const isGone = goneBy.has(failure);
    session.state = observeError(before, expected, facts);
    session.ran(null, null);
    if (this.#statement.hasAnswered) {
      this.#saw(place);
    }
    if (isGone && failure !== 'client') {
      lease.host.connectionLost(codeOf(error));
    } else if (failure !== 'timeout') {
      lease.host.answered();
    }
    if (isGone) {
      session.state = afterConnectionLoss(failure === 'not-sent' ? before : expected);
    }
    if (failure === 'demoted' && lease.role === 'primary') {
      // Whatever becomes of this statement: the next ones belong elsewhere.
      this.#context.hosts.refusedBy(lease.host);
    }
    if (isGone || failure === 'timeout') {
      session.spoil();
    }
  }

  #giveUp(failure: Failure, error: DriverError, { lease, route, facts, before }: Attempt): void {
    const session = this.#session;
    if (goneBy.has(failure) || (failure === 'timeout' && !isBound(session.state))) {
      session.letGo();
    }
    const written = writtenDespite(failure, facts, before);
    const isUnknown = failure === 'connection' && written.kind === 'unknown' && !isOfServer(error);
    const isClosed = failure === 'not-sent' && this.#context.isClosed;
    const known = isClosed ? poolClosed('takes no more statements') : error;
    const told = isUnknown ? unknownOutcome(facts, error) : known;
    this.#note(lease, written, () => this.#finish(route, told));
  }

  #runAgain(recovery: Recovery, { lease, route, facts, before }: Attempt): void {
    const session = this.#session;
    this.#attempts.failedOn(lease.host, lease.role);
    if (recovery.reason === 'fence') {
      this.#context.catalogue.rememberRefusal(this.#statement.sql);
    }
    // A write may be sent again on the primary; what came before it is not on the new connection.
    session.state = afterLeaving(before);
    session.letGo();
    if (recovery.role === 'replica') {
      this.#leaveShare();
      this.#search(plainRead, facts);
    } else {
      const reason = recovery.reason ?? route.reason;
      const again: Route = { ...route, role: 'primary', reason };
      this.#follow(again, factsOnRoute(again, facts));
    }
  }

  /** Nothing was sent. */
  #refuseUnsent(reason: 'transaction' | 'follow-up' | 'use-replica', error: Error): void {
    process.nextTick(() => this.#finish({ role: 'current', reason, word: null }, error));
  }

  #finish(route: Route, error: Error | null, result?: unknown, fields?: unknown): void {
    if (this.#isFinished) {
      return;
    }
    this.#isFinished = true;
    this.#endChange();
    this.#leaveShare();
    try {
      this.#tell(route, error);
    } catch (thrown) {
      // It is the caller's own, and must not keep the statement from its end.
      process.nextTick(() => {
        throw thrown;
      });
    }
    try {
      this.#done();
    } finally {
      this.#statement.settle(error, result, fields);
    }
  }

  /** Tells those who listen where it ran. */
  #tell(route: Route, error: Error | null): void {
    const { sql, onRouted } = this.#statement;
    if (onRouted === null && !statementChannel.hasSubscribers) {
      return;
    }
    const routed: RoutedStatement = {
      host: this.#host?.name ?? null,
      role: this.#host?.role ?? null,
      reason: route.reason,
      word: route.word,
      tried: this.#attempts.tried.map((host) => host.name),
      waited: this.#waited,
    };
    onRouted?.(routed);
    if (statementChannel.hasSubscribers) {
      const event = {
        ...routed,
        duration: performance.now() - this.#startedAt,
        error: error === null ? null : codeOf(error),
        kind: this.#kind,
      };
      publishStatement(sql, event, this.#context.catalogue.inspector);
    }
  }

  #leaveShare(): void {
    if (this.#hasShare) {
      this.#hasShare = false;
      this.#context.share.leave();
    }
  }

  #endChange(): void {
    const changed = this.#changed;
    this.#changed = null;
    changed?.();
  }
}

const transactionRoute: Route = { role: 'current', reason: 'transaction', word: null };

/** Failures after which the connection is of no use. */
const goneBy: ReadonlySet<Failure> = new Set(['connection', 'not-sent', 'client']);

/** Reasons of reads that a replica would have, if there were one. */
const substitutes: ReadonlySet<RouteReason> = new Set(['replicas-unavailable', 'replicas-lagging']);

/** Reasons of reads that may be on a replica after all. */
const movable: ReadonlySet<RouteReason> = new Set([
  ...substitutes,
  'read',
  'primary-reads',
  'replicas-behind',
]);

/** What a session holds, it holds on the primary; on a replica there are only answers. */
function mayUse({ role }: Lease, route: Route): boolean {
  return role === 'primary' || (route.role === 'current' && route.reason === 'follow-up');
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
