import type { HostSnapshot } from './snapshot.ts';

/** The ways to pick a replica that have a name. */
export const balancings = ['leastOutstanding', 'roundRobin', 'random'] as const;

/** One of {@link balancings}. */
export type BalancingName = (typeof balancings)[number];

/**
 * Picks the replica for a read: one of the hosts it is given, or the name of one. It is given those
 * that may be read from, at least one, of all zones.
 */
export type BalancingFunction = (hosts: readonly HostSnapshot[]) => HostSnapshot | string;

/** How a replica is picked for a read. */
export type Balancing = BalancingName | BalancingFunction;

/** What choosing knows of one replica that may be read from. */
export interface Candidate {
  /** Statements and sessions that have a connection of it, or wait for one. */
  readonly outstanding: number;
  /** When it was last chosen, as a number that only grows; 0: never. */
  readonly lastChosen: number;
  /** When it is due, in turns of a host of weight 1: see {@link nextTurn}. 0 for a new one. */
  readonly turn: number;
  /** Its share beside those of the others; 0: only if no other is there. */
  readonly weight: number;
  readonly zone: string | null;
  /** Whether it has failed just now, and may be down. */
  readonly isSuspect: boolean;
}

/**
 * The replica to read from; `undefined` if there is none. It is one of the best kind that is there:
 * above all no suspect, then one with a weight, then one of the zone. Of these:
 *
 * - `leastOutstanding`: fewest outstanding for its weight; of equals, the one whose turn it is;
 * - `roundRobin`: the one whose turn it is;
 * - `random`: any, a host of weight 2 twice as often as one of weight 1.
 *
 * With equal weights it is the turn of the one that has waited longest. Of those that were never
 * chosen, `random` says which is first: else all processes of a fleet would begin with the same one.
 *
 * @param zone where this process is; `null`: all zones are alike.
 * @param random a number in [0, 1).
 */
export function choose<C extends Candidate>(
  candidates: readonly C[],
  how: BalancingName,
  zone: string | null,
  random: number,
): C | undefined {
  return how === 'random'
    ? drawn(candidates, zone, random)
    : foremost(candidates, how, zone, random);
}

function foremost<C extends Candidate>(
  candidates: readonly C[],
  how: 'leastOutstanding' | 'roundRobin',
  zone: string | null,
  random: number,
): C | undefined {
  const count = candidates.length;
  const start = Math.floor(random * count);
  let best: C | undefined;
  let bestKind = Number.POSITIVE_INFINITY;
  for (let step = 0; step < count; step++) {
    const candidate = candidates[(start + step) % count];
    if (candidate === undefined) {
      continue;
    }
    const kind = kindOf(candidate, zone);
    if (
      best === undefined ||
      kind < bestKind ||
      (kind === bestKind && isBefore(candidate, best, how))
    ) {
      best = candidate;
      bestKind = kind;
    }
  }
  return best;
}

function drawn<C extends Candidate>(
  candidates: readonly C[],
  zone: string | null,
  random: number,
): C | undefined {
  let bestKind = Number.POSITIVE_INFINITY;
  let shares = 0;
  for (const candidate of candidates) {
    const kind = kindOf(candidate, zone);
    if (kind < bestKind) {
      bestKind = kind;
      shares = 0;
    }
    shares += kind === bestKind ? shareOf(candidate) : 0;
  }
  let left = random * shares;
  let last: C | undefined;
  for (const candidate of candidates) {
    if (kindOf(candidate, zone) === bestKind) {
      last = candidate;
      left -= shareOf(candidate);
      if (left < 0) {
        break;
      }
    }
  }
  // Rounding may leave a crumb after the last.
  return last;
}

/** The lower, the better; what it is made of counts in this order. */
function kindOf(candidate: Candidate, zone: string | null): number {
  const isElsewhere = zone !== null && candidate.zone !== zone;
  return (candidate.isSuspect ? 4 : 0) + (candidate.weight > 0 ? 0 : 2) + (isElsewhere ? 1 : 0);
}

function isBefore(
  one: Candidate,
  other: Candidate,
  how: 'leastOutstanding' | 'roundRobin',
): boolean {
  if (how === 'leastOutstanding') {
    // outstanding / share, without what division rounds.
    const load = one.outstanding * shareOf(other);
    const otherLoad = other.outstanding * shareOf(one);
    if (load !== otherLoad) {
      return load < otherLoad;
    }
  }
  return one.turn === other.turn ? one.lastChosen < other.lastChosen : one.turn < other.turn;
}

/** Hosts of weight 0 are alike where there is no other. */
function shareOf({ weight }: Candidate): number {
  return weight > 0 ? weight : 1;
}

/**
 * The turn of a host that has just been chosen, whatever the balancing: as much later as its weight
 * is smaller. So a host of weight 3 is due three times as often as one of weight 1.
 *
 * A host that was not offered for a while has missed its turns for good: it is chosen once at once,
 * and then goes on from where the others are. (Start-time fair queueing, Goyal et al. 1996: the time
 * is the latest turn that any of the others has begun.)
 *
 * @param candidates those that it was chosen from; it may be among them.
 */
export function nextTurn(chosen: Candidate, candidates: readonly Candidate[]): number {
  let start = chosen.turn;
  for (const candidate of candidates) {
    start = Math.max(start, candidate.turn - 1 / shareOf(candidate));
  }
  return start + 1 / shareOf(chosen);
}

/** What {@link chosenBy} answers: a host; or what the function answered instead; or its exception. */
export type Chosen =
  | { readonly kind: 'host'; readonly host: HostSnapshot }
  | { readonly kind: 'nobody'; readonly answer: unknown }
  | { readonly kind: 'threw'; readonly error: unknown };

/** Has the user's function choose one of the hosts. Never throws: a read must not fail of it. */
export function chosenBy(choice: BalancingFunction, hosts: readonly HostSnapshot[]): Chosen {
  try {
    const answer: unknown = choice(hosts);
    const name = nameIn(answer);
    const host = hosts.find((one) => one.name === name);
    if (host !== undefined) {
      return { kind: 'host', host };
    }
    if (answer instanceof Promise) {
      // Nobody waits for it, and a failure that nobody handles ends everything.
      answer.catch(() => {});
    }
    return { kind: 'nobody', answer };
  } catch (error) {
    return { kind: 'threw', error };
  }
}

/** A snapshot that was kept, or copied, still says which host is meant. */
function nameIn(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'name' in answer ? answer.name : answer;
}
