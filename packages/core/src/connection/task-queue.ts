import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Causality } from '../consistency/causality.ts';
import type { ScopeMarks } from '../consistency/marks.ts';
import { poolClosed, RwSplitError } from '../errors.ts';
import type { Monitor } from '../monitor/monitor.ts';
import type { Hosts } from '../pool/hosts.ts';
import type { Share } from '../pool/share.ts';
import { freshSession, isBound, isHeld } from '../session/state.ts';
import type { Answer, StatePin } from '../statement/facts.ts';
import type { ClientSession } from './client-session.ts';
import type { Flow, FlowStep } from './flow.ts';
import type { Gate } from './gate.ts';
import { followUpLost } from './refusals.ts';
import { Session } from './session.ts';
import { newSharedSession, type SharedSession } from './shared-session.ts';

/** What becomes of reads that replicas cannot have. */
export interface ReadPolicy {
  /** How far a replica may lag behind, in milliseconds; `null`: as far as it does. */
  readonly maxLag: number | null;
  readonly onLag: 'primary' | 'leastLagged' | 'error';
  readonly onNoReplica: 'primary' | 'error';
}

/** What all sessions of a pool have in common. */
export interface SessionContext {
  readonly hosts: Hosts;
  readonly catalogue: Catalogue;
  readonly causality: Causality;
  readonly gate: Gate;
  readonly monitor: Monitor;
  /** What reads may have of the primary while replicas are gone. */
  readonly share: Share;
  readonly policy: ReadPolicy;
  /** How long a statement waits, in milliseconds. */
  readonly acquireTimeout: number;
  /** Whether the pool takes statements. */
  readonly isClosed: boolean;
}

/** Something for a session to do; the next one starts when it calls back. */
export interface Task {
  run(done: () => void): void;
  /** The session ended before it was done; an answer that still comes is nobody's. */
  refuse(error: Error): void;
}

/**
 * What one user of a session has it do, from acquiring to releasing: one task at a time, in the order
 * in which they were given. The session is its own, or the one that it was called in, which others
 * use before and after it.
 */
export class TaskQueue {
  readonly context: SessionContext;
  #session = new Session();
  #client: ClientSession | null;
  #shared: SharedSession | null = null;
  #hasJoined = false;
  /** Whether it has run a task beside the shared session. */
  #isAside = false;
  /** Whether its user has the connection to itself from the first statement to the release. */
  isReserved = false;
  #end: 'released' | 'destroyed' | null = null;
  #running: Task | null = null;
  #waiting: Task[] | null = null;

  /** The step of the caller's flow that this is; `null` inside a session. */
  readonly #step: FlowStep | null;
  /** What the flow did before; `null` once it has been asked for. */
  #previous: FlowStep | null;
  /**
   * @param client the session that the caller is in; `null` if it is in none.
   * @param flow the caller's flow; `null` if that is not followed.
   */
  constructor(context: SessionContext, client: ClientSession | null, flow: Flow | null) {
    this.context = context;
    this.#client = client;
    this.#step = client === null ? (flow?.step ?? null) : null;
    this.#previous = client === null ? (flow?.previous ?? null) : null;
    this.#shared = sharedSessionOf(context, client);
  }

  /** The session that tasks run in. */
  get session(): Session {
    return this.#session;
  }

  get isDestroyed(): boolean {
    return this.#end === 'destroyed';
  }

  /** What runs now, or waits for a connection to run on; `null` between tasks. */
  get running(): Task | null {
    return this.#running;
  }

  /**
   * Has the tasks run in a session that was given by hand. Once the first of them has run, they are in
   * a session, and stay in it.
   */
  use(client: ClientSession): void {
    const isUsed = this.#hasJoined || this.#isAside || this.#running !== null;
    if (!isUsed && this.#session.lease === null && !isBound(this.#session.state)) {
      this.#shared = sharedSessionOf(this.context, client);
      this.#client = client;
      this.#previous = null;
    }
  }

  /** What the session has written and seen that it was called in; `null` if it is in none. */
  get marks(): ScopeMarks | null {
    const { servers } = this.context.causality;
    return this.#shared === null ? null : (this.#client?.marks(servers, servers.cluster) ?? null);
  }

  /**
   * Settles which session a task runs in, before it runs: the shared one if nobody else is using it.
   * Else it runs beside that, or, if it needs what that one holds, waits until it is free.
   *
   * @param pin what the task leaves behind, or needs.
   * @param asks what it asks of earlier ones.
   */
  settle(
    pin: StatePin | null,
    asks: readonly Answer[],
    callback: (error: Error | null) => void,
  ): void {
    const shared = this.#shared;
    this.#goOn();
    if (shared === null || this.#hasJoined || this.#staysAside(pin, asks)) {
      callback(null);
    } else if (shared.isFree) {
      this.#join(shared);
      callback(null);
    } else if (asks.length > 0) {
      // What ran last, if others run at the same time, is anybody's guess.
      callback(followUpLost(asks[0] ?? null));
    } else if (shared.isHeld || pin !== null) {
      this.#waitFor(shared, callback);
    } else {
      this.#isAside = true;
      shared.overlap();
      callback(null);
    }
  }

  /** Runs a task after all that were given before it. */
  enqueue(task: Task): void {
    const refusal = this.#refusal();
    if (refusal !== null) {
      process.nextTick(() => task.refuse(refusal));
    } else if (this.#running !== null) {
      this.#waiting ??= [];
      this.#waiting.push(task);
    } else {
      this.#start(task);
    }
  }

  /** Forgets what the session did. */
  reset(): void {
    const session = this.#session;
    this.#noteUntracked();
    session.end();
    session.state = freshSession;
  }

  /** Ends the use of the session when its tasks are done. Later calls do nothing. */
  release(): void {
    if (this.#end === null) {
      this.#end = 'released';
      this.#endIfIdle();
    }
  }

  /** Ends it at once: the connection is closed, and what runs or waits here is refused. */
  destroy(): void {
    if (this.#end === 'destroyed') {
      return;
    }
    const hasEnded = this.#end === 'released' && this.#running === null;
    this.#end = 'destroyed';
    if (!hasEnded) {
      if (this.#running !== null && this.#session.isOnPrimary) {
        // What runs may be a write, and its answer may never come.
        this.context.causality.note({ kind: 'unknown' }, this.marks, () => {});
      }
      this.#session.loseConnection();
      this.#leave();
    }
    const refusal = destroyedError();
    // A connection that is closed under its statement may never answer.
    this.#running?.refuse(refusal);
    for (const task of this.#waiting?.splice(0) ?? []) {
      task.refuse(refusal);
    }
  }

  /** Whether a task belongs to the connection that the ones before it ran on, beside the shared session. */
  #staysAside(pin: StatePin | null, asks: readonly Answer[]): boolean {
    const { state, isOnPrimary } = this.#session;
    const hasWritten = state.hasWritten && isOnPrimary && pin === null;
    return this.#isAside && (isHeld(state) || asks.length > 0 || hasWritten);
  }

  /** Goes on where the caller's flow was. */
  #goOn(): void {
    const kept = this.#previous?.take(this.context) ?? null;
    this.#previous = null;
    if (kept !== null) {
      kept.takeUp();
      this.#session = kept;
    }
  }

  /** Keeps what the flow may ask about for its next step; tells whether there is something. */
  #keep(step: FlowStep): boolean {
    const session = this.#session;
    if (isHeld(session.state)) {
      return false;
    }
    session.continueFlow();
    if (session.isLaidAside) {
      step.keep(this.context, session);
    }
    return session.isLaidAside;
  }

  #join(shared: SharedSession): void {
    if (this.#isAside) {
      this.#session.end();
      shared.ranBeside();
      this.#isAside = false;
    }
    this.#hasJoined = true;
    this.#session = shared.enter();
  }

  #waitFor(shared: SharedSession, callback: (error: Error | null) => void): void {
    shared.whenFree(this.context.acquireTimeout, (error) => {
      if (error === null && this.isDestroyed) {
        shared.pass();
        callback(destroyedError());
        return;
      }
      if (error === null) {
        this.#join(shared);
      }
      callback(error);
    });
  }

  /** Something may have been written past us. */
  #noteUntracked(): void {
    if (this.#session.isUntracked) {
      this.#session.isUntracked = false;
      this.context.causality.noteMissed(this.marks);
    }
  }

  #leave(): void {
    this.#noteUntracked();
    if (this.#hasJoined) {
      this.#hasJoined = false;
      this.#session = new Session();
      this.#shared?.leave(this.isReserved);
      return;
    }
    if (this.#isAside) {
      this.#isAside = false;
      this.#shared?.ranBeside();
    }
    if (this.#step !== null && this.#keep(this.#step)) {
      this.#session = new Session();
      return;
    }
    this.#session.end();
    this.#session.state = freshSession;
  }

  #refusal(): Error | null {
    if (this.#end === 'destroyed') {
      return destroyedError();
    }
    if (this.#end === 'released') {
      return new RwSplitError(
        'RWSPLIT_CONNECTION_RELEASED',
        'The connection was released: ask the pool for another one',
      );
    }
    return this.context.isClosed ? poolClosed('takes no more statements') : null;
  }

  #start(task: Task): void {
    this.#running = task;
    const { gate } = this.context;
    if (gate.isOpen) {
      task.run(() => this.#finished());
      return;
    }
    gate.pass((error) => {
      if (error === null) {
        task.run(() => this.#finished());
      } else {
        this.#finished();
        task.refuse(error);
      }
    });
  }

  #finished(): void {
    this.#running = null;
    const next = this.#waiting?.shift();
    if (next !== undefined) {
      this.#start(next);
    } else {
      this.#endIfIdle();
    }
  }

  #endIfIdle(): void {
    if (this.#end === 'released' && this.#running === null) {
      this.#leave();
    }
  }
}

function sharedSessionOf(
  context: SessionContext,
  client: ClientSession | null,
): SharedSession | null {
  return client?.isEnded === false ? client.part(context, newSharedSession) : null;
}

function destroyedError(): RwSplitError {
  return new RwSplitError('RWSPLIT_CONNECTION_DESTROYED', 'The connection was destroyed');
}
