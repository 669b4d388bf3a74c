import { createReplicatedPool, isRwSplitError, type ReplicatedPool } from '@rwsplit/core';
import mysql from 'mysql2';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Connections } from '../../../packages/core/src/pool/connections.ts';
import { createRawPool, type RawConnection } from '../../../packages/core/src/pool/mysql2.ts';
import { flavors } from '../../support/servers/flavor.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { Ledger } from '../sessions/ledger.ts';

/** How many ask at once for the one connection that there may be. */
const asking = 4;

describe.each(flavors)('a login that takes longer than anybody waits, on %s', (flavor) => {
  const cluster = sharedCluster(flavor);
  let network: TcpProxy;
  let ledger: Ledger;
  let pool: ReplicatedPool;

  beforeEach(async () => {
    network = await TcpProxy.start(cluster.primary);
    const { host, port } = network;
    const options = { ...cluster.connectionOptions(cluster.primary), host, port };
    const raw = mysql.createPool({ ...options, connectionLimit: 1 });
    ledger = new Ledger(raw, port);
    pool = createReplicatedPool({
      primary: raw,
      replicas: [],
      acquireTimeout: 60,
      closeTimeout: 1_000,
      catalogueRefresh: false,
    });
  });
  afterEach(async () => {
    await pool.promise().end();
    network.close();
  });

  /** All give up while the first one's login goes on, and the others are in the queue of mysql2. */
  async function askInVain(): Promise<void> {
    network.pause();
    const asked = Array.from({ length: asking }, () => pool.promise().query('SELECT 1'));
    for (const outcome of await Promise.allSettled(asked)) {
      expect(outcome).toMatchObject({ reason: expect.toSatisfy(isRwSplitError) });
    }
    network.resume();
  }

  /** The host may be out of service for a while. */
  function isServed(): Promise<boolean> {
    const asked = pool.promise().query('SELECT 1');
    return asked.then(
      () => true,
      () => false,
    );
  }

  it('gives a connection that goes from one who gave up to the next, and is given back once by each', async () => {
    await askInVain();
    const timesHandedOut = () => Math.max(0, ...ledger.idle.values());
    await expect.poll(timesHandedOut).toBeGreaterThanOrEqual(asking);
    await expect.poll(isServed).toBe(true);
    await expect.poll(() => ledger.out).toBe(0);
    const { acquired, released, lost } = ledger.events;
    expect(released + lost).toBe(acquired);
    expect(ledger.violations).toEqual([]);
  });

  it('gives a connection that is not set up for nobody: the answer may never come', async () => {
    ledger.pool.once('connection', () => network.drop('down'));
    await askInVain();
    // Else its place in the pool were taken for ever.
    await expect.poll(isServed, { timeout: 8_000 }).toBe(true);
  });
});

describe('a login that began before all connections were replaced', () => {
  async function open(acquireTimeout: number) {
    const cluster = sharedCluster('mysql');
    const options = cluster.connectionOptions(cluster.primary);
    const network = await TcpProxy.start(cluster.primary);
    const { host, port } = network;
    const pool = createRawPool({ ...options, host, port, connectionLimit: 1 });
    onTestFinished(async () => {
      await new Promise((resolve) => pool.end(resolve));
      network.close();
    });
    const connections = new Connections(
      { name: 'primary', role: 'primary', heard: () => {}, connectionLost: () => {} },
      pool,
      false,
      {
        acquireTimeout,
        probeTimeout: acquireTimeout,
        checkIdleAfter: false,
        maxLifetime: false,
        onCreateConnection: null,
        onVersion: () => {},
      },
    );
    const opened: RawConnection[] = [];
    pool.on('connection', (connection: RawConnection) => opened.push(connection));
    const connect = () =>
      new Promise<RawConnection>((resolve, reject) => {
        connections.connect(false, (error, connection) =>
          connection === undefined ? reject(error) : resolve(connection),
        );
      });
    return { network, connections, opened, connect };
  }

  // As when a name leads elsewhere: the login may be to where it led before.
  it('gives nobody a connection', async () => {
    const { connections, opened, connect } = await open(10_000);
    const asked = connect();
    connections.replace();
    expect(opened.indexOf(await asked)).toBe(1);
  });

  it('gives nobody a connection either when it was too late', async () => {
    const { network, connections, opened, connect } = await open(200);
    network.pause();
    await expect(connect()).rejects.toMatchObject({ code: 'RWSPLIT_ACQUIRE_TIMEOUT' });
    connections.replace();
    network.resume();
    const served = () => connect().catch(() => null);
    await expect.poll(async () => opened.indexOf((await served()) as RawConnection)).toBe(1);
  });
});
