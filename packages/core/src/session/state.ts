import type { StatePin } from '../statement/facts.ts';

/**
 * What is known of the transaction of a session.
 *
 * ```text
 *           BEGIN, SET TRANSACTION, …               server: not in a transaction
 *   none ────────────────────────────▶ open ───────────────────────────────────▶ none
 *                                       │ connection lost
 *                                       ▼
 *                                      lost ── ROLLBACK, or the session ends ───▶ none
 * ```
 */
export type TransactionState =
  /** Statements commit by themselves. */
  | 'none'
  /** SET TRANSACTION was run: it speaks of the transaction that begins next on this connection. */
  | 'prepared'
  /** A transaction is open. */
  | 'open';

/** Why the next statement of a session must run on the connection of the last ones. */
export type SessionPin =
  | StatePin
  /** `autocommit=0`: every statement is inside a transaction. */
  | 'autocommit-off'
  /** The session has written: a replica may not have it yet, and LAST_INSERT_ID() is there. */
  | 'has-written';

/** What one logical client has done so far, as far as it decides where its next statement runs. */
export interface SessionState {
  readonly transaction: TransactionState;
  /** The first pin in time; `null` if nothing binds the session to a connection. */
  readonly pin: SessionPin | null;
  /** Whether a statement has left state in the connection that its next user must not meet. */
  readonly dirty: boolean;
  /** Whether the connection that held the state is gone, and the state with it. */
  readonly lost: boolean;
  /**
   * Whether a connection of this session broke, and with it what LAST_INSERT_ID() or ROW_COUNT() would
   * ask about: another connection would answer for somebody else. Until the session writes again.
   */
  readonly hasLostAnswers: boolean;
}

/** A session that has done nothing yet. */
export const freshSession: SessionState = {
  transaction: 'none',
  pin: null,
  dirty: false,
  lost: false,
  hasLostAnswers: false,
};

/** Whether the session must stay on its connection. */
export function isBound(state: SessionState): boolean {
  return state.pin !== null || state.transaction !== 'none';
}

/** Whether the connection, given back as it is, would hand this session's state to its next user. */
export function isClean(state: SessionState): boolean {
  return !state.dirty && state.transaction === 'none';
}

/**
 * The state after the connection of the session broke: what was open on it is lost with it. That the
 * session has written is not: it still reads on the primary.
 */
export function afterConnectionLoss(state: SessionState): SessionState {
  return { ...state, lost: !isClean(state), hasLostAnswers: true };
}

/** The state after a statement that writes: from now on there is an answer to ask for. */
export function afterWrite(state: SessionState): SessionState {
  return state.hasLostAnswers ? { ...state, hasLostAnswers: false } : state;
}
