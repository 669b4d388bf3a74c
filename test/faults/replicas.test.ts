import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  channels,
  createReplicatedPool,
  type RoutingOptions,
  type StatementEvent,
} from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import type { Server } from '../support/servers/server.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';
import { HostWatch, hostsOf } from './bed.ts';
import { codeOf } from './ledger.ts';
import { until } from './load.ts';

describe.each(flavors)('%s', (flavor) => {
  let cluster: OwnedCluster;
  let pool: ReturnType<typeof openPool>;

  beforeAll(async () => {
    cluster = await startCluster({ flavor });
    await cluster.primary.query('CREATE TABLE app.item (id INT PRIMARY KEY)');
    await cluster.primary.query('INSERT INTO app.item VALUES (1), (2), (3)');
    await cluster.waitUntilReplicated();
  });
  afterAll(() => cluster.stop());
  afterEach(async () => {
    for (const server of cluster.all.filter((one) => one.isRunning && !one.isAnswering)) {
      server.resume();
    }
    await pool.end();
    for (const server of cluster.all.filter((one) => !one.isRunning)) {
      await server.restart();
    }
    await cluster.waitUntilReplicated();
  });

  function openPool(options: RoutingOptions = {}) {
    return createReplicatedPool({ ...hostsOf(cluster), ...options }).promise();
  }

  async function killConnections(server: Server): Promise<void> {
    const rows = await server.query<{ Id: number; User: string }>('SHOW PROCESSLIST');
    for (const { Id } of rows.filter(({ User }) => User === cluster.user)) {
      await server.query(`KILL CONNECTION ${Id}`);
    }
  }

  const read = () => pool.query('SELECT COUNT(*) AS n FROM item').then(([rows]) => rows);

  it('uses a replica again when it is back', async () => {
    pool = openPool();
    const [first] = cluster.replicas;
    await read();
    await read();
    await first?.kill();
    await read();
    await read();
    await first?.restart();
    await cluster.waitUntilReplicated();
    const tag = `back-${flavor}`;
    await expect
      .poll(
        async () => {
          await pool.query(`/* ${tag} */ SELECT COUNT(*) AS n FROM item`);
          return (await cluster.whoRan(tag)).map(({ server }) => server);
        },
        { timeout: 10_000 },
      )
      .toContain(first?.name);
  });

  it('reads on, and says so, when a replica never answered; start-up does not wait for it', async () => {
    const events: unknown[] = [];
    const note = (event: unknown) => events.push(event);
    subscribe(channels.host, note);
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const core = createReplicatedPool({
      primary: cluster.connectionOptions(cluster.primary),
      // Nothing listens on port 1.
      replicas: [{ host: '127.0.0.1', port: 1, name: 'nobody' }],
    });
    pool = core.promise();
    expect(await read()).toEqual([{ n: 3 }]);
    expect(core.stats().hosts[1]).toMatchObject({
      name: 'nobody',
      isUp: false,
      failures: 1,
      lastFailure: 'ECONNREFUSED',
    });
    expect(events).toEqual([
      {
        host: 'nobody',
        role: 'replica',
        isUp: false,
        state: 'down',
        failure: 'ECONNREFUSED',
      },
    ]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings.map(({ name, message }) => `${name}: ${message}`)).toEqual([
      expect.stringContaining('RwSplitWarning: rwsplit: replica nobody is out of service'),
    ]);
    unsubscribe(channels.host, note);
    process.off('warning', onWarning);
  });

  it('gives up on a replica that hangs at login after acquireTimeout, and reads elsewhere', async () => {
    const [first, second] = cluster.replicas;
    await Promise.all([first?.hang(), second?.hang()]);
    pool = openPool({ acquireTimeout: 500 });
    expect(await read()).toEqual([{ n: 3 }]);
    await Promise.all([first?.resume(), second?.resume()]);
  });

  describe('that hang', () => {
    const options = { probeInterval: 200, probeTimeout: 300, acquireTimeout: 1_000 };
    let watch: HostWatch;

    beforeEach(() => {
      watch = new HostWatch();
    });
    afterEach(() => watch[Symbol.dispose]());

    it('are left by the reads that run there', async () => {
      pool = openPool(options);
      await Promise.all([read(), read(), read(), read()]);
      for (const replica of cluster.replicas) {
        await replica.hang();
      }
      expect(await Promise.all([read(), read()])).toEqual([[{ n: 3 }], [{ n: 3 }]]);
    });

    // What is sent to a server that hangs waits in its socket, and shows in its log when it goes on.
    it.each([
      ['a replica', 1, 'SELECT COUNT(*) AS n FROM item'],
      ['the primary', 0, 'UPDATE item SET id = id WHERE id = 0'],
    ])('get nothing once %s is known to be down, until it is back', async (_, index, sql) => {
      pool = openPool({ ...options, consistency: 'eventual' });
      const server = cluster.all[index] ?? cluster.primary;
      const tag = `phase_${flavor}_${index}`;
      const phase = () => `${tag}_${watch.statesOf(server).at(-1) ?? 'at_first'}`;
      let [isRunning, done] = [true, 0];
      const client = async () => {
        while (isRunning) {
          await pool.query(`/* ${phase()} */ ${sql}`).catch((error) => {
            expect(codeOf(error)).toMatch(
              /^RWSPLIT_(PRIMARY_DOWN|UNKNOWN_OUTCOME|ACQUIRE_TIMEOUT)$/,
            );
          });
          done += 1;
          await sleep(2);
        }
      };
      const clients = Promise.all(Array.from({ length: 4 }, client));
      await until(() => done > 20);
      await server.hang();
      await watch.until(server, 'down');
      const before = done;
      await until(() => done > before + 20);
      server.resume();
      await watch.until(server, 'up');
      const sent = (state: string) => server.statements({ containing: `${tag}_${state}` });
      await expect.poll(() => sent('up'), { timeout: 10_000 }).not.toEqual([]);
      isRunning = false;
      await clients;
      expect(await sent('at_first')).not.toEqual([]);
      expect(await sent('down')).toEqual([]);
    });
  });

  it('fails a stream whose replica is lost after its first row', async () => {
    pool = openPool();
    await read();
    const connection = await pool.getConnection();
    const rows = 'FROM item a, item b, item c, item d';
    const command = connection.connection.query(
      `SELECT REPEAT('x', 1000000) AS x ${rows}`,
    ) as unknown as { stream(options: object): AsyncIterable<unknown> };
    let count = 0;
    const lose = async () => {
      for await (const _row of command.stream({ highWaterMark: 1 })) {
        count += 1;
        if (count === 1) {
          await Promise.all(cluster.replicas.map(killConnections));
        }
      }
    };
    await expect(lose()).rejects.toThrow();
    expect(count).toBeGreaterThan(0);
    connection.release();
    expect(await read()).toEqual([{ n: 3 }]);
  });

  it('runs a stream again elsewhere if its replica died before the first row', async () => {
    pool = openPool();
    await read();
    await read();
    await Promise.all(cluster.replicas.map((server) => server.kill()));
    const connection = await pool.getConnection();
    const command = connection.connection.query('SELECT id FROM item ORDER BY id') as unknown as {
      stream(): AsyncIterable<unknown>;
    };
    const rows: unknown[] = [];
    for await (const row of command.stream()) {
      rows.push(row);
    }
    connection.release();
    expect(rows).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
  });

  it('reads on replicas while the primary is down, and fails a write with its error', async () => {
    pool = openPool();
    await read();
    await pool.query('UPDATE item SET id = id');
    await cluster.primary.kill();
    expect(await read()).toEqual([{ n: 3 }]);
    await expect(pool.query('INSERT INTO item VALUES (9)')).rejects.toThrow(
      /ECONNREFUSED|Connection lost/,
    );
    expect(await read()).toEqual([{ n: 3 }]);
    await cluster.primary.restart();
    await expect.poll(() => pool.query('UPDATE item SET id = id')).toBeDefined();
  });

  it('refuses what follows a transaction whose connection broke, until it is rolled back', async () => {
    pool = openPool();
    const connection = await pool.getConnection();
    await connection.beginTransaction();
    await connection.query('INSERT INTO item VALUES (10)');
    await cluster.primary.query(`KILL ${connection.threadId}`);
    await expect(connection.query('INSERT INTO item VALUES (11)')).rejects.toThrow();
    await expect(connection.query('INSERT INTO item VALUES (12)')).rejects.toMatchObject({
      code: 'RWSPLIT_SESSION_LOST',
    });
    await expect(connection.query('SELECT id FROM item')).rejects.toMatchObject({
      code: 'RWSPLIT_SESSION_LOST',
    });
    await expect(connection.commit()).rejects.toMatchObject({ code: 'RWSPLIT_SESSION_LOST' });
    await connection.rollback();
    const [rows] = await connection.query('SELECT COUNT(*) AS n FROM item');
    expect(rows).toEqual([{ n: 3 }]);
    connection.release();
  });

  it('says on which hosts a statement was tried', async () => {
    const events: StatementEvent[] = [];
    const note = (event: unknown) => events.push(event as StatementEvent);
    pool = openPool();
    await read();
    await read();
    await Promise.all(cluster.replicas.map((server) => server.kill()));
    subscribe(channels.statement, note);
    await read();
    unsubscribe(channels.statement, note);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      role: 'primary',
      reason: 'replicas-unavailable',
      error: null,
      sql: 'SELECT COUNT(*) AS n FROM item',
    });
  });
});
