import { setTimeout as sleep } from 'node:timers/promises';
import {
  createReplicatedPool,
  type ReplicatedConnection,
  type ReplicatedPool,
} from '@rwsplit/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** What cancel() and destroy() end, and what they leave alone. */
describe.each(flavors)('%s', (flavor) => {
  const cluster = sharedCluster(flavor);
  let network: TcpProxy;
  /** One connection to the primary, over a network that fails when told to. */
  let pool: ReplicatedPool;

  beforeEach(async () => {
    network = await TcpProxy.start(cluster.primary);
    pool = createReplicatedPool({
      primary: {
        ...cluster.connectionOptions(cluster.primary),
        port: network.port,
        connectionLimit: 1,
      },
      acquireTimeout: 2_000,
    });
  });
  afterEach(async () => {
    network.resume();
    await pool.promise().end();
    network.close();
  });

  function getConnection(): Promise<ReplicatedConnection> {
    return new Promise((resolve, reject) => {
      pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection)));
    });
  }

  /** Holds the only connection while the callback runs. */
  async function whileFull(callback: () => Promise<void>): Promise<void> {
    const holder = await getConnection();
    await holder.promise().beginTransaction();
    await callback();
    await holder.promise().rollback();
    holder.release();
  }

  const outstanding = () => pool.stats().hosts.map((host) => host.outstanding);

  it.each([
    ['query', 'RWSPLIT_CANCELLED'],
    ['connection', 'RWSPLIT_CONNECTION_DESTROYED'],
  ] as const)('does not send a statement that waits: %s', async (scope, code) => {
    const tag = `cancel-waiting-${flavor}-${scope}`;
    await whileFull(async () => {
      const connection = await getConnection();
      const statement = connection.promise().query(`DO 1 /* ${tag} */`);
      const refused = expect(statement).rejects.toMatchObject({ code });
      await sleep(20);
      await connection.cancel(scope);
      await refused;
      connection.release();
    });
    await pool.promise().query('DO 1');
    expect(await cluster.whoRan(tag)).toEqual([]);
    expect(outstanding()).toEqual([0]);
  });

  it('goes on with the session after a waiting statement was cancelled', async () => {
    const connection = await getConnection();
    await whileFull(async () => {
      const statement = connection.promise().query('DO 1');
      const refused = expect(statement).rejects.toMatchObject({ isRetryable: true });
      await sleep(20);
      await connection.cancel();
      await refused;
    });
    const [rows] = await connection.promise().query('SELECT 1 AS n');
    expect(rows).toEqual([{ n: 1 }]);
    connection.release();
  });

  it('calls back once for a command that waits, and gives back what it waited for', async () => {
    const answers: (string | undefined)[] = [];
    await whileFull(async () => {
      for (const end of ['destroy', 'cancel'] as const) {
        const connection = await getConnection();
        connection.ping((error) => answers.push((error as { code?: string } | null)?.code));
        await sleep(20);
        await connection[end]();
        connection.release();
      }
    });
    await pool.promise().query('DO 1');
    expect(answers).toEqual(['RWSPLIT_CONNECTION_DESTROYED', 'RWSPLIT_CANCELLED']);
    expect(outstanding()).toEqual([0]);
  });

  it('never ends the statement after the one that was cancelled', async () => {
    const connection = await getConnection();
    await connection.promise().query('DO 1');
    // Logging in takes several round trips, so that the first statement has ended by then.
    network.delay(100);
    const first = connection.promise().query('SELECT SLEEP(0.1) AS interrupted');
    const cancelled = connection.cancel();
    const next = connection.promise().query('SELECT SLEEP(2) AS interrupted');
    expect((await first)[0]).toEqual([{ interrupted: 0 }]);
    await cancelled;
    expect((await next)[0]).toEqual([{ interrupted: 0 }]);
    connection.release();
  });

  it('ends the connection, and holds its loss against nobody', async () => {
    const connection = await getConnection();
    await connection.promise().query('DO 1');
    const thread = connection.threadId;
    const ended = expect(connection.promise().query('SELECT SLEEP(20)')).rejects.toMatchObject({
      code: 'RWSPLIT_CONNECTION_DESTROYED',
    });
    await sleep(20);
    await connection.cancel('connection');
    await ended;
    const threads = async () =>
      (await cluster.primary.query('SELECT ID FROM information_schema.PROCESSLIST')).map(
        (row) => row['ID'],
      );
    await expect.poll(threads).not.toContain(thread);
    expect(pool.stats().hosts[0]).toMatchObject({ isUp: true, failures: 0, outstanding: 0 });
  });

  it('counts a lost connection as given back, before the session ends', async () => {
    const connection = await getConnection();
    await connection.promise().beginTransaction();
    network.cut();
    await expect(connection.promise().query('DO 1')).rejects.toMatchObject({ fatal: true });
    expect(connection.host).toBeNull();
    expect(outstanding()).toEqual([0]);
    connection.release();
  });
});
