import { describe, expect, it } from 'vitest';
import { type Flavor, flavors } from '../../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { asOne, connectionsOf, kinds, makeBed, newTag, type Run, watchRoutes } from './bed.ts';

/** What a session does, and whether its next statement runs in a transaction of the server's. */
interface Row {
  readonly why: string;
  /** With `!` in front: the server refuses it. */
  readonly story: readonly string[];
  readonly next: 'inside' | 'outside';
  /** The reason of a plain read right after the story; default: `transaction` if inside. */
  readonly reason?: string;
  /** The same in a scope, where a committed write ties no read to the primary; default: `reason`. */
  readonly reasonInScope?: string;
  /** Whether the story loses its connection: what comes next is on another one. */
  readonly moves?: boolean;
  readonly only?: Flavor;
}

/** What a plain read runs as after a transaction that may have written is over. */
const afterWrite = { reason: 'pinned:has-written', reasonInScope: 'read' } as const;

const rows: readonly Row[] = [
  ...[
    'BEGIN',
    'BEGIN WORK',
    'begin /* here */ ;',
    'START TRANSACTION',
    'start\n\ttransaction',
    'START TRANSACTION WITH CONSISTENT SNAPSHOT',
    'START TRANSACTION READ WRITE',
    'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ WRITE',
    'START TRANSACTION READ WRITE, WITH CONSISTENT SNAPSHOT',
    '/*!40000 START */ TRANSACTION',
    'START /*!40000 TRANSACTION */ /*!50000 WITH CONSISTENT SNAPSHOT */',
  ].map((begin): Row => ({ why: 'every spelling begins one', story: [begin], next: 'inside' })),
  ...[
    'SET autocommit = 0',
    'SET SESSION autocommit = OFF',
    'SET @@autocommit := 0',
    'SET @@session.autocommit = false',
    'SET @a = 1, autocommit = 0',
    'SET LOCAL autocommit = 0',
    'SET `autocommit` = 0',
  ].map(
    (off): Row => ({
      why: 'without autocommit the next statement opens one',
      story: [off],
      next: 'inside',
      reason: 'pinned:',
    }),
  ),
  {
    why: 'it is open from the first statement on',
    story: ['SET autocommit = 0', 'UPDATE account SET amount = amount + 1 WHERE id = 1'],
    next: 'inside',
  },
  {
    why: 'a read opens one too, though its answer does not say so',
    story: ['SET autocommit = 0', 'SELECT id FROM item'],
    next: 'inside',
    reason: 'pinned:',
  },
  {
    why: 'a commit without autocommit ends one, and the next statement opens another',
    story: ['SET autocommit = 0', 'UPDATE account SET amount = amount + 1 WHERE id = 1', 'COMMIT'],
    next: 'inside',
    reason: 'pinned:',
  },
  {
    why: 'autocommit on again commits (MySQL manual, "START TRANSACTION, COMMIT, and ROLLBACK Statements")',
    story: [
      'SET autocommit = 0',
      'UPDATE account SET amount = amount + 1 WHERE id = 1',
      'SET autocommit = 1',
    ],
    next: 'outside',
    reason: 'pinned:',
  },
  {
    why: 'START TRANSACTION leaves autocommit alone',
    story: ['START TRANSACTION', 'COMMIT'],
    next: 'outside',
    ...afterWrite,
  },
  { why: 'a rollback of nothing', story: ['ROLLBACK'], next: 'outside', reason: 'read' },
  { why: 'a rollback', story: ['BEGIN', 'ROLLBACK WORK'], next: 'outside', reason: 'read' },
  {
    why: 'COMMIT WORK',
    story: ['BEGIN', 'COMMIT WORK'],
    next: 'outside',
    ...afterWrite,
  },
  { why: 'a chain begins the next one', story: ['BEGIN', 'COMMIT AND CHAIN'], next: 'inside' },
  {
    why: 'a chain begins the next one',
    story: ['BEGIN', 'ROLLBACK WORK AND CHAIN'],
    next: 'inside',
  },
  {
    why: 'no chain begins none',
    story: ['BEGIN', 'COMMIT AND NO CHAIN NO RELEASE'],
    next: 'outside',
    ...afterWrite,
  },
  {
    why: 'completion_type = CHAIN is in no text of COMMIT',
    story: ['SET completion_type = 1', 'BEGIN', 'COMMIT'],
    next: 'inside',
  },
  {
    why: 'COMMIT RELEASE closes the connection after its answer',
    story: ['BEGIN', 'COMMIT RELEASE'],
    next: 'outside',
    ...afterWrite,
    moves: true,
  },
  {
    why: 'ROLLBACK RELEASE closes it too',
    story: ['BEGIN', 'ROLLBACK WORK AND NO CHAIN RELEASE'],
    next: 'outside',
    reason: 'read',
    moves: true,
  },
  {
    why: 'a second BEGIN commits the first and begins another',
    story: ['BEGIN', 'BEGIN'],
    next: 'inside',
  },
  {
    why: 'DDL commits',
    story: ['BEGIN', 'CREATE TABLE IF NOT EXISTS made (id INT)'],
    next: 'outside',
    ...afterWrite,
  },
  {
    why: 'DDL that fails has committed all the same',
    story: ['BEGIN', '!CREATE TABLE item (id INT)'],
    next: 'outside',
    // The server's error does not say it: it is asked.
    reason: 'pinned:has-written',
  },
  {
    why: 'a drop that fails has committed too',
    story: ['BEGIN', '!DROP TABLE no_such_table'],
    next: 'outside',
    reason: 'pinned:has-written',
  },
  {
    why: 'DDL that does not parse commits nothing',
    story: ['BEGIN', '!CREATE TABLE ('],
    next: 'inside',
  },
  {
    why: 'temporary tables commit nothing',
    story: ['BEGIN', 'CREATE TEMPORARY TABLE passing (id INT)'],
    next: 'inside',
  },
  {
    why: 'temporary tables commit nothing',
    story: ['BEGIN', 'CREATE TEMPORARY TABLE passing (id INT)', 'DROP TEMPORARY TABLE passing'],
    next: 'inside',
  },
  {
    why: 'UNLOCK TABLES commits only after LOCK TABLES',
    story: ['BEGIN', 'UNLOCK TABLES'],
    next: 'inside',
  },
  {
    why: 'BEGIN unlocks tables',
    story: ['LOCK TABLES item READ', 'BEGIN'],
    next: 'inside',
  },
  {
    why: 'ANALYZE TABLE commits',
    story: ['BEGIN', 'ANALYZE TABLE item'],
    next: 'outside',
    ...afterWrite,
  },
  {
    why: 'TRUNCATE commits',
    story: ['BEGIN', 'CREATE TABLE IF NOT EXISTS made (id INT)', 'BEGIN', 'TRUNCATE TABLE made'],
    next: 'outside',
    ...afterWrite,
  },
  {
    why: 'savepoints end nothing',
    story: ['BEGIN', 'SAVEPOINT a', 'ROLLBACK TO SAVEPOINT a', 'RELEASE SAVEPOINT a'],
    next: 'inside',
  },
  {
    why: 'savepoints end nothing',
    story: ['BEGIN', 'SAVEPOINT a', 'ROLLBACK WORK TO a'],
    next: 'inside',
  },
  {
    why: 'a savepoint outside a transaction opens none',
    story: ['SAVEPOINT a'],
    next: 'outside',
    reason: 'read',
  },
  {
    why: 'an unknown savepoint ends nothing',
    story: ['BEGIN', '!ROLLBACK TO nowhere'],
    next: 'inside',
  },
  {
    why: 'an unknown savepoint ends nothing',
    story: ['BEGIN', '!RELEASE SAVEPOINT nowhere'],
    next: 'inside',
  },
  {
    why: 'a duplicate key undoes its statement alone',
    story: ['BEGIN', '!INSERT INTO item VALUES (1)'],
    next: 'inside',
  },
  {
    why: 'nor does an unknown table end it',
    story: ['BEGIN', '!SELECT * FROM no_such_table'],
    next: 'inside',
  },
  { why: 'nor a syntax error', story: ['BEGIN', '!SELEKT 1'], next: 'inside' },
  {
    why: 'BEGIN that fails has begun nothing',
    story: ['!START TRANSACTION READ ONLY, READ WRITE'],
    next: 'outside',
    reason: 'read',
  },
  {
    why: 'SET TRANSACTION is no transaction yet',
    story: ['SET TRANSACTION ISOLATION LEVEL SERIALIZABLE'],
    next: 'outside',
    reason: 'transaction',
  },
  {
    why: 'SET TRANSACTION speaks of the one that begins',
    story: ['SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE', 'BEGIN'],
    next: 'inside',
  },
  {
    why: 'SET SESSION TRANSACTION is a session variable',
    story: ['SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED'],
    next: 'outside',
    reason: 'pinned:session-variable',
  },
  {
    why: 'XA ended and rolled back',
    story: [
      "XA START 'x1'",
      'INSERT INTO note (text) VALUES (NULL)',
      "XA END 'x1'",
      "XA ROLLBACK 'x1'",
    ],
    next: 'outside',
    ...afterWrite,
  },
  {
    why: 'XA committed in one phase',
    story: [
      "XA BEGIN 'x2'",
      'INSERT INTO note (text) VALUES (NULL)',
      "XA END 'x2'",
      "XA COMMIT 'x2' ONE PHASE",
    ],
    next: 'outside',
    ...afterWrite,
  },
  {
    why: 'XA committed in two phases',
    story: [
      "XA START 'x3'",
      'INSERT INTO note (text) VALUES (NULL)',
      "XA END 'x3'",
      "XA PREPARE 'x3'",
      "XA COMMIT 'x3'",
    ],
    next: 'outside',
    ...afterWrite,
  },
  {
    why: 'XA open',
    story: ["XA START 'x4'", 'INSERT INTO note (text) VALUES (NULL)'],
    next: 'inside',
  },
];

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const bed = makeBed(cluster, await freshDatabase(cluster));
  const routesOf = watchRoutes();

  async function tell(run: Run, tag: string, story: readonly string[]): Promise<void> {
    for (const line of story) {
      const sql = `/* ${tag} */ ${line.replace(/^!/, '')}`;
      if (line.startsWith('!')) {
        await expect(run(sql)).rejects.toMatchObject({ errno: expect.any(Number) });
      } else {
        await run(sql);
      }
    }
  }

  describe.each(kinds)('in a %s', (kind) => {
    it.each(rows.filter(({ only = flavor }) => only === flavor))(
      '$story: $why, the next statement is $next',
      async ({ story, next, moves = false, ...row }) => {
        const { reason: onConnection = 'transaction', reasonInScope = onConnection } = row;
        const reason = kind === 'scope' ? reasonInScope : onConnection;
        const pool = bed.open({ primary: { ...bed.primary, connectionLimit: 3 } });
        const [tag, read, note, later] = [newTag(), newTag(), newTag(), newTag()];
        await asOne(kind, pool, async (run) => {
          await tell(run, tag, story);
          const here = await connectionsOf(cluster, tag);
          await run(`SELECT /* ${read} */ id FROM item`);
          expect(routesOf(read).map((event) => event.reason)).toEqual([
            reason.endsWith(':') ? expect.stringContaining(reason) : reason,
          ]);
          await run(`INSERT INTO note (text) VALUES ('${note}')`);
          expect(await bed.hasNote(note)).toBe(next === 'outside');
          const there = await connectionsOf(cluster, note);
          if (moves) {
            expect(there).not.toEqual(here);
          } else if (reason !== 'read') {
            expect(there).toEqual(here);
          }
        });
        // What was open is gone, and the next user of the connection is not in it.
        await pool.promise().query(`INSERT INTO note (text) VALUES ('${later}')`);
        expect(await bed.hasNote(later)).toBe(true);
        expect(await bed.hasNote(note)).toBe(next === 'outside');
        expect(pool.stats().hosts.map(({ outstanding }) => outstanding)).toEqual([0, 0]);
      },
    );
  });
});
