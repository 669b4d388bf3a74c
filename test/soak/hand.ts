import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../proofs/random.ts';

/** Rests for so many milliseconds, or until the faults are to end. */
export type Rest = (milliseconds: number) => Promise<void>;

/** What one hand can do, by name; each is over when its promise settles. */
export type Faults = Readonly<Record<string, (rest: Rest) => Promise<void>>>;

/** One of several that break things side by side: one fault after the other, each healed at its end. */
export interface Hand {
  readonly faults: Faults;
  /** Names in {@link faults}; one that is there twice comes twice as often. */
  readonly plan: readonly string[];
  readonly random: Random;
  /** The longest time between two faults, in milliseconds. */
  readonly quiet: number;
}

/** Has all hands break things until the time is over; resolves when all is healed. */
export async function breakThings(
  hands: readonly Hand[],
  milliseconds: number,
  counts: Map<string, number>,
): Promise<void> {
  const end = new AbortController();
  const over = setTimeout(() => end.abort(), milliseconds);
  try {
    await Promise.all(
      hands.map((hand) =>
        keepBreaking(hand, end.signal, counts).catch((error: unknown) => {
          end.abort();
          throw error;
        }),
      ),
    );
  } finally {
    clearTimeout(over);
  }
}

async function keepBreaking(
  { faults, plan, random, quiet }: Hand,
  end: AbortSignal,
  counts: Map<string, number>,
): Promise<void> {
  const rest: Rest = async (milliseconds) => {
    await sleep(milliseconds, undefined, { signal: end }).catch(() => {});
  };
  while (!end.aborted) {
    const name = random.pick(plan);
    await faults[name]?.(rest);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    await rest(random.below(quiet));
  }
}

/** Lets one after the other do what must not happen at the same time. */
export class Turnstile {
  #last: Promise<void> = Promise.resolve();

  pass(work: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => {});
    return mine;
  }
}
