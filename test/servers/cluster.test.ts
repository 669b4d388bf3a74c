import { randomUUID } from 'node:crypto';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runOnce } from '../support/application.ts';
import type { OwnedServer } from '../support/servers/owned-server.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';

describe.each(['mysql', 'mariadb'] as const)('an own %s cluster', (flavor) => {
  let cluster: OwnedCluster;
  let primary: OwnedServer;
  let replica: OwnedServer;

  beforeAll(async () => {
    cluster = await startCluster({ flavor, replicas: 2 });
    primary = cluster.primary;
    replica = second(cluster.all);
    await runOnce(cluster.connectionOptions(primary), 'CREATE TABLE t (id INT PRIMARY KEY)');
    await cluster.waitUntilReplicated();
  });
  afterAll(() => cluster.stop());

  const insert = (id: number) =>
    runOnce(cluster.connectionOptions(primary), `INSERT INTO t VALUES (${id})`);
  const has = async (server: OwnedServer, id: number) => {
    const sql = `SELECT id FROM t WHERE id = ${id}`;
    const rows = await runOnce(cluster.connectionOptions(server), sql);
    return Array.isArray(rows) && rows.length === 1;
  };

  it('replicates to every replica', async () => {
    await insert(1);
    await cluster.waitUntilReplicated();
    for (const server of cluster.all) expect(await has(server, 1)).toBe(true);
  });

  it('refuses application writes on replicas', async () => {
    const write = runOnce(cluster.connectionOptions(replica), 'INSERT INTO t VALUES (0)');
    await expect(write).rejects.toMatchObject({ errno: 1290 });
  });

  it('holds a replica back while it does not apply', async () => {
    await replica.stopApplying();
    await insert(2);
    await expect(cluster.waitUntilReplicated(300)).rejects.toThrow(replica.name);
    expect(await has(replica, 2)).toBe(false);
    await replica.startApplying();
    await cluster.waitUntilReplicated();
    expect(await has(replica, 2)).toBe(true);
  });

  it('delays a replica', async () => {
    await replica.delay(2);
    const before = Date.now();
    await insert(3);
    await cluster.waitUntilReplicated();
    // The delay counts from the whole second in which the primary committed.
    expect(Date.now() - before).toBeGreaterThan(950);
    await replica.delay(0);
    await insert(4);
    await cluster.waitUntilReplicated(950);
  });

  it('hangs a server: connections stay open and wait', async () => {
    const connection = await createConnection(cluster.connectionOptions(replica));
    await replica.hang();
    expect(replica.isRunning).toBe(true);
    const answer = connection.query('SELECT 1').then(() => 'answered');
    expect(await Promise.race([answer, timeout(200)])).toBe('timeout');
    // Nobody waits for a server that cannot answer.
    await insert(5);
    await cluster.waitUntilReplicated();
    replica.resume();
    expect(await answer).toBe('answered');
    connection.destroy();
    await cluster.waitUntilReplicated();
    expect(await has(replica, 5)).toBe(true);
  });

  it.each(['kill', 'shutdown'] as const)('%s ends a replica, restart catches up', async (end) => {
    const id = end === 'kill' ? 6 : 7;
    const { pid, port } = replica;
    await replica[end]();
    expect(replica.isRunning).toBe(false);
    expect(() => replica.pid).toThrow('not running');
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await expect(replica.query('SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await insert(id);
    await cluster.waitUntilReplicated();
    await replica.restart();
    expect(replica.port).toBe(port);
    await cluster.waitUntilReplicated();
    expect(await has(replica, id)).toBe(true);
  });

  it('restarts a killed primary with its data, and replicas follow it again', async () => {
    await insert(8);
    await primary.kill();
    await primary.restart();
    expect(await has(primary, 8)).toBe(true);
    await insert(9);
    await cluster.waitUntilReplicated();
    expect(await has(replica, 9)).toBe(true);
  });

  it('keeps the statement log readable over hang, kill and restart', async () => {
    const tag = randomUUID();
    const ran = async () => (await cluster.whoRan(tag)).map(({ sql }) => sql);
    const first = `SELECT 1 /* ${tag} */`;
    const then = `SELECT 2 /* ${tag} */`;
    await runOnce(cluster.connectionOptions(replica), first);
    await replica.hang();
    expect(await ran()).toEqual([first]);
    await replica.kill();
    expect(await ran()).toEqual([first]);
    const since = await replica.mark();
    await replica.restart();
    await runOnce(cluster.connectionOptions(replica), then);
    expect(await ran()).toEqual([first, then]);
    const later = await replica.statements({ since, containing: tag });
    expect(later.map(({ sql }) => sql)).toEqual([then]);
  });

  it('knows nothing of statements when started without the log', async () => {
    await using silent = await startCluster({ flavor, replicas: 0, statementLog: false });
    const tag = randomUUID();
    await runOnce(silent.connectionOptions(silent.primary), `SELECT 1 /* ${tag} */`);
    expect(await silent.whoRan(tag)).toEqual([]);
  });

  it('passes settings on to the server', async () => {
    const settings = ['--max-connections=17'];
    await using small = await startCluster({ flavor, replicas: 0, settings });
    expect(await small.primary.query('SELECT @@max_connections AS n')).toEqual([{ n: 17 }]);
  });

  it('says why a server does not start', async () => {
    const wrong = startCluster({ flavor, replicas: 0, settings: ['--no-such-setting'] });
    await expect(wrong).rejects.toThrow('no-such-setting');
  });
});

function second<T>([, item]: readonly T[]): T {
  if (item === undefined) throw new Error('too few');
  return item;
}

function timeout(ms: number): Promise<string> {
  return new Promise((resolve) => setTimeout(resolve, ms, 'timeout'));
}
