import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ScopeMarks, WriteMarks } from '../../../packages/core/src/consistency/marks.ts';
import type { Need } from '../../../packages/core/src/consistency/need.ts';
import { Replicas } from '../../../packages/core/src/consistency/replicas.ts';
import { parseGtidSet } from '../../../packages/core/src/gtid/set.ts';
import { Host, type HostPolicy } from '../../../packages/core/src/pool/host.ts';
import type { HostInfo } from '../../../packages/core/src/pool/host-info.ts';
import { Hosts, type ReplicaLimits } from '../../../packages/core/src/pool/hosts.ts';
import type { Lease } from '../../../packages/core/src/pool/lease.ts';
import { createRawPool, type RawPool } from '../../../packages/core/src/pool/mysql2.ts';
import type { Role } from '../../../packages/core/src/routing/reasons.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';

const policy: HostPolicy = {
  acquireTimeout: 10_000,
  checkIdleAfter: false,
  onCreateConnection: null,
  onVersion: () => {},
  onHealthChange: () => {},
};

const cluster = sharedCluster('mysql');
const pools: RawPool[] = [];
const leases: Lease[] = [];

function hostOf(name: string, role: Role, rest: { port?: number } = {}): Host {
  const options = { ...cluster.connectionOptions(cluster.primary), connectionLimit: 1, ...rest };
  const pool = createRawPool(options);
  pools.push(pool);
  return new Host({ name, role }, pool, false, policy);
}

afterEach(() => {
  for (const lease of leases.splice(0)) lease.giveBack();
});
afterAll(() => Promise.all(pools.map((pool) => new Promise((resolve) => pool.end(resolve)))));

describe('what a session has seen on a replica', () => {
  it('is bound to the life of the replica', () => {
    const [host, other] = [hostOf('r', 'replica'), hostOf('s', 'replica')];
    const replicas = new Replicas([host, other], 50, () => {});
    const scope = new ScopeMarks('');
    const admitted = () => [host, other].map((one) => replicas.admits(one, scope));
    expect(admitted()).toEqual([true, true]);
    scope.saw(replicas.placeOf(host));
    expect(admitted()).toEqual([true, false]);
    other.connectionLost();
    expect(admitted()).toEqual([true, false]);
    host.connectionLost();
    expect(admitted()).toEqual([false, false]);
    replicas.close();
  });

  it('may be anything for who is in no session', () => {
    const host = hostOf('r', 'replica');
    const replicas = new Replicas([host], 50, () => {});
    host.connectionLost();
    expect(replicas.admits(host, null)).toBe(true);
    replicas.close();
  });
});

describe('a replica that is late', () => {
  function needing(text: string): Need {
    const set = parseGtidSet(text, 'mysql');
    const process = new WriteMarks();
    expect(set !== null && process.add(set)).toBe(true);
    return { process, scope: null };
  }

  it('stays so until it has what it was late with', async () => {
    const host = hostOf('r', 'replica');
    const replicas = new Replicas([host], 20, () => {});
    replicas.ask([host], needing('aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1'));
    await expect.poll(() => replicas.isBehind(host), { timeout: 10_000 }).toBe(true);
    // A GTID that it has not told yet.
    await cluster.primary.query('DROP TABLE IF EXISTS app.there_is_none');
    const [row] = await cluster.primary.query('SELECT @@GLOBAL.gtid_executed AS executed');
    const had = needing(String(row?.['executed']));
    const known = () => {
      replicas.ask([host], had);
      return replicas.meets(host, had);
    };
    await expect.poll(known, { timeout: 10_000 }).toBe(true);
    expect(replicas.isBehind(host)).toBe(true);
    replicas.close();
  });
});

describe('a lease for a read', () => {
  /** Nothing listens there. */
  const gone = { port: 1 };

  function limitedTo(...names: string[]): ReplicaLimits & { readonly taken: string[] } {
    const taken: string[] = [];
    return {
      taken,
      preferred: null,
      admits: ({ name }) => names.includes(name),
      chosen: ({ name }) => taken.push(name),
    };
  }

  function lease(hosts: Hosts, tried: HostInfo[], limits: ReplicaLimits): Promise<string> {
    return new Promise((resolve, reject) => {
      const callback = (error: Error | null, lease?: Lease) => {
        if (lease === undefined) {
          reject(error);
        } else {
          leases.push(lease);
          resolve(lease.host.name);
        }
      };
      hosts.lease('replica', tried, callback, limits);
    });
  }

  it.each<[string, readonly string[], string, readonly string[]]>([
    ['another one that is admitted', ['gone', 'fresh'], 'fresh', ['gone', 'fresh']],
    ['the primary, if none else is', ['gone'], 'primary', ['gone']],
  ])('goes on to %s when the first replica cannot be had', async (_to, names, expected, taken) => {
    const replicas = [
      hostOf('gone', 'replica', gone),
      hostOf('stale', 'replica'),
      hostOf('fresh', 'replica'),
    ];
    const hosts = new Hosts(hostOf('primary', 'primary'), replicas, 'roundRobin');
    const limits = limitedTo(...names);
    const tried: HostInfo[] = [];
    expect(await lease(hosts, tried, limits)).toBe(expected);
    expect(limits.taken).toEqual(taken);
    expect(tried.map(({ name }) => name)).toEqual(['gone']);
  });
});
