import { setTimeout as sleep } from 'node:timers/promises';
import { openSession } from '@rwsplit/core';
import { Random } from '../proofs/random.ts';
import type { OwnedCluster } from '../support/servers/start-cluster.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { type Lane, Lanes } from './lanes.ts';
import { watchReadsOf } from './read-watch.ts';
import { inScope } from './scope.ts';
import { noReads, type ReadTotals } from './tally.ts';

const rows = 100;

/** Reads of each scope until all of them must have found out that replicas have caught up. */
const mostRounds = 1000;

/** Where reads ran while every transaction reached the replicas a little late. */
export interface SteadyLag {
  readonly reads: ReadTotals;
  /** From a commit until a replica has it, in milliseconds: the median of some, without load. */
  readonly arrival: number;
  /** `Com_select` of each server: reads of the load, and what core asks replicas itself. */
  readonly selects: Readonly<Record<string, number>>;
}

export interface SteadyOptions {
  readonly lagMs: number;
  readonly seed: number;
  /** Scopes at a time. */
  readonly clients: number;
  /** Statements of each client: of twenty, one writes. */
  readonly statements: number;
}

/** Scopes that mostly read, over replicas that get everything from the primary a steady time late. */
export async function underSteadyLag(
  cluster: OwnedCluster,
  { lagMs, seed, clients, statements }: SteadyOptions,
): Promise<SteadyLag> {
  await createTable(cluster, 'steady');
  const { host, port } = cluster.primary;
  using network = await TcpProxy.start({ host, port });
  await follow(cluster, network);
  network.delay(lagMs);
  const arrival = await medianArrival(cluster);
  await using lanes = new Lanes(cluster, 'lag');
  await warmUp(lanes, 'steady');
  const reads = noReads();
  using _watch = watchReadsOf(new Map([['steady', reads]]));
  const before = await selectsOf(cluster);
  const work = Array.from({ length: clients }, (_, client) =>
    readMostly(lanes, new Random(seed * 1009 + client), statements),
  );
  await Promise.all(work);
  const after = await selectsOf(cluster);
  const selects = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)]);
  // Before the network goes: they must not look for it for ever.
  await follow(cluster, cluster.primary);
  return { reads, arrival, selects: Object.fromEntries(selects) };
}

/** Scopes of up to 40 statements, with a little time between these as an application takes. */
async function readMostly(lanes: Lanes, random: Random, statements: number): Promise<void> {
  for (let left = statements; left > 0; ) {
    const length = Math.min(left, 1 + random.below(40));
    left -= length;
    const lane = textLane(lanes, random);
    await inScope({}, async () => {
      for (let done = 0; done < length; done++) {
        const id = random.below(rows) + 1;
        if (random.chance(0.05)) await write(lane, 'steady', id);
        else await lane.read('steady', [id]);
        await sleep(random.below(4));
      }
    });
  }
}

/** Prepared statements are not among a server's `Com_select`. */
function textLane(lanes: Lanes, random: Random): Lane {
  return random.pick(lanes.all.filter(({ name }) => name !== 'prepared'));
}

/** Where reads ran in scopes that have written before, and in those that have not. */
export interface LongLag {
  /** While the replicas had none of the writes. */
  readonly behind: ByScope;
  /** In the same scopes, when the replicas had them, until core had found that out in each. */
  readonly findingOut: ByScope;
  /** And then. */
  readonly caughtUp: ByScope;
}

/** The kinds of scopes: those that have written, and the others. Each reads a table of its own. */
const kinds = ['writers', 'readers'] as const;

export type ByScope = Readonly<Record<(typeof kinds)[number], ReadTotals>>;

export interface LongOptions {
  readonly seconds: number;
  /** Ends the lag at once when the first reads are done, and does not wait it out. */
  readonly isCutShort: boolean;
  /** Scopes of each kind. */
  readonly scopes: number;
  /** Reads of each scope, while the replicas are behind and again when they have caught up. */
  readonly reads: number;
}

/** Scopes of which some have written, over replicas that apply everything seconds late. */
export async function underLongLag(
  cluster: OwnedCluster,
  { seconds, isCutShort, scopes, reads }: LongOptions,
): Promise<LongLag> {
  await using lanes = new Lanes(cluster, 'lag');
  for (const kind of kinds) {
    await createTable(cluster, kind);
    await cluster.waitUntilReplicated();
    await warmUp(lanes, kind);
  }
  await Promise.all(cluster.replicas.map((replica) => replica.delay(seconds)));
  const everyScope = scopesOf(lanes, scopes);
  await everyScope(async (kind, lane, id) => {
    if (kind === 'writers') await write(lane, kind, id);
  });
  const readOnce = async (kind: string, lane: Lane, id: number) => {
    await lane.read(kind, [id]);
    await sleep(5);
  };
  const readOn = async (kind: string, lane: Lane, id: number) => {
    for (let left = reads; left > 0; left--) await readOnce(kind, lane, id);
  };
  const behind = await readsOf(() => everyScope(readOn));
  if (isCutShort) await Promise.all(cluster.replicas.map((replica) => replica.delay(0)));
  await cluster.waitUntilReplicated(seconds * 2000);
  const findingOut = await readsOf(async () => {
    for (let left = mostRounds; left > 0; left--) {
      const { writers } = await readsOf(() => everyScope(readOnce));
      if (Object.keys(writers.primary).length === 0) return;
    }
  });
  const caughtUp = await readsOf(() => everyScope(readOn));
  await Promise.all(cluster.replicas.map((replica) => replica.delay(0)));
  return { behind, findingOut, caughtUp };
}

type InEachScope = (
  work: (kind: keyof ByScope, lane: Lane, id: number) => Promise<void>,
) => Promise<void>;

/** Opens scopes that stay open, to do one thing after the other in all of them at the same time. */
function scopesOf(lanes: Lanes, count: number): InEachScope {
  const opened = kinds.flatMap((kind) =>
    Array.from({ length: count }, (_, index) => ({
      kind,
      session: openSession(),
      lane: lanes.all[index % lanes.all.length] ?? lanes.all[0],
      id: index + 1,
    })),
  );
  return async (work) => {
    await Promise.all(
      opened.map(({ kind, session, lane, id }) => session.run(() => work(kind, lane, id))),
    );
  };
}

/** Where the reads of each kind run that something does. */
async function readsOf(act: () => Promise<void>): Promise<ByScope> {
  const reads = { writers: noReads(), readers: noReads() };
  using _watch = watchReadsOf(new Map(Object.entries(reads)));
  await act();
  return reads;
}

function write(lane: Lane, table: string, id: number): Promise<unknown> {
  return lane.send(`UPDATE ${table} SET version = version + 1 WHERE id = ?`, [id]);
}

async function createTable({ primary, database }: OwnedCluster, table: string): Promise<void> {
  const values = Array.from({ length: rows }, (_, index) => `(${index + 1}, 0)`).join(', ');
  await primary.query(`CREATE TABLE ${database}.${table} (id INT PRIMARY KEY, version INT)`);
  await primary.query(`INSERT INTO ${database}.${table} VALUES ${values}`);
}

/** So that each pool knows its servers and its catalogue. */
async function warmUp(lanes: Lanes, table: string): Promise<void> {
  for (const lane of lanes.all) {
    for (let left = 4; left > 0; left--) await lane.read(table, [1]);
  }
}

async function follow(
  cluster: OwnedCluster,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  await Promise.all(
    cluster.replicas.map(async (replica) => {
      await replica.query('STOP REPLICA');
      await replica.replication.follow(host, port);
    }),
  );
  await cluster.waitUntilReplicated();
}

async function medianArrival(cluster: OwnedCluster): Promise<number> {
  const [replica] = cluster.replicas;
  if (replica === undefined) throw new Error('a cluster with lag has a replica');
  const times: number[] = [];
  for (let left = 21; left > 0; left--) {
    await cluster.primary.query(`UPDATE ${cluster.database}.steady SET version = version + 1`);
    const start = performance.now();
    await replica.replication.reaches(await cluster.primary.replication.executed(), 10);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[10] ?? 0;
}

async function selectsOf(cluster: OwnedCluster): Promise<Record<string, number>> {
  const counts = await Promise.all(
    cluster.all.map(async (server) => [server.name, await server.status('Com_select')] as const),
  );
  return Object.fromEntries(counts);
}
