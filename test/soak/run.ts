import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplicatedPool } from '@rwsplit/core';
import { Random } from '../proofs/random.ts';
import type { OwnedCluster } from '../support/servers/start-cluster.ts';
import { Client } from './client.ts';
import { type Figures, takeFigures } from './figures.ts';
import { breakThings, type Hand, Turnstile } from './hand.ts';
import { Ledger, type Verdict } from './ledger.ts';
import { networkHand } from './network-hand.ts';
import { poolsHand } from './pools-hand.ts';
import { serversHand } from './servers-hand.ts';
import { Stage } from './stage.ts';
import { Tally, type Totals } from './tally.ts';
import { Trouble } from './trouble.ts';

export interface SoakOptions {
  readonly cluster: OwnedCluster;
  /** Decides all that is left to chance; when it happens is the machine's. */
  readonly seed: number;
  /** How long faults go on, in milliseconds; in two halves. */
  readonly duration: number;
  readonly clients: number;
}

/** What a soak came to. */
export interface Outcome {
  readonly faults: ReadonlyMap<string, number>;
  readonly totals: Totals;
  readonly verdict: Verdict;
  /** Before the first fault, between the halves, after the last fault, after the end of the pools. */
  readonly figures: {
    readonly start: Figures;
    readonly middle: Figures;
    readonly end: Figures;
    readonly closed: Figures;
  };
  /** How long it took until all hosts were up again, after each half, in milliseconds. */
  readonly recoveries: readonly number[];
  /** What else went wrong, in words. */
  readonly problems: readonly string[];
}

/** How long after the last fault all has to be well again, in milliseconds. */
const recoveryLimit = 10_000;
/** How long nothing at all may fail then, in milliseconds. */
const calm = 2_500;
/** How long after its end a client may be at its last statement, in milliseconds. */
const lastStatement = 30_000;

/** Breaks everything twice for half of the time, and looks what is left of it. */
export async function soak({ cluster, seed, duration, clients }: SoakOptions): Promise<Outcome> {
  await using stage = await Stage.open(cluster);
  const trouble = new Trouble(cluster);
  const run = new Run(stage, new Tally(trouble), seed, clients);
  const hands = handsOf(stage, run, { trouble, seed });
  const start = await run.measure(() => sleep(calm));
  const half = async () => {
    run.tally.isCalm = false;
    await breakThings(hands, duration / 2, run.faults);
    await run.recover();
  };
  const middle = await run.measure(half);
  const end = await run.measure(half);
  await Promise.all(stage.lasting.map(({ pool }) => run.close(pool)));
  // The end of a pool is one of its own; servers hear of it a moment later.
  for (let left = 20; left > 0 && hasLinks(stage); left--) await sleep(100);
  const closed = await takeFigures(stage);
  const verdict = await run.ledger.verify(cluster);
  const { faults, recoveries, problems } = run;
  const figures = { start, middle, end, closed };
  return { faults, totals: run.tally.totals, verdict, figures, recoveries, problems };
}

function handsOf(
  stage: Stage,
  { ledger, tally }: Run,
  { trouble, seed }: { readonly trouble: Trouble; readonly seed: number },
): readonly Hand[] {
  const turnstile = new Turnstile();
  const random = (hand: number) => new Random(seed * 1000 + 900 + hand);
  return [
    serversHand(stage, random(1), trouble, turnstile),
    networkHand(stage, random(2), trouble),
    poolsHand(stage, { random: random(3), trouble, turnstile, ledger, tally }),
  ];
}

function hasLinks(stage: Stage): boolean {
  return stage.cluster.all.some((server) => stage.proxyOf(server).connections > 0);
}

/** One soak while it goes on. */
class Run {
  readonly ledger = new Ledger();
  readonly tally: Tally;
  readonly faults = new Map<string, number>();
  readonly recoveries: number[] = [];
  readonly problems: string[] = [];
  readonly #stage: Stage;
  readonly #clients: readonly Client[];

  constructor(stage: Stage, tally: Tally, seed: number, clients: number) {
    this.#stage = stage;
    this.tally = tally;
    const pools = stage.lasting.map(({ pool }) => pool);
    const place = { pools, ledger: this.ledger, tally };
    this.#clients = Array.from(
      { length: clients },
      (_, number) => new Client(place, new Random(seed * 1000 + number)),
    );
  }

  /** Takes the figures after a time that clients worked in. */
  async measure(during: () => Promise<void>): Promise<Figures> {
    let isOver = false;
    const work = Promise.all(this.#clients.map((client) => client.work(() => isOver)));
    try {
      await during();
    } finally {
      isOver = true;
      await this.#finish(work);
    }
    return takeFigures(this.#stage);
  }

  /** Waits, under load, until nothing is left of the faults; then, for a while, nothing may fail. */
  async recover(): Promise<void> {
    const startedAt = performance.now();
    const spent = () => performance.now() - startedAt;
    while (this.#ailing().length > 0 && spent() < recoveryLimit) await sleep(50);
    this.recoveries.push(Math.round(spent()));
    for (const ailing of this.#ailing()) this.problems.push(`not up again: ${ailing}`);
    await this.#stage.cluster.waitUntilReplicated(30_000);
    // What began under the last fault may still fail of it.
    await sleep(500);
    this.tally.isCalm = true;
    await sleep(calm);
  }

  /** With nothing under way, a pool has nothing to break off. */
  async close(pool: ReplicatedPool): Promise<void> {
    const before = pool.stats().hosts.map(({ name, outstanding }) => `${name} ${outstanding}`);
    await pool
      .promise()
      .end()
      .catch((error: unknown) => {
        const reasons = error instanceof AggregateError ? error.errors : [error];
        this.problems.push(`not closed in order, outstanding ${before.join(', ')}: ${reasons}`);
      });
  }

  #ailing(): string[] {
    const { lasting, cluster } = this.#stage;
    return lasting.flatMap(({ pool }, index) => {
      const { hosts } = pool.stats();
      const [primary] = hosts;
      const moved = primary?.name === cluster.primary.name ? [] : [`pool ${index}: the primary`];
      const missing = hosts.length === cluster.all.length ? [] : [`pool ${index}: a host`];
      const down = hosts.filter(({ state, isMember }) => state !== 'up' || !isMember);
      return [...moved, ...missing, ...down.map(({ name, state }) => `${index}: ${name} ${state}`)];
    });
  }

  async #finish(work: Promise<unknown>): Promise<void> {
    const limit = new AbortController();
    const tooLate = sleep(lastStatement, 'late', { signal: limit.signal }).catch(() => 'done');
    const ended = await Promise.race([work, tooLate]);
    limit.abort();
    if (ended !== 'late') return;
    const left = this.#clients.map(({ doing }) => doing).filter((doing) => doing !== 'nothing');
    throw new Error(`clients are never done with: ${left.join(', ')}`);
  }
}
