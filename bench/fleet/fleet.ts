import { type FleetProcess, randomNumbers, type Way } from './ways.ts';

/** Processes and replicas of a fleet. */
export interface Fleet {
  readonly processes: readonly FleetProcess[];
  readonly replicas: readonly string[];
}

/** Machines of eight processes each, with process ids as they come. */
export function makeFleet(processes: number, replicas: number, seed: number): Fleet {
  const random = randomNumbers(seed);
  return {
    processes: Array.from({ length: processes }, (_, number) => ({
      key: `web-${Math.floor(number / 8)}:${1 + Math.floor(random() * 32_768)}`,
      number,
      count: processes,
      random: random(),
    })),
    replicas: Array.from({ length: replicas }, (_, index) => replicaName(index)),
  };
}

/** The fleet with one replica more. */
export function withOneMore({ processes, replicas }: Fleet): Fleet {
  return { processes, replicas: [...replicas, replicaName(replicas.length)] };
}

/** The fleet after so many replicas have died, any of them. */
export function withDead({ processes, replicas }: Fleet, dead: number, seed: number): Fleet {
  const random = randomNumbers(seed);
  const left = [...replicas];
  for (let died = 0; died < dead; died++) {
    left.splice(Math.floor(random() * left.length), 1);
  }
  return { processes, replicas: left };
}

/** The fleet with one process more. */
export function withOneProcessMore({ processes, replicas }: Fleet): Fleet {
  const count = processes.length + 1;
  const last = { key: 'web-new:1', number: count - 1, count, random: 0.5 };
  return { processes: [...processes.map((one) => ({ ...one, count })), last], replicas };
}

function replicaName(index: number): string {
  return `db-${index + 1}:3306`;
}

/** Which replicas each process uses. */
export type Assignment = readonly (readonly string[])[];

export function assign({ processes, replicas }: Fleet, way: Way, size: number): Assignment {
  return processes.map((process) => way.choose(replicas, size, process));
}

/** What falls on each replica: how many processes use it, and how much they read from it. */
export interface Burden {
  readonly processes: Spread;
  /** In processes: each reads as much as any other, from each of its replicas alike. */
  readonly load: Spread;
}

export interface Spread {
  readonly least: number;
  readonly mean: number;
  readonly most: number;
}

export function burden({ replicas }: Fleet, assignment: Assignment): Burden {
  const processes = new Map<string, number>(replicas.map((name) => [name, 0]));
  const load = new Map(processes);
  for (const subset of assignment) {
    for (const name of subset) {
      processes.set(name, (processes.get(name) ?? 0) + 1);
      load.set(name, (load.get(name) ?? 0) + 1 / subset.length);
    }
  }
  return { processes: spread([...processes.values()]), load: spread([...load.values()]) };
}

function spread(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { least: Math.min(...values), mean, most: Math.max(...values) };
}

/** What has become another from one assignment to the next. */
export interface Churn {
  /** How many processes use a replica that they did not use before. */
  readonly processes: number;
  /** How many that are, of all of them together. */
  readonly total: number;
}

export function churn(before: Assignment, after: Assignment): Churn {
  const changes = before.map(
    (subset, index) => (after[index] ?? []).filter((name) => !subset.includes(name)).length,
  );
  return {
    processes: changes.filter((count) => count > 0).length,
    total: changes.reduce((sum, count) => sum + count, 0),
  };
}
