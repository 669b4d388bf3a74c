import { RwSplitError } from '../errors.ts';
import { codeOf, isUnreachable } from './failure.ts';
import type { Host } from './host.ts';
import type { DriverError } from './mysql2.ts';

/**
 * The error for a connection to the primary that could not be had. What the server itself refuses (a wrong
 * password, no room) passes through as it is, as does a full pool.
 *
 * @param error `null` if it was not tried: it is known to be silent.
 */
export function primaryDown(host: Host, error: DriverError | null): Error {
  if (error !== null && !isUnreachable(error)) {
    return error;
  }
  const code = error === null ? host.health.lastFailure : codeOf(error);
  return new RwSplitError(
    'RWSPLIT_PRIMARY_DOWN',
    `The primary ${host.name} cannot be reached (${code}): nothing was sent`,
    { isRetryable: true, ...(error === null ? {} : { cause: error }) },
  );
}
