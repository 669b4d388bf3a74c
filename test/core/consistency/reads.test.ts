import { primary, type ReplicatedPool, withSession } from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import { startCluster } from '../../support/servers/start-cluster.ts';
import { Bed, look, through, untilReplica } from './bed.ts';

describe.each(flavors)('%s', (flavor) => {
  let bed: Bed;
  let last = 0;

  beforeAll(async () => {
    bed = new Bed(await startCluster({ flavor, replicas: 2, statementLog: false }));
    await bed.create(['CREATE TABLE note (id INT PRIMARY KEY)']);
  });
  afterAll(() => bed[Symbol.asyncDispose]());
  afterEach(async () => {
    await bed.closePools();
    await bed.apply();
  });

  function insert(pool: ReplicatedPool): Promise<unknown> {
    last += 1;
    return pool.promise().query('INSERT INTO note (id) VALUES (?)', [last]);
  }

  describe('without waiting', () => {
    it('comes back to replicas after a write, outside of sessions', async () => {
      const pool = bed.open({ causalWait: 0 });
      await insert(pool);
      expect(await untilReplica(() => look(through(pool)))).toMatchObject({ waited: 0 });
    });

    it('comes back to replicas after a write of its session', async () => {
      const pool = bed.open({ causalWait: 0 });
      await withSession(async () => {
        await insert(pool);
        expect(await untilReplica(() => look(through(pool)))).toMatchObject({ waited: 0 });
      });
    });

    it('comes back to replicas after a read of its session on the primary', async () => {
      const pool = bed.open({ causalWait: 0 });
      await withSession(async () => {
        await primary(() => through(pool)('SELECT 1'));
        expect(await untilReplica(() => look(through(pool)))).toMatchObject({ waited: 0 });
      });
    });
  });
});
