import type { AsyncLocalStorage } from 'node:async_hooks';
import { currentSession, wishesHere } from './client-session.ts';
import type { Session } from './session.ts';
import { findStorage, storage } from './storage.ts';
import type { Wishes } from './wishes.ts';

/**
 * One statement outside every session, as a step of the asynchronous flow that made it: what runs next
 * in the flow finds it, and a question about it (`LAST_INSERT_ID()`) can go to its connection. Other
 * flows do not find it.
 *
 * A step opens in the caller's own flow, before anything is awaited, and is where the flow is until
 * the next one opens. That alone proves too much: what is called before the first `await` of a function
 * is in the flow of its caller too, and so in that of every other function that the caller calls.
 * So a step is found only by what its own answer sets going, before the event loop turns to
 * anything else; and only once, so that a fork of the flow finds nothing.
 */
export class FlowStep {
  /** The one before, until this one is used. */
  #previous: FlowStep | null;
  #isUsed = false;
  /** Whether something ran after it that the flow does not know of. */
  #isBlurred = false;
  #kept: { readonly pool: object; readonly session: Session } | null = null;
  /** Whether what runs now may have been set going by its answer. */
  #isFresh = false;

  /** The step that was fresh when this one opened. */
  #opener: FlowStep | null = null;
  /** Whether a step has opened that may use it later. */
  #isAwaited = false;

  /** How many steps before it were opened and not used. */
  readonly depth: number;
  /** What the code that runs it wishes for its statement. */
  wishes: Wishes = wishesHere();

  constructor(previous: FlowStep | null) {
    this.#previous = previous;
    this.depth = previous === null || previous.isUsed ? 0 : previous.depth + 1;
    const used = lastUsed(previous);
    if (used?.isFresh) {
      this.#opener = used;
      used.#isAwaited = true;
    }
  }

  get isUsed(): boolean {
    return this.#isUsed;
  }

  get isFresh(): boolean {
    return this.#isFresh;
  }

  /** Begins it, and gives the step to ask about earlier statements; `null` if there is none. */
  use(): FlowStep | null {
    const previous = lastUsed(this.#previous);
    const isFound = previous !== null && (previous.isFresh || previous === this.#opener);
    this.#isUsed = true;
    this.#previous = null;
    this.#opener = null;
    return isFound ? previous : null;
  }

  /** The one before, until this one is used. */
  get previous(): FlowStep | null {
    return this.#previous;
  }

  /** To be called when the statement of another step runs while the flow is at this one. */
  overtakenBy(step: FlowStep): void {
    let at: FlowStep | null = this;
    while (at !== null && at !== step && !at.#isUsed) {
      at = at.#previous;
    }
    if (at !== null && (at !== step || step.#isUsed)) {
      at.#isBlurred = true;
      at.#drop();
    }
  }

  /** Keeps the session of its statement for the next step. */
  keep(pool: object, session: Session): void {
    if (this.#isBlurred) {
      session.end();
    } else {
      this.#drop();
      this.#kept = { pool, session };
      this.#isFresh = true;
      afterDraining(() => {
        this.#isFresh = false;
        if (!this.#isAwaited) {
          // Nobody can find it any more.
          this.#drop();
        }
      });
    }
  }

  /** What it has kept; the second call finds nothing. */
  take(pool: object): Session | null {
    const kept = this.#kept;
    if (kept === null || kept.pool !== pool) {
      return null;
    }
    this.#kept = null;
    return kept.session;
  }

  #drop(): void {
    this.#kept?.session.end();
    this.#kept = null;
  }
}

/** Steps may have been opened for builders that never ran. */
function lastUsed(step: FlowStep | null): FlowStep | null {
  let at = step;
  while (at !== null && !at.isUsed) {
    at = at.previous;
  }
  return at;
}

/** Promises that may wait for each other between an answer and the caller's next statement, and ticks. */
const hops = 32;
const ticks = 4;

/**
 * Calls back when all that an answer sets going has had its turn, and nothing else: Node empties the
 * queues of ticks and of microtasks before it handles the next event, and each waits in them behind
 * those that came before.
 */
function afterDraining(callback: () => void): void {
  let left = ticks;
  const tick = () => {
    let hop = hops;
    const next = () => {
      hop -= 1;
      if (hop > 0) {
        queueMicrotask(next);
      } else {
        left -= 1;
        process.nextTick(left > 0 ? tick : callback);
      }
    };
    queueMicrotask(next);
  };
  tick();
}

/** The step that the caller comes from, if it is one that can be asked about. */
function stepBefore(at: unknown): FlowStep | null {
  return at instanceof FlowStep && (at.isFresh || !at.isUsed) ? at : null;
}

/** A step that has begun, and the one that it comes from. */
export interface Flow {
  readonly step: FlowStep;
  readonly previous: FlowStep | null;
}

/** Where the caller's flow is kept; `null` while flows are not followed, and inside a session. */
function followed(): AsyncLocalStorage<unknown> | null {
  return currentSession() === null ? (findStorage() ?? null) : null;
}

/** Steps in a row that are opened and never used, before a flow is forgotten. */
const longest = 1000;

/**
 * Opens a step for a statement that will be run later, by somebody else: in the flow of whoever calls
 * this. For adapters whose builders run when they are awaited. `null` inside a session, and while
 * flows are not followed.
 */
export function openStep(): FlowStep | null {
  const shared = followed();
  if (shared === null) {
    return null;
  }
  const previous = stepBefore(shared.getStore());
  const step = new FlowStep(previous !== null && previous.depth < longest ? previous : null);
  shared.enterWith(step);
  return step;
}

/** Runs what runs the statement that a step was opened for. */
export function inStep<Result>(step: FlowStep, run: () => Result): Result {
  const shared = followed();
  if (shared === null) {
    return run();
  }
  const at = shared.getStore();
  if (at instanceof FlowStep) {
    at.overtakenBy(step);
  }
  // A builder may be awaited elsewhere than it was made.
  step.wishes = wishesHere();
  return shared.run(step, run);
}

/** Runs what is no statement of the caller's, in no flow and no session of anybody's. */
export function outsideFlows<Result>(run: () => Result): Result {
  const shared = findStorage();
  return shared === undefined ? run() : shared.run(undefined, run);
}

/** Has flows followed from now on, which costs every promise something before Node 24. */
export function followFlows(): void {
  storage();
}

/** The step of a statement that is run here and now; `null` while flows are not followed. */
export function nextFlow(): Flow | null {
  const shared = followed();
  if (shared === null) {
    return null;
  }
  const at = shared.getStore();
  if (at instanceof FlowStep && !at.isUsed) {
    return { step: at, previous: at.use() };
  }
  const step = new FlowStep(null);
  step.use();
  shared.enterWith(step);
  return { step, previous: stepBefore(at) };
}
