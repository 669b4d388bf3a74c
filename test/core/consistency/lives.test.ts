import { afterAll, describe, expect, it } from 'vitest';
import { ScopeMarks, WriteMarks } from '../../../packages/core/src/consistency/marks.ts';
import type { Need } from '../../../packages/core/src/consistency/need.ts';
import { Replicas } from '../../../packages/core/src/consistency/replicas.ts';
import { parseGtidSet } from '../../../packages/core/src/gtid/set.ts';
import { Host, type HostPolicy } from '../../../packages/core/src/pool/host.ts';
import { Hosts, type HostsPolicy } from '../../../packages/core/src/pool/hosts.ts';
import { createRawPool, type RawPool } from '../../../packages/core/src/pool/mysql2.ts';
import type { Role } from '../../../packages/core/src/routing/reasons.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';

const policy: HostPolicy = {
  acquireTimeout: 10_000,
  checkIdleAfter: false,
  onCreateConnection: null,
  probeTimeout: 1_000,
  maxLifetime: false,
  primaryReads: 0,
  onVersion: () => {},
  onUse: () => {},
  onHealthChange: () => {},
};

const traits = { weight: 1, groups: ['default'], zone: null };
const hostsPolicy: HostsPolicy = {
  balancing: 'roundRobin',
  zone: null,
  subset: Number.POSITIVE_INFINITY,
  subsetKey: '',
  primaryReads: 0,
  onLag: 'primary',
  isStatic: true,
  primaryWait: 0,
  onDoubt: () => {},
};

const cluster = sharedCluster('mysql');
const pools: RawPool[] = [];

function hostOf(name: string, role: Role, rest: { port?: number } = {}): Host {
  const options = { ...cluster.connectionOptions(cluster.primary), connectionLimit: 1, ...rest };
  const pool = createRawPool(options);
  pools.push(pool);
  return new Host({ name, role, traits }, pool, false, policy);
}

function hostsOf(...replicas: Host[]): Hosts {
  return new Hosts(hostOf('primary', 'primary'), replicas, hostsPolicy);
}

afterAll(() => Promise.all(pools.map((pool) => new Promise((resolve) => pool.end(resolve)))));

describe('what a session has seen on a replica', () => {
  it('is bound to the life of the replica', () => {
    const [host, other] = [hostOf('r', 'replica'), hostOf('s', 'replica')];
    const replicas = new Replicas(hostsOf(host, other), 50, () => {});
    const scope = new ScopeMarks('');
    const admitted = () => [host, other].map((one) => replicas.admits(one, scope));
    expect(admitted()).toEqual([true, true]);
    scope.saw(replicas.placeOf(host));
    expect(admitted()).toEqual([true, false]);
    other.connectionLost('ECONNRESET');
    expect(admitted()).toEqual([true, false]);
    host.connectionLost('ECONNRESET');
    expect(admitted()).toEqual([false, false]);
    replicas.close();
  });

  it('may be anything for who is in no session', () => {
    const host = hostOf('r', 'replica');
    const replicas = new Replicas(hostsOf(host), 50, () => {});
    host.connectionLost('ECONNRESET');
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
    const replicas = new Replicas(hostsOf(host), 20, () => {});
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
