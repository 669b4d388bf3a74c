import { setTimeout as sleep } from 'node:timers/promises';
import { createReplicatedPool, type ReplicatedPoolOptions } from '@rwsplit/core';
import { type Connection, createConnection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { admin } from '../support/servers/accounts.ts';
import { flavors } from '../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';
import { createTables, HostWatch, hostOf, hostsOf } from './bed.ts';
import { codeOf } from './ledger.ts';
import { until } from './load.ts';

const probeInterval = 200;
const slowRead = 'SELECT COUNT(*) AS n FROM slow';

// Busy is not dead: nothing of this takes a replica out of service.
describe.each(flavors)('busy replicas: %s', (flavor) => {
  let cluster: OwnedCluster;
  let replica: OwnedCluster['primary'];
  let watch: HostWatch;
  let pool: ReturnType<typeof createReplicatedPool>;
  /** Holds a lock on `slow` on the replica, so that reads of it take as long as it does. */
  let lock: Connection;

  beforeAll(async () => {
    cluster = await startCluster({ flavor });
    await createTables(cluster);
    await cluster.primary.query('CREATE TABLE app.slow AS SELECT id FROM app.item');
    await cluster.waitUntilReplicated();
    const [first] = cluster.replicas;
    if (first === undefined) {
      throw new Error('expected a replica');
    }
    replica = first;
    // A replica that is read-only lets nobody lock a table.
    await replica.query('SET GLOBAL read_only = OFF');
    lock = await createConnection({ ...cluster.connectionOptions(replica), ...admin });
  });
  afterAll(async () => {
    await lock.end();
    await cluster.stop();
  });
  beforeEach(async () => {
    watch = new HostWatch();
    await lock.query('LOCK TABLES app.slow WRITE');
  });
  afterEach(async () => {
    await lock.query('UNLOCK TABLES');
    await pool.promise().end();
    watch[Symbol.dispose]();
  });

  function open(change: Partial<ReplicatedPoolOptions> = {}): void {
    pool = createReplicatedPool({
      ...hostsOf(cluster),
      // The busy one gets its share all the same.
      balancing: 'roundRobin',
      probeInterval,
      consistency: 'eventual',
      ...change,
    });
  }

  const read = (sql: string) =>
    pool
      .promise()
      .query(sql)
      .then(([rows]) => rows);

  /** The threads of the replica that wait for the lock. */
  async function waiting(): Promise<number[]> {
    const rows = await replica.query<{ Id: number; Info: string | null }>('SHOW FULL PROCESSLIST');
    return rows.filter(({ Info }) => Info?.startsWith(slowRead)).map(({ Id }) => Id);
  }

  /** Other clients go on reading until a promise is settled; none of their reads may fail. */
  async function beside<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const client = async () => {
      while (!isOver) {
        expect(await read('SELECT COUNT(*) AS n FROM item')).toEqual([{ n: 3 }]);
        await sleep(2);
      }
    };
    const clients = Promise.all(Array.from({ length: 8 }, client));
    const result = await work.finally(() => {
      isOver = true;
    });
    await clients;
    return result;
  }

  /** Starts reads until so many of them wait for the lock on the replica. */
  async function startSlow(count: number): Promise<Promise<unknown>[]> {
    const reads: Promise<unknown>[] = [];
    for (let slow = await waiting(); slow.length < count; ) {
      const before = slow.length;
      let isOver = false;
      // Half of them run on the other replica, at once.
      const one = read(slowRead).finally(() => {
        isOver = true;
      });
      one.catch(() => {});
      reads.push(one);
      while (slow.length === before && !isOver) {
        slow = await waiting();
      }
    }
    return reads;
  }

  function expectUp(): void {
    expect(watch.events.filter(({ state }) => state === 'down')).toEqual([]);
    expect(pool.stats().hosts.map(({ state }) => state)).toEqual(['up', 'up', 'up']);
  }

  it('a read that is slow', async () => {
    open();
    const reads = await startSlow(1);
    await beside(sleep(5 * probeInterval));
    await lock.query('UNLOCK TABLES');
    expect(await Promise.all(reads)).toEqual(reads.map(() => [{ n: 3 }]));
    expect(watch.events).toEqual([]);
    expectUp();
  });

  it('a replica that answers nothing but slow reads', async () => {
    open({ replicas: [hostOf(cluster, replica)] });
    const reads = await startSlow(4);
    await sleep(5 * probeInterval);
    await lock.query('UNLOCK TABLES');
    expect(await Promise.all(reads)).toEqual(reads.map(() => [{ n: 3 }]));
    expect(watch.events).toEqual([]);
  });

  it('a read that is killed: its caller is told, and nobody else', async () => {
    open();
    const reads = await startSlow(2);
    const kill = async () => {
      for (const thread of await waiting()) {
        await replica.query(`KILL QUERY ${thread}`);
      }
    };
    await beside(kill());
    const outcomes = await Promise.allSettled(reads);
    const codes = outcomes.flatMap((one) =>
      one.status === 'rejected' ? [codeOf(one.reason)] : [],
    );
    expect(codes).toEqual(['ER_QUERY_INTERRUPTED', 'ER_QUERY_INTERRUPTED']);
    expect(watch.events).toEqual([]);
    expectUp();
  });

  it('connections that are killed: their reads run elsewhere', async () => {
    open();
    const reads = await startSlow(3);
    const kill = async () => {
      for (const thread of await waiting()) {
        await replica.query(`KILL CONNECTION ${thread}`);
      }
    };
    await beside(kill());
    expect(await Promise.all(reads)).toEqual(reads.map(() => [{ n: 3 }]));
    await until(() => pool.stats().hosts.every(({ state }) => state === 'up'));
    // Nobody knows why they broke before the replica has been asked.
    expect(watch.statesOf(replica).slice(0, 2)).toEqual(['suspect', 'up']);
    expectUp();
  });

  it('all connections of a user killed again and again', async () => {
    open();
    const kill = async () => {
      for (let round = 0; round < 10; round++) {
        for (const server of cluster.replicas) {
          const rows = await server.query<{ Id: number; User: string }>('SHOW FULL PROCESSLIST');
          for (const { Id } of rows.filter(({ User }) => User === cluster.user)) {
            // It may be gone by now.
            await server.query(`KILL CONNECTION ${Id}`).catch(() => {});
          }
        }
      }
    };
    await beside(kill());
    await until(() => pool.stats().hosts.every(({ state }) => state === 'up'));
  });

  it('a pool that is full', async () => {
    const { primary, replicas } = hostsOf(cluster);
    open({
      replicas: replicas.map((host) => ({ ...host, connectionLimit: 1 })),
      primary: { ...primary, connectionLimit: 20 },
      acquireTimeout: 300,
    });
    const reads = await startSlow(1);
    // What waits behind it for too long runs elsewhere.
    const others = Array.from({ length: 12 }, () => read('SELECT COUNT(*) AS n FROM item'));
    expect(await Promise.all(others)).toEqual(others.map(() => [{ n: 3 }]));
    await beside(sleep(3 * probeInterval));
    await lock.query('UNLOCK TABLES');
    expect(await Promise.all(reads)).toEqual(reads.map(() => [{ n: 3 }]));
    expect(watch.events).toEqual([]);
    expectUp();
  });
});
