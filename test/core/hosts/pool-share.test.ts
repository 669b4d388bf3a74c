import { createConnection } from 'mysql2/promise';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { makePoolBed, on, tell } from './pool-bed.ts';

const cluster = sharedCluster('mysql');
const bed = makePoolBed(cluster, await freshDatabase(cluster));
const sql = 'SELECT COUNT(*) AS n FROM item';

/** How many reads of this file wait for a lock on the primary. */
async function waiting(): Promise<number> {
  const [row] = await cluster.primary.query<{ n: number }>(
    'SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE DB = ? AND INFO LIKE ?',
    [bed.database, `${sql}%`],
  );
  return Number(row?.n);
}

describe('primaryReadShare', () => {
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
    expect(await tell(on(pool), sql)).toMatchObject({ reason: 'replicas-unavailable' });
    const other = await createConnection(bed.address(cluster.primary));
    onTestFinished(() => other.destroy());
    await other.query('LOCK TABLES item WRITE');
    const connection = await pool.promise().getConnection();
    const read = tell((text) => connection.query(text), sql);
    await expect.poll(waiting).toBe(1);
    connection.destroy();
    expect((await read).error).toMatchObject({ code: 'RWSPLIT_CONNECTION_DESTROYED' });
    await other.end();
    expect(await tell(on(pool), sql)).toMatchObject({ host: 'primary', error: null });
  });
});
