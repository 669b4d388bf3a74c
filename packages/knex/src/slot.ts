import { outsideFlows } from '@rwsplit/core';
import type { Session, Sessions } from './sessions.ts';

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
  readonly #sessions: Sessions;

  constructor(sessions: Sessions) {
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
