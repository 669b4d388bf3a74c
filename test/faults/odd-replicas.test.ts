import { createReplicatedPool, type ReplicatedPoolOptions } from '@rwsplit/core';
import { createConnection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';
import { createTables, HostWatch, hostOf, hostsOf } from './bed.ts';
import { until } from './load.ts';

type Pool = ReturnType<typeof createReplicatedPool>;
type OwnedServer = OwnedCluster['primary'];

/** Readers at the same time. */
const crowd = 8;

// A replica that is there, and not what it should be.
describe.each(flavors)('odd replicas: %s', (flavor) => {
  let cluster: OwnedCluster;
  /** The odd one, and the other. */
  let odd: OwnedServer;
  let other: OwnedServer;
  const opened: Pool[] = [];
  let tags = 0;

  beforeAll(async () => {
    cluster = await startCluster({ flavor });
    await createTables(cluster);
    const [first, second] = cluster.replicas;
    if (first === undefined || second === undefined) {
      throw new Error('expected two replicas');
    }
    [odd, other] = [first, second];
  });
  afterAll(() => cluster.stop());
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((pool) => pool.promise().end()));
  });

  function open(change: Partial<ReplicatedPoolOptions> = {}): Pool {
    const pool = createReplicatedPool({
      ...hostsOf(cluster),
      probeInterval: 200,
      probeTimeout: 500,
      consistency: 'eventual',
      ...change,
    });
    opened.push(pool);
    return pool;
  }

  /** Both replicas, with other settings for the odd one. */
  function withOdd(settings: object): ReplicatedPoolOptions {
    const { primary } = hostsOf(cluster);
    return {
      primary,
      replicas: [{ ...hostOf(cluster, odd), ...settings }, hostOf(cluster, other)],
    };
  }

  /** Reads with many clients until so many reads are done; each has to find all rows. */
  async function read(pool: Pool, reads: number, sql = 'SELECT COUNT(*) AS n FROM item') {
    tags += 1;
    const tag = `odd_${flavor}_${process.pid}_${tags}`;
    const client = async () => {
      for (let i = 0; i < reads / crowd; i++) {
        expect((await pool.promise().query(`/* ${tag} */ ${sql}`))[0]).toEqual([{ n: 3 }]);
      }
    };
    await Promise.all(Array.from({ length: crowd }, client));
    const ran = await cluster.whoRan(tag);
    return (server: OwnedServer) => ran.filter((one) => one.server === server.name).length;
  }

  function stateOf(pool: Pool, { name }: OwnedServer) {
    return pool.stats().hosts.find((host) => host.name === name);
  }

  /** Changes something on the odd replica alone. */
  async function alone(...statements: readonly string[]): Promise<void> {
    const readOnly = flavor === 'mysql' ? 'super_read_only' : 'read_only';
    await odd.query(`SET GLOBAL ${readOnly} = OFF`);
    await odd.query('SET SESSION sql_log_bin = 0');
    for (const statement of statements) {
      await odd.query(statement);
    }
    await odd.query('SET SESSION sql_log_bin = 1');
    await odd.query(`SET GLOBAL ${readOnly} = ON`);
  }

  it.each([
    ['has another password', { password: 'wrong' }, 'ER_ACCESS_DENIED_ERROR'],
    ['does not know the user', { user: 'nobody_here' }, 'ER_ACCESS_DENIED_ERROR'],
    ['has no such database', { database: 'app_nowhere' }, 'ER_BAD_DB_ERROR'],
  ])('reads elsewhere when a replica %s, and says why', async (_, settings, code) => {
    const pool = open(withOdd(settings));
    const ran = await read(pool, 40);
    expect(ran(odd)).toBe(0);
    // No more than those that came before the catalogue was read.
    expect(ran(cluster.primary)).toBeLessThanOrEqual(crowd);
    expect(stateOf(pool, odd)).toMatchObject({ state: 'down', lastFailure: code });
    expect(stateOf(pool, other)).toMatchObject({ state: 'up' });
  });

  it('reads elsewhere while an account is locked, and comes back', async () => {
    const { user } = cluster;
    const pool = open();
    await alone(`ALTER USER ${user} ACCOUNT LOCK`);
    expect((await read(pool, 40))(odd)).toBe(0);
    expect(stateOf(pool, odd)).toMatchObject({ state: 'down' });
    await alone(`ALTER USER ${user} ACCOUNT UNLOCK`);
    await until(() => stateOf(pool, odd)?.state === 'up');
    expect((await read(pool, 40))(odd)).toBeGreaterThan(0);
  });

  it('never takes a full replica for a dead one', async () => {
    using watch = new HostWatch();
    const pool = open();
    const [row] = await odd.query<{ n: number }>('SELECT @@GLOBAL.max_connections AS n');
    const used = await odd.status('Threads_connected');
    await odd.query(`SET GLOBAL max_connections = ${Math.max(10, used)}`);
    const guests = await fill(cluster.connectionOptions(odd));
    expect((await read(pool, 80))(odd)).toBe(0);
    expect(stateOf(pool, odd)).toMatchObject({ state: 'up', failures: 0 });
    expect(watch.events).toEqual([]);
    await Promise.all(guests.slice(0, 2).map((guest) => guest.end()));
    await expect.poll(async () => (await read(pool, 8))(odd)).toBeGreaterThan(0);
    for (const guest of guests) {
      guest.destroy();
    }
    await odd.query(`SET GLOBAL max_connections = ${row?.n ?? 300}`);
  });

  describe('whose replication is broken', () => {
    beforeAll(async () => {
      await alone('INSERT INTO app.entry (seq, id, part) VALUES (1000000, 0, 0)');
      await cluster.primary.query('INSERT INTO app.entry (seq, id, part) VALUES (1000000, 0, 0)');
      await vi.waitFor(async () => expect(await odd.replication.problem()).not.toBe(''), 10_000);
    });
    afterAll(async () => {
      await alone('DELETE FROM app.entry WHERE seq = 1000000');
      await odd.query('START REPLICA SQL_THREAD');
      await cluster.waitUntilReplicated();
    });

    it('reads from it what need not be new', async () => {
      const pool = open();
      expect((await read(pool, 40))(odd)).toBeGreaterThan(0);
      expect(stateOf(pool, odd)).toMatchObject({ state: 'up' });
    });

    it('does not read from it with maxLag: nobody knows how far behind it is', async () => {
      using watch = new HostWatch();
      const pool = open({ maxLag: 10_000 });
      const ran = await read(pool, 40);
      expect([ran(odd), ran(cluster.primary)]).toEqual([0, 0]);
      expect(stateOf(pool, odd)).toMatchObject({ state: 'up', lag: null });
      expect(watch.events).toEqual([]);
    });

    it('reads what was written just now from the other', async () => {
      const pool = open({ consistency: 'process', causalWait: 10_000 });
      await pool.promise().query('INSERT INTO entry (id, part) VALUES (-1, 1)');
      const ran = await read(pool, 16, 'SELECT 2 + COUNT(*) AS n FROM entry WHERE id = -1');
      expect([ran(odd), ran(cluster.primary)]).toEqual([0, 0]);
      await pool.promise().query('DELETE FROM entry WHERE id = -1');
    });
  });

  it('writes nothing to a replica that takes writes by mistake', async () => {
    const readOnly = flavor === 'mysql' ? 'super_read_only' : 'read_only';
    await cluster.primary.query(
      'CREATE FUNCTION app.sign_in(who INT) RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN INSERT INTO app.entry (id, part) VALUES (who, 1); RETURN who; END',
    );
    await cluster.waitUntilReplicated();
    await odd.query(`SET GLOBAL ${readOnly} = OFF`);
    await odd.query('SET GLOBAL read_only = OFF');
    // A promise that is not kept: the text looks like a plain read.
    const pool = open({
      ...withOdd({}),
      replicas: [hostOf(cluster, odd)],
      pureFunctions: ['sign_in'],
    });
    const ids = Array.from({ length: 20 }, (_, index) => -100 - index);
    await Promise.all(ids.map((id) => pool.promise().query(`SELECT sign_in(${id}) AS n`)));
    await Promise.all(
      ids.map((id) => pool.promise().query('UPDATE entry SET part = 2 WHERE id = ?', [id])),
    );
    expect(await odd.statements({ containing: 'sign_in(' })).not.toEqual([]);
    await cluster.waitUntilReplicated();
    const count = 'SELECT COUNT(*) AS n FROM app.entry WHERE id <= -100 AND part = 2';
    // What the replica had written itself would be there twice, or stop its replication.
    expect(await cluster.primary.query(count)).toEqual([{ n: ids.length }]);
    expect(await odd.query(count)).toEqual([{ n: ids.length }]);
    expect(await odd.replication.problem()).toBe('');
    await odd.query(`SET GLOBAL ${readOnly} = ON`);
  });

  it('asks the primary for what a replica lacks', async () => {
    using watch = new HostWatch();
    await cluster.primary.query('CREATE TABLE app.lacking AS SELECT id FROM app.item');
    await cluster.waitUntilReplicated();
    await alone('DROP TABLE app.lacking');
    const ran = await read(open(), 40, 'SELECT COUNT(*) AS n FROM lacking');
    expect(ran(odd)).toBeGreaterThan(0);
    expect(ran(cluster.primary)).toBe(ran(odd));
    expect(watch.events).toEqual([]);
    await alone('CREATE TABLE app.lacking AS SELECT id FROM app.item');
  });
});

/** Takes all connections that a server has left for users. */
async function fill(options: { host: string; port: number; user: string; password: string }) {
  const guests = [];
  for (;;) {
    try {
      guests.push(await createConnection(options));
    } catch {
      return guests;
    }
  }
}
