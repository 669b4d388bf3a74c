import { setTimeout as sleep } from 'node:timers/promises';
import type { Incident } from './plan.ts';
import type { Stage } from './stage.ts';

/** What happens beside the sessions of one plan. */
export class Incidents {
  readonly #stage: Stage;
  /** By replica: each pause begins when the one before it is over. */
  readonly #pauses = new Map<number, Promise<void>>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Resolves when it has begun. */
  async begin(incident: Incident): Promise<void> {
    if (incident.incident === 'count') {
      await this.#stage.count();
      return;
    }
    const { replica, ms } = incident;
    const before = this.#pauses.get(replica) ?? Promise.resolve();
    const pause = before.then(() => this.#pause(replica, ms));
    // Reported by end().
    pause.catch(() => {});
    this.#pauses.set(replica, pause);
  }

  /** Resolves when all are over. */
  async end(): Promise<void> {
    await Promise.all(this.#pauses.values());
  }

  async #pause(index: number, ms: number): Promise<void> {
    const replication = this.#stage.pausable[index]?.replication;
    if (replication === undefined) throw new Error(`no replica ${index} to pause`);
    try {
      await replication.stopApplying();
      await sleep(ms);
    } finally {
      await replication.startApplying();
    }
  }
}
