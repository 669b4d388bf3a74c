import { subsetOf } from '../../packages/core/src/hosts/subset.ts';

/** One process of a fleet, with all that any way of choosing a subset could go by. */
export interface FleetProcess {
  /** What rwsplit goes by: host name and process id. */
  readonly key: string;
  /** Its number among all processes, from 0: known only where something hands numbers out. */
  readonly number: number;
  /** How many there are: known only where something counts them. */
  readonly count: number;
  /** A number in [0, 1) that is its own, as a hash of its key is. */
  readonly random: number;
}

/** A way to choose the replicas that a process uses. */
export interface Way {
  readonly name: string;
  /** What a process has to know of itself. */
  readonly knows: 'name' | 'number' | 'number, count';
  choose(replicas: readonly string[], size: number, process: FleetProcess): readonly string[];
}

/** What rwsplit does. */
export const rendezvous: Way = {
  name: 'rendezvous hashing',
  knows: 'name',
  choose: (replicas, size, { key }) => subsetOf(replicas, size, key),
};

export const ways: readonly Way[] = [
  rendezvous,
  {
    name: 'ring, at a random place',
    knows: 'name',
    choose: (replicas, size, { random }) => neighbours(replicas, size, random),
  },
  {
    // "Deterministic aperture" of Twitter's Finagle, without the fractions of its load.
    name: 'ring, at its own place',
    knows: 'number, count',
    choose: (replicas, size, { number, count }) => neighbours(replicas, size, number / count),
  },
  {
    // Beyer et al., Site Reliability Engineering, 2016, chapter 20.
    name: 'shuffled by rounds',
    knows: 'number',
    choose: shuffledByRounds,
  },
];

function neighbours(replicas: readonly string[], size: number, place: number): readonly string[] {
  const start = Math.floor(place * replicas.length);
  return [...replicas.slice(start), ...replicas.slice(0, start)].slice(0, size);
}

function shuffledByRounds(
  replicas: readonly string[],
  size: number,
  { number }: FleetProcess,
): readonly string[] {
  const perRound = Math.max(1, Math.floor(replicas.length / size));
  const start = (number % perRound) * size;
  return shuffled(replicas, Math.floor(number / perRound)).slice(start, start + size);
}

function shuffled(all: readonly string[], seed: number): readonly string[] {
  const random = randomNumbers(seed);
  const left = [...all];
  return all.flatMap(() => left.splice(Math.floor(random() * left.length), 1));
}

/** Numbers in [0, 1), the same ones for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
