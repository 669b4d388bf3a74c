import { setTimeout as sleep } from 'node:timers/promises';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
import knexFactory from 'knex';
import { Kysely, sql } from 'kysely';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Cluster } from '../../support/servers/cluster.ts';
import { flavors } from '../../support/servers/flavor.ts';
import { startCluster } from '../../support/servers/start-cluster.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import {
  asOne,
  type Bed,
  connectionsOf,
  failureOf,
  kinds,
  makeBed,
  newTag,
  type Run,
  runOn,
} from './bed.ts';

const lost = { code: 'RWSPLIT_SESSION_LOST' };

/** What a session may try after its transaction is gone; none of it must run. */
const tries = [
  'INSERT INTO note (text) VALUES (?)',
  'UPDATE note SET text = ? WHERE id = 0',
  'SELECT ? AS a',
  'SELECT id FROM item WHERE id <> ? FOR UPDATE',
  'COMMIT /* ? */',
  'SAVEPOINT a /* ? */',
  'ROLLBACK TO SAVEPOINT a /* ? */',
  'SET @a = ?',
  'DO ?',
  'CREATE TABLE made (id INT) /* ? */',
];

async function tryAll(run: Run, tag: string): Promise<void> {
  for (const attempt of tries) {
    await expect(run(attempt.replace('?', `'${tag}'`)), attempt).rejects.toMatchObject(lost);
  }
}

/** Runs `work` in the transaction that the server will choose to end for a deadlock. */
async function deadlock(
  bed: Bed,
  meet: (cross: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const other = bed.open();
  const connection = await other.promise().getConnection();
  const heavy = runOn(connection);
  try {
    await heavy('BEGIN');
    // InnoDB ends the transaction that has changed fewer rows (MySQL manual, "Deadlock Detection").
    await heavy('UPDATE account SET amount = amount + 1 WHERE id > 1');
    let crossing: Promise<unknown> = Promise.resolve();
    await meet(async () => {
      crossing = heavy('UPDATE account SET amount = amount + 1 WHERE id = 1');
      crossing.catch(() => {});
      await sleep(50);
    });
    await crossing;
  } finally {
    await heavy('ROLLBACK');
    connection.release();
  }
}

const mine = 'UPDATE account SET amount = amount + 1 WHERE id = 1';
const theirs = 'UPDATE account SET amount = amount + 1 WHERE id = 2';

async function kill(cluster: Cluster, tag: string): Promise<void> {
  const [connection] = await connectionsOf(cluster, tag);
  await cluster.primary.query(`KILL ${connection?.split(' ')[1]}`);
  await sleep(50);
}

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const bed = makeBed(cluster, await freshDatabase(cluster));

  describe.each(kinds)('in a %s', (kind) => {
    it.each([
      ['ROLLBACK', 'outside'],
      ['ROLLBACK AND CHAIN', 'inside'],
      ['BEGIN', 'inside'],
      ['START TRANSACTION READ WRITE', 'inside'],
    ])('runs nothing after a deadlock until %s, and then %s a transaction', async (again, next) => {
      const [before, after, later] = [newTag(), newTag(), newTag()];
      const pool = bed.open();
      await deadlock(bed, (cross) =>
        asOne(kind, pool, async (run) => {
          await run('BEGIN');
          await run(`INSERT INTO note (text) VALUES ('${before}')`);
          await run(mine);
          await cross();
          await run(theirs).then(
            () => expect.fail('the other was the victim'),
            (error) => expect(error).toMatchObject({ errno: 1213 }),
          );
          await tryAll(run, after);
          expect(await cluster.whoRan(after)).toEqual([]);
          await run(again);
          await run(`INSERT INTO note (text) VALUES ('${later}')`);
          expect(await bed.hasNote(later)).toBe(next === 'outside');
          await run('COMMIT');
          expect(await bed.hasNote(later)).toBe(true);
          expect(await bed.hasNote(before)).toBe(false);
        }),
      );
      await pool.promise().query(`INSERT INTO note (text) VALUES ('${after}')`);
      expect(await bed.hasNote(after)).toBe(true);
    });

    it('tells of a deadlock by SHOW WARNINGS, and gives a clean connection back without ROLLBACK', async () => {
      const [before, later] = [newTag(), newTag()];
      const pool = bed.open();
      await deadlock(bed, (cross) =>
        asOne(kind, pool, async (run) => {
          await run('BEGIN');
          await run(`${mine} /* ${before} */`);
          await cross();
          await expect(run(theirs)).rejects.toMatchObject({ errno: 1213 });
          // MariaDB adds a note of its own.
          expect(await run('SHOW WARNINGS')).toContainEqual(
            expect.objectContaining({ Level: 'Error', Code: 1213 }),
          );
        }),
      );
      await pool.promise().query(`INSERT INTO note (text) VALUES ('${later}')`);
      expect(await bed.hasNote(later)).toBe(true);
      expect(await connectionsOf(cluster, later)).toEqual(await connectionsOf(cluster, before));
    });

    it('stays in its transaction when a lock wait ends its statement alone', async () => {
      const [note, after] = [newTag(), newTag()];
      const pool = bed.open({ primary: { ...bed.primary, connectionLimit: 2 } });
      const holder = await pool.promise().getConnection();
      await holder.query('BEGIN');
      await holder.query(mine);
      await asOne(kind, pool, async (run) => {
        await run('SET SESSION innodb_lock_wait_timeout = 1');
        await run('BEGIN');
        await run(`INSERT INTO note (text) VALUES ('${note}')`);
        await expect(run(mine)).rejects.toMatchObject({ errno: 1205 });
        await run(`INSERT INTO note (text) VALUES ('${after}')`);
        expect(await bed.hasNote(after)).toBe(false);
        await run('COMMIT');
      });
      expect([await bed.hasNote(note), await bed.hasNote(after)]).toEqual([true, true]);
      expect(await connectionsOf(cluster, after)).toEqual(await connectionsOf(cluster, note));
      await holder.query('ROLLBACK');
      holder.release();
    });

    it('runs nothing after its connection was killed until ROLLBACK, and then on another one', async () => {
      const [before, after, later] = [newTag(), newTag(), newTag()];
      const pool = bed.open();
      await asOne(kind, pool, async (run) => {
        await run('BEGIN');
        await run(`INSERT INTO note (text) VALUES ('${before}')`);
        await kill(cluster, before);
        await failureOf(run(`INSERT INTO note (text) VALUES ('${after}')`));
        await tryAll(run, after);
        await run('ROLLBACK');
        await run(`INSERT INTO note (text) VALUES ('${later}')`);
      });
      expect(await cluster.whoRan(after)).toEqual([]);
      expect([await bed.hasNote(before), await bed.hasNote(later)]).toEqual([false, true]);
      expect(await connectionsOf(cluster, later)).not.toEqual(await connectionsOf(cluster, before));
    });

    it('is told when completion_type = RELEASE has closed the connection with its session variable', async () => {
      const [before, after] = [newTag(), newTag()];
      const pool = bed.open();
      await asOne(kind, pool, async (run) => {
        await run('SET completion_type = 2');
        await run('BEGIN');
        await run(`INSERT INTO note (text) VALUES ('${before}')`);
        await run('COMMIT');
        await sleep(50);
        await failureOf(run(`INSERT INTO note (text) VALUES ('${after}')`));
        await expect(run(`DO '${after}'`)).rejects.toMatchObject(lost);
      });
      expect(await bed.hasNote(before)).toBe(true);
      expect(await cluster.whoRan(after)).toEqual([]);
      await pool.promise().query('UPDATE item SET id = id');
    });
  });

  describe('through Knex', () => {
    const open = () => {
      const db = knexFactory({
        client: ReplicatedMysql2,
        connection: { ...bed.primary },
        replicas: bed.replicas,
        pool: { min: 0, max: 2 },
        log: { warn: () => {} },
      });
      opened.push(() => db.destroy());
      return db;
    };
    const opened: (() => Promise<void>)[] = [];
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((close) => close()));
    });
    const isWhole = async (db: ReturnType<typeof open>) => {
      const notes = [newTag(), newTag()];
      await Promise.all(notes.map((text) => db.transaction((trx) => trx('note').insert({ text }))));
      for (const note of notes) expect(await bed.hasNote(note)).toBe(true);
      expect(db.client.pool?.numUsed()).toBe(0);
    };

    it.each(['its own', "the user's", 'none'] as const)(
      'ends the transaction of a deadlock with %s error',
      async (whose) => {
        const db = open();
        const [before, after] = [newTag(), newTag()];
        const own = new Error('mine');
        await deadlock(bed, async (cross) => {
          const failure = await failureOf(
            db.transaction(async (trx) => {
              await trx('note').insert({ text: before });
              await trx.raw(mine);
              await cross();
              if (whose === 'its own') {
                await trx.raw(theirs);
              }
              await failureOf(trx.raw(theirs));
              if (whose === "the user's") throw own;
              await trx('note').insert({ text: after });
            }),
          );
          if (whose === "the user's") expect(failure).toBe(own);
          else expect(failure).toMatchObject(whose === 'none' ? lost : { errno: 1213 });
        });
        expect([await bed.hasNote(before), await bed.hasNote(after)]).toEqual([false, false]);
        await isWhole(db);
      },
    );

    it('refuses the COMMIT of a transaction whose deadlock the user has swallowed', async () => {
      const db = open();
      await deadlock(bed, async (cross) => {
        const failure = await failureOf(
          db.transaction(async (trx) => {
            await trx.raw(mine);
            await cross();
            await failureOf(trx.raw(theirs));
          }),
        );
        expect(failure).toMatchObject(lost);
      });
      await isWhole(db);
    });

    it.each(['its own', "the user's"] as const)(
      'ends the transaction of a connection that was killed with %s error',
      async (whose) => {
        const db = open();
        const [before, after] = [newTag(), newTag()];
        const own = new Error('mine');
        const failure = await failureOf(
          db.transaction(async (trx) => {
            await trx('note').insert({ text: before });
            await kill(cluster, before);
            if (whose === "the user's") throw own;
            await trx('note').insert({ text: after });
          }),
        );
        if (whose === "the user's") expect(failure).toBe(own);
        else expect(failure).toBeInstanceOf(Error);
        expect(await cluster.whoRan(after)).toEqual([]);
        await isWhole(db);
      },
    );
  });

  describe('through Kysely', () => {
    interface Tables {
      note: { text: string };
    }
    const opened: (() => Promise<void>)[] = [];
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((close) => close()));
    });
    const open = () => {
      const db = new Kysely<Tables>({
        dialect: new ReplicatedMysqlDialect({
          primary: { ...bed.primary, connectionLimit: 2 },
          replicas: [...bed.replicas],
          acquireTimeout: 2_000,
        }),
      });
      opened.push(() => db.destroy());
      return db;
    };
    const insert = (db: Kysely<Tables>, text: string) =>
      db.insertInto('note').values({ text }).execute();
    const isWhole = async (db: Kysely<Tables>) => {
      const notes = [newTag(), newTag()];
      await Promise.all(notes.map((text) => db.transaction().execute((trx) => insert(trx, text))));
      for (const note of notes) expect(await bed.hasNote(note)).toBe(true);
    };

    it.each(['its own', "the user's", 'none'] as const)(
      'ends the transaction of a deadlock with %s error',
      async (whose) => {
        const db = open();
        const [before, after] = [newTag(), newTag()];
        const own = new Error('mine');
        await deadlock(bed, async (cross) => {
          const failure = await failureOf(
            db.transaction().execute(async (trx) => {
              await insert(trx, before);
              await sql.raw(mine).execute(trx);
              await cross();
              if (whose === 'its own') {
                await sql.raw(theirs).execute(trx);
              }
              await failureOf(sql.raw(theirs).execute(trx));
              if (whose === "the user's") throw own;
              await insert(trx, after);
            }),
          );
          if (whose === "the user's") expect(failure).toBe(own);
          else expect(failure).toMatchObject(whose === 'none' ? lost : { errno: 1213 });
        });
        expect([await bed.hasNote(before), await bed.hasNote(after)]).toEqual([false, false]);
        await isWhole(db);
      },
    );

    it.each(['its own', "the user's"] as const)(
      'ends the transaction of a connection that was killed with %s error',
      async (whose) => {
        const db = open();
        const [before, after] = [newTag(), newTag()];
        const own = new Error('mine');
        const failure = await failureOf(
          db.transaction().execute(async (trx) => {
            await insert(trx, before);
            await kill(cluster, before);
            if (whose === "the user's") throw own;
            await insert(trx, after);
          }),
        );
        if (whose === "the user's") expect(failure).toBe(own);
        else expect(failure).toBeInstanceOf(Error);
        expect(await cluster.whoRan(after)).toEqual([]);
        await isWhole(db);
      },
    );
  });
});

describe.each(flavors)('%s with innodb_rollback_on_timeout', async (flavor) => {
  const cluster = await startCluster({
    flavor,
    replicas: 0,
    settings: ['--innodb-rollback-on-timeout=ON', '--innodb-lock-wait-timeout=1'],
  });
  afterAll(() => cluster.stop());
  const bed = makeBed(cluster, {
    name: cluster.database,
    connectionOptions: (server) => cluster.connectionOptions(server),
  });

  it.each(kinds)(
    'runs nothing in a %s after a lock wait has ended the transaction',
    async (kind) => {
      const [before, after, later] = [newTag(), newTag(), newTag()];
      const pool = bed.open({ primary: { ...bed.primary, connectionLimit: 2 } });
      const holder = await pool.promise().getConnection();
      await holder.query('BEGIN');
      await holder.query(mine);
      await asOne(kind, pool, async (run) => {
        await run('BEGIN');
        await run(`INSERT INTO note (text) VALUES ('${before}')`);
        await expect(run(mine)).rejects.toMatchObject({ errno: 1205 });
        await tryAll(run, after);
        await run('ROLLBACK');
        await run(`INSERT INTO note (text) VALUES ('${later}')`);
        expect(await bed.hasNote(later)).toBe(true);
      });
      expect(await cluster.whoRan(after)).toEqual([]);
      expect(await bed.hasNote(before)).toBe(false);
      await holder.query('ROLLBACK');
      holder.release();
    },
  );
});
