import type { ReplicatedPool } from '@rwsplit/core';
import mysql from 'mysql2';
import { afterEach, describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { hostsOf, makePoolBed, on, rowsOfSlowRead, slowRead, tell } from './pool-bed.ts';

const cluster = sharedCluster('mysql');
const bed = makePoolBed(cluster, await freshDatabase(cluster));
const [replica] = cluster.replicas;
if (replica === undefined) throw new Error('a replica');
const name = `${replica.host}:${replica.port}`;

describe("removeReplica of a user's own pool", () => {
  let own: mysql.Pool;

  afterEach(() => own.promise().end());

  /** A pool with the own one as its only replica, which has read there. */
  async function open(how: 'by configuration' | 'while running'): Promise<ReplicatedPool> {
    own = mysql.createPool(bed.address(replica ?? cluster.primary));
    const pool = bed.open({ replicas: how === 'by configuration' ? [own] : [] });
    if (how === 'while running') {
      pool.addReplica(own);
    }
    expect(await hostsOf(on(pool), 2)).toEqual([name, name]);
    return pool;
  }

  it.each([
    ['by configuration', {}],
    ['by configuration', { drain: false }],
    ['by configuration', { drain: 1_000 }],
    ['while running', {}],
  ] as const)('%s leaves it to the user, with %o, and so does the end', async (how, options) => {
    const pool = await open(how);
    const [before] = await own.promise().query('SELECT CONNECTION_ID() AS id');
    await pool.removeReplica(name, options);
    const [after] = await own.promise().query('SELECT CONNECTION_ID() AS id');
    // Not a connection of it is closed.
    expect(after).toEqual(before);
    expect(await tell(on(pool))).toMatchObject({ host: 'primary' });
    await pool.promise().end();
    const [rows] = await own.promise().query('SELECT COUNT(*) AS n FROM item');
    expect(rows).toEqual([{ n: 200 }]);
  });

  it('lets a stream be done that runs there, and is not over before it is', async () => {
    const pool = await open('by configuration');
    const slow = await slowRead(pool);
    let isRemoved = false;
    const removed = pool.removeReplica(name).then(() => {
      isRemoved = true;
    });
    await own.promise().query('SELECT 1 AS one');
    expect(isRemoved).toBe(false);
    expect(await slow.finish()).toBe(rowsOfSlowRead);
    await removed;
    const [rows] = await own.promise().query('SELECT 1 AS one');
    expect(rows).toEqual([{ one: 1 }]);
  });
});
