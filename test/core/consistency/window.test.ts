import { withSession } from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import { look, through } from './bed.ts';
import { Pair } from './pair.ts';
import { readOf, waysOf, write } from './ways.ts';

/** Each way to write, where the server tells of no GTIDs. */
describe.each(flavors)('%s', (flavor) => {
  let pair: Pair;
  let last = 100;

  beforeAll(async () => {
    pair = await Pair.start(flavor);
    await pair.hold();
  });
  afterAll(() => pair[Symbol.asyncDispose]());
  afterEach(() => pair.closePools());

  /** A pool whose window is over long after the test. */
  const open = () => pair.open({ causalWindow: 600_000 });

  function next(): number {
    last += 10;
    return last;
  }

  describe.each(waysOf(flavor))('$how', (way) => {
    it('is read by the process', async () => {
      const id = next();
      const pool = open();
      const connection = await pool.promise().getConnection();
      await write(way, async (sql) => (await connection.query(sql))[0], id);
      connection.release();
      const seen = await look(through(pool), readOf(way, id));
      expect(seen).toMatchObject({ rows: [{ id }], reason: 'causal-window' });
    });

    it('is read by its session, and by another one with its token', async () => {
      const id = next();
      const pool = open();
      const token = await withSession(async (session) => {
        await write(way, through(pool), id);
        expect((await look(through(pool), readOf(way, id))).rows).toEqual([{ id }]);
        return session.token();
      });
      await withSession({ after: token ?? 'none' }, async () => {
        const seen = await look(through(open()), readOf(way, id));
        expect(seen).toMatchObject({ rows: [{ id }], reason: 'causal-window' });
      });
    });
  });
});
