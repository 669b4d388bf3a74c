import { type ReplicatedPool, withSession } from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import { startCluster } from '../../support/servers/start-cluster.ts';
import { Bed, look, through, untilReplica } from './bed.ts';
import { readOf, schemaOf, waysOf, write } from './ways.ts';

/**
 * Each way to write, while no replica applies anything: a pool that knows of the write reads it on the
 * primary, one that has missed it reads a replica that lacks it.
 */
describe.each(flavors)('%s', (flavor) => {
  let bed: Bed;
  let last = 100;

  beforeAll(async () => {
    bed = new Bed(await startCluster({ flavor, replicas: 1, statementLog: false }));
    await bed.create(schemaOf(flavor));
  });
  afterAll(() => bed[Symbol.asyncDispose]());
  afterEach(async () => {
    await bed.closePools();
    await bed.apply();
  });

  /** A new pool, which knows of no writes. */
  function open(): ReplicatedPool {
    return bed.open({
      primary: { ...bed.primary, connectionLimit: 2, multipleStatements: true },
      causalWait: 20,
    });
  }

  describe.each(waysOf(flavor))('$how', (way) => {
    it('is read by the process, outside of sessions', async () => {
      last += 10;
      const id = last;
      await bed.hold();
      const pool = open();
      const connection = await pool.promise().getConnection();
      await write(way, async (sql) => (await connection.query(sql))[0], id);
      connection.release();
      const again = () => look(through(pool), readOf(way, id));
      expect(await again()).toMatchObject({ rows: [{ id }], reason: 'replicas-behind' });
      await bed.apply();
      expect(await untilReplica(again)).toMatchObject({ rows: [{ id }] });
    });

    it('is read by its session, and by another one with its token', async () => {
      last += 10;
      const id = last;
      await bed.hold();
      const pool = open();
      const token = await withSession(async (session) => {
        await write(way, through(pool), id);
        expect((await look(through(pool), readOf(way, id))).rows).toEqual([{ id }]);
        return session.token();
      });
      const other = open();
      await withSession({ after: token ?? 'none' }, async () => {
        const again = () => look(through(other), readOf(way, id));
        expect(await again()).toMatchObject({ rows: [{ id }], reason: 'replicas-behind' });
        await bed.apply();
        expect(await untilReplica(again)).toMatchObject({ rows: [{ id }] });
      });
    });
  });
});
