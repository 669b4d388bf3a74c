import type { Facts, StatePin } from '../statement/facts.ts';
import type { SessionPin, SessionState, TransactionState } from './state.ts';

/**
 * The state of a session if the statement does what its text says. It is what counts while the
 * statement runs and where the server's answer has no status; else {@link observe} has the last
 * word.
 */
export function predict(state: SessionState, facts: Facts): SessionState {
  if (facts.reason === null && facts.pin === null) {
    return state;
  }
  const transaction = transactionAfter(state.transaction, facts);
  const leaves = pinOf(facts);
  const pin = state.pin ?? leaves;
  const dirty = state.dirty || facts.pin !== null;
  if (transaction === state.transaction && pin === state.pin && dirty === state.dirty) {
    return state;
  }
  return { ...state, transaction, pin, dirty };
}

function transactionAfter(before: TransactionState, facts: Facts): TransactionState {
  switch (facts.kind) {
    case 'begin':
      return 'open';
    case 'commit':
    case 'rollback':
      return 'none';
    case 'set-transaction':
      return before === 'none' ? 'prepared' : before;
    case 'savepoint':
      return before;
    default:
      // Whether a statement of its own uses up what SET TRANSACTION said depends on the tables that
      // it touches, which nobody sees from here: it counts as pending until a transaction ends.
      return before;
  }
}

function pinOf(facts: Facts): SessionPin | null {
  const pin: StatePin | null = facts.pin;
  if (pin !== null) {
    return pin;
  }
  return mayWrite(facts) ? 'has-written' : null;
}

/** A read that only the text keeps off the replicas (`SELECT … FOR UPDATE`) has changed nothing. */
function mayWrite(facts: Facts): boolean {
  switch (facts.kind) {
    case 'write':
    case 'commit':
    case 'multiple':
    case 'other':
      return true;
    case 'read':
      return facts.reason === 'unknown-function' || facts.reason === 'unsafe-function';
    default:
      return false;
  }
}
