import {
  assign,
  burden,
  churn,
  type Fleet,
  makeFleet,
  withDead,
  withOneMore,
  withOneProcessMore,
} from './fleet.ts';
import { table } from './table.ts';
import { rendezvous, type Way, ways } from './ways.ts';

/** What is simulated. */
export interface FleetOptions {
  readonly processes: number;
  readonly replicas: number;
  /** Of each process, to each of its replicas. */
  readonly connectionLimit: number;
  readonly minIdle: number;
  /** The subsets to look at; one as large as there are replicas is none. */
  readonly subsets: readonly number[];
  /** The subset that other ways to choose are compared by. */
  readonly compare: number;
  readonly seed: number;
}

export const fleetDefaults: FleetOptions = {
  processes: 1000,
  replicas: 20,
  connectionLimit: 10,
  minIdle: 1,
  subsets: [2, 3, 5, 20],
  compare: 3,
  seed: 1,
};

const deaths = [1, 5, 10];

/** All tables as text. */
export function fleetReport(options: FleetOptions): string {
  const { processes, replicas, connectionLimit, minIdle, compare, seed } = options;
  const fleet = makeFleet(processes, replicas, seed);
  return `${[
    `${processes} processes, ${replicas} replicas, connectionLimit ${connectionLimit}, minIdle ${minIdle}, seed ${seed}`,
    'Connections to replicas',
    connections(fleet, options),
    'Replicas die',
    dying(fleet, options),
    'One replica is added',
    adding(fleet, options),
    `Ways to choose ${compare}`,
    comparison(fleet, compare, seed),
  ].join('\n\n')}\n`;
}

function connections(fleet: Fleet, options: FleetOptions): string {
  const { connectionLimit, minIdle, subsets } = options;
  return table(
    [
      'subset',
      'processes on\nleast busy replica',
      'mean',
      'busiest',
      'busiest\n/mean',
      'connections to\nbusiest, warm',
      'at most',
      'to all,\nwarm',
      'at most',
    ],
    subsets.map((size) => {
      const { least, mean, most } = burden(fleet, assign(fleet, rendezvous, size)).processes;
      const all = mean * fleet.replicas.length;
      const counts = [minIdle, connectionLimit].flatMap((each) => [most * each, all * each]);
      const [warm = 0, warmAll = 0, busy = 0, busyAll = 0] = counts;
      return [
        sizeName(size, fleet),
        ...[least, mean, most].map(rounded),
        (most / mean).toFixed(2),
        ...[warm, busy, warmAll, busyAll].map(rounded),
      ];
    }),
  );
}

function dying(fleet: Fleet, { subsets, seed }: FleetOptions): string {
  const possible = deaths.filter((dead) => dead < fleet.replicas.length);
  return table(
    [
      'subset',
      'dead',
      'processes that\ntake another',
      'processes\non busiest',
      'load on busiest,\nof mean before',
      'if spread\nevenly',
    ],
    subsets.flatMap((size) => {
      const before = assign(fleet, rendezvous, size);
      const { mean } = burden(fleet, before).load;
      return possible.map((dead) => {
        const rest = withDead(fleet, dead, seed);
        const after = assign(rest, rendezvous, size);
        const { processes, load } = burden(rest, after);
        return [
          sizeName(size, fleet),
          String(dead),
          percent(churn(before, after).processes / fleet.processes.length),
          String(processes.most),
          (load.most / mean).toFixed(2),
          (load.mean / mean).toFixed(2),
        ];
      });
    }),
  );
}

function adding(fleet: Fleet, { subsets }: FleetOptions): string {
  const more = withOneMore(fleet);
  return table(
    [
      'subset',
      'processes\nthat take it',
      'expected',
      'others that\nthey take',
      'busiest\n/mean then',
    ],
    subsets.map((size) => {
      const now = size < fleet.replicas.length ? size : more.replicas.length;
      const after = assign(more, rendezvous, now);
      const { processes, total } = churn(assign(fleet, rendezvous, size), after);
      const { most, mean } = burden(more, after).processes;
      return [
        sizeName(size, fleet),
        percent(processes / fleet.processes.length),
        percent(now / more.replicas.length),
        String(total - processes),
        (most / mean).toFixed(2),
      ];
    }),
  );
}

function comparison(fleet: Fleet, size: number, seed: number): string {
  const less = withDead(fleet, 1, seed);
  return table(
    [
      'way',
      'a process\nknows its',
      'busiest\n/mean',
      'new pairs: one\nreplica more',
      'one\nless',
      'busiest/mean\nthen',
      'new pairs: one\nprocess more',
    ],
    ways.map((way: Way) => {
      const before = assign(fleet, way, size);
      const after = assign(less, way, size);
      const newPairs = (changed: Fleet) => String(churn(before, assign(changed, way, size)).total);
      return [
        way.name,
        way.knows,
        evenness(fleet, before),
        newPairs(withOneMore(fleet)),
        newPairs(less),
        evenness(less, after),
        newPairs(withOneProcessMore(fleet)),
      ];
    }),
  );
}

function evenness(fleet: Fleet, assignment: readonly (readonly string[])[]): string {
  const { most, mean } = burden(fleet, assignment).processes;
  return (most / mean).toFixed(2);
}

function sizeName(size: number, { replicas }: Fleet): string {
  return size < replicas.length ? String(size) : 'none';
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function rounded(value: number): string {
  return value.toFixed(0);
}
