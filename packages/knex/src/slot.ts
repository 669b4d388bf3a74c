import { outsideFlows } from '@rwsplit/core';
import type { Session, Sessions } from './sessions.ts';

let uncounted = 0;

/** The sessions that are out, each with the slot that stands for it in Knex's pool. */
const slots = new WeakMap<object, Slot>();

/**
 * What Knex's pool holds and counts: the right to one session at a time. It has no connection of its
 * own, so that each session can use those of any host.
 */
export class Slot {
  /** Given by Knex; events carry it. */
  __knexUid = '';
  /** Makes Knex's pool drop the slot. */
  __knex__disposed: unknown = undefined;
  /** Whether it is one of those that Knex's pool counts. */
  readonly isCounted: boolean;
  readonly #sessions: Sessions;

  /**
   * @param isCounted `false` for a session that has its connection already: to wait for a slot, it might
   *   wait for somebody who waits for that connection.
   */
  constructor(sessions: Sessions, isCounted = true) {
    this.isCounted = isCounted;
    if (!isCounted) {
      uncounted += 1;
      this.__knexUid = `__knexUid-uncounted-${uncounted}`;
    }
    this.#sessions = sessions;
  }

  async open(): Promise<Session> {
    const session = await this.#sessions.open();
    session.__knexUid = this.__knexUid;
    slots.set(session, this);
    return session;
  }

  /** Ends the session. Later calls for it find no slot: Knex releases streams twice. */
  close(session: Session): void {
    slots.delete(session);
    this.__knex__disposed = session.__knex__disposed;
    this.#sessions.close(session);
  }

  /** A session beside the one that the slot stands for. */
  async aside<Result>(use: (session: Session) => Result | Promise<Result>): Promise<Result> {
    const session = await outsideFlows(() => this.#sessions.open());
    try {
      return await use(session);
    } finally {
      this.#sessions.close(session);
    }
  }
}

/** The slot of a session that has not been released; of any other connection, there is none. */
export function slotOf(connection: unknown): Slot | undefined {
  return isObject(connection) ? slots.get(connection) : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
