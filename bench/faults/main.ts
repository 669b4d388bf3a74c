/**
 * How long it takes until a replica that dies or hangs gets no more reads, and until it gets some again
 * when it is back: under reads of several clients, with the default options. No read may fail.
 *
 * `npx tsx bench/faults/main.ts [runs] [mysql|mariadb]`
 */
import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { channels, createReplicatedPool, type HostEvent, type StatementEvent } from '@rwsplit/core';
import { flavors } from '../../test/support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../../test/support/servers/start-cluster.ts';

type OwnedServer = OwnedCluster['primary'];

/** Milliseconds. */
interface Times {
  /** From the fault until it is known: the event `down`. */
  readonly detected: number;
  /** From then until the last read that had been sent there was answered elsewhere. */
  readonly left: number;
  /** The longest that any read took meanwhile. */
  readonly longest: number;
  /** From when the server answers again until it is known: the event `up`. */
  readonly back: number;
  /** From then until the first read was answered there. */
  readonly used: number;
}

interface Fault {
  readonly strike: (server: OwnedServer) => Promise<void>;
  readonly mend: (server: OwnedServer) => void | Promise<void>;
}

const faults: Record<string, Fault> = {
  'SIGKILL, started again': {
    strike: (server) => server.kill(),
    mend: (server) => server.restart(),
  },
  'SIGSTOP, SIGCONT': { strike: (server) => server.hang(), mend: (server) => server.resume() },
};
const clients = 8;

const runs = Number(process.argv[2] ?? 5);
const chosen = flavors.filter((one) => process.argv[3] === undefined || one === process.argv[3]);

console.log(
  `Medians (worst) of ${runs} runs in milliseconds, ${clients} clients, Node ${process.version}`,
);
const titles = ['known', 'left by all', 'longest read', 'known again', 'used again'];
console.log([''.padEnd(36), ...titles.map((title) => title.padStart(16))].join(' '));
for (const flavor of chosen) {
  await using cluster = await startCluster({ flavor, statementLog: false });
  await cluster.primary.query('CREATE TABLE app.item (id INT PRIMARY KEY)');
  await cluster.waitUntilReplicated();
  for (const [name, fault] of Object.entries(faults)) {
    const all: Times[] = [];
    for (let run = 0; run < runs; run++) {
      all.push(await measure(cluster, fault));
    }
    const columns = (['detected', 'left', 'longest', 'back', 'used'] as const).map((key) =>
      column(all.map((times) => times[key])),
    );
    console.log([`${flavor}: ${name}`.padEnd(36), ...columns].join(' '));
  }
}

async function measure(cluster: OwnedCluster, { strike, mend }: Fault): Promise<Times> {
  const { primary, replicas } = cluster;
  const [victim] = replicas;
  if (victim === undefined) {
    throw new Error('expected a replica');
  }
  const host = (server: OwnedServer) => ({
    ...cluster.connectionOptions(server),
    name: server.name,
  });
  const pool = createReplicatedPool({ primary: host(primary), replicas: replicas.map(host) });
  const [states, reads] = watch(victim);
  let isRunning = true;
  const client = async () => {
    while (isRunning) {
      await pool.promise().query('SELECT COUNT(*) AS n FROM item');
      await sleep(1);
    }
  };
  const work = Promise.all(Array.from({ length: clients }, client));
  await sleep(300);
  const struckAt = performance.now();
  await strike(victim);
  const downAt = await states.next('down', struckAt);
  await sleep(3_000);
  await mend(victim);
  const mendedAt = performance.now();
  const upAt = await states.next('up', downAt);
  await reads.someAfter(upAt);
  isRunning = false;
  await work;
  await pool.promise().end();
  const during = reads.all.filter(({ at }) => at > struckAt && at < mendedAt);
  const lastLeft = Math.max(...during.map(({ at }) => at));
  return {
    detected: downAt - struckAt,
    left: Math.max(0, lastLeft - downAt),
    longest: Math.max(...during.map(({ duration }) => duration)),
    back: Math.max(0, upAt - mendedAt),
    used: (await reads.someAfter(upAt)) - upAt,
  };
}

/** What is published of one host: its states, and the reads that were sent to it. */
function watch({ name }: OwnedServer) {
  const seen: { state: string; at: number }[] = [];
  const all: { at: number; duration: number }[] = [];
  const until = async (find: () => number | undefined): Promise<number> => {
    for (let found = find(); ; found = find()) {
      if (found !== undefined) {
        return found;
      }
      await sleep(2);
    }
  };
  subscribe(channels.host, (message) => {
    const { host, state } = message as HostEvent;
    if (host === name) {
      seen.push({ state, at: performance.now() });
    }
  });
  subscribe(channels.statement, (message) => {
    const { host, tried, duration, error } = message as StatementEvent;
    if (error !== null) {
      throw new Error(`a read failed: ${error}`);
    }
    if (host === name || tried.includes(name)) {
      all.push({ at: performance.now(), duration });
    }
  });
  const states = {
    next: (state: string, after: number) =>
      until(() => seen.find((one) => one.state === state && one.at > after)?.at),
  };
  const reads = {
    all,
    someAfter: (after: number) => until(() => all.find(({ at }) => at > after)?.at),
  };
  return [states, reads] as const;
}

function column(values: readonly number[]): string {
  const sorted = values.toSorted((one, other) => one - other);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return `${median.toFixed(0)} (${sorted.at(-1)?.toFixed(0)})`.padStart(16);
}
