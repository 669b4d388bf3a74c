import { isDead, type RawConnection } from './mysql2.ts';
import type { Physical } from './physical.ts';

/** Whether a connection was idle for so long that the server, or the way to it, may be gone. */
export function mayBeDead({ idleSince }: Physical, checkIdleAfter: number | false): boolean {
  return checkIdleAfter !== false && performance.now() - idleSince > checkIdleAfter;
}

/** Asks the server for a sign of life; a connection that gives none is closed. */
export function checkLiveness(
  connection: RawConnection,
  callback: (isAlive: boolean) => void,
): void {
  if (isDead(connection)) {
    connection.destroy();
    callback(false);
    return;
  }
  connection.ping((error) => {
    if (error) {
      connection.destroy();
    }
    callback(!error);
  });
}
