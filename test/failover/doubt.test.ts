import {
  createReplicatedPool,
  type ReplicatedPool,
  type ReplicatedPoolOptions,
} from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { OwnedServer } from '../support/servers/owned-server.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

let cluster: OwnedCluster;
let pool: ReplicatedPool;

beforeAll(async () => {
  cluster = await startCluster({
    flavor: 'mysql',
    settings: ['--log-bin-trust-function-creators=1'],
  });
  for (const statement of [
    'CREATE TABLE app.item (id INT AUTO_INCREMENT PRIMARY KEY)',
    'CREATE FUNCTION app.hidden() RETURNS INT BEGIN INSERT INTO app.item VALUES (); RETURN 1; END',
    'CREATE VIEW app.hiding AS SELECT app.hidden() AS marker',
  ]) {
    await cluster.primary.query(statement);
  }
  await cluster.waitUntilReplicated();
});
afterEach(() => pool.promise().end());
afterAll(() => cluster.stop());

function open(options: Partial<ReplicatedPoolOptions>): ReplicatedPool {
  const [primary = '', ...replicas] = cluster.all.map(hostOf);
  pool = createReplicatedPool({ primary, replicas, ...options });
  return pool;
}

function hostOf(server: OwnedServer) {
  return { ...cluster.connectionOptions(server), name: server.name };
}

async function rows(): Promise<number> {
  const [row] = await cluster.primary.query<{ n: number }>('SELECT COUNT(*) AS n FROM app.item');
  return Number(row?.n);
}

describe('a write that its text hides, whose answer from the primary is lost', () => {
  it.each([
    ['after a replica refused it', {}, 'RWSPLIT_UNKNOWN_OUTCOME'],
    ['without replicas', { replicas: [] }, 'ECONNRESET'],
  ])('is not sent again %s', async (_when, options, code) => {
    const { primary } = cluster;
    using network = await TcpProxy.start({ host: primary.host, port: primary.port });
    open({
      primary: { ...hostOf(primary), host: network.host, port: network.port },
      catalogueRefresh: false,
      consistency: 'eventual',
      ...options,
    });
    await pool.promise().query('SELECT 1 FROM item LIMIT 0 FOR UPDATE');
    const before = await rows();
    network.trap('marker', 'answer');
    await expect(pool.promise().query('SELECT marker FROM hiding')).rejects.toMatchObject({ code });
    expect(await rows()).toBe(before + 1);
  });
});

describe('while roles are found out', () => {
  it('a server that is listed twice is one', async () => {
    const { primary } = cluster;
    open({
      replicas: [{ ...hostOf(primary), name: 'again' }, ...cluster.replicas.map(hostOf)],
      topology: 'readOnly',
      primaryWait: 1_000,
    });
    await pool.promise().query('INSERT INTO item VALUES ()');
    expect(pool.stats().hosts[0]).toMatchObject({ name: primary.name, role: 'primary' });
  });

  it('nothing is written while two hosts take writes, on connections that somebody has either', async () => {
    open({ topology: 'readOnly', probeInterval: 50, primaryWait: 300 });
    const [rival] = cluster.replicas;
    const held = await pool.promise().getConnection();
    await held.query('INSERT INTO item VALUES ()');
    await rival?.query('SET GLOBAL read_only = OFF');
    try {
      const refused = { code: 'RWSPLIT_TWO_PRIMARIES' };
      const isRefused = () =>
        pool
          .promise()
          .query('INSERT INTO item VALUES ()')
          .then(
            () => null,
            (error: unknown) => error,
          );
      await expect.poll(isRefused, { timeout: 10_000 }).toMatchObject(refused);
      await expect(held.query('INSERT INTO item VALUES ()')).rejects.toMatchObject(refused);
    } finally {
      await rival?.query('SET GLOBAL super_read_only = ON');
      held.release();
    }
    await pool.promise().query('INSERT INTO item VALUES ()');
  });
});

it('a lag is forgotten of a replica that is not asked any more', async () => {
  open({ subset: 1, maxLag: 60_000, probeInterval: 50, causalWait: 10_000 });
  await pool.promise().query('SELECT COUNT(*) FROM item');
  const known = () => pool.stats().hosts.filter(({ lag }) => lag !== null);
  await expect.poll(() => known().length).toBe(1);
  const [used] = known();
  pool.setWeight(used?.name ?? '', 0);
  await expect.poll(() => known().map(({ name }) => name)).not.toEqual([used?.name]);
  await expect.poll(() => known().length).toBe(1);
});
