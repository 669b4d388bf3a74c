import dns from 'node:dns';
import { once } from 'node:events';
import { connect, createServer, type Socket, type Server as TcpServer } from 'node:net';
import type { ReplicatedPool } from '@rwsplit/core';
import { afterEach, describe, expect, it } from 'vitest';
import type { Server } from '../../support/servers/server.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { host, makePoolBed, on, rowsOfSlowRead, slowRead, tell } from './pool-bed.ts';

const cluster = sharedCluster('mysql');
const bed = makePoolBed(cluster, await freshDatabase(cluster));
const [first, second] = cluster.replicas;
if (first === undefined || second === undefined) throw new Error('two replicas');
const { primary } = cluster;

/** Connections of application users to the database of this file. */
async function connections(server: Server): Promise<number[]> {
  const rows = await server.query<{ ID: number }>(
    'SELECT ID FROM information_schema.PROCESSLIST WHERE DB = ? ORDER BY ID',
    [bed.database],
  );
  return rows.map(({ ID }) => ID);
}

describe('maxLifetime', () => {
  const now = performance.now.bind(performance);
  afterEach(() => {
    performance.now = now;
  });
  /** From now on it is so many milliseconds later. */
  function later(milliseconds: number): void {
    performance.now = () => now() + milliseconds;
  }

  const limit = 16;
  const open = (maxLifetime: number | false) =>
    bed.open({
      primary: { ...bed.address(primary), connectionLimit: limit },
      replicas: [],
      maxLifetime,
      checkIdleAfter: false,
    });

  /** The ids of all connections to the primary, each of which has a transaction at the same time. */
  async function all(pool: ReplicatedPool): Promise<number[]> {
    const leases = await Promise.all(
      Array.from({ length: limit }, async () => {
        const connection = await pool.promise().getConnection();
        await connection.beginTransaction();
        return connection;
      }),
    );
    const ids = leases.map(({ threadId }) => threadId ?? 0);
    for (const connection of leases) {
      await connection.commit();
      connection.release();
    }
    return ids.sort((one, other) => one - other);
  }
  const kept = (before: readonly number[], after: readonly number[]) =>
    after.filter((id) => before.includes(id)).length;

  it('replaces connections in the last tenth of it, not all at the same time', async () => {
    const pool = open(1_000_000);
    const before = await all(pool);
    later(890_000);
    expect(await all(pool)).toEqual(before);
    later(950_000);
    const between = kept(before, await all(pool));
    expect(between).toBeGreaterThan(0);
    expect(between).toBeLessThan(limit);
    later(1_001_000);
    const after = await all(pool);
    expect(kept(before, after)).toBe(0);
    expect(await connections(primary)).toEqual(after);
    // The new ones have a life of their own.
    later(1_850_000);
    expect(kept(after, await all(pool))).toBeGreaterThan(0);
  });

  it('false: lets them become as old as they like', async () => {
    const pool = open(false);
    const before = await all(pool);
    later(10 * 365 * 86_400_000);
    expect(await all(pool)).toEqual(before);
  });

  it('replaces none that is in use, whatever its age', async () => {
    const pool = bed.open({ replicas: bed.replicas('a'), maxLifetime: 1_000_000 });
    const slow = await slowRead(pool);
    const connection = await pool.promise().getConnection();
    await connection.beginTransaction();
    const { threadId } = connection;
    later(2_000_000);
    await connection.query("INSERT INTO note (text) VALUES ('old')");
    const [rows] = await connection.query('SELECT CONNECTION_ID() AS id');
    expect(rows).toEqual([{ id: threadId }]);
    await connection.commit();
    connection.release();
    expect(await slow.finish()).toBe(rowsOfSlowRead);
    await tell(on(pool), 'UPDATE item SET id = id');
    await expect.poll(() => connections(primary)).not.toContain(threadId);
  });
});

describe('minIdle', () => {
  it('keeps so many connections of each host from the first statement on', async () => {
    const pool = bed.open({
      replicas: [first, second].map((server) => ({ ...bed.address(server), name: server.name })),
      minIdle: 3,
    });
    expect(await Promise.all(cluster.all.map(connections))).toEqual([[], [], []]);
    await tell(on(pool));
    const counts = async () =>
      (await Promise.all(cluster.all.map(connections))).map((ids) => ids.length);
    await expect.poll(counts).toEqual([3, 3, 3]);
    const lent = () => pool.stats().hosts.map(({ outstanding }) => outstanding);
    await expect.poll(lent).toEqual([0, 0, 0]);
    await Promise.all([1, 2, 3, 4, 5, 6].map(() => tell(on(pool))));
    expect(await counts()).toEqual([3, 3, 3]);
  });

  it('is no more than the limit of a host, and 0 opens nothing beforehand', async () => {
    const replicas = [{ ...bed.address(first), name: 'a', connectionLimit: 2 }];
    await tell(on(bed.open({ replicas, minIdle: 5 })));
    await expect.poll(async () => (await connections(first)).length).toBe(2);
    await tell(on(bed.open({ replicas: [{ ...bed.address(second), name: 'b' }], minIdle: 0 })));
    expect(await connections(second)).toHaveLength(1);
  });

  it('holds for a host that joins, and for one that comes back', async () => {
    const { proxy, host: behind } = await bed.behindProxy('b', second);
    const pool = bed.open({ replicas: [{ ...bed.address(first), name: 'a' }], minIdle: 3 });
    await tell(on(pool));
    pool.addReplica(behind);
    await expect.poll(() => proxy.connections).toBe(3);
    proxy.refuse();
    proxy.cut();
    await expect.poll(() => host(pool, 'b').state).toBe('down');
    await proxy.accept();
    await expect.poll(() => host(pool, 'b').state, { timeout: 10_000 }).toBe('up');
    await expect.poll(async () => (await connections(second)).length).toBe(3);
  });
});

describe('dnsRefresh', () => {
  const lookup = dns.lookup;
  const listeners: TcpServer[] = [];
  const sockets = new Set<Socket>();
  afterEach(() => {
    dns.lookup = lookup;
    for (const listener of listeners.splice(0)) listener.close();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  });

  type Found = (error: Error | null, found?: unknown, family?: number) => void;
  /** What a name leads to; those of others are looked up as ever. */
  let answers: readonly string[] | Error = [];
  function patch(): void {
    dns.lookup = ((name: string, options: { all?: boolean }, callback: Found) => {
      if (name !== 'replica.test') {
        lookup(name, options as dns.LookupAllOptions, callback as never);
      } else if (answers instanceof Error) {
        process.nextTick(callback, answers);
      } else if (options.all === true) {
        const found = answers.map((address) => ({ address, family: 4 }));
        process.nextTick(callback, null, found);
      } else {
        process.nextTick(callback, null, answers[0], 4);
      }
    }) as typeof dns.lookup;
  }

  /** Leads to a server from an address of this machine. */
  async function listen(address: string, port: number, server: Server): Promise<number> {
    const listener = createServer((client) => {
      const upstream = connect(server.port, server.host);
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => sockets.delete(socket));
      }
      client.pipe(upstream).pipe(client);
    });
    listeners.push(listener);
    listener.listen(port, address);
    await once(listener, 'listening');
    const bound = listener.address();
    return bound !== null && typeof bound !== 'string' ? bound.port : 0;
  }

  /** The same port of 127.0.0.1 leads to the first replica, of 127.0.0.2 to the second. */
  async function named() {
    const port = await listen('127.0.0.1', 0, first as Server);
    await listen('127.0.0.2', port, second as Server);
    patch();
    return [{ ...bed.address(first as Server), host: 'replica.test', port, name: 'named' }];
  }

  /** The server that a read of the pool runs on. */
  const whoReads = async (pool: ReplicatedPool) => {
    const { error, event } = await tell(on(pool));
    expect(error).toBeNull();
    const [ran] = await cluster.whoRan(event?.sql.match(/hosts-\d+-\d+-/)?.[0] ?? 'none');
    return ran?.server;
  };

  it('follows a name that leads to another server, while what runs there is finished', async () => {
    answers = ['127.0.0.1'];
    const pool = bed.open({ replicas: await named(), dnsRefresh: 20 });
    expect(await whoReads(pool)).toBe(first.name);
    const slow = await slowRead(pool);
    answers = ['127.0.0.2'];
    await expect.poll(() => whoReads(pool), { timeout: 10_000 }).toBe(second.name);
    expect(await slow.finish()).toBe(rowsOfSlowRead);
    await expect.poll(() => connections(first)).toEqual([]);
    expect(host(pool, 'named')).toMatchObject({ state: 'up', failures: 0 });
  });

  it('replaces nothing while a name still leads to where it led, or cannot be looked up', async () => {
    answers = ['127.0.0.1'];
    const pool = bed.open({ replicas: await named(), dnsRefresh: 10 });
    expect(await whoReads(pool)).toBe(first.name);
    const before = await connections(first);
    let looks = 0;
    const patched = dns.lookup;
    dns.lookup = ((...parameters: Parameters<typeof lookup>) => {
      looks += 1;
      return patched(...parameters);
    }) as typeof dns.lookup;
    for (const next of [
      ['127.0.0.2', '127.0.0.1'],
      Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }),
      [],
      ['127.0.0.1', '127.0.0.2'],
    ]) {
      answers = next;
      const seen = looks;
      await expect.poll(() => looks).toBeGreaterThan(seen + 2);
      expect(await whoReads(pool)).toBe(first.name);
    }
    expect(await connections(first)).toEqual(before);
  });

  it('false: stays with the connections that it has', async () => {
    answers = ['127.0.0.1'];
    const pool = bed.open({ replicas: await named(), dnsRefresh: false });
    expect(await whoReads(pool)).toBe(first.name);
    answers = ['127.0.0.2'];
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await whoReads(pool)).toBe(first.name);
  });

  it('looks up nothing for hosts that have an address', async () => {
    patch();
    const names: string[] = [];
    const patched = dns.lookup;
    dns.lookup = ((...parameters: Parameters<typeof lookup>) => {
      names.push(parameters[0]);
      return patched(...parameters);
    }) as typeof dns.lookup;
    const pool = bed.open({ dnsRefresh: 5 });
    await tell(on(pool));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(names).toEqual([]);
  });
});
