import { setTimeout as sleep } from 'node:timers/promises';
import { createReplicatedPool } from '@rwsplit/core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { apis } from '../contract/apis.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { createTables, HostWatch, hostOf } from './bed.ts';
import { Load } from './load.ts';

/** Soon enough for a test, and late enough for two busy cores. */
const options = { probeInterval: 200, probeTimeout: 500 };
/** So much time has the primary, before what runs there is given up. */
const patience = { primary: 1_000, replica: 10_000 };

/** What can happen to the way to a server, how it ends, and whether the host is down meanwhile. */
interface Fault {
  readonly strike: (network: TcpProxy) => void;
  readonly mend: (network: TcpProxy) => void | Promise<void>;
  /** `null`: perhaps. A login may be under way when it strikes; and who answers late still answers. */
  readonly isDown: boolean | null;
}

const nothing = () => {};
const resume = (network: TcpProxy) => network.resume();
const undelay = (network: TcpProxy) => network.delay(0);
const faults: readonly (readonly [string, Fault])[] = [
  ['all connections are cut', { strike: (network) => network.cut(), mend: nothing, isDown: null }],
  [
    'all are cut, and new ones are refused',
    {
      strike: (network) => {
        network.refuse();
        network.cut();
      },
      mend: (network) => network.accept(),
      isDown: true,
    },
  ],
  [
    'the server closes its half of all',
    { strike: (network) => network.halfClose(), mend: nothing, isDown: null },
  ],
  ['nothing passes', { strike: (network) => network.pause(), mend: resume, isDown: true }],
  [
    'nothing gets to the server',
    { strike: (network) => network.pause('up'), mend: resume, isDown: true },
  ],
  [
    'no answer comes back',
    { strike: (network) => network.pause('down'), mend: resume, isDown: true },
  ],
  ['it is slow', { strike: (network) => network.delay(20), mend: undelay, isDown: false }],
  [
    'it is so slow that it might as well be gone',
    { strike: (network) => network.delay(300), mend: undelay, isDown: null },
  ],
];

// Below the protocol, and so the same for both flavours; MySQL's login takes more round trips.
describe('the network under load', async () => {
  const cluster = sharedCluster('mysql');
  const database = await freshDatabase(cluster);
  /** The way to the primary, and those to the replicas. */
  let networks: readonly TcpProxy[];

  beforeAll(() => createTables(cluster, database.name));
  beforeEach(async () => {
    networks = await Promise.all(cluster.all.map((server) => TcpProxy.start(server)));
  });
  afterEach(() => {
    for (const network of networks) {
      network.close();
    }
  });

  /** Runs a load while the way to a host fails, and compares what clients saw with what there is. */
  async function during(index: number, { strike, mend, isDown }: Fault): Promise<Load> {
    const [primary, ...replicas] = cluster.all.map((server, at) => ({
      ...hostOf(cluster, server, database.name),
      port: networks[at]?.port ?? 0,
    }));
    const [network, host] = [networks[index], cluster.all[index]];
    if (primary === undefined || network === undefined || host === undefined) {
      throw new Error(`the cluster has no server ${index}`);
    }
    using watch = new HostWatch();
    // After a write that no replica has got, a read that has to see it needs the primary.
    const seesOwnWrites = index > 0;
    const consistency = seesOwnWrites ? 'process' : 'eventual';
    const acquireTimeout = index === 0 ? patience.primary : patience.replica;
    const api = apis['bare pool']({ primary, replicas, ...options, acquireTimeout, consistency });
    const load = new Load(api, { database: database.name, seesOwnWrites });
    try {
      await load.writes(10);
      strike(network);
      if (isDown === true) {
        await watch.until(host, 'down');
      }
      await load.reads(60);
      await mend(network);
      await load.writes(10);
    } finally {
      await mend(network);
      await load.stop();
      await api.close();
    }
    expect(watch.statesOf(host).includes('down')).toEqual(isDown ?? expect.any(Boolean));
    expect(load.failedReads).toEqual([]);
    expect(load.wrongReads).toEqual([]);
    expect(await load.ledger.mistakes(cluster.primary)).toEqual([]);
    return load;
  }

  it.each(faults)('no statement fails when, on the way to a replica, %s', async (_, fault) => {
    const { ledger } = await during(1, fault);
    expect([...ledger.codes]).toEqual([]);
  });

  it.each(faults)('no read fails when, on the way to the primary, %s', async (_, fault) => {
    await during(0, fault);
  });

  // From MySQL 8.0.24 on the server says so, and what it says may look like an answer.
  it('fails nothing when a server ends an idle connection while a statement is on its way', async () => {
    const [primary, replica] = networks;
    const pool = createReplicatedPool({
      primary: { ...hostOf(cluster, cluster.primary, database.name), port: primary?.port ?? 0 },
      replicas: [{ port: replica?.port ?? 0 }],
      consistency: 'eventual',
      onCreateConnection: (connection) =>
        new Promise((resolve) => {
          connection.query('SET SESSION wait_timeout = 1', resolve);
        }),
    });
    const query = async (sql: string) => (await pool.promise().query(sql))[0];
    const read = 'SELECT COUNT(*) AS n FROM item';
    await query('UPDATE item SET id = id WHERE id = 0');
    await query(read);
    for (const network of networks) {
      network.pause('down');
    }
    await sleep(1_500);
    const both = Promise.all([query(read), query('INSERT INTO entry (id, part) VALUES (-1, 1)')]);
    await sleep(50);
    for (const network of networks) {
      network.resume();
    }
    expect(await both).toMatchObject([[{ n: 3 }], { affectedRows: 1 }]);
    await pool.promise().end();
  });
});
