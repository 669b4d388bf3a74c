import { describe, expect, it, vi } from 'vitest';
import { type Flavor, flavors } from '../../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import {
  asOne,
  connectionsOf,
  kinds,
  makeBed,
  newTag,
  outside,
  runOn,
  watchRoutes,
} from './bed.ts';

/** State that a session leaves in its connection, and how it ends. */
interface Row {
  readonly state: string;
  readonly make: readonly string[];
  /** The reason of a plain read while it is there. */
  readonly pin: string;
  /** A question that only this connection answers so. */
  readonly ask: string;
  readonly answer: unknown;
  /** What surely ends it; none if nothing does. */
  readonly end: readonly string[];
  readonly only?: Flavor;
}

const one = [{ a: 1 }];

const rows: readonly Row[] = [
  {
    state: 'a user variable',
    make: ['SET @a = 1'],
    pin: 'user-variable',
    ask: 'SELECT @a AS a',
    answer: one,
    end: [],
  },
  {
    state: 'a user variable of a SELECT',
    make: ['SELECT @a := 1'],
    pin: 'user-variable',
    ask: 'SELECT @a AS a',
    answer: one,
    end: [],
  },
  {
    state: 'a user variable of SELECT INTO',
    make: ['SELECT 1 INTO @a'],
    pin: 'user-variable',
    ask: 'SELECT @a AS a',
    answer: one,
    end: [],
  },
  {
    state: 'a session variable',
    make: ['SET SESSION max_sort_length = 77'],
    pin: 'session-variable',
    ask: 'SELECT @@max_sort_length - 76 AS a',
    answer: one,
    end: [],
  },
  {
    state: 'the time zone',
    make: ["SET time_zone = '+01:00'"],
    pin: 'session-variable',
    ask: 'SELECT TIMESTAMPDIFF(HOUR, UTC_TIMESTAMP(), NOW()) AS a',
    answer: one,
    end: [],
  },
  {
    state: 'a temporary table',
    make: ['CREATE TEMPORARY TABLE t1 SELECT 1 AS a'],
    pin: 'temporary-table',
    ask: 'SELECT a FROM t1',
    answer: one,
    end: ['DROP TEMPORARY TABLE t1'],
  },
  {
    state: 'two temporary tables',
    make: ['CREATE TEMPORARY TABLE t1 SELECT 1 AS a', 'CREATE TEMPORARY TABLE t2 (a INT)'],
    pin: 'temporary-table',
    ask: 'SELECT a FROM t1',
    answer: one,
    end: ['DROP TEMPORARY TABLE t2', 'DROP TEMPORARY TABLE IF EXISTS t1'],
  },
  {
    state: 'two temporary tables that are dropped at once',
    make: ['CREATE TEMPORARY TABLE t1 SELECT 1 AS a', 'CREATE TEMPORARY TABLE `t2` (a INT)'],
    pin: 'temporary-table',
    ask: 'SELECT a FROM t1',
    answer: one,
    end: ['DROP TEMPORARY TABLE `t1`, t2'],
  },
  {
    state: 'table locks',
    make: ['LOCK TABLES item READ'],
    pin: 'table-lock',
    ask: 'SELECT COUNT(*) - 1 AS a FROM item',
    answer: one,
    end: ['UNLOCK TABLES'],
  },
  {
    state: 'a user lock',
    make: ["SELECT GET_LOCK('pin-lock', 1)"],
    pin: 'user-lock',
    ask: "SELECT IS_USED_LOCK('pin-lock') = CONNECTION_ID() AS a",
    answer: one,
    end: ['SELECT RELEASE_ALL_LOCKS()'],
  },
  {
    state: 'two user locks',
    make: ["DO GET_LOCK('pin-lock', 1)", "DO GET_LOCK('pin-lock-2', 1)"],
    pin: 'user-lock',
    ask: "SELECT IS_USED_LOCK('pin-lock') = CONNECTION_ID() AS a",
    answer: one,
    end: ['DO RELEASE_ALL_LOCKS()'],
  },
  {
    state: 'a prepared statement',
    make: ["PREPARE s FROM 'SELECT 1 AS a'"],
    pin: 'prepared-statement',
    ask: 'EXECUTE s',
    answer: one,
    end: [],
  },
  {
    state: 'a prepared statement that nobody has run',
    make: ["PREPARE s FROM 'SELECT 1 AS a'"],
    pin: 'prepared-statement',
    ask: 'SELECT id AS a FROM item WHERE id = 1',
    answer: one,
    end: ['DEALLOCATE PREPARE s'],
  },
  {
    state: 'a handler',
    make: ['HANDLER item OPEN'],
    pin: 'handler',
    ask: 'HANDLER item READ FIRST',
    answer: [{ id: 1 }],
    end: ['HANDLER item CLOSE'],
  },
  {
    state: 'a handler with another name',
    make: ['HANDLER item OPEN AS h'],
    pin: 'handler',
    ask: 'HANDLER h READ FIRST',
    answer: [{ id: 1 }],
    end: ['HANDLER h CLOSE'],
  },
  {
    state: 'an XA transaction',
    make: [
      "XA START 'pin'",
      'INSERT INTO note (text) VALUES (NULL)',
      "XA END 'pin'",
      "XA PREPARE 'pin'",
    ],
    pin: '',
    ask: 'SELECT 1 AS a /* 1399 in MySQL */',
    answer: null,
    end: ["XA COMMIT 'pin'"],
  },
];

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const bed = makeBed(cluster, await freshDatabase(cluster));
  const routesOf = watchRoutes();

  describe.each(kinds)('in a %s', (kind) => {
    it.each(rows)('keeps $state on its connection until it is gone: $end', async (row) => {
      const pool = bed.open({ acquireTimeout: 300 });
      const [made, read, after] = [newTag(), newTag(), newTag()];
      // A busy machine may take longer than that for the login alone.
      await vi.waitFor(() => pool.promise().query('DO 1'), { timeout: 10_000 });
      await asOne(kind, pool, async (run) => {
        for (const sql of row.make) await run(`${sql} /* ${made} */`);
        if (row.answer !== null) {
          expect(await run(row.ask)).toEqual(row.answer);
          await run(`SELECT /* ${read} */ id FROM item`);
          expect(routesOf(read)[0]?.reason).toBe(`pinned:${row.pin}`);
          expect(await connectionsOf(cluster, read)).toEqual(await connectionsOf(cluster, made));
          expect(await run(row.ask)).toEqual(row.answer);
        }
        // A pool of one: nobody else gets the connection.
        const other = () => outside(() => runOn(pool.promise())('UPDATE item SET id = id'));
        await expect(other()).rejects.toMatchObject({ code: 'RWSPLIT_ACQUIRE_TIMEOUT' });
        for (const sql of row.end) await run(sql);
        await run(`SELECT /* ${after} */ id FROM item`);
        if (row.end.length > 0) {
          expect(routesOf(after)[0]?.reason).toMatch(/^(read|pinned:has-written)$/);
          if (kind === 'scope') await other();
        } else {
          expect(routesOf(after)[0]?.reason).toBe(`pinned:${row.pin}`);
        }
      });
      await pool.promise().query('UPDATE item SET id = id');
      const own = (await connectionsOf(cluster, made))[0]?.split(' ')[1];
      // Set up once, and again after a reset: the server logs no command for that.
      const setUps = (await cluster.primary.statements({ containing: 'session_track' })).filter(
        ({ threadId }) => String(threadId) === own,
      );
      // What ended by itself needs no reset.
      expect(setUps).toHaveLength(row.end.length > 0 ? 1 : 2);
    });
  });
});
