/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** An integer from 0 to `count - 1`. */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/** What is searched, and how good it is. */
export interface Landscape<T> {
  mutate(of: T): T;
  /** Larger is worse for the classifier, which is what is looked for. */
  score(of: T): number;
}

export interface Found<T> {
  readonly what: T;
  readonly score: number;
}

/** Climbs hills from several places; the top of each, the highest one first. */
export function climb<T>(landscape: Landscape<T>, from: readonly T[], steps: number): Found<T>[] {
  const tops = from.map((start) => climbOne(landscape, start, steps));
  return tops.sort((a, b) => b.score - a.score);
}

function climbOne<T>(landscape: Landscape<T>, start: T, steps: number): Found<T> {
  let what = start;
  let score = landscape.score(what);
  for (let step = 0; step < steps; step++) {
    const next = landscape.mutate(what);
    const nextScore = landscape.score(next);
    if (nextScore > score) [what, score] = [next, nextScore];
  }
  return { what, score };
}
