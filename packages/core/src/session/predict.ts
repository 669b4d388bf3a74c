import type { Facts, StatePin, TextReason } from '../statement/facts.ts';
import type { SessionPin, SessionState, TransactionState } from './state.ts';

/**
 * The state of a session if the statement does what its text says. It is what counts while the
 * statement runs and where the server's answer has no status; else {@link observe} has the last
 * word.
 */
export function predict(state: SessionState, facts: Facts): SessionState {
  if (facts.reason === null && facts.pin === null && !facts.callsUnknown) {
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

/** Reasons for which nobody knows what a read calls. */
const hidesCalls: ReadonlySet<TextReason | null> = new Set([
  'bound-code',
  'catalogue',
  'malformed',
  'parser-veto',
  'unrecognised',
  'writes',
]);

/** A read that only locks, or only reads what a replica has not, has changed nothing. */
function mayWrite(facts: Facts): boolean {
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
