import { RwSplitError } from '../errors.ts';
import { isUnreachable } from './failure.ts';
import type { Host } from './host.ts';
import { allConnections, breakConnection, discardConnection, type RawPool } from './mysql2.ts';

/**
 * Closes all connections of a host when what runs on them is done, but after so many milliseconds whatever
 * they are doing.
 *
 * @param patience how long all that took and takes may be, in milliseconds, for the message.
 * @returns what went wrong; `null`: nothing.
 */
export function closePool(
  host: Host,
  milliseconds: number,
  patience: number = milliseconds,
): Promise<Error | null> {
  host.close();
  if (!host.isUp) {
    dropUnmade(host.pool);
  }
  return new Promise((resolve) => {
    const deadline = setTimeout(() => {
      const left = allConnections(host.pool);
      const error = new RwSplitError(
        'RWSPLIT_CLOSE_TIMEOUT',
        `Connections to ${host.role} ${host.name} that were not done within ${patience} ms were closed: ${left.length}`,
      );
      for (const connection of left) {
        breakConnection(connection, error);
      }
      resolve(error);
    }, milliseconds);
    host.pool.end((error) => {
      clearTimeout(deadline);
      // One that was still being made, to a server that is gone, is gone too.
      resolve(error && !isUnreachable(error) ? error : null);
    });
  });
}

/** A login that is not answered keeps a pool open for as long as that may take. */
function dropUnmade(pool: RawPool): void {
  for (const connection of allConnections(pool)) {
    if (connection.threadId === null) {
      discardConnection(connection);
    }
  }
}
