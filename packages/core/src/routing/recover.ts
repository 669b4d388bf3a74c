import type { Failure } from './failure.ts';
import type { Role, RouteReason } from './reasons.ts';

/** What is known when a statement has failed. */
export interface FailedAttempt {
  readonly failure: Failure;
  /** Role of the host that it ran on. */
  readonly role: Role;
  /** Whether the statement has a meaning on this connection only: a transaction, state, a follow-up. */
  readonly isTied: boolean;
  /** Whether it is a read that could run on a replica. */
  readonly isPlainRead: boolean;
  /** Whether a part of it may have been carried out although the server refused it. */
  readonly mayBePartial: boolean;
  /** Whether the caller has seen a part of the answer. */
  readonly hasAnswered: boolean;
  /** Whether it has been tried often enough, or for long enough. */
  readonly isExhausted: boolean;
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
 * A write is never sent twice: what failed on the primary runs again only if nothing was sent, or if the
 * server refused it because it is the primary no more. What reads by its text runs again on a replica if the
 * connection broke, where the server itself sees to it that it changes nothing; and on the primary if a
 * replica refused it.
 */
export function recoveryFrom(attempt: FailedAttempt): Recovery | null {
  if (attempt.isTied || attempt.hasAnswered || attempt.isExhausted) {
    return null;
  }
  return attempt.role === 'primary' ? afterPrimary(attempt) : afterReplica(attempt);
}

function afterPrimary({ failure, isPlainRead, mayBePartial }: FailedAttempt): Recovery | null {
  switch (failure) {
    case 'not-sent':
      return { role: 'primary', reason: null };
    case 'demoted':
      return mayBePartial ? null : { role: 'primary', reason: null };
    case 'connection':
      return isPlainRead ? { role: 'replica', reason: null } : null;
    default:
      return null;
  }
}

function afterReplica({ failure }: FailedAttempt): Recovery | null {
  switch (failure) {
    case 'connection':
    case 'not-sent':
      return { role: 'replica', reason: null };
    case 'read-only':
    case 'demoted':
      return { role: 'primary', reason: 'fence' };
    case 'differs':
      return { role: 'primary', reason: 'replica-differs' };
    default:
      return null;
  }
}
