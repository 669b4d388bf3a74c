import { RwSplitError } from '../errors.ts';
import { loginOptions } from '../pool/login-options.ts';
import { createSingleConnection, type RawConnection } from '../pool/mysql2.ts';
import type { Task, TaskQueue } from './task-queue.ts';

/** What to end on the server: the statement alone, or the connection with it. */
export type CancelScope = 'query' | 'connection';

/**
 * Ends the statement that a session is running, on the host that runs it, over a connection of its
 * own: a thread id means nothing on another host, and a full pool must not stand in the way. A
 * statement that still waits for a connection is not sent. Does nothing if the session runs no
 * statement, or not any more once the control connection is open.
 */
export async function cancelRunning(queue: TaskQueue, scope: CancelScope): Promise<void> {
  const { running } = queue;
  const target = queue.session.lease?.connection;
  if (running === null) {
    return;
  }
  if (scope === 'connection') {
    // First, so that the loss of the connection is no fault of its host, and nothing runs again.
    queue.destroy();
  } else if (target === undefined) {
    running.refuse(cancelledError());
  }
  if (target === undefined) {
    return;
  }
  const control = createSingleConnection(loginOptions(target.config));
  try {
    await ping(control);
    // By now another statement of this session, or of another one, may use the connection; one that
    // was destroyed is used by nobody, and its thread id is not given again while it lives.
    if (scope === 'connection' || isStillRunning(queue, running, target)) {
      await kill(control, scope, target);
    }
  } finally {
    control.destroy();
  }
}

function isStillRunning(queue: TaskQueue, task: Task, target: RawConnection): boolean {
  return queue.running === task && queue.session.lease?.connection === target;
}

function cancelledError(): RwSplitError {
  return new RwSplitError(
    'RWSPLIT_CANCELLED',
    'The statement was cancelled while it waited for a connection: it was not sent',
    { isRetryable: true },
  );
}

function ping(control: RawConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    control.on('error', reject);
    control.ping((error) => (error ? reject(error) : resolve()));
  });
}

function kill(control: RawConnection, scope: CancelScope, target: RawConnection): Promise<void> {
  const sql = `KILL ${scope === 'query' ? 'QUERY' : 'CONNECTION'} ${Number(target.threadId)}`;
  return new Promise((resolve, reject) => {
    control.query({ sql }, (error) => {
      // ER_NO_SUCH_THREAD: it ended by itself, which is what was wanted.
      if (error === null || error.errno === 1094) {
        resolve();
      } else {
        reject(error);
      }
    });
  });
}
