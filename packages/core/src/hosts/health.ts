/**
 * Whether a host is offered statements. A pure reducer: time comes in as a value.
 *
 * ```text
 *        connection failure               retryAt reached
 *   up ─────────────────────▶ down ───────────────────────▶ down, but tried again
 *    ▲                         ▲ │ connection failure: the wait doubles
 *    │                         └─┘                                     │
 *    └────────────────────── connected ◀───────────────────────────────┘
 * ```
 *
 * Only failures of the connection count: a full pool, a slow or a killed query says nothing about
 * the host.
 */
export interface Health {
  /** Connection failures in a row; 0 is up. */
  readonly failures: number;
  /** When a host that is down is tried again, in milliseconds of the clock given to `failed`. */
  readonly retryAt: number;
  /** Whether a host that is down is being tried again. */
  readonly isProbed: boolean;
  /** Code of the last failure, for `stats()`; `null` while the host is up. */
  readonly lastFailure: string | null;
}

/** The wait after the first failure, in milliseconds; it doubles with each further one. */
const firstWait = 250;
const longestWait = 30_000;

/** A host that nothing is known against. */
export const healthy: Health = {
  failures: 0,
  retryAt: 0,
  isProbed: false,
  lastFailure: null,
};

/**
 * The health after a connection failure.
 *
 * @param jitter a number in [0, 1): shortens the wait by up to a half, so that the processes of a
 *   fleet do not all come back at once.
 */
export function failed(health: Health, code: string, now: number, jitter: number): Health {
  if (health.failures > 0 && !health.isProbed) {
    // Statements that were under way together fail together: that is one failure, not many.
    return { ...health, lastFailure: code };
  }
  const failures = health.failures + 1;
  const retryAt = now + waitAfter(failures) * (1 - jitter / 2);
  return { failures, retryAt, isProbed: false, lastFailure: code };
}

/** Whether the host may be offered a statement. */
export function isAvailable(health: Health, now: number): boolean {
  return health.failures === 0 || now >= health.retryAt;
}

/** The health while a down host is tried again: nobody else tries it for as long again. */
export function probing(health: Health, now: number): Health {
  if (health.failures === 0) {
    return health;
  }
  return { ...health, retryAt: now + waitAfter(health.failures), isProbed: true };
}

function waitAfter(failures: number): number {
  return Math.min(longestWait, firstWait * 2 ** Math.min(failures - 1, 16));
}
