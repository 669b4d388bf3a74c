import { isClientSession } from './client-session.ts';
import type { Session } from './session.ts';
import { findStorage, storage } from './storage.ts';

/**
 * One statement outside every session, as a step of the asynchronous flow that made it: what is called
 * and awaited after it finds it, and a question about it (`LAST_INSERT_ID()`) can go to its
 * connection. Other flows do not find it.
 *
 * A step opens in the caller's own flow, before anything is awaited, and is where the flow is until
 * the next one opens. What it keeps is taken once: a second step that comes from the same one, as in
 * a fork of the flow, finds nothing.
 */
export class FlowStep {
  /** The one before, until this one is used. */
  #previous: FlowStep | null;
  #isUsed = false;
  /** Whether something ran after it that the flow does not know of. */
  #isBlurred = false;
  #kept: { readonly pool: object; readonly session: Session } | null = null;

  constructor(previous: FlowStep | null) {
    this.#previous = previous;
  }

  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** Begins it, and gives the step to ask about earlier statements; `null` if there is none. */
  use(): FlowStep | null {
    this.#isUsed = true;
    const previous = this.#lastUsed(this.#previous);
    this.#previous = null;
    return previous;
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
      session.letGo();
    } else {
      this.#drop();
      this.#kept = { pool, session };
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

  /** Steps may have been opened for builders that never ran. */
  #lastUsed(step: FlowStep | null): FlowStep | null {
    let at = step;
    while (at !== null && !at.#isUsed) {
      at = at.#previous;
    }
    return at;
  }

  #drop(): void {
    this.#kept?.session.letGo();
    this.#kept = null;
  }
}

/** A step that has begun, and the one that it comes from. */
export interface Flow {
  readonly step: FlowStep;
  readonly previous: FlowStep | null;
}

/** Steps in a row that are opened and never used, before a flow is forgotten. */
const longest = 1000;
let unused = 0;

/**
 * Opens a step for a statement that will be run later, by somebody else: in the flow of whoever calls
 * this. For adapters whose builders run when they are awaited. `null` inside a session, and while
 * flows are not followed.
 */
export function openStep(): FlowStep | null {
  const shared = findStorage();
  if (shared === undefined) {
    return null;
  }
  const at = shared.getStore();
  if (isClientSession(at) && !at.isEnded) {
    return null;
  }
  const previous = at instanceof FlowStep ? at : null;
  unused = previous?.isUsed === false ? unused + 1 : 0;
  const step = new FlowStep(unused < longest ? previous : null);
  shared.enterWith(step);
  return step;
}

/** Runs what runs the statement that a step was opened for. */
export function inStep<Result>(step: FlowStep, run: () => Result): Result {
  const shared = storage();
  const at = shared.getStore();
  if (isClientSession(at) && !at.isEnded) {
    return run();
  }
  if (at instanceof FlowStep) {
    at.overtakenBy(step);
  }
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
  const shared = findStorage();
  if (shared === undefined) {
    return null;
  }
  const at = shared.getStore();
  if (isClientSession(at) && !at.isEnded) {
    return null;
  }
  if (at instanceof FlowStep && !at.isUsed) {
    return { step: at, previous: at.use() };
  }
  const step = new FlowStep(null);
  step.use();
  shared.enterWith(step);
  return { step, previous: at instanceof FlowStep ? at : null };
}
