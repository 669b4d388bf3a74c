import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { preferenceOf, subsetOf } from '../../../packages/core/src/hosts/subset.ts';

const fleet = Array.from({ length: 20 }, (_, index) => `db-${index + 1}:3306`);
const processes = (count: number) => Array.from({ length: count }, (_, index) => `web-1:${index}`);

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), {
  minLength: 1,
  maxLength: 24,
});
const key = fc.string({ maxLength: 12 });
const size = fc.integer({ min: 1, max: 26 });

describe('subset', () => {
  it('is the same in every run and version, or an upgrade would move every process', () => {
    const hosts = ['db-1', 'db-2', 'db-3', 'db-4', 'db-5'];
    expect(subsetOf(hosts, 3, 'web-1:4711')).toEqual(['db-3', 'db-2', 'db-5']);
    expect(subsetOf(hosts, 3, 'web-1:4712')).toEqual(['db-4', 'db-1', 'db-2']);
  });

  it('is so many different hosts, or all, in the order of preference', () => {
    fc.assert(
      fc.property(names, size, key, (hosts, count, process) => {
        const subset = subsetOf(hosts, count, process);
        expect(subset).toEqual(preferenceOf(hosts, process).slice(0, count));
        expect(subset).toHaveLength(Math.min(count, hosts.length));
        expect([...preferenceOf(hosts, process)].sort()).toEqual([...hosts].sort());
      }),
    );
  });

  it('does not depend on the order of the configuration', () => {
    fc.assert(
      fc.property(names, size, key, (hosts, count, process) => {
        expect(subsetOf(hosts.toReversed(), count, process)).toEqual(
          subsetOf(hosts, count, process),
        );
      }),
    );
  });

  it('does not depend on it for hosts of the same score, either', () => {
    const alike = ['db-hcmpeb', 'db-atbngc'];
    expect(subsetOf(alike, 1, 'web-1:1')).toEqual(['db-atbngc']);
    expect(subsetOf(alike.toReversed(), 1, 'web-1:1')).toEqual(['db-atbngc']);
  });

  it('changes in at most one member when a host comes or goes, and only by that host', () => {
    fc.assert(
      fc.property(names, size, key, fc.nat(), (hosts, count, process, which) => {
        const host = hosts[which % hosts.length] ?? '';
        const few = subsetOf(
          hosts.filter((one) => one !== host),
          count,
          process,
        );
        const many = subsetOf(hosts, count, process);
        if (many.includes(host)) {
          const kept = many.filter((one) => one !== host);
          expect(few.slice(0, kept.length)).toEqual(kept);
          expect(few.length - kept.length).toBe(hosts.length > count ? 1 : 0);
        } else {
          expect(few).toEqual(many);
        }
      }),
    );
  });

  it.each([1, 2, 3, 5])('of %d changes for its share of the processes only', (count) => {
    const more = [...fleet, 'db-21:3306'];
    const changed = processes(2000).filter(
      (process) => `${subsetOf(fleet, count, process)}` !== `${subsetOf(more, count, process)}`,
    );
    expect(Math.abs(changed.length - (2000 * count) / 21)).toBeLessThan(
      fourSigma(2000, count / 21),
    );
  });

  /** Four standard deviations of a share `p` of `count` throws. */
  function fourSigma(count: number, p: number): number {
    return 4 * Math.sqrt(count * p * (1 - p));
  }

  // Names and keys as fleets have them: what differs is a digit or two, in the middle or at the end.
  const hostNames: Record<string, (index: number) => string> = {
    'numbered hosts': (index) => `replica-${index}`,
    'numbered ports': (index) => `127.0.0.1:${3306 + index}`,
    'long names': (index) => `shop-${index}.abcdefghijkl.eu-west-1.rds.amazonaws.com:3306`,
  };
  const keys: Record<string, (index: number) => string> = {
    'one machine': (index) => `web-1:${2000 + index}`,
    'one process per machine': (index) => `web-${index}.eu.example:1`,
    'plain numbers': String,
  };
  const styles = Object.entries(hostNames).flatMap(([host, name]) =>
    Object.entries(keys).map(([process, keyOf]) => ({ host, process, name, keyOf })),
  );

  it.each(styles)('spreads as chance does: $host, $process', ({ name, keyOf }) => {
    const hosts = Array.from({ length: 20 }, (_, index) => name(index));
    const firsts = new Map<string, number>(hosts.map((host) => [host, 0]));
    const pairs = new Map<string, number>();
    for (let index = 0; index < 8000; index++) {
      const [first = '', second = ''] = preferenceOf(hosts, keyOf(index));
      firsts.set(first, (firsts.get(first) ?? 0) + 1);
      pairs.set(`${first} ${second}`, (pairs.get(`${first} ${second}`) ?? 0) + 1);
    }
    // That is what spreads the load of a host that is gone: the next choices, too, are anyone's.
    expect(pairs.size).toBe(20 * 19);
    expect(chiSquared([...firsts.values()])).toBeLessThan(19 + 4 * Math.sqrt(2 * 19));
    expect(chiSquared([...pairs.values()])).toBeLessThan(379 + 4 * Math.sqrt(2 * 379));
  });

  function chiSquared(counts: readonly number[]): number {
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    return counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
  }
});
