import { describe, expect, it } from 'vitest';
import { subsetOf } from '../../../packages/core/src/hosts/subset.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { host, hostsOf, makePoolBed, on, tally, tell } from './pool-bed.ts';

const cluster = sharedCluster('mysql');
const bed = makePoolBed(cluster, await freshDatabase(cluster));
const names = ['a', 'b', 'c', 'd', 'e'];

describe('subset', () => {
  it.each(['one', 'two', 'three', 'four'])(
    'is the same for the key %s, in any order',
    async (subsetKey) => {
      const expected = [...subsetOf(names, 2, subsetKey)].sort();
      for (const order of [names, [...names].reverse()]) {
        const pool = bed.open({ replicas: bed.replicas(...order), subset: 2, subsetKey });
        expect(Object.keys(tally(await hostsOf(on(pool), 6))).sort()).toEqual(expected);
      }
    },
  );

  it('differs between keys', async () => {
    const used = new Set<string>();
    for (let key = 0; key < 40; key++) {
      const pool = bed.open({
        replicas: bed.replicas(...names),
        subset: 1,
        subsetKey: `process-${key}`,
      });
      used.add((await tell(on(pool))).host ?? 'none');
    }
    expect([...used].sort()).toEqual(names);
  });

  it('is stable for this process without a key', async () => {
    const first = bed.open({ replicas: bed.replicas(...names), subset: 1 });
    const second = bed.open({ replicas: bed.replicas(...names), subset: 1 });
    expect(await hostsOf(on(first), 3)).toEqual(await hostsOf(on(second), 3));
  });

  it('is taken of each group', async () => {
    const replicas = bed.replicas(
      ...names.map((name) => ({ name, groups: ['default'] })),
      ...names.map((name) => ({ name: `${name}2`, groups: ['reports'] })),
    );
    const pool = bed.open({ replicas, subset: 2, subsetKey: 'one' });
    expect(Object.keys(tally(await hostsOf(on(pool), 8)))).toHaveLength(2);
    const reports = await hostsOf(on(pool, { useReplica: 'reports' }), 8);
    expect(Object.keys(tally(reports))).toHaveLength(2);
    expect(reports.every((name) => name.endsWith('2'))).toBe(true);
  });

  it('is all there are, if it is as large', async () => {
    const pool = bed.open({ replicas: bed.replicas(...names), subset: 5 });
    expect(Object.keys(tally(await hostsOf(on(pool), 10))).sort()).toEqual(names);
  });

  it('begins with those of the zone', async () => {
    const replicas = bed.replicas(
      ...names.map((name) => ({ name, zone: 'dcb'.includes(name) ? 'east' : 'west' })),
    );
    for (const subsetKey of ['one', 'two', 'three']) {
      const pool = bed.open({ replicas, subset: 2, subsetKey, zone: 'east' });
      const used = Object.keys(tally(await hostsOf(on(pool), 4)));
      expect(used).toHaveLength(2);
      expect(used.every((name) => 'dcb'.includes(name))).toBe(true);
    }
  });
});

describe('hosts outside of the subset', () => {
  /** Hosts of these names, each behind a proxy that counts who comes. */
  async function counted() {
    return Promise.all(names.map((name) => bed.behindProxy(name)));
  }

  it('get no connection at all: for reads, to be warm, for lag, for a watch', async () => {
    const hosts = await counted();
    const pool = bed.open({
      replicas: hosts.map((one) => one.host),
      subset: 2,
      subsetKey: 'one',
      minIdle: 2,
      maxLag: 60_000,
      probeInterval: 20,
      dnsRefresh: 20,
      consistency: 'process',
      causalWait: 10_000,
    });
    await pool.promise().query("INSERT INTO note (text) VALUES ('for the watch')");
    const used = tally(await hostsOf(on(pool), 20));
    const [first = '', second = ''] = subsetOf(names, 2, 'one');
    expect(Object.keys(used).sort()).toEqual([first, second].sort());
    // So many rounds of probes have come by.
    await expect.poll(() => host(pool, first).lag).not.toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const { proxy, host: behind } of hosts) {
      const isUsed = behind.name === first || behind.name === second;
      expect([behind.name, proxy.connections > 0]).toEqual([behind.name, isUsed]);
    }
  });

  it('come in for one that is down, and leave when it is back', async () => {
    const hosts = await counted();
    const order = subsetOf(names, 5, 'one');
    const [first = '', second = '', third = ''] = order;
    const pool = bed.open({
      replicas: hosts.map((one) => one.host),
      subset: 2,
      subsetKey: 'one',
    });
    const down = hosts.find((one) => one.host.name === first)?.proxy;
    if (down === undefined) throw new Error('a host');
    expect(Object.keys(tally(await hostsOf(on(pool), 4))).sort()).toEqual([first, second].sort());
    down.refuse();
    down.cut();
    const meanwhile = await hostsOf(on(pool), 12);
    expect(host(pool, first).state).toBe('down');
    expect(Object.keys(tally(meanwhile.slice(4))).sort()).toEqual([second, third].sort());
    await down.accept();
    await expect.poll(() => host(pool, first).state, { timeout: 10_000 }).toBe('up');
    expect(Object.keys(tally(await hostsOf(on(pool), 4))).sort()).toEqual([first, second].sort());
  });

  it('replaces one that is removed by the next, and gives way to one that is added', async () => {
    const order = subsetOf(names, 5, 'one');
    const [first = '', second = '', third = ''] = order;
    const pool = bed.open({ replicas: bed.replicas(...names), subset: 2, subsetKey: 'one' });
    await pool.removeReplica(first);
    expect(Object.keys(tally(await hostsOf(on(pool), 4))).sort()).toEqual([second, third].sort());
    pool.addReplica(bed.replicas(first)[0] ?? {});
    expect(Object.keys(tally(await hostsOf(on(pool), 4))).sort()).toEqual([first, second].sort());
  });
});
