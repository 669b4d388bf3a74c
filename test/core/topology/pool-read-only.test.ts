import type { ReplicatedPool, TopologyEvent } from '@rwsplit/core';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import type { Server } from '../../support/servers/server.ts';
import { startCluster } from '../../support/servers/start-cluster.ts';
import {
  eventsOf,
  host,
  hostsOf,
  makePoolBed,
  on,
  tally,
  tell,
  warningsOf,
} from '../hosts/pool-bed.ts';

describe.each(flavors)('topology readOnly on %s', async (flavor) => {
  const cluster = await startCluster({ flavor });
  afterAll(() => cluster.stop());
  const bed = makePoolBed(cluster, {
    name: cluster.database,
    connectionOptions: (server) => cluster.connectionOptions(server),
  });
  const [one, two, three] = cluster.all;
  if (two === undefined || three === undefined) throw new Error('three servers');
  const events = eventsOf<TopologyEvent>('topology');
  const twoPrimaries = warningsOf('RWSPLIT_TWO_PRIMARIES');

  const refuseWrites = (server: Server) =>
    server.query(
      flavor === 'mysql' ? 'SET GLOBAL super_read_only = ON' : 'SET GLOBAL read_only = ON',
    );
  const takeWrites = (server: Server) => server.query('SET GLOBAL read_only = OFF');
  // Only who may write is switched; the data still comes from the first one, which the tests write on.
  beforeEach(async () => {
    await takeWrites(one);
    await refuseWrites(two);
    await refuseWrites(three);
  });

  const named = (server: Server) => ({ ...bed.address(server), name: server.name });
  const open = (change: Parameters<typeof bed.open>[0] = {}) =>
    bed.open({
      primary: named(one),
      replicas: [two, three].map(named),
      topology: 'readOnly',
      probeInterval: 20,
      primaryWait: 10_000,
      ...change,
    });
  const write = 'UPDATE item SET id = id WHERE id = 0';
  const roles = (pool: ReplicatedPool) =>
    Object.fromEntries(pool.stats().hosts.map(({ name, role }) => [name, role]));

  it('finds the primary wherever it is configured', async () => {
    const pool = open({ primary: named(two), replicas: [one, three].map(named) });
    expect(await tell(on(pool), write)).toMatchObject({ host: one.name, error: null });
    expect(roles(pool)).toEqual({
      [one.name]: 'primary',
      [two.name]: 'replica',
      [three.name]: 'replica',
    });
    expect(tally(await hostsOf(on(pool), 4))).toEqual({ [two.name]: 2, [three.name]: 2 });
    expect(events).toEqual([
      { primary: one.name, previous: two.name, rivals: [], hasLostWrites: false },
    ]);
  });

  it('follows a switch of roles: writes on the new one, reads on the old one', async () => {
    const pool = open();
    expect(await tell(on(pool), write)).toMatchObject({ host: one.name });
    await refuseWrites(one);
    await takeWrites(two);
    expect(await tell(on(pool), write)).toMatchObject({ host: two.name, error: null });
    expect(host(pool, two.name)).toMatchObject({ role: 'primary', state: 'up' });
    await expect
      .poll(async () => Object.keys(tally(await hostsOf(on(pool), 6))).sort())
      .toEqual([one.name, three.name].sort());
    expect(events.at(-1)).toMatchObject({ primary: two.name });
    await refuseWrites(two);
    await takeWrites(one);
    expect(await tell(on(pool), write)).toMatchObject({ host: one.name, error: null });
  });

  it('runs a write that the old primary refused once on the new one, and says so', async () => {
    const pool = open({ probeInterval: 60_000 });
    const run = on(pool);
    const note = (text: string) => `INSERT INTO note (text) VALUES ('${text}')`;
    await run(note('before'));
    // The first rounds are over then, and the next one is far away.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await refuseWrites(one);
    await takeWrites(two);
    const told = await tell(run, note(`after-${flavor}`));
    expect(told).toMatchObject({ host: two.name, error: null });
    expect(told.event?.tried).toEqual([one.name]);
    const count = `SELECT COUNT(*) AS n FROM ${bed.database}.note WHERE text = 'after-${flavor}'`;
    const counts = await Promise.all([one, two].map((server) => server.query(count)));
    expect(counts.flat().map(({ n }) => Number(n))).toEqual([0, 1]);
    await two.query(`DELETE FROM ${bed.database}.note WHERE text = 'after-${flavor}'`);
  });

  it('gives a transaction the refusal, and begins the next one on the new primary', async () => {
    const pool = open();
    const connection = await pool.promise().getConnection();
    await connection.beginTransaction();
    await connection.query('SELECT COUNT(*) FROM note');
    await refuseWrites(one);
    await takeWrites(two);
    const run = async (sql: string) => (await connection.query(sql))[0];
    const { error } = await tell(run, write);
    expect(error).toMatchObject({ code: 'ER_OPTION_PREVENTS_STATEMENT' });
    const attempt = async () => {
      await connection.rollback();
      await connection.beginTransaction();
      return await tell(run, write);
    };
    // On the same connection of the application, which need not know of any move.
    await expect
      .poll(attempt, { timeout: 10_000 })
      .toMatchObject({ host: two.name, reason: 'transaction', error: null });
    await connection.rollback();
    connection.release();
  });

  it('with two writable hosts refuses writes loudly, and goes on reading', async () => {
    const pool = open({ primaryWait: 300 });
    await tell(on(pool), write);
    await takeWrites(two);
    await expect
      .poll(async () => (await tell(on(pool), write)).error, { timeout: 10_000 })
      .toMatchObject({
        code: 'RWSPLIT_TWO_PRIMARIES',
        isRetryable: true,
        message: expect.stringContaining(`${one.name}, ${two.name}`),
      });
    expect(await tell(on(pool))).toMatchObject({ reason: 'read', error: null });
    await expect
      .poll(() => events.at(-1))
      .toEqual({
        primary: null,
        previous: one.name,
        rivals: [one.name, two.name],
        hasLostWrites: false,
      });
    await expect.poll(() => twoPrimaries).toHaveLength(1);
    await refuseWrites(two);
    await expect
      .poll(async () => (await tell(on(pool), write)).host, { timeout: 10_000 })
      .toBe(one.name);
    expect(events.at(-1)).toMatchObject({ primary: one.name, rivals: [] });
  });

  it('without a writable host lets writes wait for primaryWait, and reads go on', async () => {
    await refuseWrites(one);
    const pool = open({ primaryWait: 200 });
    expect(await tell(on(pool))).toMatchObject({ error: null });
    const { error } = await tell(on(pool), write);
    expect(error).toMatchObject({
      code: 'RWSPLIT_PRIMARY_DOWN',
      isRetryable: true,
      message: expect.stringContaining('no host takes writes'),
    });
    const patient = open({ primaryWait: 20_000 });
    const waiting = [1, 2, 3].map(() => tell(on(patient), write));
    expect(await tell(on(patient))).toMatchObject({ error: null });
    await takeWrites(two);
    for (const told of await Promise.all(waiting)) {
      expect(told).toMatchObject({ host: two.name, error: null });
    }
  });

  it('primaryWait: 0 waits not at all', async () => {
    await refuseWrites(one);
    const pool = open({ primaryWait: 0 });
    await tell(on(pool));
    await expect
      .poll(async () => (await tell(on(pool), write)).error)
      .toMatchObject({ code: 'RWSPLIT_PRIMARY_DOWN' });
  });

  it('lets those who wait for a primary go when the pool is closed', async () => {
    await refuseWrites(one);
    const pool = open({ primaryWait: 60_000 });
    await tell(on(pool));
    const waiting = tell(on(pool), write);
    await expect.poll(() => pool.stats().hosts.length).toBe(3);
    await pool.promise().end();
    expect((await waiting).error).toMatchObject({ code: expect.stringMatching(/^RWSPLIT_/) });
  }, 10_000);

  it('keeps all options for hosts that change places', async () => {
    const made: string[] = [];
    const pool = open({
      primary: { ...named(one), connectionLimit: 3 },
      onCreateConnection: async (_connection, { name, role }) => {
        made.push(`${role} ${name}`);
      },
      onNoReplica: 'error',
    });
    await tell(on(pool), write);
    await refuseWrites(one);
    await takeWrites(two);
    expect(await tell(on(pool), write)).toMatchObject({ host: two.name, error: null });
    expect(made).toContain(`primary ${two.name}`);
    expect(await tell(on(pool))).toMatchObject({ reason: 'read', error: null });
  });
});
