import type { SessionState } from './state.ts';

/** SERVER_STATUS_IN_TRANS and SERVER_STATUS_AUTOCOMMIT of the MySQL client/server protocol. */
const inTransaction = 1;
const autocommit = 2;

/** What a server's answer says of its session. */
export interface Response {
  /** The status flags of the OK packet; `null` where the answer has none (a result set, an error). */
  readonly serverStatus: number | null;
}

/**
 * Corrects the expected state by the server's answer. The flags of an OK packet are the truth:
 * they know of implicit commits, of `COMMIT AND CHAIN` and of `completion_type`.
 */
export function observe(expected: SessionState, response: Response): SessionState {
  const status = response.serverStatus;
  if (status === null) {
    return expected;
  }
  const transaction = transactionSeen(expected, status);
  const isOff = (status & autocommit) === 0;
  const pin = expected.pin ?? (isOff ? 'autocommit-off' : null);
  if (transaction === expected.transaction && pin === expected.pin) {
    return expected;
  }
  return { ...expected, transaction, pin };
}

/**
 * The state after an error of the server. It says nothing of the transaction, and a statement that
 * failed may have done a part of its work: keep the transaction as it was, and every pin.
 */
export function observeError(before: SessionState, expected: SessionState): SessionState {
  return { ...expected, transaction: before.transaction };
}

function transactionSeen(expected: SessionState, status: number): SessionState['transaction'] {
  if ((status & inTransaction) !== 0) {
    return 'open';
  }
  // No flag tells of a pending SET TRANSACTION.
  return expected.transaction === 'prepared' ? 'prepared' : 'none';
}
