import type { HostOptions, ReplicatedPool } from '@rwsplit/core';
import { createConnection } from 'mysql2/promise';
import { describe, expect, it, onTestFinished } from 'vitest';
import { host, makePoolBed, on, tell } from '../core/hosts/pool-bed.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';

interface Case {
  readonly strike: (proxy: TcpProxy) => void;
  readonly room: Partial<HostOptions>;
}

/** So soon is a host asked, and so long may it take to answer. */
const probes = { probeInterval: 200, probeTimeout: 300 };

/** How a host falls silent, and what it has for its connections. */
const cases: readonly (readonly [string, Case])[] = [
  [
    'answers nothing, and refuses new connections',
    {
      strike: (proxy) => {
        proxy.pause();
        proxy.refuse();
      },
      room: {},
    },
  ],
  [
    'answers nothing; its pool is full, and nobody may wait for it',
    {
      strike: (proxy) => proxy.pause(),
      room: { connectionLimit: 1, waitForConnections: false },
    },
  ],
];

// Below the protocol, and so the same for both flavours.
describe('a host that falls silent under a statement', async () => {
  const cluster = sharedCluster('mysql');
  const database = await freshDatabase(cluster);
  const bed = makePoolBed(cluster, database);

  function stateOf(pool: ReplicatedPool, name: string): string {
    return host(pool, name).state;
  }

  it.each(cases)(
    'gives up its reads, which run elsewhere: a replica that %s',
    async (_, { strike, room }) => {
      const { proxy, host: replica } = await bed.behindProxy('silent');
      const pool = bed.open({ ...probes, replicas: [{ ...replica, ...room }] });
      expect(await tell(on(pool))).toMatchObject({ host: 'silent' });
      strike(proxy);
      const told = await tell(on(pool));
      expect(told).toMatchObject({ host: 'primary', reason: 'replicas-unavailable', error: null });
      expect(told.event?.tried).toEqual(['silent']);
      expect(stateOf(pool, 'silent')).toBe('down');
    },
  );

  it.each(cases)(
    'says of a write that nobody knows what became of it: a primary that %s',
    async (_, { strike, room }) => {
      const { proxy, host: primary } = await bed.behindProxy('silent', cluster.primary);
      const pool = bed.open({
        ...probes,
        primary: { ...primary, ...room },
        acquireTimeout: 500,
      });
      await tell(on(pool), 'UPDATE item SET id = id');
      strike(proxy);
      const { error } = await tell(on(pool), 'INSERT INTO note (text) VALUES ("lost")');
      expect(error).toMatchObject({ code: 'RWSPLIT_UNKNOWN_OUTCOME', isRetryable: false });
      expect(stateOf(pool, 'silent')).toBe('down');
    },
  );

  it('goes on with a write that has its only connection when it is back in time', async () => {
    const { proxy, host: primary } = await bed.behindProxy('blip', cluster.primary);
    const pool = bed.open({
      ...probes,
      primary: { ...primary, connectionLimit: 1 },
      acquireTimeout: 5_000,
    });
    await tell(on(pool), 'INSERT INTO note (id, text) VALUES (1000, "")');
    const other = await createConnection(bed.address(cluster.primary));
    onTestFinished(() => other.destroy());
    await other.beginTransaction();
    await other.query('SELECT id FROM note WHERE id = 1000 FOR UPDATE');
    const write = tell(on(pool), 'UPDATE note SET text = CONCAT(text, "x") WHERE id = 1000');
    await expect.poll(waiting).toBe(1);
    proxy.pause();
    await expect.poll(() => stateOf(pool, 'blip'), { timeout: 5_000 }).toBe('down');
    proxy.resume();
    // The server is well, and its pool full: no new connection shows it.
    await expect.poll(() => stateOf(pool, 'blip'), { timeout: 10_000 }).toBe('up');
    await other.commit();
    await other.end();
    expect(await write).toMatchObject({ error: null, rows: { affectedRows: 1 } });
    expect(await textOf(1_000)).toBe('x');
  });

  /** How many of the updates of this file wait for a lock. */
  async function waiting(): Promise<number> {
    const [row] = await cluster.primary.query<{ n: number }>(
      `SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST
        WHERE DB = ? AND INFO LIKE 'UPDATE note SET%'`,
      [database.name],
    );
    return Number(row?.n);
  }

  async function textOf(id: number): Promise<string | undefined> {
    const sql = `SELECT text FROM ${database.name}.note WHERE id = ?`;
    const [row] = await cluster.primary.query<{ text: string }>(sql, [id]);
    return row?.text;
  }
});
