import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../proofs/random.ts';
import { app } from '../support/servers/accounts.ts';
import type { OwnedServer } from '../support/servers/owned-server.ts';
import type { OwnedCluster } from '../support/servers/start-cluster.ts';

/** What goes wrong; each is over, but for delays, before the next. */
export const faults = ['delay', 'pause', 'kill', 'hang', 'cut', 'lull'] as const;

/** One of {@link faults}. */
export type Fault = (typeof faults)[number];

export interface NemesisOptions {
  readonly cluster: OwnedCluster;
  readonly random: Random;
  readonly faults: readonly Fault[];
  /** The longest quiet time between two faults, in milliseconds. */
  readonly quiet: number;
  /** How often a fault hits both replicas at once, from 0 to 1. */
  readonly both: number;
}

/** Breaks replicas and connections while a load runs; the primary stays up. */
export class Nemesis {
  readonly counts = new Map<Fault, number>();
  readonly #options: NemesisOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: NemesisOptions) {
    this.#options = options;
  }

  /** Delays the first replica alone at once: from the first statement on, replicas differ. */
  async start(): Promise<void> {
    await this.#options.cluster.replicas[0]?.delay(1);
    this.#running = this.#run();
    // Reported by stop(), when the load is done.
    this.#running.catch(() => {});
  }

  /** Ends the last fault, and heals everything. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#each(this.#options.cluster.replicas, (server) => server.delay(0));
  }

  async #run(): Promise<void> {
    const { random, quiet } = this.#options;
    while (!this.#stop.signal.aborted) {
      await this.#rest(random.below(quiet));
      const fault = random.pick(this.#options.faults);
      await this.#inflict(fault);
      this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
    }
  }

  #inflict(fault: Fault): Promise<void> {
    const { cluster, random, both } = this.#options;
    const { replicas } = cluster;
    const victims = random.chance(both) ? replicas : [random.pick(replicas)];
    const inflict: Readonly<Record<Fault, () => Promise<void>>> = {
      delay: () =>
        this.#each(replicas, (server) =>
          server.delay(victims.includes(server) ? 1 + random.below(2) : 0),
        ),
      lull: async () => {
        await this.#each(replicas, (server) => server.delay(0));
        await this.#rest(500 + random.below(1000));
        // Without lag, nothing is to be seen.
        await random.pick(replicas).delay(1);
      },
      pause: async () => {
        await this.#each(victims, (server) => server.stopApplying());
        await this.#rest(200 + random.below(1300));
        await this.#each(victims, (server) => server.startApplying());
      },
      kill: async () => {
        await this.#each(victims, (server) => server.kill());
        await this.#rest(random.below(1000));
        await this.#each(victims, (server) => server.restart());
      },
      hang: async () => {
        await this.#each(victims, (server) => server.hang());
        await this.#rest(200 + random.below(1500));
        for (const server of victims) server.resume();
      },
      cut: () => this.#cut(random.pick(cluster.all)),
    };
    return inflict[fault]();
  }

  /** Kills a few of the application's connections on one server. */
  async #cut(server: OwnedServer): Promise<void> {
    const threads = await server.query<{ id: number }>(
      'SELECT id FROM information_schema.processlist WHERE user = ?',
      [app.user],
    );
    const { random } = this.#options;
    for (const { id } of threads.filter(() => random.chance(0.2))) {
      // It may have ended by itself.
      await server.query(`KILL ${id}`).catch(() => {});
    }
  }

  async #each(
    servers: readonly OwnedServer[],
    act: (server: OwnedServer) => Promise<void>,
  ): Promise<void> {
    await Promise.all(servers.map(act));
  }

  /** Shorter when the load is done. */
  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }
}
