import type { HostOptions, ReplicatedPoolOptions } from '@rwsplit/core';
import { describe, expect, it } from 'vitest';
import type { HostSnapshot } from '../../../packages/core/src/hosts/snapshot.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import {
  host,
  hostsOf,
  makePoolBed,
  newTag,
  on,
  outstanding,
  rowsOfSlowRead,
  slowRead,
  tally,
  tell,
  warningsOf,
} from './pool-bed.ts';

const cluster = sharedCluster('mysql');
const database = await freshDatabase(cluster);
const bed = makePoolBed(cluster, database);
const warnings = warningsOf('RWSPLIT_BALANCING');

describe('reads go to replicas', () => {
  it.each<
    [
      string,
      Omit<Partial<ReplicatedPoolOptions>, 'replicas'> & {
        replicas?: readonly (string | HostOptions)[];
      },
      object,
    ]
  >([
    ['each in turn, when nothing is under way', {}, { a: 4, b: 4 }],
    ['each in turn', { balancing: 'roundRobin' }, { a: 4, b: 4 }],
    ['by their weights', { replicas: [{ name: 'a', weight: 3 }, 'b'] }, { a: 6, b: 2 }],
    [
      'in turn by their weights',
      { balancing: 'roundRobin', replicas: ['a', { name: 'b', weight: 3 }] },
      { a: 2, b: 6 },
    ],
    ['but not to one of weight 0', { replicas: [{ name: 'a', weight: 0 }, 'b'] }, { b: 8 }],
    [
      'of weight 0 if all are',
      {
        replicas: [
          { name: 'a', weight: 0 },
          { name: 'b', weight: 0 },
        ],
      },
      { a: 4, b: 4 },
    ],
    [
      'in the own zone',
      {
        zone: 'east',
        replicas: [{ name: 'a', zone: 'west' }, { name: 'b', zone: 'east' }, { name: 'c' }],
      },
      { b: 8 },
    ],
    [
      'of all zones, when none has a zone of its own',
      {
        zone: 'north',
        replicas: [
          { name: 'a', zone: 'west' },
          { name: 'b', zone: 'east' },
        ],
      },
      { a: 4, b: 4 },
    ],
    [
      'of all zones, when the pool has none',
      {
        replicas: [
          { name: 'a', zone: 'west' },
          { name: 'b', zone: 'east' },
        ],
      },
      { a: 4, b: 4 },
    ],
    [
      'elsewhere, when the one in the zone has weight 0',
      {
        zone: 'east',
        replicas: [
          { name: 'a', zone: 'west' },
          { name: 'b', zone: 'east', weight: 0 },
        ],
      },
      { a: 8 },
    ],
    ['and as much to the primary', { primaryReads: 2 }, { primary: 4, a: 2, b: 2 }],
    [
      'and to the primary by its weight beside others',
      { primaryReads: 0.5, balancing: 'roundRobin', replicas: ['a', { name: 'b', weight: 0.5 }] },
      { primary: 2, a: 4, b: 2 },
    ],
    [
      'but not to the primary, without a weight for it, where all have weight 0',
      { replicas: [{ name: 'a', weight: 0 }] },
      { a: 8 },
    ],
  ])('%s', async (_why, { replicas = ['a', 'b'], ...options }, expected) => {
    const pool = bed.open({ ...options, replicas: bed.replicas(...replicas) });
    expect(tally(await hostsOf(on(pool), 8))).toEqual(expected);
  });

  it('at random, by their weights', async () => {
    const replicas = bed.replicas({ name: 'a', weight: 3 }, 'b', { name: 'c', weight: 0 });
    const pool = bed.open({ balancing: 'random', replicas });
    const hosts = await hostsOf(on(pool), 400);
    const counts = tally(hosts);
    // 300 are expected, with a standard deviation of 9.
    expect(counts['a']).toBeGreaterThan(240);
    expect(counts['a']).toBeLessThan(360);
    expect(counts['c']).toBeUndefined();
    // Not in turn: of 400 random ones, some two follow each other in every order.
    const pairs = hosts.slice(1).map((name, index) => `${hosts[index]}${name}`);
    expect([...new Set(pairs)].sort()).toEqual(['aa', 'ab', 'ba', 'bb']);
  });

  it('on real servers as events say', async () => {
    const [first, second] = cluster.replicas;
    if (first === undefined || second === undefined) throw new Error('two replicas');
    const replicas = [first, second].map((server) => ({
      ...bed.address(server),
      name: server.name,
    }));
    const pool = bed.open({ balancing: 'roundRobin', replicas });
    const tag = newTag();
    const told = await hostsOf(on(pool), 6, `SELECT 1 /* ${tag} */`);
    const ran = (await cluster.whoRan(tag)).map(({ server }) => server);
    expect(tally(ran)).toEqual({ [first.name]: 3, [second.name]: 3 });
    expect(tally(told)).toEqual(tally(ran));
  });
});

describe('least outstanding', () => {
  it('avoids a replica with a read under way, and round robin does not', async () => {
    const pool = bed.open();
    const slow = await slowRead(pool);
    const other = slow.host === 'a' ? 'b' : 'a';
    expect(await hostsOf(on(pool), 4)).toEqual([other, other, other, other]);
    expect(await slow.finish()).toBe(rowsOfSlowRead);
    expect(outstanding(pool)).toEqual({ primary: 0, a: 0, b: 0 });
    expect(tally(await hostsOf(on(pool), 4))).toMatchObject({ [slow.host]: expect.any(Number) });

    const turns = bed.open({ balancing: 'roundRobin' });
    const busy = await slowRead(turns);
    expect(tally(await hostsOf(on(turns), 4))).toEqual({ a: 2, b: 2 });
    await busy.finish();
  });

  it('counts by weight: twice the weight may have twice as many under way', async () => {
    const pool = bed.open({ replicas: bed.replicas({ name: 'a', weight: 2 }, 'b') });
    const slow = [];
    for (let read = 0; read < 6; read++) slow.push(await slowRead(pool));
    expect(tally(slow.map(({ host }) => host))).toEqual({ a: 4, b: 2 });
    expect(outstanding(pool)).toEqual({ primary: 0, a: 4, b: 2 });
    await Promise.all(slow.map((read) => read.finish()));
  });
});

describe('setWeight', () => {
  it('counts from the next read on, in all ways to pick one', async () => {
    for (const balancing of ['leastOutstanding', 'roundRobin', 'random'] as const) {
      const pool = bed.open({ balancing });
      pool.setWeight('a', 0);
      expect(tally(await hostsOf(on(pool), 4))).toEqual({ b: 4 });
      pool.setWeight('a', 1);
      pool.setWeight('b', 0);
      expect(tally(await hostsOf(on(pool), 4))).toEqual({ a: 4 });
      expect(host(pool, 'b').weight).toBe(0);
      expect(host(pool, 'a').weight).toBe(1);
    }
  });

  it.each([
    [['a', -1], 'setWeight(name, weight): expected a number that is not negative, found -1'],
    [['a', Number.NaN], 'found NaN'],
    [['c', 1], "setWeight(name): expected the name of a replica ('a', 'b'), found 'c'"],
    [['primary', 1], "expected the name of a replica ('a', 'b'), found 'primary'"],
  ] as const)('refuses %o', ([name, weight], expected) => {
    const pool = bed.open();
    expect(() => pool.setWeight(name, weight)).toThrow(
      expect.objectContaining({
        code: 'RWSPLIT_OPTIONS',
        message: expect.stringContaining(expected),
      }),
    );
  });

  it('changes the order of a subset', async () => {
    const replicas = bed.replicas('a', 'b', 'c', 'd');
    const pool = bed.open({ replicas, subset: 1, subsetKey: 'one' });
    const [first = ''] = await hostsOf(on(pool), 1);
    pool.setWeight(first, 0);
    const after = await hostsOf(on(pool), 4);
    expect(Object.keys(tally(after))).toHaveLength(1);
    expect(after).not.toContain(first);
  });
});

describe('a balancing function', () => {
  it('is given frozen snapshots of those that may have the read, and picks by host or by name', async () => {
    const given: (readonly HostSnapshot[])[] = [];
    const [a, b] = bed.replicas({ name: 'a', zone: 'east', groups: ['default', 'x'] }, 'b');
    if (a === undefined || b === undefined) throw new Error('two replicas');
    const pool = bed.open({
      replicas: [a, b],
      zone: 'west',
      balancing: (hosts) => {
        given.push(hosts);
        const [first] = hosts;
        return given.length % 2 === 1 || first === undefined ? 'b' : first;
      },
    });
    expect(await hostsOf(on(pool), 4)).toEqual(['b', 'a', 'b', 'a']);
    const [hosts = []] = given;
    expect(hosts).toEqual([
      {
        name: 'a',
        role: 'replica',
        outstanding: 0,
        lag: null,
        weight: 1,
        zone: 'east',
        groups: ['default', 'x'],
        state: 'up',
      },
      {
        name: 'b',
        role: 'replica',
        outstanding: 0,
        lag: null,
        weight: 1,
        zone: null,
        groups: ['default'],
        state: 'up',
      },
    ]);
    for (const frozen of [hosts, ...hosts, ...hosts.map(({ groups }) => groups)]) {
      expect(Object.isFrozen(frozen)).toBe(true);
    }
    expect(warnings).toEqual([]);
  });

  it('sees what is outstanding, the weight of now, and the primary if it may have reads', async () => {
    const seen: HostSnapshot[][] = [];
    const pool = bed.open({
      primaryReads: 0.5,
      balancing: (hosts) => {
        seen.push([...hosts]);
        return 'a';
      },
    });
    const slow = await slowRead(pool);
    pool.setWeight('b', 5);
    await tell(on(pool));
    await slow.finish();
    expect(
      seen[1]?.map(({ name, outstanding, weight, role }) => [name, outstanding, weight, role]),
    ).toEqual([
      ['a', 1, 1, 'replica'],
      ['b', 0, 5, 'replica'],
      ['primary', 0, 0.5, 'primary'],
    ]);
  });

  it('may pick the primary where that has a share', async () => {
    const pool = bed.open({ primaryReads: 1, balancing: () => 'primary' });
    expect(await tell(on(pool))).toMatchObject({ host: 'primary', reason: 'primary-reads' });
  });

  it.each([
    ['a name of nobody', () => 'c', 'chose none of the hosts'],
    ['the primary, which has no share', () => 'primary', 'chose none of the hosts'],
    ['nothing', () => undefined, 'chose none of the hosts'],
    ['a promise', () => Promise.resolve('a'), 'chose none of the hosts'],
    ['a promise that fails', () => Promise.reject(new Error('late')), 'chose none of the hosts'],
    [
      'an exception',
      () => {
        throw new Error('secret');
      },
      'threw',
    ],
    [
      'an exception that is none',
      () => {
        throw null;
      },
      'threw',
    ],
    [
      'an exception for changing what it was given',
      (hosts: readonly HostSnapshot[]) => (hosts as HostSnapshot[]).reverse()[0],
      'threw',
    ],
  ])('that answers with %s is replaced, with one warning', async (_what, answer, problem) => {
    const pool = bed.open({ balancing: answer as unknown as () => string });
    expect(tally(await hostsOf(on(pool), 4))).toEqual({ a: 2, b: 2 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toEqual([
      `rwsplit: the function given as \`balancing\` ${problem}; replicas are picked by 'leastOutstanding' where it fails`,
    ]);
  });

  it('is asked again after it failed', async () => {
    let isBroken = true;
    const pool = bed.open({ balancing: () => (isBroken ? 'nobody' : 'b') });
    await tell(on(pool));
    isBroken = false;
    expect(await hostsOf(on(pool), 3)).toEqual(['b', 'b', 'b']);
  });
});

describe('primaryReads', () => {
  it('has its reason, and a read that names a group is not shared with the primary', async () => {
    const replicas = bed.replicas({ name: 'a', groups: ['default', 'reports'] });
    const pool = bed.open({ primaryReads: 1, balancing: 'roundRobin', replicas });
    const told = [await tell(on(pool)), await tell(on(pool))];
    expect(told.map(({ host, reason }) => `${host} ${reason}`).sort()).toEqual([
      'a read',
      'primary primary-reads',
    ]);
    expect(tally(await hostsOf(on(pool, { useReplica: 'reports' }), 4))).toEqual({ a: 4 });
    expect(host(pool, 'primary').weight).toBe(1);
  });

  it('is no part of useReplica: true', async () => {
    const pool = bed.open({
      primaryReads: 1,
      balancing: 'roundRobin',
      replicas: bed.replicas('a'),
    });
    expect(tally(await hostsOf(on(pool, { useReplica: true }), 4))).toEqual({ a: 4 });
  });
});
