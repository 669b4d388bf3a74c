import { createSingleConnection, type RawConnection } from '../pool/mysql2.ts';
import type { Session } from './session.ts';

/** What to end on the server: the statement alone, or the connection with it. */
export type CancelScope = 'query' | 'connection';

/**
 * Ends the statement that a session is running, on the host that runs it, over a connection of its
 * own: a thread id means nothing on another host, and a full pool must not stand in the way. Does
 * nothing if the session runs no statement, or not any more once the connection is open.
 */
export async function cancelRunning(session: Session, scope: CancelScope): Promise<void> {
  const target = session.lease?.connection;
  if (target === undefined || !session.isRunning) {
    return;
  }
  const control = createSingleConnection(controlOptions(target));
  try {
    await ping(control);
    // By now another statement of this session, or of another one, may use the connection.
    if (session.isRunning && session.lease?.connection === target) {
      await kill(control, scope, target);
    }
  } finally {
    control.destroy();
  }
}

/** What it takes to log in again; the parsed options hold more, some of which mysql2 warns about. */
function controlOptions(target: RawConnection): object {
  const { config } = target;
  const names = [
    'host',
    'port',
    'socketPath',
    'localAddress',
    'user',
    'password',
    'password1',
    'password2',
    'password3',
    'passwordSha1',
    'ssl',
    'connectTimeout',
    'insecureAuth',
    'authPlugins',
    'authSwitchHandler',
    'enableCleartextPlugin',
  ] as const;
  return Object.fromEntries(
    names.filter((name) => config[name] !== undefined).map((name) => [name, config[name]]),
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
