import type { Failure } from './failure.ts';
import type { Role, RouteReason } from './reasons.ts';

/** What is known when a statement has failed. */
export interface FailedAttempt {
  readonly failure: Failure;
  /** Role of the host that it ran on. */
  readonly role: Role;
  /** Whether the statement has a meaning on this connection only: a transaction, state, a follow-up. */
  readonly isTied: boolean;
  /** Whether the caller has seen a part of the answer. */
  readonly hasAnswered: boolean;
  /** Whether it failed on this host before. */
  readonly hasRetried: boolean;
}

/** Where to run a failed statement again. */
export interface Recovery {
  readonly role: Role;
  /** The reason of the new route; `null`: the reason that it had. */
  readonly reason: Extract<RouteReason, 'fence' | 'replica-differs'> | null;
}

/**
 * Whether a statement that failed may run again, and where; `null`: the caller gets the error.
 *
 * A write is never sent twice: what failed on the primary runs again only if nothing was sent. What
 * failed on a replica changed nothing there; it runs again on another replica if the connection
 * broke, and on the primary if the replica refused it.
 */
export function recoveryFrom(attempt: FailedAttempt): Recovery | null {
  if (attempt.isTied || attempt.hasAnswered) {
    return null;
  }
  if (attempt.role === 'primary') {
    return attempt.failure === 'not-sent' && !attempt.hasRetried
      ? { role: 'primary', reason: null }
      : null;
  }
  switch (attempt.failure) {
    case 'connection':
    case 'not-sent':
      return { role: 'replica', reason: null };
    case 'read-only':
      return { role: 'primary', reason: 'fence' };
    case 'differs':
      return { role: 'primary', reason: 'replica-differs' };
    default:
      return null;
  }
}
