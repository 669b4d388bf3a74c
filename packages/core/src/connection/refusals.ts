import { RwSplitError } from '../errors.ts';
import type { SessionState } from '../session/state.ts';

/** The error for what would run in a session whose connection is gone, and mean something else there. */
export function sessionLost(state: SessionState): RwSplitError {
  return new RwSplitError('RWSPLIT_SESSION_LOST', messageFor(state));
}

function messageFor(state: SessionState): string {
  if (!state.lost) {
    return (
      'The connection that this asks about broke, and another one would answer for somebody else. ' +
      'Use a transaction, and run it again as a whole'
    );
  }
  const what = state.transaction === 'none' ? 'session state' : 'transaction';
  return (
    `The connection that held the ${what} of this session broke, and the ${what} with it: ` +
    'nothing more runs in this session. Roll back or release the connection, and start again'
  );
}
