import type { Catalogue } from '../catalogue/catalogue.ts';
import { RwSplitError } from '../errors.ts';
import type { Hosts } from '../pool/hosts.ts';
import type { Lease } from '../pool/lease.ts';
import { freshSession, isClean, type SessionState } from '../session/state.ts';

/** What every session of a pool shares. */
export interface SessionContext {
  readonly hosts: Hosts;
  readonly catalogue: Catalogue;
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
 * One logical client. It holds at most one connection, runs one task at a time in the order in which
 * they were given, and leaves its connection only when nothing of it is bound there.
 */
export class Session {
  readonly context: SessionContext;
  state: SessionState = freshSession;
  #lease: Lease | null = null;
  /** Whether the connection must not be used again by anybody. */
  #isSpoiled = false;
  #end: 'released' | 'destroyed' | null = null;
  #running: Task | null = null;
  #waiting: Task[] | null = null;

  constructor(context: SessionContext) {
    this.context = context;
  }

  get lease(): Lease | null {
    return this.#lease;
  }

  get isDestroyed(): boolean {
    return this.#end === 'destroyed';
  }

  /** What runs now, or waits for a connection to run on; `null` between tasks. */
  get running(): Task | null {
    return this.#running;
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

  /** Takes the connection that the next statements run on. */
  hold(lease: Lease): void {
    if (this.#lease !== lease) {
      this.letGo();
      this.#lease = lease;
    }
  }

  /** Marks the connection as one that must be closed instead of given back. */
  spoil(): void {
    this.#isSpoiled = true;
  }

  /** Gives the connection back, or closes it if something of this session would stay behind in it. */
  letGo(): void {
    const lease = this.#lease;
    if (lease === null) {
      return;
    }
    this.#lease = null;
    if (this.#isSpoiled || !isClean(this.state)) {
      lease.discard();
    } else {
      lease.giveBack();
    }
    this.#isSpoiled = false;
  }

  /** Ends the session when its tasks are done. Later calls do nothing. */
  release(): void {
    if (this.#end === null) {
      this.#end = 'released';
      this.#endIfIdle();
    }
  }

  /** Ends the session at once: its connection is closed, and what runs or waits in it is refused. */
  destroy(): void {
    if (this.#end === 'destroyed') {
      return;
    }
    this.#end = 'destroyed';
    this.spoil();
    this.letGo();
    const refusal = destroyedError();
    // A connection that is closed under its statement may never answer.
    this.#running?.refuse(refusal);
    for (const task of this.#waiting?.splice(0) ?? []) {
      task.refuse(refusal);
    }
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
    return this.context.isClosed
      ? new RwSplitError('RWSPLIT_POOL_CLOSED', 'The pool is closed: it takes no more statements')
      : null;
  }

  #start(task: Task): void {
    this.#running = task;
    task.run(() => this.#finished());
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
      this.letGo();
      this.state = freshSession;
    }
  }
}

function destroyedError(): RwSplitError {
  return new RwSplitError('RWSPLIT_CONNECTION_DESTROYED', 'The connection was destroyed');
}
