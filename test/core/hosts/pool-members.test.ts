import type { HostConfig, HostEvent } from '@rwsplit/core';
import mysql from 'mysql2';
import { describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import {
  eventsOf,
  host,
  hostsOf,
  makePoolBed,
  newTag,
  on,
  outstanding,
  rowsOfSlowRead,
  slowRead,
  tally,
  tell,
} from './pool-bed.ts';

const cluster = sharedCluster('mysql');
const bed = makePoolBed(cluster, await freshDatabase(cluster));
const [replica] = cluster.replicas;
if (replica === undefined) throw new Error('a replica');
const events = eventsOf<HostEvent>('host');

/** Connections of application users to the database of this file. */
async function connections(): Promise<number[]> {
  const rows = await replica?.query<{ ID: number }>(
    'SELECT ID FROM information_schema.PROCESSLIST WHERE DB = ? ORDER BY ID',
    [bed.database],
  );
  return (rows ?? []).map(({ ID }) => ID);
}

describe('addReplica', () => {
  it('takes part in reads from the next one on, with what it does not say from the primary', async () => {
    const pool = bed.open({ replicas: [], balancing: 'roundRobin' });
    expect(await tell(on(pool))).toMatchObject({ host: 'primary', reason: 'no-replicas' });
    pool.addReplica({ host: replica.host, port: replica.port, name: 'new', zone: 'east' });
    expect(await hostsOf(on(pool), 2)).toEqual(['new', 'new']);
    expect(host(pool, 'new')).toMatchObject({
      role: 'replica',
      state: 'up',
      weight: 1,
      groups: ['default'],
      zone: 'east',
    });
    const { user, password } = bed.address(replica);
    pool.addReplica(`mysql://${user}:${password}@${replica.host}:${replica.port}/${bed.database}`);
    const url = `${replica.host}:${replica.port}`;
    expect(tally(await hostsOf(on(pool), 4))).toEqual({ new: 2, [url]: 2 });
    expect(await tell(on(pool), 'UPDATE item SET id = id')).toMatchObject({ host: 'primary' });
  });

  it('takes a pool, and leaves its end to the one who ends all', async () => {
    const own = mysql.createPool(bed.address(replica));
    const pool = bed.open({ replicas: [] });
    pool.addReplica(own);
    expect(await tell(on(pool))).toMatchObject({ host: `${replica.host}:${replica.port}` });
  });

  it.each<[string, () => HostConfig, string]>([
    [
      'the name of a replica',
      () => ({ ...bed.address(replica), name: 'a' }),
      "replica.name: expected a name of its own, found 'a' again",
    ],
    [
      'the name of the primary',
      () => ({ ...bed.address(replica), name: 'primary' }),
      "found 'primary' again",
    ],
    ['no host', () => null as unknown as HostConfig, 'replica: expected mysql2 pool options'],
    ['a text that is no URL', () => 'secret-1', 'found a string that is no such URL'],
    [
      'a typo',
      () => ({ hots: 'db' }) as HostConfig,
      "replica.hots: unknown option; did you mean 'host'?",
    ],
    [
      'a wrong weight',
      () => ({ host: 'db', weight: -1 }),
      'replica.weight: expected a number that is not negative, found -1',
    ],
    [
      'wrong groups',
      () => ({ host: 'db', groups: [''] }),
      'replica.groups: expected an array of names of groups',
    ],
  ])('refuses %s, and changes nothing', async (_what, config, expected) => {
    const pool = bed.open();
    expect(() => pool.addReplica(config())).toThrow(
      expect.objectContaining({
        code: 'RWSPLIT_OPTIONS',
        message: expect.stringContaining(expected),
      }),
    );
    expect(() => pool.addReplica(config())).not.toThrow(/secret-1/);
    expect(pool.stats().hosts.map(({ name }) => name)).toEqual(['primary', 'a', 'b']);
  });

  it('refuses the address of a host that has its address as its name', () => {
    const pool = bed.open({ replicas: [bed.address(replica)] });
    expect(() => pool.addReplica(bed.address(replica))).toThrow(/a name of its own/);
  });

  it('refuses a pool that another host has', () => {
    const own = mysql.createPool(bed.address(cluster.primary));
    const pool = bed.open({ primary: own, replicas: [] });
    expect(() => pool.addReplica(own.promise())).toThrow(/of its own/);
  });

  it('after the end is refused', async () => {
    const pool = bed.open();
    const ended = pool.promise().end();
    expect(() => pool.addReplica({ host: 'db' })).toThrow(
      expect.objectContaining({ code: 'RWSPLIT_POOL_CLOSED' }),
    );
    await ended;
  });

  it('reads the catalogue from then on, which says what views hide', async () => {
    const { primary } = cluster;
    await primary.query(`CREATE FUNCTION ${bed.database}.hidden() RETURNS INT NO SQL RETURN 1`);
    await primary.query(
      `CREATE VIEW ${bed.database}.hides AS SELECT ${bed.database}.hidden() AS one`,
    );
    await cluster.waitUntilReplicated();
    const pool = bed.open({ replicas: [], catalogueRefresh: 300_000 });
    await tell(on(pool));
    pool.addReplica(bed.replicas('new')[0] ?? '');
    await expect.poll(async () => (await tell(on(pool))).host).toBe('new');
    expect(await tell(on(pool), 'SELECT one FROM hides')).toMatchObject({
      host: 'primary',
      reason: 'catalogue',
    });
  });

  it('has its events forwarded as those of the others', async () => {
    const pool = bed.open({ replicas: [] });
    let made = 0;
    pool.on('connection', () => {
      made += 1;
    });
    await tell(on(pool));
    expect(made).toBe(1);
    pool.addReplica(bed.replicas('new')[0] ?? '');
    await tell(on(pool));
    expect(made).toBe(2);
  });
});

describe('removeReplica', () => {
  it.each([
    ['', true],
    [', after a while', 5_000],
    [', at once', false],
  ] as const)('under load fails no read%s', async (_when, drain) => {
    const pool = bed.open({ replicas: bed.replicas('a', 'b', 'c'), balancing: 'roundRobin' });
    let isRunning = true;
    const failures: unknown[] = [];
    const hosts: (string | null)[] = [];
    const reader = async () => {
      while (isRunning && failures.length === 0) {
        const told = await tell(on(pool), 'SELECT COUNT(*) AS n FROM item');
        if (told.error !== null) failures.push(told.error);
        hosts.push(told.host);
      }
    };
    const readers = Array.from({ length: 6 }, reader);
    const reads = (count: number) =>
      expect.poll(() => hosts.length, { timeout: 10_000 }).toBeGreaterThan(count);
    let after = 0;
    try {
      await reads(50);
      // What had to be broken off is reported to the one who wanted it so.
      await pool.removeReplica('a', { drain }).catch((error: unknown) => {
        expect(drain).toBe(false);
        expect(error).toMatchObject({ code: 'RWSPLIT_CLOSE_TIMEOUT' });
      });
      after = hosts.length;
      await reads(after + 50);
    } finally {
      isRunning = false;
      await Promise.all(readers);
    }
    expect(failures).toEqual([]);
    // Those that were on their way when it was removed may have ended after it was gone.
    expect(hosts.slice(after + 6)).not.toContain('a');
    expect(pool.stats().hosts.map(({ name }) => name)).toEqual(['primary', 'b', 'c']);
  });

  it('waits for a running stream, which gets all its rows; its connections are gone then', async () => {
    const pool = bed.open({ replicas: bed.replicas('a') });
    const slow = await slowRead(pool);
    expect(slow.host).toBe('a');
    const [id] = await connections();
    let isRemoved = false;
    const removed = pool.removeReplica('a').then(() => {
      isRemoved = true;
    });
    expect(await tell(on(pool))).toMatchObject({ host: 'primary', reason: 'no-replicas' });
    expect(isRemoved).toBe(false);
    expect(await connections()).toContain(id);
    expect(await slow.finish()).toBe(rowsOfSlowRead);
    await removed;
    await expect.poll(connections).toEqual([]);
  });

  it.each([
    ['at once', false, 0],
    ['in time', 100, 100],
  ] as const)(
    'breaks off a stream that is not done %s, and says so',
    async (_when, drain, time) => {
      const pool = bed.open({ replicas: bed.replicas('a') });
      const slow = await slowRead(pool);
      const finished = slow.finish().then(
        () => null,
        (error: unknown) => error,
      );
      const held = await slowRead(pool);
      const removed = pool.removeReplica('a', { drain });
      await expect(removed).rejects.toMatchObject({
        code: 'RWSPLIT_CLOSE_TIMEOUT',
        message: expect.stringMatching(
          new RegExp(`to replica a that were not done within ${time} ms`),
        ),
      });
      await expect(held.finish()).rejects.toMatchObject({ code: expect.any(String) });
      await finished;
      await expect.poll(connections).toEqual([]);
      expect(await tell(on(pool))).toMatchObject({ host: 'primary', error: null });
    },
  );

  it('does not wait for a session that only has read there, which goes on elsewhere', async () => {
    const pool = bed.open({ closeTimeout: 60_000 });
    const connection = await pool.promise().getConnection();
    const run = async (sql: string) => (await connection.query(sql))[0];
    const { host: name } = await tell(run);
    const other = name === 'a' ? 'b' : 'a';
    await pool.removeReplica(name ?? '');
    expect(await tell(run)).toMatchObject({ host: other, error: null });
    expect(await tell(run, 'UPDATE item SET id = id')).toMatchObject({ host: 'primary' });
    connection.release();
    expect(outstanding(pool)).toEqual({ primary: 0, [other]: 0 });
  }, 10_000);

  it('refuses a question about a statement that ran there, and not later ones', async () => {
    const pool = bed.open({ replicas: bed.replicas('a'), closeTimeout: 60_000 });
    const connection = await pool.promise().getConnection();
    const run = async (sql: string) => (await connection.query(sql))[0];
    expect(await tell(run, 'SELECT id FROM item LIMIT 5')).toMatchObject({ host: 'a' });
    await pool.removeReplica('a');
    const { error, rows } = await tell(run, 'SELECT FOUND_ROWS() AS n');
    // Never the number of another statement.
    expect(error === null ? rows : { code: 'RWSPLIT_FOLLOW_UP_LOST' }).toMatchObject(
      error === null ? [{ n: 5 }] : { code: 'RWSPLIT_FOLLOW_UP_LOST' },
    );
    expect(await tell(run)).toMatchObject({ host: 'primary', error: null });
    connection.release();
  }, 10_000);

  it('tells of it: draining, and then no more', async () => {
    const pool = bed.open();
    const slow = await slowRead(pool);
    const removed = pool.removeReplica(slow.host);
    expect(events).toEqual([
      { host: slow.host, role: 'replica', isUp: false, state: 'draining', failure: null },
    ]);
    await slow.finish();
    await removed;
    expect(events).toHaveLength(1);
  });

  it.each([
    ['c', "removeReplica(name): expected the name of a replica ('a', 'b'), found 'c'"],
    ['primary', "expected the name of a replica ('a', 'b'), found 'primary'"],
  ])('refuses %s', async (name, expected) => {
    const pool = bed.open();
    await expect(pool.removeReplica(name)).rejects.toMatchObject({
      code: 'RWSPLIT_OPTIONS',
      message: expect.stringContaining(expected),
    });
  });

  it('refuses the same one twice, and lets one of that name join again', async () => {
    const pool = bed.open();
    const removed = pool.removeReplica('a');
    await expect(pool.removeReplica('a')).rejects.toMatchObject({ code: 'RWSPLIT_OPTIONS' });
    await removed;
    pool.addReplica(bed.replicas('a')[0] ?? '');
    expect(tally(await hostsOf(on(pool), 4))).toEqual({ a: 2, b: 2 });
  });

  it.each([
    ['soon', "'soon'"],
    [-1, '-1'],
    [Number.NaN, 'NaN'],
    [null, 'null'],
  ])(
    'refuses to drain for %o',
    async (drain, found) => {
      const pool = bed.open();
      const slow = await slowRead(pool);
      const removed = pool.removeReplica(slow.host, { drain } as unknown as { drain: number });
      await expect(removed).rejects.toMatchObject({
        code: 'RWSPLIT_OPTIONS',
        message: expect.stringContaining(`found ${found}`),
      });
      await slow.finish();
      expect(pool.stats().hosts).toHaveLength(3);
    },
    10_000,
  );

  it('after the end is refused', async () => {
    const pool = bed.open();
    await tell(on(pool));
    await pool.promise().end();
    await expect(pool.removeReplica('a')).rejects.toMatchObject({ code: 'RWSPLIT_POOL_CLOSED' });
  });

  it('is waited for by the end', async () => {
    const pool = bed.open({ replicas: bed.replicas('a') });
    const slow = await slowRead(pool);
    const removed = pool.removeReplica('a');
    const ended = pool.promise().end();
    expect(await slow.finish()).toBe(rowsOfSlowRead);
    await Promise.all([removed, ended]);
    await expect.poll(connections).toEqual([]);
  });

  it('of the last one leaves the primary, with none to find unavailable', async () => {
    const pool = bed.open({ onNoReplica: 'error' });
    await pool.removeReplica('a');
    await pool.removeReplica('b');
    expect(await tell(on(pool))).toMatchObject({ host: 'primary', reason: 'no-replicas' });
    const tag = newTag();
    await tell(on(pool), `SELECT 1 /* ${tag} */`);
    expect((await cluster.whoRan(tag)).map(({ server }) => server)).toEqual(['primary']);
  });
});
