/**
 * Whether a host is offered statements. A pure reducer over events: time and chance come in as values.
 *
 * ```text
 *          lost                    failed                  (the monitor tries it at retryAt)
 *   up ────────────▶ suspect ──────────────▶ down ───────────────┐
 *    ▲ ▲                │                     ▲ │ ▲              │
 *    │ └── connected ───┘                     │ │ └─── failed ───┤ the wait doubles
 *    │         failed                         │ │                │
 *    ├────────────────────────────────────────┘ │                │
 *    └───────────────── connected ◀─────────────┴────────────────┘
 *
 *   draining: whatever happens, until it is gone
 * ```
 *
 * Only failures of connections count: a full pool, a server with no room (1040, 1226), a slow or a killed
 * query say nothing against the host; and a connection that was lost may have been killed by itself, so
 * that its host is asked before it is judged.
 */
export interface Health {
  readonly state: HostState;
  /** Failures to connect in a row; 0 unless it is down. */
  readonly failures: number;
  /** When a host that is down is tried again, in milliseconds of the clock that events have. */
  readonly retryAt: number;
  /** Whether a host that is down is being tried. */
  readonly isTried: boolean;
  /** Code of the last failure; `null` while it is up. */
  readonly lastFailure: string | null;
}

/**
 * What a host can be: `'up'`; `'suspect'`: a connection broke, and nobody knows why yet, so that it is
 * used if no other is up; `'down'`: it gets no statements, and is tried again; `'draining'`: it gets no
 * more statements, and goes when it has answered the last one.
 */
export const hostStates = ['up', 'suspect', 'down', 'draining'] as const;

/** One of {@link hostStates}. */
export type HostState = (typeof hostStates)[number];

/** What happens to a host. */
export type HealthEvent =
  /** A connection of it broke. */
  | { readonly kind: 'lost'; readonly code: string }
  /** No connection could be had, or it gave no sign of life. */
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly now: number;
      /**
       * A number in [0, 1): shortens the wait by up to a half, so that the processes of a fleet do not
       * all come back at once.
       */
      readonly jitter: number;
      /** No wait is longer, in milliseconds. */
      readonly longestWait: number;
    }
  /** It is down, and tried now. */
  | { readonly kind: 'tried' }
  /** A connection could be had, or would have been, if there had been room. */
  | { readonly kind: 'connected' }
  | { readonly kind: 'removed' };

/** The wait after the first failure, in milliseconds; it doubles with each further one. */
const firstWait = 250;

/** A host that nothing is known against. */
export const healthy: Health = {
  state: 'up',
  failures: 0,
  retryAt: 0,
  isTried: false,
  lastFailure: null,
};

const draining: Health = { ...healthy, state: 'draining' };

/** The health after an event; the same object if nothing has changed. */
export function reduceHealth(health: Health, event: HealthEvent): Health {
  if (health.state === 'draining') {
    return health;
  }
  switch (event.kind) {
    case 'lost':
      return health.state === 'up'
        ? { ...healthy, state: 'suspect', lastFailure: event.code }
        : health;
    case 'tried':
      return health.state === 'down' ? { ...health, isTried: true } : health;
    case 'connected':
      return health.state === 'up' ? health : healthy;
    case 'removed':
      return draining;
    case 'failed':
      return afterFailure(health, event);
  }
}

function afterFailure(
  health: Health,
  { code, now, jitter, longestWait }: Extract<HealthEvent, { kind: 'failed' }>,
): Health {
  if (health.state === 'down' && !health.isTried) {
    // Statements that were under way together fail together: that is one failure, not many.
    return health.lastFailure === code ? health : { ...health, lastFailure: code };
  }
  const failures = health.failures + 1;
  const wait = Math.min(longestWait, firstWait * 2 ** Math.min(failures - 1, 16));
  const retryAt = now + wait * (1 - jitter / 2);
  return { state: 'down', failures, retryAt, isTried: false, lastFailure: code };
}
