import type { Facts, StatePin } from '../statement/facts.ts';

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
   * What a follow-up must not ask for, because a connection of this session broke and another one
   * would answer for somebody else: nothing; the last insert, until this session writes again; or the
   * previous statement as well, until there is one.
   */
  readonly lostAnswers: 'none' | 'insert' | 'all';
}

/** A session that has done nothing yet. */
export const freshSession: SessionState = {
  transaction: 'none',
  pin: null,
  dirty: false,
  lost: false,
  lostAnswers: 'none',
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
  return { ...state, lost: !isClean(state), lostAnswers: 'all' };
}

/** The state after a ROLLBACK of a lost transaction: what else was open there stays lost. */
export function afterRollback(state: SessionState): SessionState {
  return { ...state, transaction: 'none', lost: state.dirty };
}

/** The state after an answer of the server: from now on there is a statement to ask about. */
export function afterAnswer(state: SessionState, { kind }: Facts): SessionState {
  if (state.lostAnswers === 'none') {
    return state;
  }
  return { ...state, lostAnswers: kind === 'write' ? 'none' : 'insert' };
}

/** Whether a statement asks for what broke with a connection. */
export function asksForLostAnswer({ lostAnswers }: SessionState, { followUp }: Facts): boolean {
  return (
    (followUp === 'insert' && lostAnswers !== 'none') ||
    (followUp === 'previous' && lostAnswers === 'all')
  );
}
