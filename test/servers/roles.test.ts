import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runOnce, withConnection } from '../support/application.ts';
import { flavors } from '../support/servers/flavor.ts';
import type { OwnedServer } from '../support/servers/owned-server.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';

describe.each(flavors)('roles of a semi-synchronous %s cluster', (flavor) => {
  let cluster: OwnedCluster;
  let first: OwnedServer;
  let second: OwnedServer;
  let third: OwnedServer;

  beforeAll(async () => {
    cluster = await startCluster({ flavor, semiSync: true });
    [first, second, third] = three(cluster.all);
    await runOnce(cluster.connectionOptions(first), 'CREATE TABLE t (id INT PRIMARY KEY)');
  });
  afterAll(() => cluster.stop());

  const insert = (server: OwnedServer, id: number) =>
    runOnce(cluster.connectionOptions(server), `INSERT INTO t VALUES (${id})`);
  const ids = async (server: OwnedServer) => {
    const rows = await server.query<{ id: number }>('SELECT id FROM app.t ORDER BY id');
    return rows.map(({ id }) => id);
  };
  const refusal = { errno: 1290 };

  it('does not acknowledge what no replica has received', async () => {
    const receivers = [second, third];
    await Promise.all(receivers.map(({ replication }) => replication.stopReceiving()));
    const write = insert(first, 1).then(() => 'acknowledged');
    expect(await Promise.race([write, sleep(300, 'waiting')])).toBe('waiting');
    await third.query('START REPLICA IO_THREAD');
    expect(await write).toBe('acknowledged');
    await second.query('START REPLICA IO_THREAD');
  });

  it('switches over: all data is there, the others follow, the old primary refuses', async () => {
    await insert(first, 2);
    await cluster.switchover(second);
    expect(cluster.primary).toBe(second);
    expect(cluster.replicas).toEqual([first, third]);
    await insert(second, 3);
    await expect(insert(first, 4)).rejects.toMatchObject(refusal);
    await cluster.waitUntilReplicated();
    for (const server of cluster.all) expect(await ids(server)).toEqual([1, 2, 3]);
  });

  it('keeps the roles over a restart', async () => {
    await Promise.all([first.kill(), second.kill()]);
    await Promise.all([first.restart(), second.restart()]);
    await insert(second, 5);
    await expect(insert(first, 6)).rejects.toMatchObject(refusal);
    await cluster.waitUntilReplicated();
    expect(await ids(first)).toEqual([1, 2, 3, 5]);
  });

  it('fails over to the replica that has received the most, and loses nothing', async () => {
    await cluster.waitUntilReplicated();
    await first.replication.stopReceiving();
    await insert(second, 7);
    expect(await cluster.failover()).toBe(third);
    expect(second.isRunning).toBe(false);
    await insert(third, 8);
    await cluster.waitUntilReplicated();
    expect(await ids(first)).toEqual([1, 2, 3, 5, 7, 8]);
  });

  it('loses no acknowledged write when the primary is killed under load', async () => {
    const acknowledged: number[] = [];
    let id = 100;
    const load = withConnection(cluster.connectionOptions(third), async (connection) => {
      for (; ; id += 1) {
        await connection.query(`INSERT INTO t VALUES (${id})`);
        acknowledged.push(id);
      }
    }).catch(() => {});
    while (acknowledged.length < 50) await sleep(5);
    await cluster.failover();
    await load;
    const kept = new Set(await ids(cluster.primary));
    expect(acknowledged.filter((each) => !kept.has(each))).toEqual([]);
  });

  it('rebuilds a dead server as a replica with all of the data', async () => {
    await cluster.rebuild(second);
    await insert(cluster.primary, 9);
    await cluster.waitUntilReplicated();
    expect(await ids(second)).toEqual(await ids(cluster.primary));
    await expect(insert(second, 10)).rejects.toMatchObject(refusal);
  });
});

describe.each(flavors)('roles of an asynchronous %s cluster', (flavor) => {
  it('loses in a failover what no replica had received', async () => {
    await using cluster = await startCluster({ flavor, replicas: 1 });
    const write = (sql: string) => runOnce(cluster.connectionOptions(cluster.primary), sql);
    await write('CREATE TABLE t (id INT PRIMARY KEY)');
    await cluster.waitUntilReplicated();
    for (const { replication } of cluster.replicas) await replication.stopReceiving();
    await write('INSERT INTO t VALUES (1)');
    await cluster.failover();
    expect(await write('SELECT id FROM t')).toEqual([]);
    await expect(cluster.failover()).rejects.toThrow('no replica is left');
  });
});

function three<T>([first, second, third]: readonly T[]): [T, T, T] {
  if (first === undefined || second === undefined || third === undefined) throw new Error('few');
  return [first, second, third];
}
