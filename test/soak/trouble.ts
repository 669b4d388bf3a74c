import type { OwnedCluster } from '../support/servers/start-cluster.ts';

/**
 * How long after the end of a fault the primary may still not be used, in milliseconds: a host that is down
 * is tried again after 2 s at the latest, and what is told late comes on top.
 */
const afterPains = 4000;

interface Ailment {
  current: number;
  endedAt: number;
}

/** Remembers when which server was struck by a fault: a read may fail only while the primary is. */
export class Trouble {
  readonly #cluster: OwnedCluster;
  readonly #ailments = new Map<string, Ailment>();

  constructor(cluster: OwnedCluster) {
    this.#cluster = cluster;
  }

  /** A fault of one server; of all of them, with `'all'`. */
  async during(name: string, fault: () => Promise<void>): Promise<void> {
    const ailment = this.#ailments.get(name) ?? { current: 0, endedAt: Number.NEGATIVE_INFINITY };
    this.#ailments.set(name, ailment);
    ailment.current += 1;
    try {
      await fault();
    } finally {
      ailment.current -= 1;
      ailment.endedAt = performance.now();
    }
  }

  /** Whether the primary was well all the time since then, by `performance.now()`. */
  wasPrimaryWell(since: number): boolean {
    // If another one was the primary for a part of that time, the switch was a trouble of all.
    return this.#wasWell(this.#cluster.primary.name, since) && this.#wasWell('all', since);
  }

  #wasWell(name: string, since: number): boolean {
    const ailment = this.#ailments.get(name);
    return ailment === undefined || (ailment.current === 0 && ailment.endedAt + afterPains < since);
  }
}
