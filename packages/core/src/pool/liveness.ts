import { discardConnection, isDead, type RawConnection } from './mysql2.ts';
import type { Physical } from './physical.ts';

/** How long a server may take to answer a ping, in milliseconds; a new login is not worth more. */
const longestPing = 1000;

/** Whether a connection was idle for so long that the server, or the way to it, may be gone. */
export function mayBeDead({ idleSince }: Physical, checkIdleAfter: number | false): boolean {
  return checkIdleAfter !== false && performance.now() - idleSince > checkIdleAfter;
}

/** What a connection says to a ping. */
export type Sign = 'alive' | 'dead' | 'silent';

/**
 * Asks the server for a sign of life; a connection that gives none is closed.
 *
 * @param timeout how long a whole lease may take, in milliseconds; one ping may take a third of it.
 */
export function checkLiveness(
  connection: RawConnection,
  timeout: number,
  callback: (sign: Sign) => void,
): void {
  let isOpen = true;
  const finish = (sign: Sign) => {
    if (!isOpen) {
      return;
    }
    isOpen = false;
    clearTimeout(timer);
    if (sign !== 'alive') {
      discardConnection(connection);
    }
    callback(sign);
  };
  const timer = setTimeout(() => finish('silent'), Math.min(longestPing, timeout / 3));
  if (isDead(connection)) {
    finish('dead');
  } else {
    connection.ping((error) => finish(error ? 'dead' : 'alive'));
  }
}
