import { Random } from '../proofs/random.ts';
import type { OwnedCluster } from '../support/servers/start-cluster.ts';
import { Clock } from './history.ts';
import { Lanes } from './lanes.ts';
import { runLoad } from './load.ts';
import { type Fault, Nemesis, type NemesisOptions } from './nemesis.ts';
import { OtherProcess } from './other-process.ts';
import { watchReads } from './read-watch.ts';
import { createRegisters, finalVersions, type Part, parts, sharedRegisters } from './registers.ts';
import { Tally, type Totals } from './tally.ts';

export interface RunOptions extends Omit<NemesisOptions, 'random'> {
  readonly seed: number;
  readonly operations: number;
  /** Of each part. */
  readonly clients: number;
}

/** What a run came to. */
export interface Outcome extends Totals {
  readonly faults: ReadonlyMap<Fault, number>;
  /** Acknowledged writes that the primary does not have in the end, in words. */
  readonly lost: readonly string[];
}

/** Runs the load of all parts on a cluster without registers, while the nemesis works. */
export async function run({ cluster, ...options }: RunOptions): Promise<Outcome> {
  await createRegisters(cluster);
  const tally = new Tally();
  const nemesis = new Nemesis({ cluster, random: new Random(options.seed), ...options });
  using _watch = watchReads(tally);
  using other = new OtherProcess(cluster, options.clients);
  await using session = new Lanes(cluster, 'session');
  await using token = new Lanes(cluster, 'token');
  await using outside = new Lanes(cluster, 'process');
  await using eventual = new Lanes(cluster, 'eventual');
  const lanes = { session, token, process: outside, eventual };
  await nemesis.start();
  try {
    const { flavor } = cluster;
    await runLoad({ flavor, lanes, other, tally, clock: new Clock(), ...options });
  } finally {
    await nemesis.stop();
  }
  tally.merge(await other.close());
  const lost = await Promise.all(parts.map((part) => lostOf(cluster, tally.totals, part)));
  return { ...tally.totals, faults: nemesis.counts, lost: lost.flat() };
}

async function lostOf(cluster: OwnedCluster, totals: Totals, part: Part): Promise<string[]> {
  const final = await finalVersions(cluster, part);
  return Object.entries(totals.parts[part].acknowledged).flatMap(([id, { newest, count }]) => {
    const version = final.get(Number(id)) ?? 0;
    // A shared register counts up from 1: each acknowledged write has made it one more.
    const expected = sharedRegisters.includes(Number(id)) ? Math.max(newest, count + 1) : newest;
    return version < expected ? [`${part}: register ${id} is ${version}, not ${expected}`] : [];
  });
}
