import { describe, expect, it } from 'vitest';
import {
  assign,
  burden,
  churn,
  makeFleet,
  withDead,
  withOneMore,
  withOneProcessMore,
} from '../../../bench/fleet/fleet.ts';
import { fleetDefaults, fleetReport } from '../../../bench/fleet/report.ts';
import { rendezvous, ways } from '../../../bench/fleet/ways.ts';

describe('bench/fleet', () => {
  const fleet = makeFleet(400, 20, 7);

  it.each(ways.map((way) => [way.name, way] as const))(
    '%s gives each process so many different replicas that are there',
    (_name, way) => {
      const left = withDead(fleet, 3, 7);
      for (const subset of assign(left, way, 3)) {
        expect(new Set(subset).size).toBe(3);
        expect(left.replicas).toEqual(expect.arrayContaining([...subset]));
      }
    },
  );

  it('counts all that each process uses, and all that it reads', () => {
    const { processes, load } = burden(fleet, assign(fleet, rendezvous, 3));
    expect(processes.mean).toBe((400 * 3) / 20);
    expect(load.mean).toBeCloseTo(400 / 20);
    expect(processes.least).toBeLessThan(processes.mean);
    expect(processes.most).toBeGreaterThan(processes.mean);
  });

  it('counts what has become another', () => {
    expect(churn([['a', 'b'], ['a'], ['c']], [['a', 'c'], ['a'], ['d', 'e']])).toEqual({
      processes: 2,
      total: 3,
    });
  });

  it('shows that a replica moves its own processes only, and a process none', () => {
    const before = assign(fleet, rendezvous, 3);
    const had = before.filter(
      (subset) => !withDead(fleet, 1, 7).replicas.includes(subset[0] ?? ''),
    );
    expect(had.length).toBeGreaterThan(0);
    const died = churn(before, assign(withDead(fleet, 1, 7), rendezvous, 3));
    expect(died.total).toBe(died.processes);
    expect(withOneMore(fleet).replicas.slice(0, 20)).toEqual(fleet.replicas);
    const joined = churn(before, assign(withOneMore(fleet), rendezvous, 3));
    expect(joined.total).toBe(joined.processes);
    expect(churn(before, assign(withOneProcessMore(fleet), rendezvous, 3)).total).toBe(0);
  });

  it('reports the same in every run, and something else for other arguments', () => {
    const options = { ...fleetDefaults, processes: 50 };
    expect(fleetReport(options)).toBe(fleetReport(options));
    expect(fleetReport({ ...options, seed: 2 })).not.toBe(fleetReport(options));
    expect(fleetReport({ ...options, connectionLimit: 7 })).toContain('7000');
  });
});
