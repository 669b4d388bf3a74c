import { RwSplitError } from '../errors.ts';
import { isUnreachable } from './failure.ts';
import type { Host } from './host.ts';
import { allConnections, breakConnection } from './mysql2.ts';

/**
 * Closes all connections of a host when what runs on them is done, but after so many milliseconds whatever
 * they are doing.
 *
 * @returns what went wrong; `null`: nothing.
 */
export function closePool(host: Host, milliseconds: number): Promise<Error | null> {
  host.close();
  return new Promise((resolve) => {
    const deadline = setTimeout(() => {
      const left = allConnections(host.pool);
      const error = new RwSplitError(
        'RWSPLIT_CLOSE_TIMEOUT',
        `${left.length} connections to ${host.role} ${host.name} were not done within ${milliseconds} ms, and were closed`,
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
