import type { Facts, TextReason } from '../statement/facts.ts';
import { isAutocommitOff, type SessionState, type TransactionState, withHold } from './state.ts';

/**
 * The state of a session if the statement does what its text says. It is what counts while the
 * statement runs and where the server's answer has no status; else {@link observe} has the last
 * word.
 */
export function predict(state: SessionState, facts: Facts): SessionState {
  if (facts.reason === null && facts.pin === null && !facts.callsUnknown) {
    return state;
  }
  const { pin, object } = facts;
  const transaction = transactionAfter(state, facts);
  const hasWritten = state.hasWritten || mayWrite(facts);
  const after = pin === null ? state : withHold(state, { pin, object });
  return transaction === state.transaction && hasWritten === state.hasWritten
    ? after
    : { ...after, transaction, hasWritten };
}

function transactionAfter(state: SessionState, facts: Facts): TransactionState {
  const before = state.transaction;
  switch (facts.kind) {
    case 'begin':
      return 'open';
    case 'commit':
    case 'rollback':
      return 'none';
    case 'set-transaction':
      return before === 'none' ? 'prepared' : before;
    default:
      if (before === 'none' && (facts.reason === 'locking-read' || mayWrite(facts))) {
        // With autocommit=0 it opens one, and an answer with rows has no status to tell.
        return isAutocommitOff(state) ? 'open' : before;
      }
      // Whether a statement of its own uses up what SET TRANSACTION said depends on the tables that
      // it touches, which nobody sees from here: it counts as pending until a transaction ends.
      return before;
  }
}

/** Reasons for which nobody knows what a read calls. */
export const hidesCalls: ReadonlySet<TextReason | null> = new Set([
  'bound-code',
  'catalogue',
  'malformed',
  'parser-veto',
  'unrecognised',
  'writes',
]);

/** Whether a statement may change data. A read that only locks, or reads what a replica has not, does not. */
export function mayWrite(facts: Facts): boolean {
  switch (facts.kind) {
    case 'write':
    case 'commit':
    case 'multiple':
    case 'other':
      return true;
    case 'read':
      return facts.callsUnknown || hidesCalls.has(facts.reason);
    default:
      return false;
  }
}
