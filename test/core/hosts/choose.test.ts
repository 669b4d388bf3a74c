import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BalancingName,
  balancings,
  type Candidate,
  choose,
  nextTurn,
} from '../../../packages/core/src/hosts/choose.ts';

interface Replica extends Candidate {
  name: string;
  outstanding: number;
  lastChosen: number;
  turn: number;
  weight: number;
  zone: string | null;
  isSuspect: boolean;
}

function replica(name: string, rest: Partial<Replica> = {}): Replica {
  const idle = { outstanding: 0, lastChosen: 0, turn: 0, weight: 1, zone: null, isSuspect: false };
  return { name, ...idle, ...rest };
}

/** Chooses as core does: who is chosen has its turn and its time set. */
function chooser(how: BalancingName, zone: string | null = null) {
  let choices = 0;
  return (hosts: readonly Replica[], random = 0): string => {
    const chosen = choose(hosts, how, zone, random);
    if (chosen === undefined) {
      return '';
    }
    chosen.turn = nextTurn(chosen, hosts);
    chosen.lastChosen = ++choices;
    return chosen.name;
  };
}

/** The names that were chosen, and how often. */
function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) {
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function times(count: number, one: (index: number) => string): string[] {
  return Array.from({ length: count }, (_, index) => one(index));
}

describe.each(balancings)('%s', (how) => {
  const anyRandom = [0, 0.3, 0.6, 0.999];

  it.each<[string, readonly Replica[], string | undefined]>([
    ['nobody is there', [], undefined],
    ['one is there', [replica('a')], 'a'],
    [
      'a suspect is not chosen beside another, however busy and far that is',
      [
        replica('suspect', { isSuspect: true, zone: 'here' }),
        replica('busy', { outstanding: 99, lastChosen: 9, turn: 9, zone: 'there' }),
      ],
      'busy',
    ],
    [
      'a suspect is not chosen beside one without a weight',
      [replica('suspect', { isSuspect: true, weight: 9 }), replica('spare', { weight: 0 })],
      'spare',
    ],
    ['suspects are all there is', [replica('suspect', { isSuspect: true })], 'suspect'],
    [
      'one without a weight is not chosen beside another, however near and idle',
      [
        replica('spare', { weight: 0, zone: 'here' }),
        replica('far', { outstanding: 99, turn: 9, weight: 0.01, zone: 'there' }),
      ],
      'far',
    ],
    ['one without a weight is all there is', [replica('spare', { weight: 0 })], 'spare'],
    [
      'one of the zone is chosen, however busy',
      [
        replica('far', { zone: 'there', weight: 5 }),
        replica('near', { zone: 'here', outstanding: 99, lastChosen: 9, turn: 9 }),
        replica('nowhere', { zone: null }),
      ],
      'near',
    ],
    [
      'nobody of the zone is well',
      [
        replica('near', { zone: 'here', isSuspect: true }),
        replica('spare', { zone: 'here', weight: 0 }),
        replica('far', { zone: 'there' }),
      ],
      'far',
    ],
  ])('%s', (_reason, hosts, name) => {
    for (const random of anyRandom) {
      expect(choose(hosts, how, 'here', random)?.name).toBe(name);
      expect(choose(hosts.toReversed(), how, 'here', random)?.name).toBe(name);
    }
  });

  it('chooses from all zones where this process is in none', () => {
    const hosts = [replica('a', { zone: 'x' }), replica('b', { zone: 'y' }), replica('c')];
    const choice = chooser(how);
    expect(counted(times(3, (index) => choice(hosts, index / 3)))).toEqual({ a: 1, b: 1, c: 1 });
  });

  it('chooses from all that have no weight alike', () => {
    const hosts = [replica('a', { weight: 0 }), replica('b', { weight: 0 })];
    const choice = chooser(how);
    expect(counted(times(10, (index) => choice(hosts, index / 10)))).toEqual({ a: 5, b: 5 });
  });

  it('begins with any, by chance: else every process of a fleet began with the same', () => {
    const hosts = () => [replica('a'), replica('b'), replica('c'), replica('d')];
    const first = [0, 0.25, 0.5, 0.75, 0.999].map((random) => chooser(how)(hosts(), random));
    expect(first).toEqual(['a', 'b', 'c', 'd', 'd']);
  });

  it('chooses one of the best kind, of any hosts', () => {
    const hosts = fc.array(
      fc.record({
        name: fc.constant(''),
        outstanding: fc.nat(9),
        lastChosen: fc.nat(9),
        turn: fc.float({ min: 0, max: 9, noNaN: true }),
        weight: fc.constantFrom(0, 0.001, 1, 3, 1e6),
        zone: fc.constantFrom(null, 'here', 'there'),
        isSuspect: fc.boolean(),
      }),
      { minLength: 1, maxLength: 6 },
    );
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const zone = fc.constantFrom(null, 'here');
    fc.assert(
      fc.property(hosts, random, zone, (all, number, here) => {
        const kind = (one: Replica) => [
          one.isSuspect,
          one.weight === 0,
          here !== null && one.zone !== here,
        ];
        const chosen = choose(all, how, here, number);
        const best = all.map((one) => String(kind(one))).sort()[0];
        expect(chosen && String(kind(chosen))).toBe(best);
      }),
    );
  });
});

describe('leastOutstanding', () => {
  it.each<[string, readonly Replica[], string]>([
    ['the least busy', [replica('a', { outstanding: 3 }), replica('b', { outstanding: 1 })], 'b'],
    [
      'the least busy, although it was chosen last',
      [replica('a', { outstanding: 1 }), replica('b', { lastChosen: 9, turn: 9 })],
      'b',
    ],
    [
      'the least busy for its weight',
      [replica('a', { outstanding: 2 }), replica('b', { outstanding: 5, weight: 3 })],
      'b',
    ],
    [
      'of equals, the one that has waited longest',
      [replica('a', { lastChosen: 5 }), replica('b', { lastChosen: 2 })],
      'b',
    ],
    [
      'of those equally busy for their weights, the one that has waited longest',
      [
        replica('a', { outstanding: 1, weight: 1, lastChosen: 5 }),
        replica('b', { outstanding: 3, weight: 3, lastChosen: 2 }),
      ],
      'b',
    ],
  ])('%s', (_reason, hosts, name) => {
    expect(choose(hosts, 'leastOutstanding', null, 0)?.name).toBe(name);
    expect(choose(hosts.toReversed(), 'leastOutstanding', null, 0)?.name).toBe(name);
  });

  it('goes by weight when nothing is under way, too', () => {
    const hosts = [replica('a', { weight: 3 }), replica('b')];
    const choice = chooser('leastOutstanding');
    expect(counted(times(40, () => choice(hosts)))).toEqual({ a: 30, b: 10 });
  });

  it('goes around where all are idle', () => {
    const hosts = [replica('a'), replica('b'), replica('c')];
    const choice = chooser('leastOutstanding');
    expect(times(6, () => choice(hosts, 0.5)).join('')).toBe('bcabca');
  });

  it('fills up by weight', () => {
    const hosts = [replica('a', { weight: 3 }), replica('b'), replica('c', { weight: 0.5 })];
    const choice = chooser('leastOutstanding');
    for (let statement = 0; statement < 90; statement++) {
      const name = choice(hosts);
      for (const host of hosts) {
        host.outstanding += host.name === name ? 1 : 0;
      }
    }
    expect(hosts.map(({ outstanding }) => outstanding)).toEqual([60, 20, 10]);
  });
});

describe('roundRobin', () => {
  it('goes around, however busy', () => {
    const hosts = [replica('a'), replica('b', { outstanding: 9 }), replica('c')];
    const choice = chooser('roundRobin');
    expect(times(7, () => choice(hosts)).join('')).toBe('abcabca');
  });

  it('goes by weight, and mixes: the heavy one is not asked many times in a row', () => {
    const hosts = [replica('a', { weight: 3 }), replica('b', { weight: 2 }), replica('c')];
    const choice = chooser('roundRobin');
    const names = times(600, () => choice(hosts)).join('');
    expect(counted([...names])).toEqual({ a: 300, b: 200, c: 100 });
    expect(names).not.toMatch(/aaa|bb|cc/);
  });

  it('gives each its share to within one, whatever the weights', () => {
    const weights = fc.array(fc.constantFrom(0.1, 0.5, 1, 2, 3, 7), {
      minLength: 2,
      maxLength: 5,
    });
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 300 }), (all, count) => {
        const hosts = all.map((weight, index) => replica(String(index), { weight }));
        const choice = chooser('roundRobin');
        const counts = counted(times(count, () => choice(hosts)));
        const total = all.reduce((sum, weight) => sum + weight, 0);
        for (const { name, weight } of hosts) {
          const difference = (counts[name] ?? 0) - (count * weight) / total;
          expect(difference).toBeGreaterThan(-hosts.length);
          expect(difference).toBeLessThan(1 + 1e-9);
        }
      }),
    );
  });

  describe('a host that was away does not get everything to catch up', () => {
    const comeback = (how: BalancingName, came: Replica, others: readonly Replica[]) => {
      const choice = chooser(how);
      times(1000, () => choice(others));
      return times(12, () => choice([...others, came], 0.999)).join('');
    };

    it.each(['roundRobin', 'leastOutstanding'] as const)('%s: a new one', (how) => {
      const names = comeback(how, replica('n'), [replica('a'), replica('b')]);
      expect(names).toMatch(/^n/);
      expect(counted([...names])).toEqual({ a: 4, b: 4, n: 4 });
      expect(names).not.toMatch(/nn/);
    });

    it('one that comes back', () => {
      const names = comeback('roundRobin', replica('n', { turn: 3, lastChosen: 3 }), [
        replica('a'),
        replica('b'),
      ]);
      expect(counted([...names])).toEqual({ a: 4, b: 4, n: 4 });
      expect(names).not.toMatch(/nn/);
    });

    it('one of little weight', () => {
      const names = comeback('roundRobin', replica('n', { weight: 0.1 }), [replica('a')]);
      expect(counted([...names])).toEqual({ a: 10, n: 2 });
    });

    it('two together', () => {
      const hosts = [replica('a'), replica('b'), replica('n'), replica('o')];
      const choice = chooser('roundRobin');
      times(1000, () => choice(hosts.slice(0, 2)));
      expect(counted(times(12, () => choice(hosts)))).toEqual({ a: 3, b: 3, n: 3, o: 3 });
    });
  });

  it('goes by a new weight at once, and the others lose no turn by it', () => {
    const hosts = [replica('a', { weight: 0.001 }), replica('b'), replica('c')];
    const choice = chooser('roundRobin');
    times(100, () => choice(hosts));
    hosts[0] = { ...(hosts[0] ?? replica('a')), weight: 1 };
    expect(counted(times(12, () => choice(hosts)))).toEqual({ a: 4, b: 4, c: 4 });
    hosts[0] = { ...hosts[0], weight: 0.5 };
    expect(counted(times(50, () => choice(hosts)))).toEqual({ a: 10, b: 20, c: 20 });
  });

  it('goes by weight in a group that is rarely read from', () => {
    const group = [replica('a', { weight: 3 }), replica('b')];
    const others = [replica('x'), replica('y')];
    const choice = chooser('roundRobin');
    const names = times(400, () => {
      times(10, () => choice(others));
      return choice(group);
    });
    expect(counted(names)).toEqual({ a: 300, b: 100 });
  });
});

describe('random', () => {
  it('goes by weight', () => {
    const hosts = [replica('a', { weight: 3 }), replica('b', { weight: 0 }), replica('c')];
    const names = times(
      1000,
      (index) => choose(hosts, 'random', null, (index + 0.5) / 1000)?.name ?? '',
    );
    expect(counted(names)).toEqual({ a: 750, c: 250 });
  });

  it('counts only the shares of the best kind', () => {
    const far = replica('far', { weight: 8, zone: 'there' });
    const hosts = [far, replica('a', { zone: 'here' }), replica('b', { zone: 'here' }), far];
    const names = times(10, (index) => choose(hosts, 'random', 'here', index / 10)?.name ?? '');
    expect(counted(names)).toEqual({ a: 5, b: 5 });
  });

  it('loses nobody to rounding', () => {
    const hosts = times(10, String).map((name) => replica(name, { weight: 0.1 }));
    expect(choose(hosts, 'random', null, 1 - Number.EPSILON / 2)?.name).toBe('9');
  });
});
