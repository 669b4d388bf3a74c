import { RwSplitError } from '../errors.ts';
import type { SessionState } from '../session/state.ts';
import type { Answer } from '../statement/facts.ts';

/** The error for what comes after the end of its pool. */
export function poolIsClosed(): RwSplitError {
  return new RwSplitError('RWSPLIT_POOL_CLOSED', 'The pool is closed: it takes no more statements');
}

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
