import type { Outcome } from './outcome.ts';
import type { Kind } from './plan.ts';
import { type Counters, counterOf, counterOfOthers, type Place, type Stage } from './stage.ts';

/** Whether sessions of this kind never go back in time. */
export function isScope(kind: Kind): boolean {
  return kind === 'handle' || kind.endsWith('scope');
}

/** What everybody has been told that the sessions of this process have committed. */
export class Acknowledged {
  readonly #stage: Stage;
  #counters: Counters = new Map();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  get counters(): Counters {
    return this.#counters;
  }

  /** To be called while no session waits for an answer: all that is committed has been told then. */
  async update(): Promise<void> {
    const committed = await this.#stage.counters();
    this.#counters = new Map([...committed].filter(([id]) => id !== counterOfOthers));
  }
}

/** What one session has to see of the counters of others, and has seen. */
export class SeenCounters {
  readonly #kind: Kind;
  readonly #acknowledged: Acknowledged;
  readonly #seen = new Map<number, number>();

  constructor(kind: Kind, acknowledged: Acknowledged) {
    this.#kind = kind;
    this.#acknowledged = acknowledged;
  }

  /** What its next read must not be older than: to be taken before that is sent. */
  floor(): Counters {
    return isScope(this.#kind) ? new Map(this.#seen) : this.#acknowledged.counters;
  }

  /** Its own may be rolled back: that one is compared with what a plain connection says. */
  saw(outcome: Outcome, { set }: Place): void {
    for (const { id, n } of countersIn(outcome)) {
      if (id !== counterOf(set)) this.#seen.set(id, Math.max(n, this.#seen.get(id) ?? 0));
    }
  }
}

/** What a read of the counters shows less of than it must; `null`: nothing. */
export function olderThan(floor: Counters, outcome: Outcome): string | null {
  const older = countersIn(outcome).filter(({ id, n }) => n < (floor.get(id) ?? 0));
  return older.length === 0
    ? null
    : older.map(({ id, n }) => `counter ${id} is ${n}, older than ${floor.get(id)}`).join(', ');
}

/** The outcome of such a read with no more than what one plain connection shows too. */
export function withoutOthers(outcome: Outcome, { set }: Place): Outcome {
  if (outcome.kind !== 'result') return outcome;
  const value = countersIn(outcome).map(({ id, n }) => (id === counterOf(set) ? { id, n } : id));
  return { kind: 'result', value };
}

interface Counter {
  readonly id: number;
  readonly n: number;
}

function countersIn(outcome: Outcome): readonly Counter[] {
  return outcome.kind === 'result' && Array.isArray(outcome.value) ? outcome.value : [];
}
