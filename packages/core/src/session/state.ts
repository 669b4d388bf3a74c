import type { Answer, Freed, StatePin } from '../statement/facts.ts';

/**
 * What is known of the transaction of a session.
 *
 * ```text
 *           BEGIN, SET TRANSACTION, …               server: not in a transaction
 *   none ────────────────────────────▶ open ───────────────────────────────────▶ none
 *                                      │  ▲
 *                       server's error │  │ server: still in it
 *                                      ▼  │
 *                                    doubtful ── server: not in it any more ──▶ lost
 * ```
 *
 * A statement that commits by itself, such as CREATE TABLE, leaves it `perhaps-over` when it fails; what
 * the server says then is what it is.
 *
 * The session itself is lost with a transaction that ended by itself, or with its connection, until
 * a ROLLBACK, or its end.
 */
export type TransactionState =
  /** Statements commit by themselves. */
  | 'none'
  /** SET TRANSACTION was run: it speaks of the transaction that begins next on this connection. */
  | 'prepared'
  /** A transaction is open. */
  | 'open'
  /** A statement of it failed: the server may have rolled back all of it. */
  | 'doubtful'
  /** A statement that commits by itself failed: it may have committed. */
  | 'perhaps-over';

/** State of the session that lives in one connection. */
export interface Hold {
  readonly pin: StatePin | 'autocommit-off';
  /** The name of what is held; `null` if it has none, or it is not known. */
  readonly object: string | null;
}

/** Why the next statement of a session must run on the connection of the last ones. */
export type SessionPin =
  | StatePin
  /** `autocommit=0`: every statement is inside a transaction. */
  | 'autocommit-off'
  /** The session has written: a replica may not have it yet, and LAST_INSERT_ID() is there. */
  | 'has-written';

/** What a session has lost, and must not go on without. */
export type Loss =
  /** The connection that held its transaction or its state broke. */
  | 'connection'
  /** The server ended its transaction by itself: a deadlock, a lock wait. */
  | 'transaction';

/** What one logical client has done so far, as far as it decides where its next statement runs. */
export interface SessionState {
  readonly transaction: TransactionState;
  /** State that the connection holds, in the order in which it came. */
  readonly holds: readonly Hold[];
  readonly hasWritten: boolean;
  /** Whether the open transaction may have written of which no answer told: without a rollback, too. */
  readonly hasHiddenWrites: boolean;
  readonly lost: Loss | null;
  /** What the connection can be asked about earlier statements of this session, and of no other. */
  readonly answers: readonly Answer[];
  /**
   * Whether the server may have given this session an insert id that no answer told: by CALL, by
   * INSERT … RETURNING.
   */
  readonly mayHaveInserted: boolean;
}

const noHolds: readonly Hold[] = [];
const noAnswers: readonly Answer[] = [];

/** A session that has done nothing yet. */
export const freshSession: SessionState = {
  transaction: 'none',
  holds: noHolds,
  hasWritten: false,
  hasHiddenWrites: false,
  lost: null,
  answers: noAnswers,
  mayHaveInserted: false,
};

/** Whether only the server knows if the transaction is still open. */
export function isInDoubt({ transaction }: SessionState): boolean {
  return transaction === 'doubtful' || transaction === 'perhaps-over';
}

/** Whether every statement is inside a transaction. */
export function isAutocommitOff({ holds }: SessionState): boolean {
  return holds.some(({ pin }) => pin === 'autocommit-off');
}

/** The pin that a decision names: state before writes, the oldest first. */
export function pinOf({ holds, hasWritten }: SessionState): SessionPin | null {
  return holds[0]?.pin ?? (hasWritten ? 'has-written' : null);
}

/** Whether the session must stay on its connection for what the connection holds of it. */
export function isHeld(state: SessionState): boolean {
  return state.holds.length > 0 || state.transaction !== 'none';
}

/** Whether the session must stay on its connection, be it for what it wrote. */
export function isBound(state: SessionState): boolean {
  return state.hasWritten || isHeld(state);
}

/** Pins whose state a reset of the connection does not undo: measured, MySQL 9.7 and MariaDB 10.11. */
const lasting: ReadonlySet<Hold['pin']> = new Set(['role', 'xa-transaction']);

/** What has to happen to a connection that leaves a session in this state. */
export function cleaningOf(state: SessionState): 'none' | 'reset' | 'close' {
  if (!isHeld(state)) {
    return 'none';
  }
  return state.holds.some(({ pin }) => lasting.has(pin)) ? 'close' : 'reset';
}

/** The state with one more hold. */
export function withHold(state: SessionState, hold: Hold): SessionState {
  const has = state.holds.some(({ pin, object }) => pin === hold.pin && object === hold.object);
  return has ? state : { ...state, holds: [...state.holds, hold] };
}

/** The state without what a statement has freed. */
export function withoutFreed(state: SessionState, { pin, objects }: Freed): SessionState {
  const isFreed = ({ object }: Hold) =>
    objects === null || (object !== null && objects.includes(object));
  return withoutHolds(state, (hold) => hold.pin === pin && isFreed(hold));
}

/** The state without holds that are gone. */
export function withoutHolds(state: SessionState, isGone: (hold: Hold) => boolean): SessionState {
  const holds = state.holds.filter((hold) => !isGone(hold));
  return holds.length === state.holds.length ? state : { ...state, holds };
}

/**
 * The state after the session left its connection, or lost it between two statements: nobody can be
 * asked about what ran there.
 */
export function afterLeaving(state: SessionState): SessionState {
  return state.answers === noAnswers && !state.mayHaveInserted
    ? state
    : { ...state, answers: noAnswers, mayHaveInserted: false };
}

/** The state after a statement of somebody else's on the connection: only the insert id is as it was. */
export function afterOther(state: SessionState): SessionState {
  return { ...state, answers: state.answers.filter((answer) => answer === 'insert-id') };
}

/**
 * The state after the connection of the session broke: what was open on it is lost with it. That the
 * session has written is not: it still reads on the primary.
 */
export function afterConnectionLoss(state: SessionState): SessionState {
  const lost = state.lost ?? (isHeld(state) ? 'connection' : null);
  return { ...afterLeaving(state), lost };
}

/** The state after the server ended the transaction by itself. */
export function afterTransactionLoss(state: SessionState): SessionState {
  return { ...state, transaction: 'open', lost: 'transaction' };
}

/** The state after a ROLLBACK of a lost transaction: what else was open there stays lost. */
export function afterRollback(state: SessionState): SessionState {
  const isStillLost = state.lost === 'connection' && state.holds.length > 0;
  return { ...state, transaction: 'none', lost: isStillLost ? 'connection' : null };
}
