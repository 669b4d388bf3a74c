import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { apis } from '../contract/apis.ts';
import { flavors } from '../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';
import { createTables, HostWatch, hostsOf } from './bed.ts';
import { Load, until } from './load.ts';

type OwnedServer = OwnedCluster['primary'];

/** What can happen to a server, and how it ends. */
interface Fault {
  readonly strike: (server: OwnedServer) => Promise<void>;
  /** `null`: it is over when it has struck. */
  readonly mend: ((server: OwnedServer) => void | Promise<void>) | null;
}

const killed: Fault = { strike: (server) => server.kill(), mend: (server) => server.restart() };
const hung: Fault = { strike: (server) => server.hang(), mend: (server) => server.resume() };
const restarted: Fault = { strike: (server) => server.restart(), mend: null };
const faults = [
  ['is killed', killed],
  ['hangs', hung],
  ['is restarted', restarted],
] as const;

/** Soon enough for a test, and late enough for two busy cores. */
const options = { probeInterval: 200, probeTimeout: 300, acquireTimeout: 1_000 };

/** What a write may be told while the primary is gone. */
const ofDeadPrimary = new Set([
  'RWSPLIT_PRIMARY_DOWN',
  'RWSPLIT_UNKNOWN_OUTCOME',
  // Inside a transaction, which is rolled back: the connection broke, in the words of whoever noticed.
  'PROTOCOL_CONNECTION_LOST',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  // It hangs, and the new connection that the write waited for never came.
  'RWSPLIT_ACQUIRE_TIMEOUT',
]);

describe.each(flavors)('under load: %s', (flavor) => {
  let cluster: OwnedCluster;

  beforeAll(async () => {
    // Without log: MariaDB's crashes with its table when it is killed in the middle of a row.
    cluster = await startCluster({ flavor, statementLog: false });
    await createTables(cluster);
  });
  afterAll(() => cluster.stop());
  afterEach(async () => {
    for (const server of cluster.all) {
      if (!server.isRunning) {
        await server.restart();
      } else if (!server.isAnswering) {
        server.resume();
      }
    }
    await cluster.waitUntilReplicated();
  });

  /** Runs a load during an incident, and compares what clients saw with what the servers have. */
  async function during(
    api: keyof typeof apis,
    incident: (load: Load, watch: HostWatch) => Promise<void>,
    { seesOwnWrites = true } = {},
  ): Promise<Load> {
    using watch = new HostWatch();
    const consistency = seesOwnWrites ? 'process' : 'eventual';
    const database = apis[api]({ ...hostsOf(cluster), ...options, consistency });
    const load = new Load(database, { seesOwnWrites });
    try {
      await load.writes(20);
      await incident(load, watch);
    } finally {
      await load.stop();
      await database.close();
    }
    expect(load.failedReads).toEqual([]);
    expect(load.wrongReads).toEqual([]);
    expect(await load.ledger.mistakes(cluster.primary)).toEqual([]);
    return load;
  }

  it.each(faults)('no statement fails when one replica and then all: each %s', async (_, fault) => {
    const { codes } = (
      await during('bare pool', async (load, watch) => {
        // A restart takes its time: all at once.
        const { replicas } = cluster;
        const waves = fault.mend === null ? [replicas] : replicas.map((replica) => [replica]);
        for (const wave of waves) {
          await Promise.all(wave.map(fault.strike));
          await load.reads(60);
          for (const replica of fault.mend === null ? [] : wave) {
            await watch.until(replica, 'down');
          }
        }
        await load.reads(60);
        for (const replica of cluster.replicas) {
          await fault.mend?.(replica);
        }
        await load.writes(20);
      })
    ).ledger;
    expect([...codes]).toEqual([]);
  });

  it.each(faults)(
    'no read fails when the primary %s, and writes go on by themselves',
    async (_, fault) => {
      const { ledger } = await during(
        'bare pool',
        async (load, watch) => {
          await fault.strike(cluster.primary);
          if (fault.mend !== null) {
            await watch.until(cluster.primary, 'down');
            await load.reads(60);
            // Of those that were under way nobody knows; all that come later are told at once.
            await load.writes(20, 'refused');
            if (fault === hung) {
              await until(() => load.ledger.count('unknown') > 0);
            }
          }
          await fault.mend?.(cluster.primary);
          await load.writes(20);
        },
        // After a write that no replica has got, a read that has to see it needs the primary.
        { seesOwnWrites: false },
      );
      expect([...ledger.codes.keys()].filter((code) => !ofDeadPrimary.has(code))).toEqual([]);
      expect(ledger.count('refused')).toBeGreaterThan(0);
    },
  );

  it.each(['Knex', 'Kysely'] as const)(
    'through %s: a replica and the primary are killed',
    async (api) => {
      const { ledger } = await during(
        api,
        async (load, watch) => {
          const [replica] = cluster.replicas;
          await replica?.kill();
          await load.reads(60);
          await cluster.primary.kill();
          await watch.until(cluster.primary, 'down');
          await load.reads(60);
          await load.writes(20, 'refused');
          await cluster.primary.restart();
          await replica?.restart();
          await load.writes(20);
        },
        { seesOwnWrites: false },
      );
      expect([...ledger.codes.keys()].filter((code) => !ofDeadPrimary.has(code))).toEqual([]);
    },
  );
});
