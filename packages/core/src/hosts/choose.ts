/** How a replica is picked for a read. */
export const balancings = ['leastOutstanding', 'roundRobin'] as const;

/** One of {@link balancings}. */
export type Balancing = (typeof balancings)[number];

/** What choosing knows of one replica. */
export interface Candidate {
  /** Statements and sessions that have a connection of it, or wait for one. */
  readonly outstanding: number;
  /** When it was last chosen, as a number that only grows. */
  readonly lastChosen: number;
  /** Whether it may be offered this statement: healthy, and not tried before. */
  readonly isEligible: boolean;
}

/**
 * The index of the replica to read from, or -1 if none is eligible.
 *
 * - `leastOutstanding`: fewest outstanding, ties by the one that has waited longest to be chosen;
 * - `roundRobin`: the one that has waited longest to be chosen.
 */
export function choose(candidates: readonly Candidate[], balancing: Balancing): number {
  let best = -1;
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index];
    if (candidate?.isEligible !== true) {
      continue;
    }
    const leader = candidates[best];
    if (leader === undefined || isBetter(candidate, leader, balancing)) {
      best = index;
    }
  }
  return best;
}

function isBetter(one: Candidate, other: Candidate, balancing: Balancing): boolean {
  if (balancing === 'leastOutstanding' && one.outstanding !== other.outstanding) {
    return one.outstanding < other.outstanding;
  }
  return one.lastChosen < other.lastChosen;
}
