import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { channels, createReplicatedPool, type TopologyEvent, withSession } from '@rwsplit/core';
import { describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { startCluster } from '../support/servers/start-cluster.ts';

describe.each(flavors)('a failover on %s that loses what was acknowledged', (flavor) => {
  it('is told, and reads outside of sessions run on replicas again', async () => {
    await using cluster = await startCluster({ flavor, replicas: 2 });
    const events: TopologyEvent[] = [];
    const note = (message: unknown) => events.push(message as TopologyEvent);
    const warnings: string[] = [];
    const warn = (warning: Error) => warnings.push('code' in warning ? String(warning.code) : '');
    subscribe(channels.topology, note);
    process.on('warning', warn);
    const [primary, ...replicas] = cluster.all.map((server) => ({
      ...cluster.connectionOptions(server),
      name: server.name,
    }));
    const pool = createReplicatedPool({
      primary: primary ?? '',
      replicas,
      topology: 'readOnly',
      probeInterval: 200,
      primaryWait: 3_000,
    });
    const db = pool.promise();
    try {
      await db.query('CREATE TABLE thing (id INT PRIMARY KEY)');
      await cluster.waitUntilReplicated();
      for (const replica of cluster.replicas) {
        await replica.replication.stopReceiving();
      }
      await db.query('INSERT INTO thing VALUES (1)');
      const next = await cluster.failover();
      await expect
        .poll(() => events.at(-1), { timeout: 20_000 })
        .toMatchObject({ primary: next.name, hasLostWrites: true });
      expect(warnings).toContain('RWSPLIT_WRITES_LOST');
      await db.query('INSERT INTO thing VALUES (2)');
      await cluster.waitUntilReplicated();
      const [rows] = await db.query('SELECT id FROM thing');
      expect(rows).toEqual([{ id: 2 }]);
      const ran = async () => {
        const tag = `after-${flavor}-${performance.now()}`;
        await withSession(() => db.query(`/* ${tag} */ SELECT id FROM thing`));
        await db.query(`/* ${tag} */ SELECT id FROM thing`);
        return (await cluster.whoRan(tag)).filter(({ server }) => server === next.name).length;
      };
      await expect.poll(ran, { timeout: 10_000 }).toBe(0);
    } finally {
      unsubscribe(channels.topology, note);
      process.off('warning', warn);
      await db.end();
    }
  }, 60_000);
});
