import { openSession, type ReplicatedPool, withSession } from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import type { Server } from '../../support/servers/server.ts';
import { startCluster } from '../../support/servers/start-cluster.ts';
import {
  host,
  hostsOf,
  makePoolBed,
  newTag,
  on,
  outstanding,
  slowRead,
  tally,
  tell,
} from './pool-bed.ts';

describe.each(flavors)('lag on %s', async (flavor) => {
  const cluster = await startCluster({ flavor });
  afterAll(() => cluster.stop());
  const { primary, database } = cluster;
  const [first, second] = cluster.replicas;
  if (first === undefined || second === undefined) throw new Error('two replicas');
  const bed = makePoolBed(cluster, {
    name: database,
    connectionOptions: (server) => cluster.connectionOptions(server),
  });

  /** With both replicas by their names, asked for their lag often. */
  const open = (change: Parameters<typeof bed.open>[0] = {}): ReplicatedPool =>
    bed.open({
      replicas: [first, second].map((server) => ({ ...bed.address(server), name: server.name })),
      probeInterval: 20,
      ...change,
    });
  const names = [first.name, second.name];
  const write = () => primary.query(`INSERT INTO ${database}.note (text) VALUES ('x')`);
  /** Waits for one server, where another one holds all up. */
  const hasApplied = async (server: Server) => {
    const mark = newTag();
    await primary.query(`INSERT INTO ${database}.note (text) VALUES (?)`, [mark]);
    const sql = `SELECT 1 AS one FROM ${database}.note WHERE text = ?`;
    await expect.poll(() => server.query(sql, [mark])).toHaveLength(1);
  };
  /** How often each host got one of six reads. */
  const reads = async (...parameters: Parameters<typeof on>) =>
    tally(await hostsOf(on(...parameters), 6));
  const onBoth = { [first.name]: 3, [second.name]: 3 };
  const onFirst = { [first.name]: 6 };
  const onSecond = { [second.name]: 6 };
  const onPrimary = { primary: 6 };

  /** A heartbeat so many seconds old; what is not applied keeps the one before. */
  const beat = async (secondsAgo: number) => {
    await primary.query(`DELETE FROM ${database}.heartbeat`);
    await primary.query(
      `INSERT INTO ${database}.heartbeat VALUES (UTC_TIMESTAMP(6) - INTERVAL ${secondsAgo} SECOND)`,
    );
  };

  describe('as the servers tell it', () => {
    afterEach(async () => {
      await first.query('UNLOCK TABLES');
      await Promise.all([first.startApplying(), second.startApplying()]);
      await cluster.waitUntilReplicated();
    });

    it('is asked for only when it matters, and is none while nothing is written', async () => {
      const pool = open();
      expect(await reads(pool)).toEqual(onBoth);
      expect(names.map((name) => host(pool, name).lag)).toEqual([null, null]);
      await write();
      await cluster.waitUntilReplicated();
      // An idle primary is no lag, however old its last write is.
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await expect.poll(() => tell(on(pool, { maxLag: 0 }))).toMatchObject({ reason: 'read' });
      await expect.poll(() => names.map((name) => host(pool, name).lag)).toEqual([0, 0]);
      expect(await reads(pool, { maxLag: 0 })).toEqual(onBoth);
      expect(host(pool, 'primary').lag).toBeNull();
    });

    it('keeps the first read already from a replica whose lag is not known', async () => {
      await first.stopApplying();
      const pool = open({ maxLag: 86_400_000 });
      expect(await reads(pool)).toEqual(onSecond);
      expect(host(pool, first.name).lag).toBeNull();
      await second.stopApplying();
      await expect
        .poll(() => tell(on(pool)))
        .toMatchObject({ host: 'primary', reason: 'replicas-lagging' });
      // Who has said nothing of lag gets any of them.
      expect(await reads(open())).toEqual(onBoth);
      await first.startApplying();
      await second.startApplying();
      await expect.poll(() => reads(pool)).toEqual(onBoth);
    });

    it('grows while a replica applies nothing, until it has caught up', async () => {
      await cluster.waitUntilReplicated();
      const pool = open({ maxLag: 900 });
      await expect.poll(() => reads(pool)).toEqual(onBoth);
      await first.query(`LOCK TABLES ${database}.note READ`);
      await write();
      await write();
      await hasApplied(second);
      await expect.poll(() => host(pool, first.name).lag, { timeout: 10_000 }).toBeGreaterThan(900);
      await expect.poll(() => reads(pool), { timeout: 10_000 }).toEqual(onSecond);
      expect(await reads(pool, { maxLag: 3_600_000 })).toEqual(onBoth);
      await first.query('UNLOCK TABLES');
      await expect.poll(() => reads(pool), { timeout: 10_000 }).toEqual(onBoth);
    });

    it('is not known of a server that is no replica', async () => {
      const pool = open({
        maxLag: 86_400_000,
        replicas: [{ ...bed.address(primary), name: 'no replica' }],
      });
      expect(await tell(on(pool))).toMatchObject({ host: 'primary', reason: 'replicas-lagging' });
    });
  });

  describe('by heartbeats', () => {
    beforeAll(async () => {
      await primary.query(`CREATE TABLE ${database}.heartbeat (ts VARCHAR(26) NOT NULL)`);
      await cluster.waitUntilReplicated();
    });

    const withHeartbeat = (change: Parameters<typeof bed.open>[0] = {}) =>
      open({ heartbeatTable: `${database}.heartbeat`, ...change });

    /** The first replica is 100 s behind, the second 10 s: no test takes so long. */
    const apart = async () => {
      await beat(100);
      await cluster.waitUntilReplicated();
      await first.stopApplying();
      await beat(10);
      await hasApplied(second);
    };
    afterEach(async () => {
      await first.startApplying();
      await cluster.waitUntilReplicated();
    });

    it('counts for the pool, the session, and the statement, which has the last word', async () => {
      await apart();
      const pool = withHeartbeat({ maxLag: 60_000 });
      expect(await reads(pool)).toEqual(onSecond);
      expect(host(pool, first.name).lag).toBeGreaterThanOrEqual(100_000);
      expect(host(pool, first.name).lag).toBeLessThan(200_000);
      expect(host(pool, second.name).lag).toBeLessThan(60_000);
      expect(await reads(pool, { maxLag: 1_000_000 })).toEqual(onBoth);
      expect(await reads(pool, { maxLag: 1_000 })).toEqual(onPrimary);
      // A session stays on the replica that it has, so that these have one.
      const far = withHeartbeat({
        maxLag: 60_000,
        replicas: [{ ...bed.address(first), name: first.name }],
      });
      await withSession({ maxLag: 1_000_000 }, async () => {
        expect(await reads(far)).toEqual(onFirst);
        expect(await reads(far, { maxLag: 1_000 })).toEqual(onPrimary);
        await withSession({ maxLag: 60_000 }, async () => {
          expect(await reads(far)).toEqual(onPrimary);
        });
        expect(await reads(far)).toEqual(onFirst);
      });
      const session = openSession({ maxLag: 1_000_000 });
      expect(await reads(far, { session })).toEqual(onFirst);
      expect(await reads(far, { session, maxLag: 60_000 })).toEqual(onPrimary);
      session.end();
      expect(await reads(withHeartbeat())).toEqual(onBoth);
    });

    it('onLag: leastLagged takes the one that lags least, of those whose lag is known', async () => {
      await apart();
      const pool = withHeartbeat({ maxLag: 1_000, onLag: 'leastLagged' });
      expect(await reads(pool)).toEqual(onSecond);
      const onlyFirst = withHeartbeat({
        maxLag: 1_000,
        onLag: 'leastLagged',
        replicas: [
          { ...bed.address(first), name: first.name },
          // Nothing is known of its lag.
          { host: '127.0.0.1', port: 1, name: 'nobody' },
        ],
      });
      expect(await reads(onlyFirst)).toEqual(onFirst);
    });

    it('onLag: leastLagged takes any when nothing is known of all', async () => {
      const pool = open({
        maxLag: 1_000,
        onLag: 'leastLagged',
        heartbeatTable: `${database}.no_such_table`,
      });
      expect(await reads(pool)).toEqual(onBoth);
      expect(host(pool, first.name).lag).toBeNull();
    });

    it('onLag: error refuses the read, and nothing of it is sent; the rest goes on', async () => {
      await beat(100);
      await cluster.waitUntilReplicated();
      const pool = withHeartbeat({ maxLag: 1_000, onLag: 'error', onNoReplica: 'primary' });
      const tag = newTag();
      const { error, event } = await tell(on(pool), `SELECT 1 /* ${tag} */`);
      expect(error).toMatchObject({ code: 'RWSPLIT_REPLICAS_LAGGING', isRetryable: true });
      expect(event).toMatchObject({ host: null, error: 'RWSPLIT_REPLICAS_LAGGING' });
      expect(await cluster.whoRan(tag)).toEqual([]);
      expect(await tell(on(pool, { maxLag: 1_000_000 }))).toMatchObject({ reason: 'read' });
      expect(await tell(on(pool, { forcePrimary: true }))).toMatchObject({ error: null });
      expect(await tell(on(pool), 'UPDATE item SET id = id')).toMatchObject({ error: null });
    });

    it('lets no more reads on the primary than its share', async () => {
      await beat(100);
      await cluster.waitUntilReplicated();
      const pool = withHeartbeat({ maxLag: 1_000, primaryReadShare: 0.1, acquireTimeout: 300 });
      expect(await tell(on(pool))).toMatchObject({ host: 'primary', reason: 'replicas-lagging' });
      const slow = await slowRead(pool);
      expect(slow.host).toBe('primary');
      const told = await tell(on(pool));
      expect(told.error).toMatchObject({
        isRetryable: true,
        message: expect.stringMatching(/lag/),
      });
      expect(outstanding(pool)).toMatchObject({ primary: 1 });
      await slow.finish();
    });

    it('is shown to a balancing function', async () => {
      await apart();
      const lags: Record<string, number | null> = {};
      const pool = withHeartbeat({
        maxLag: 1_000_000,
        balancing: (hosts) => {
          for (const one of hosts) lags[one.name] = one.lag;
          return hosts[0]?.name ?? '';
        },
      });
      await tell(on(pool));
      expect(lags[first.name]).toBeGreaterThanOrEqual(100_000);
      expect(lags[second.name]).toBeGreaterThanOrEqual(10_000);
      expect(lags[second.name]).toBeLessThan(100_000);
    });

    it('counts in the group that a read names', async () => {
      await apart();
      const pool = withHeartbeat({
        maxLag: 60_000,
        replicas: [
          { ...bed.address(first), name: first.name, groups: ['reports'] },
          { ...bed.address(second), name: second.name },
        ],
      });
      expect(await tell(on(pool, { useReplica: 'reports' }))).toMatchObject({
        host: 'primary',
        reason: 'replicas-lagging',
      });
      expect(await tell(on(pool, { useReplica: true }))).toMatchObject({ host: second.name });
    });
  });

  it('cannot be wished to be less than nothing', async () => {
    const pool = open();
    const expected = {
      code: 'RWSPLIT_OPTIONS',
      message: expect.stringMatching(/maxLag: expected .* \(milliseconds\) or 0, found -1/),
    };
    await expect(withSession({ maxLag: -1 }, () => 1)).rejects.toMatchObject(expected);
    expect(() => openSession({ maxLag: -1 })).toThrow(expect.objectContaining(expected));
    expect(() => pool.query({ sql: 'SELECT 1', maxLag: -1 }, () => {})).toThrow(
      expect.objectContaining(expected),
    );
  });
});
