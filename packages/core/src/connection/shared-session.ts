import { RwSplitError } from '../errors.ts';
import { freshSession, isHeld, type SessionState } from '../session/state.ts';
import { Session } from './session.ts';

interface Waiter {
  readonly callback: (error: Error | null) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * A session that several users have in turn: the statements of one pool inside `withSession`, each
 * of which the ORM runs on a connection that it acquires and releases. Between two turns the
 * connection stays with the session if it holds something of it, else it is only remembered.
 */
export class SharedSession {
  readonly #session = new Session();
  #isInUse = false;
  /** What the session was when the turn began. */
  #before: SessionState = freshSession;
  /** Whether something ran beside it during this turn, so that nobody knows what ran last. */
  #isOverlapped = false;
  #hasEnded = false;
  readonly #waiters: Waiter[] = [];

  get isFree(): boolean {
    return !this.#isInUse;
  }

  /** Whether its connection held something before this turn: what comes now may depend on it. */
  get isHeld(): boolean {
    return isHeld(this.#before) || this.#before.lost !== null;
  }

  /** Whether the next statement runs on the connection that it holds, now or when that is free. */
  get isBound(): boolean {
    return this.#isInUse ? this.isHeld : isHeld(this.#session.state);
  }

  /** Begins a turn; to be called while it is free, or by {@link whenFree}. */
  enter(): Session {
    const session = this.#session;
    this.#isInUse = true;
    session.takeUp();
    if (!isHeld(session.state)) {
      // What it has written before, its reads find wherever they run.
      session.state = { ...session.state, hasWritten: false };
    }
    this.#before = session.state;
    return session;
  }

  /**
   * Ends the turn.
   *
   * @param isReleased whether its user is done with a connection that it had to itself: what it has
   *   left open there is over.
   */
  leave(isReleased = false): void {
    const session = this.#session;
    if (isReleased && session.state.transaction !== 'none' && !this.isHeld) {
      session.letGo();
      session.state = freshSession;
    }
    const isLostAlone = session.state.lost !== null && !this.isHeld;
    if (isLostAlone) {
      // Its user was told, and nobody else had anything there.
      session.letGo();
      session.state = freshSession;
    }
    if (this.#isOverlapped) {
      this.#isOverlapped = false;
      this.#forgetAnswers();
    }
    this.pass();
  }

  /** Something runs beside the session during this turn. */
  overlap(): void {
    this.#isOverlapped = true;
  }

  /** Something has run beside it, and is over. */
  ranBeside(): void {
    if (this.#isInUse) {
      this.#isOverlapped = true;
    } else {
      this.#forgetAnswers();
    }
  }

  /** Calls back when the session is free, and the caller's. */
  whenFree(timeout: number, callback: (error: Error | null) => void): void {
    const timer = setTimeout(() => {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      callback(busyError(timeout));
    }, timeout);
    const waiter = { callback, timer };
    this.#waiters.push(waiter);
  }

  /** Gives the session to the next one who waits for it, or lays its connection aside. */
  pass(): void {
    this.#isInUse = false;
    const next = this.#waiters.shift();
    if (next !== undefined) {
      clearTimeout(next.timer);
      this.#isInUse = true;
      next.callback(null);
    } else if (this.#hasEnded) {
      this.#session.end();
    } else {
      this.#session.layAside();
    }
  }

  /** Ends the session when its last turn is over: what it held is given back clean. */
  end(): void {
    this.#hasEnded = true;
    if (!this.#isInUse) {
      this.#session.end();
    }
  }

  #forgetAnswers(): void {
    this.#session.forgetAnswers();
  }
}

export function newSharedSession(): SharedSession {
  return new SharedSession();
}

function busyError(timeout: number): RwSplitError {
  return new RwSplitError(
    'RWSPLIT_ACQUIRE_TIMEOUT',
    `The connection that holds the state of this session was in use for ${timeout} ms: ` +
      'another statement or transaction of the same session runs on it',
    { isRetryable: true },
  );
}
