import { RwSplitError } from '../errors.ts';
import { codeOf } from '../pool/failure.ts';
import type { DriverError } from '../pool/mysql2.ts';
import type { Route } from '../routing/reasons.ts';
import type { SessionState } from '../session/state.ts';
import type { Answer, Facts } from '../statement/facts.ts';

/** The error for what would run in a session that has lost something, and mean something else there. */
export function sessionLost(state: SessionState): RwSplitError {
  return new RwSplitError('RWSPLIT_SESSION_LOST', messageFor(state));
}

function messageFor(state: SessionState): string {
  if (state.lost === 'transaction') {
    return (
      'The server has ended the transaction of this session by itself, as it does for a deadlock, and ' +
      'all of it is rolled back: nothing more runs in it. Roll back, and start again'
    );
  }
  const what = state.transaction === 'none' ? 'session state' : 'transaction';
  return (
    `The connection that held the ${what} of this session broke, and the ${what} with it: ` +
    'nothing more runs in this session. Roll back or release the connection, and start again'
  );
}

const questions: Readonly<Record<Answer, string>> = {
  'insert-id': 'the last insert id',
  'found-rows': 'the rows found by the last query',
  'row-count': 'the row count of the last statement',
  diagnostics: 'the warnings of the last statement',
};

/** The error for a question about earlier statements that would be answered for somebody else's. */
export function followUpLost(answer: Answer | null): RwSplitError {
  const what = answer === null ? 'an earlier statement' : questions[answer];
  return new RwSplitError(
    'RWSPLIT_FOLLOW_UP_LOST',
    `This asks for ${what}, and no connection at hand can tell: the statement that it asks about ran ` +
      'outside this session, at the same time as others, or on a connection that is gone or was needed ' +
      'elsewhere. Run both in one transaction, on one connection, or inside withSession()',
  );
}

/** The error for a question that only a replica's connection can answer, and must not be asked there. */
export function followUpOnReplica(answer: Answer): RwSplitError {
  return new RwSplitError(
    'RWSPLIT_FOLLOW_UP_LOST',
    `This asks for ${questions[answer]}, which ran on a replica, and does more than ask: it cannot run ` +
      'there. Run both in one transaction, or the first with forcePrimary',
  );
}

/** The error for what writes, and was to run on a replica. */
export function writeOnReplica(): RwSplitError {
  return new RwSplitError(
    'RWSPLIT_USE_REPLICA',
    'useReplica: expected a statement that reads, found one that writes: it was not sent',
  );
}

/** The error for a read that waited too long for its part of the primary. */
export function primaryIsFull({ reason }: Route): RwSplitError {
  const isLag = reason === 'replicas-lagging';
  return new RwSplitError(
    isLag ? 'RWSPLIT_REPLICAS_LAGGING' : 'RWSPLIT_NO_REPLICA',
    `Every replica ${isLag ? 'lags too far behind' : 'is out of service'}, and \`primaryReadShare\` of the primary is taken by other reads`,
    { isRetryable: true },
  );
}

/** The answer of what may have been committed was lost. Nothing of it is sent again. */
export function unknownOutcome({ kind }: Facts, cause: DriverError): RwSplitError {
  const what = kind === 'commit' ? 'COMMIT' : 'statement';
  return new RwSplitError(
    'RWSPLIT_UNKNOWN_OUTCOME',
    `The connection broke before the answer of this ${what} came (${codeOf(cause)}): ` +
      'nobody knows whether the server has carried it out',
    { cause },
  );
}

/** The error for what waited for a server when its connection was destroyed. */
export function destroyedWhileWaiting(): RwSplitError {
  return new RwSplitError(
    'RWSPLIT_CONNECTION_DESTROYED',
    'The connection was destroyed while its statement waited for a server',
  );
}
