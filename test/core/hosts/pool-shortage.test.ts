import { type ReplicatedPool, withSession } from '@rwsplit/core';
import { createConnection } from 'mysql2/promise';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import type { TcpProxy } from '../../support/tcp-proxy.ts';
import {
  host,
  hostsOf,
  makePoolBed,
  newTag,
  on,
  outstanding,
  rowsOfSlowRead,
  type SlowRead,
  slowRead,
  tally,
  tell,
} from './pool-bed.ts';

const cluster = sharedCluster('mysql');
const bed = makePoolBed(cluster, await freshDatabase(cluster));

const counting = 'SELECT COUNT(*) AS n FROM item';

/** How many reads of this file wait for a lock on the primary. */
async function blocked(): Promise<number> {
  const [row] = await cluster.primary.query<{ n: number }>(
    'SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE DB = ? AND INFO LIKE ?',
    [bed.database, `${counting}%`],
  );
  return Number(row?.n);
}

/** Nobody comes through any more. */
function fell(proxy: TcpProxy): void {
  proxy.refuse();
  proxy.cut();
}

type Change = Parameters<typeof bed.open>[0];

/** A pool that has reached its hosts, and then lost both replicas. */
async function withoutReplicas(change: Change = {}) {
  const [a, b] = [await bed.behindProxy('a'), await bed.behindProxy('b')];
  const pool = bed.open({ replicas: [a.host, b.host], ...change });
  expect(tally(await hostsOf(on(pool), 4))).toEqual({ a: 2, b: 2 });
  fell(a.proxy);
  fell(b.proxy);
  await expect.poll(() => states(pool)).toMatchObject({ a: 'down', b: 'down' });
  return { pool, proxies: [a.proxy, b.proxy] };
}

function states(pool: ReplicatedPool): Record<string, string> {
  return Object.fromEntries(pool.stats().hosts.map(({ name, state }) => [name, state]));
}

describe('with all replicas down', () => {
  it('reads run on the primary, with their reason, and writes go on', async () => {
    const { pool } = await withoutReplicas();
    expect(await tell(on(pool))).toMatchObject({
      host: 'primary',
      reason: 'replicas-unavailable',
      error: null,
    });
    expect(await tell(on(pool), 'UPDATE item SET id = id')).toMatchObject({ error: null });
    expect(host(pool, 'a')).toMatchObject({ isUp: false, lastFailure: 'ECONNREFUSED' });
  });

  it('onNoReplica: error refuses them, and nothing of them is sent; writes and the rest go on', async () => {
    const { pool } = await withoutReplicas({ onNoReplica: 'error' });
    const tag = newTag();
    const { error, event } = await tell(on(pool), `SELECT 1 /* ${tag} */`);
    expect(error).toMatchObject({
      code: 'RWSPLIT_NO_REPLICA',
      isRetryable: true,
      message: 'Every replica is out of service, and `onNoReplica` keeps the read from the primary',
    });
    expect(event).toMatchObject({ host: null, role: null, error: 'RWSPLIT_NO_REPLICA' });
    expect(await cluster.whoRan(tag)).toEqual([]);
    for (const sql of ['UPDATE item SET id = id', 'SELECT id FROM item WHERE id = 1 FOR UPDATE']) {
      expect(await tell(on(pool), sql)).toMatchObject({ host: 'primary', error: null });
    }
    expect(await tell(on(pool, { forcePrimary: true }))).toMatchObject({ host: 'primary' });
  });

  it('onNoReplica: error refuses the read whose replicas all die under it', async () => {
    const [a, b] = [await bed.behindProxy('a'), await bed.behindProxy('b')];
    const pool = bed.open({ replicas: [a.host, b.host], onNoReplica: 'error' });
    await hostsOf(on(pool), 4);
    fell(a.proxy);
    fell(b.proxy);
    expect((await tell(on(pool))).error).toMatchObject({ code: 'RWSPLIT_NO_REPLICA' });
  });

  it('onNoReplica: error does not refuse where there are none by configuration', async () => {
    const pool = bed.open({ replicas: [], onNoReplica: 'error' });
    expect(await tell(on(pool))).toMatchObject({ host: 'primary', reason: 'no-replicas' });
  });

  it('reads are on replicas again when one is back', async () => {
    const { pool, proxies } = await withoutReplicas({ onNoReplica: 'error' });
    await proxies[0]?.accept();
    await expect
      .poll(async () => (await tell(on(pool))).host, { timeout: 10_000, interval: 20 })
      .toBe('a');
  });
});

describe('primaryReadShare', () => {
  const limit = 4;

  /** As many reads as can be had at once, while others wait. */
  async function taken(pool: ReplicatedPool, reads: number): Promise<SlowRead[]> {
    const slow: SlowRead[] = [];
    for (let read = 0; read < reads; read++) slow.push(await slowRead(pool));
    return slow;
  }

  async function shared(primaryReadShare: number, change: Change = {}) {
    const primary = {
      ...bed.address(cluster.primary),
      name: 'primary',
      connectionLimit: limit,
    };
    return await withoutReplicas({ primary, primaryReadShare, ...change });
  }

  it.each([
    [0.5, 2],
    [0.25, 1],
    [0.1, 1],
    [0, 1],
    [0.99, 3],
    [1, 4],
  ])('of %d leaves %d of 4 connections to reads, and the rest to writes', async (share, most) => {
    const { pool } = await shared(share);
    const slow = await taken(pool, most);
    expect(outstanding(pool)).toMatchObject({ primary: most });
    const waiting = Array.from({ length: 6 }, () => tell(on(pool)));
    if (most < limit) {
      // Writes, and reads that are the primary's by themselves, do not wait behind them.
      for (const sql of ['UPDATE item SET id = id', 'SELECT id FROM item LIMIT 1 FOR UPDATE']) {
        expect(await tell(on(pool), sql)).toMatchObject({ host: 'primary', error: null });
      }
      expect(await tell(on(pool, { forcePrimary: true }))).toMatchObject({ error: null });
      expect(outstanding(pool)).toMatchObject({ primary: most });
    }
    expect(await Promise.all(slow.map((read) => read.finish()))).toEqual(
      slow.map(() => rowsOfSlowRead),
    );
    for (const told of await Promise.all(waiting)) {
      expect(told).toMatchObject({ host: 'primary', reason: 'replicas-unavailable', error: null });
    }
    expect(outstanding(pool)).toMatchObject({ primary: 0 });
  });

  it('is never exceeded by many reads at once', async () => {
    const { pool } = await shared(0.5);
    let most = 0;
    const look = setInterval(() => {
      most = Math.max(most, outstanding(pool)['primary'] ?? 0);
    }, 0);
    const reads = Array.from({ length: 60 }, () =>
      tell(on(pool), 'SELECT COUNT(*) AS n FROM item one, item two'),
    );
    const told = await Promise.all(reads);
    clearInterval(look);
    expect(tally(told.map(({ host: name, error }) => `${name} ${error}`))).toEqual({
      'primary null': 60,
    });
    expect(most).toBe(2);
  });

  it('counts reads that go on where the one before them ran', async () => {
    const { pool } = await shared(0.5);
    // From the first write on, statements are followed from one to the next.
    await tell(on(pool), 'UPDATE item SET id = id WHERE id = 0');
    let most = 0;
    const look = setInterval(() => {
      most = Math.max(most, outstanding(pool)['primary'] ?? 0);
    }, 0);
    const client = async () => {
      for (let read = 0; read < 8; read++) {
        await pool.promise().query('SELECT COUNT(*) AS n FROM item one, item two');
      }
    };
    await Promise.all(Array.from({ length: 4 }, client));
    const session = () =>
      withSession(async () => {
        await client();
      });
    await Promise.all(Array.from({ length: 4 }, session));
    clearInterval(look);
    expect(most).toBe(2);
  });

  it('gives up the wait for it after acquireTimeout, and the read that waits next gets its turn', async () => {
    const { pool } = await shared(0.25, { acquireTimeout: 1_000 });
    const [slow] = await taken(pool, 1);
    const { error, event } = await tell(on(pool));
    expect(error).toMatchObject({
      code: 'RWSPLIT_NO_REPLICA',
      isRetryable: true,
      message: expect.stringContaining('`primaryReadShare`'),
    });
    expect(event).toMatchObject({ host: null, reason: 'replicas-unavailable' });
    const next = tell(on(pool));
    await slow?.finish();
    expect(await next).toMatchObject({ host: 'primary', error: null });
  });

  it('is given back by reads that fail', async () => {
    const { pool } = await shared(0.25, { acquireTimeout: 2_000 });
    for (let read = 0; read < 4; read++) {
      expect((await tell(on(pool), 'SELECT id FROM nowhere')).error).toMatchObject({
        code: 'ER_NO_SUCH_TABLE',
      });
    }
    expect(await tell(on(pool))).toMatchObject({ host: 'primary', error: null });
  });

  it('is given back by a connection that is destroyed when the server has its read', async () => {
    const { proxy, host } = await bed.behindProxy('gone');
    proxy.refuse();
    const primary = { ...bed.address(cluster.primary), name: 'primary', connectionLimit: 2 };
    const pool = bed.open({
      primary,
      replicas: [host],
      primaryReadShare: 0.5,
      acquireTimeout: 2_000,
    });
    expect(await tell(on(pool), counting)).toMatchObject({ reason: 'replicas-unavailable' });
    const other = await createConnection(bed.address(cluster.primary));
    onTestFinished(() => other.destroy());
    await other.query('LOCK TABLES item WRITE');
    const connection = await pool.promise().getConnection();
    const read = tell((text) => connection.query(text), counting);
    await expect.poll(blocked).toBe(1);
    connection.destroy();
    expect((await read).error).toMatchObject({ code: 'RWSPLIT_CONNECTION_DESTROYED' });
    await other.end();
    expect(await tell(on(pool), counting)).toMatchObject({ host: 'primary', error: null });
  });

  it('limits no read while a replica is there', async () => {
    const pool = bed.open({
      primaryReadShare: 0,
      replicas: bed.replicas({ name: 'a', connectionLimit: 4 }),
    });
    const slow = await taken(pool, 3);
    expect(outstanding(pool)).toMatchObject({ primary: 0, a: 3 });
    await Promise.all(slow.map((read) => read.finish()));
  });
});

describe('allowPrimaryDown', () => {
  const nobody = { host: '127.0.0.1', port: 1 };
  const down = { ...bed.address(cluster.primary), ...nobody, name: 'primary' };

  it('by default, reads run on replicas from the start without a primary; writes fail fast', async () => {
    const pool = bed.open({ primary: down });
    expect(await tell(on(pool))).toMatchObject({ reason: 'read', error: null });
    const { error, event } = await tell(on(pool), 'UPDATE item SET id = id');
    expect(error).toMatchObject({
      code: 'RWSPLIT_PRIMARY_DOWN',
      isRetryable: true,
      cause: { code: 'ECONNREFUSED' },
    });
    expect(event).toMatchObject({ host: null, error: 'RWSPLIT_PRIMARY_DOWN' });
    expect(tally(await hostsOf(on(pool), 4))).toMatchObject({ a: 2, b: 2 });
  });

  it('false: nothing runs before the primary was reached, and all does after that', async () => {
    const { proxy, host: behind } = await bed.behindProxy('primary', cluster.primary);
    fell(proxy);
    const pool = bed.open({ primary: behind, allowPrimaryDown: false });
    const tag = newTag();
    for (const sql of ['SELECT 1', 'UPDATE item SET id = id']) {
      expect((await tell(on(pool), `${sql} /* ${tag} */`)).error).toMatchObject({
        code: 'RWSPLIT_PRIMARY_DOWN',
        isRetryable: true,
      });
    }
    expect(await cluster.whoRan(tag)).toEqual([]);
    await proxy.accept();
    await expect
      .poll(async () => (await tell(on(pool))).error, { timeout: 10_000, interval: 20 })
      .toBeNull();
    // It is about the start alone: reads go on when it is gone later.
    fell(proxy);
    expect(await tell(on(pool))).toMatchObject({ reason: 'read', error: null });
  });

  it('false: a primary that is there delays nothing but the first statement', async () => {
    const pool = bed.open({ allowPrimaryDown: false });
    expect(tally(await hostsOf(on(pool), 4))).toEqual({ a: 2, b: 2 });
  });
});

describe('allowReplicasDown', () => {
  it('by default, everything runs on the primary from the start without replicas', async () => {
    const pool = bed.open({
      replicas: [{ host: '127.0.0.1', port: 1, name: 'a' }],
    });
    expect(await tell(on(pool))).toMatchObject({ host: 'primary', error: null });
    expect(await tell(on(pool), 'UPDATE item SET id = id')).toMatchObject({ error: null });
  });

  it('false: nothing runs before a replica was reached, and all does after that', async () => {
    const [a, b] = [await bed.behindProxy('a'), await bed.behindProxy('b')];
    fell(a.proxy);
    fell(b.proxy);
    const pool = bed.open({ replicas: [a.host, b.host], allowReplicasDown: false });
    const tag = newTag();
    for (const sql of ['SELECT 1', 'UPDATE item SET id = id']) {
      expect((await tell(on(pool), `${sql} /* ${tag} */`)).error).toMatchObject({
        code: 'RWSPLIT_NO_REPLICA',
        isRetryable: true,
      });
    }
    expect(await cluster.whoRan(tag)).toEqual([]);
    await b.proxy.accept();
    await expect
      .poll(async () => (await tell(on(pool))).error, { timeout: 10_000, interval: 20 })
      .toBeNull();
    fell(b.proxy);
    await expect.poll(async () => (await tell(on(pool))).reason).toBe('replicas-unavailable');
  });

  it('false: of several, one that is there is enough', async () => {
    const pool = bed.open({
      replicas: [{ host: '127.0.0.1', port: 1, name: 'a' }, ...bed.replicas('b')],
      allowReplicasDown: false,
    });
    expect(await tell(on(pool))).toMatchObject({ host: 'b', error: null });
  });

  it('false: needs no replica where none is configured', async () => {
    const pool = bed.open({ replicas: [], allowReplicasDown: false });
    expect(await tell(on(pool))).toMatchObject({ host: 'primary', error: null });
  });
});
