import type { HostEvent } from '@rwsplit/core';
import { describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { eventsOf, host, makePoolBed, on, tell, warningsOf } from '../hosts/pool-bed.ts';

const cluster = sharedCluster('mysql');
const bed = makePoolBed(cluster, await freshDatabase(cluster));
const events = eventsOf<HostEvent>('host');
const warnings = warningsOf('RWSPLIT_REPLICA_DOWN');

const states = () => events.map(({ host: name, state, isUp }) => `${name} ${state} ${isUp}`);

describe('events and figures of hosts', () => {
  it('tell of a replica that goes down and comes back, with one warning', async () => {
    const { proxy, host: behind } = await bed.behindProxy('a');
    const pool = bed.open({ replicas: [behind] });
    await tell(on(pool));
    expect(events).toEqual([]);
    expect(host(pool, 'a')).toMatchObject({
      role: 'replica',
      isUp: true,
      state: 'up',
      isMember: true,
      lag: null,
      weight: 1,
      groups: ['default'],
      zone: null,
      failures: 0,
      lastFailure: null,
      outstanding: 0,
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    });
    proxy.refuse();
    proxy.cut();
    await expect.poll(() => host(pool, 'a').state).toBe('down');
    expect(host(pool, 'a')).toMatchObject({ isUp: false, lastFailure: 'ECONNREFUSED' });
    expect(host(pool, 'a').failures).toBeGreaterThan(0);
    // It is tried again, and fails again, without news.
    await expect.poll(() => host(pool, 'a').failures).toBeGreaterThan(1);
    await proxy.accept();
    await expect.poll(() => host(pool, 'a').state, { timeout: 10_000 }).toBe('up');
    expect(host(pool, 'a')).toMatchObject({ isUp: true, failures: 0, lastFailure: null });
    expect(states()).toEqual(['a suspect true', 'a down false', 'a up true']);
    expect(events[1]).toEqual({
      host: 'a',
      role: 'replica',
      isUp: false,
      state: 'down',
      failure: 'ECONNREFUSED',
    });
    expect(events[2]).toMatchObject({ failure: null });
    expect(warnings).toEqual([
      expect.stringContaining('replica a is out of service (ECONNREFUSED)'),
    ]);
  });

  it('tell of a suspicion that comes to nothing', async () => {
    const { proxy, host: behind } = await bed.behindProxy('a');
    const pool = bed.open({ replicas: [behind] });
    await tell(on(pool));
    proxy.cut();
    await expect.poll(states).toEqual(['a suspect true', 'a up true']);
    expect(await tell(on(pool))).toMatchObject({ host: 'a', error: null });
    expect(warnings).toEqual([]);
  });

  it('tell of the primary too, which nobody is warned of: its statements fail', async () => {
    const { proxy, host: behind } = await bed.behindProxy('primary', cluster.primary);
    const pool = bed.open({ primary: behind });
    await tell(on(pool), 'UPDATE item SET id = id');
    proxy.refuse();
    proxy.cut();
    await expect.poll(() => host(pool, 'primary').state).toBe('down');
    expect((await tell(on(pool), 'UPDATE item SET id = id')).error).toMatchObject({
      code: 'RWSPLIT_PRIMARY_DOWN',
    });
    expect(await tell(on(pool))).toMatchObject({ reason: 'read', error: null });
    expect(events.every(({ role }) => role === 'primary')).toBe(true);
    expect(warnings).toEqual([]);
    await proxy.accept();
    await expect.poll(() => host(pool, 'primary').state, { timeout: 10_000 }).toBe('up');
    expect(await tell(on(pool), 'UPDATE item SET id = id')).toMatchObject({ error: null });
  });
});
