import { setTimeout as sleep } from 'node:timers/promises';
import { type ReplicatedPool, withSession } from '@rwsplit/core';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
import knexFactory from 'knex';
import { CompiledQuery, Kysely } from 'kysely';
import mysql from 'mysql2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Flavor, flavors } from '../../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { asOne, failureOf, makeBed, newTag, outside, type Run } from './bed.ts';

const lost = { code: 'RWSPLIT_FOLLOW_UP_LOST' };

/** A story whose last statement asks about the ones before it. */
interface Row {
  readonly why: string;
  readonly story: readonly string[];
  readonly ask: string;
  /** What one connection would say. */
  readonly answer: unknown;
  readonly only?: Flavor;
}

const insert = "INSERT INTO note (text) VALUES ('a')";
/** Whatever the id is, it must be that of the row with this text. */
const own = Symbol('the own id');

const rows: readonly Row[] = [
  {
    why: 'the id of the insert',
    story: [insert],
    ask: 'SELECT LAST_INSERT_ID() AS a',
    answer: own,
  },
  { why: 'the id of the insert', story: [insert], ask: 'SELECT @@identity AS a', answer: own },
  {
    why: 'the id of the insert',
    story: [insert],
    ask: 'SELECT @@last_insert_id AS a',
    answer: own,
  },
  {
    why: 'a plain read in between changes nothing',
    story: [insert, 'SELECT id FROM item'],
    ask: 'SELECT LAST_INSERT_ID() AS a',
    answer: own,
  },
  {
    why: 'an insert that names its id changes nothing',
    story: [
      insert,
      "INSERT INTO note (id, text) VALUES (FLOOR(1000000 + RAND() * 1000000000), 'b')",
    ],
    ask: 'SELECT LAST_INSERT_ID() AS a',
    answer: own,
  },
  {
    why: 'an insert without AUTO_INCREMENT changes nothing',
    story: [insert, 'INSERT IGNORE INTO item VALUES (1)'],
    ask: 'SELECT LAST_INSERT_ID() AS a',
    answer: own,
  },
  {
    why: 'an UPDATE changes nothing',
    story: [insert, 'UPDATE item SET id = id'],
    ask: 'SELECT LAST_INSERT_ID() AS a',
    answer: own,
  },
  {
    why: 'the first of several rows',
    story: ["INSERT INTO note (text) VALUES ('a'), ('b'), ('c')"],
    ask: 'SELECT LAST_INSERT_ID() AS a',
    answer: own,
  },
  {
    why: 'INSERT … SELECT',
    story: ["INSERT INTO note (text) SELECT 'a'"],
    ask: 'SELECT LAST_INSERT_ID() AS a',
    answer: own,
  },
  {
    why: 'CALL that inserts',
    story: ["CALL add_note('a')"],
    ask: 'SELECT LAST_INSERT_ID() AS a',
    answer: own,
  },
  {
    why: 'what a function inserts is forgotten when it ends (MySQL manual, "Information Functions")',
    story: ["SELECT add_one('a')"],
    ask: 'SELECT LAST_INSERT_ID() AS a',
    answer: lost,
  },
  {
    why: 'RETURNING tells no id in its answer',
    story: [`${insert} RETURNING text`],
    ask: 'SELECT LAST_INSERT_ID() AS a',
    answer: own,
    only: 'mariadb',
  },
  {
    why: 'a prepared one',
    story: [`PREPARE s FROM "${insert}"`, 'EXECUTE s'],
    ask: 'SELECT LAST_INSERT_ID() AS a',
    answer: own,
  },
  {
    why: 'in a write',
    story: [insert],
    ask: 'INSERT INTO pet SELECT LAST_INSERT_ID()',
    answer: expect.objectContaining({ affectedRows: 1 }),
  },
  {
    why: 'SQL_CALC_FOUND_ROWS',
    story: ['SELECT SQL_CALC_FOUND_ROWS id FROM item LIMIT 1'],
    ask: 'SELECT FOUND_ROWS() AS a',
    answer: [{ a: 2 }],
  },
  {
    why: 'a plain read on a replica',
    story: ['SELECT id FROM item WHERE id = 1'],
    ask: 'SELECT FOUND_ROWS() AS a',
    answer: [{ a: 1 }],
  },
  {
    why: 'a plain read after a write',
    story: [insert, 'SELECT id FROM item'],
    ask: 'SELECT FOUND_ROWS() AS a',
    answer: [{ a: 2 }],
  },
  {
    why: 'the last of two reads',
    story: ['SELECT id FROM item', 'SELECT id FROM item WHERE id = 9'],
    ask: 'SELECT FOUND_ROWS() AS a',
    answer: [{ a: 0 }],
  },
  {
    why: 'how many a write changed',
    story: ['UPDATE account SET amount = amount + 1 WHERE id IN (1, 2)'],
    ask: 'SELECT ROW_COUNT() AS a',
    answer: [{ a: 2 }],
  },
  {
    why: '-1 after a read',
    story: ['SELECT id FROM item'],
    ask: 'SELECT ROW_COUNT() AS a',
    answer: [{ a: -1 }],
  },
  {
    why: 'the warnings of a write',
    story: ['INSERT IGNORE INTO item VALUES (1)'],
    ask: 'SHOW COUNT(*) WARNINGS',
    answer: [{ '@@session.warning_count': 1 }],
  },
  {
    why: 'the warnings of a write',
    story: ['INSERT IGNORE INTO item VALUES (1)'],
    ask: 'SHOW WARNINGS',
    answer: [expect.objectContaining({ Code: 1062 })],
  },
  {
    why: 'the warnings of a write',
    story: ['INSERT IGNORE INTO item VALUES (1)'],
    ask: 'SELECT @@warning_count AS a',
    answer: [{ a: 1 }],
  },
  {
    why: 'the warnings of a read on a replica',
    story: ["SELECT CAST('x' AS SIGNED) FROM item"],
    ask: 'SHOW WARNINGS',
    answer: [expect.objectContaining({ Code: 1292 }), expect.objectContaining({ Code: 1292 })],
  },
  {
    why: 'asked twice',
    story: ["SELECT CAST('x' AS SIGNED) FROM item", 'SHOW WARNINGS'],
    ask: 'SHOW COUNT(*) WARNINGS',
    answer: [{ '@@session.warning_count': 2 }],
  },
  {
    why: 'the error of a write',
    story: ['!INSERT INTO item VALUES (1)'],
    ask: 'SHOW ERRORS',
    answer: [expect.objectContaining({ Code: 1062 })],
  },
  {
    why: 'the error of a write',
    story: ['!INSERT INTO item VALUES (1)'],
    ask: 'SELECT @@error_count AS a',
    answer: [{ a: 1 }],
  },
  {
    why: 'the error of a read on a replica',
    story: ['!SELECT no_such_column FROM item'],
    ask: 'SHOW COUNT(*) ERRORS',
    answer: [{ '@@session.error_count': 1 }],
  },
  {
    why: 'in variables',
    story: ['!INSERT INTO item VALUES (1)', 'GET DIAGNOSTICS CONDITION 1 @code = MYSQL_ERRNO'],
    ask: 'SELECT @code AS a',
    answer: [{ a: 1062 }],
  },
  { why: 'nobody has inserted here', story: [], ask: 'SELECT LAST_INSERT_ID() AS a', answer: lost },
  {
    why: 'a read inserts nothing',
    story: ['SELECT id FROM item'],
    ask: 'SELECT LAST_INSERT_ID() AS a',
    answer: lost,
  },
  { why: 'nothing has been found here', story: [], ask: 'SELECT FOUND_ROWS() AS a', answer: lost },
  { why: 'nothing has run here', story: [], ask: 'SELECT ROW_COUNT() AS a', answer: lost },
  { why: 'nothing has run here', story: [], ask: 'SHOW WARNINGS', answer: lost },
];

/** The ways to run the statements of one client one after the other. */
type Way = (work: (run: Run) => Promise<void>) => Promise<void>;

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const place = await freshDatabase(cluster);
  const bed = makeBed(cluster, place);
  let pool: ReplicatedPool;
  const ends: (() => Promise<unknown>)[] = [];
  const patience = { acquireTimeout: 10_000, causalWait: 10_000 };
  const limits = { primary: { ...bed.primary, connectionLimit: 12 }, ...patience };
  const replicas = bed.replicas.map((replica) => ({ ...replica, connectionLimit: 12 }));

  beforeAll(async () => {
    await cluster.primary.query(`CREATE TABLE ${place.name}.pet (id BIGINT)`);
    await cluster.primary.query(
      `CREATE PROCEDURE ${place.name}.add_note(t VARCHAR(80)) INSERT INTO note (text) VALUES (t)`,
    );
    await cluster.primary.query(`CREATE PROCEDURE ${place.name}.do_nothing() BEGIN END`);
    await cluster.primary.query(
      `CREATE FUNCTION ${place.name}.add_one(t VARCHAR(80)) RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO note (text) VALUES (t); RETURN 1; END`,
    );
    await cluster.waitUntilReplicated();
  });
  afterAll(async () => {
    await Promise.all(ends.map((end) => end()));
  });

  const ways: Record<string, () => Way> = {
    'a transaction': () => {
      pool = bed.open({ ...limits, replicas });
      const its = pool;
      return (work) =>
        asOne('connection', its, async (run) => {
          await run('BEGIN');
          await work(run);
          await run('COMMIT');
        });
    },
    'a connection': () => {
      const its = bed.open({ ...limits, replicas });
      return (work) => asOne('connection', its, work);
    },
    'pool.query in a scope': () => {
      const its = bed.open({ ...limits, replicas });
      return (work) => asOne('scope', its, work);
    },
    'pool.execute in a scope': () => {
      const its = bed.open({ ...limits, replicas });
      const run: Run = async (sql) =>
        (
          await (/^(PREPARE|EXECUTE|SHOW|GET|SELECT @@)/.test(sql)
            ? its.promise().query(sql)
            : its.promise().execute(sql))
        )[0];
      return (work) => withSession(() => work(run));
    },
    'Knex in a scope': () => {
      const db = knexFactory({
        client: ReplicatedMysql2,
        connection: { ...bed.primary },
        replicas,
        pool: { min: 0, max: 12 },
        replication: patience,
      });
      ends.push(() => db.destroy());
      return (work) => withSession(() => work(async (sql) => (await db.raw(sql))[0]));
    },
    'Kysely in a scope': () => {
      const db = new Kysely<unknown>({
        dialect: new ReplicatedMysqlDialect({ ...limits, replicas }),
      });
      ends.push(() => db.destroy());
      return (work) =>
        withSession(() =>
          work(async (sql) => {
            const { rows, numAffectedRows } = await db.executeQuery(CompiledQuery.raw(sql));
            return numAffectedRows === undefined ? rows : { affectedRows: Number(numAffectedRows) };
          }),
        );
    },
  };

  async function tell(run: Run, { story, ask, answer }: Row): Promise<void> {
    const tag = newTag();
    for (const line of story) {
      const sql = line.replace(/^!/, '').replaceAll("'a'", `'${tag}'`);
      if (line.startsWith('!')) await failureOf(run(sql));
      else await run(sql);
    }
    if (answer === lost) {
      await expect(run(ask)).rejects.toMatchObject(lost);
    } else if (answer === own) {
      const [id] = (await cluster.primary.query(
        `SELECT id AS a FROM ${place.name}.note WHERE text = ?`,
        [tag],
      )) as { a: number }[];
      expect(await run(ask), `${story} ${ask}`).toEqual([
        id === undefined ? { a: expect.any(Number) } : id,
      ]);
    } else {
      expect(await run(ask), `${story} ${ask}`).toEqual(answer);
    }
  }

  const told = rows.filter(({ only = flavor }) => only === flavor);

  describe.each(Object.keys(ways))('in %s', (name) => {
    // A question about nothing is one that a transaction answers for its BEGIN.
    const mine = told.filter(
      ({ story, ask }) =>
        name !== 'a transaction' || story.length > 0 || !/ROW_COUNT|SHOW/.test(ask),
    );
    it.each(mine)('$story, $ask: $why', async (row) => {
      const way = ways[name]?.();
      await way?.((run) => tell(run, row));
    });

    it('never gives the answer of somebody else while many are at work', async () => {
      const way = ways[name]?.();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, () => mine)
          .flat()
          .map((row) => way?.((run) => tell(run, row))),
      );
      const failures = outcomes
        .filter((outcome) => outcome.status === 'rejected')
        .map(({ reason }) => reason)
        .filter((reason) => reason.code !== lost.code);
      expect(failures).toEqual([]);
    });
  });

  describe('under pool pressure', () => {
    const tight = (connectionLimit: number) => ({
      primary: { ...bed.primary, connectionLimit },
      replicas: bed.replicas.slice(0, 1).map((replica) => ({ ...replica, connectionLimit })),
    });

    it.each([1, 2])(
      'gives everybody a connection out of %i, and says which question is lost',
      async (limit) => {
        const its = bed.open(tight(limit));
        const write = its.promise();
        const answers = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            withSession(async () => {
              const tag = newTag();
              await write.query('INSERT INTO note (text) VALUES (?)', [tag]);
              if (index % 2 === 0) await write.query('SELECT id FROM item');
              const ask = write.query('SELECT LAST_INSERT_ID() AS a');
              const told = await ask.then(
                ([rows]) => rows,
                (error) => error.code,
              );
              const [row] = await cluster.primary.query(
                `SELECT id AS a FROM ${place.name}.note WHERE text = ?`,
                [tag],
              );
              return { told, own: [row] };
            }),
          ),
        );
        for (const { told, own } of answers) expect([own, lost.code]).toContainEqual(told);
        expect(answers.map(({ told }) => told)).toContain(lost.code);
        expect(its.stats().hosts.map(({ outstanding }) => outstanding)).toEqual([0, 0]);
      },
    );

    it('keeps no connection from the others in the pool of somebody who made it', async () => {
      const raw = mysql.createPool({ ...bed.primary, connectionLimit: 1 });
      const its = bed.open({ primary: { pool: raw }, replicas: [] });
      await withSession(async () => {
        await its.promise().query(insert);
        // Its connection is laid aside; somebody who knows nothing of it asks the pool.
        const [rows] = await outside(() => raw.promise().query('SELECT 1 AS a'));
        expect(rows).toEqual([{ a: 1 }]);
        await expect(its.promise().query('SELECT LAST_INSERT_ID() AS a')).rejects.toMatchObject(
          lost,
        );
        await its.promise().query(insert);
        const waiting = outside(() =>
          Promise.all([1, 2, 3].map(() => raw.promise().query('SELECT 1 AS a'))),
        );
        await its.promise().query(insert);
        await waiting;
      });
    });

    it.each([
      ['an id of its own', "INSERT INTO note (id, text) VALUES (2000000000, 'b')"],
      ['nothing to generate', 'INSERT IGNORE INTO item VALUES (1)'],
      ['a procedure that inserts nothing', 'CALL do_nothing()'],
      ['what nobody can look into', "PREPARE s FROM 'SELECT 1'"],
    ])('never takes %s on a new connection for the insert that it has lost', async (_why, sql) => {
      const its = bed.open(tight(2));
      const taker = await outside(() => its.promise().getConnection());
      const second = await outside(() => its.promise().getConnection());
      await withSession(async () => {
        await outside(() => taker.query('BEGIN'));
        await its.promise().query(insert);
        // The pool is full, and the connection of the insert is only remembered.
        await outside(() => second.query('BEGIN'));
        taker.release();
        await its.promise().query(sql);
        await expect(its.promise().query('SELECT LAST_INSERT_ID() AS a')).rejects.toMatchObject(
          lost,
        );
      });
      second.release();
    });

    it('lets nobody wait in Knex for a slot while those who have one wait for its connection', async () => {
      const db = knexFactory({
        client: ReplicatedMysql2,
        connection: { ...bed.primary },
        replicas,
        pool: { min: 0, max: 1 },
        acquireConnectionTimeout: 3_000,
        replication: { acquireTimeout: 1_000 },
      });
      ends.push(() => db.destroy());
      await withSession(async () => {
        await db.raw('SET @a = 1');
        const other = outside(() =>
          db('item')
            .insert({ id: 1 })
            .onConflict()
            .ignore()
            .then(
              () => 'served',
              () => 'refused',
            ),
        );
        // It has the slot now, and waits for the connection of the session.
        await sleep(100);
        const answer = await db.raw('SELECT @a AS a');
        expect(await Promise.race([other, 'still waiting'])).toBe('still waiting');
        expect(answer[0]).toEqual([{ a: 1 }]);
        return { other };
      }).then(async ({ other }) => expect(await other).toBe('served'));
    });
  });
});
