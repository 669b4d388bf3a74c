import { setTimeout as sleep } from 'node:timers/promises';
import { type ReplicatedPool, withSession } from '@rwsplit/core';
import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Flavor, flavors } from '../../support/servers/flavor.ts';
import { startCluster } from '../../support/servers/start-cluster.ts';
import { Bed, look, through, untilReplica } from './bed.ts';

/** What is written although the answer cannot tell its GTID: rows are the answer, or an error. */
const hiddenWrites: Readonly<Record<Flavor, (id: number) => string>> = {
  // Of two rows of a table without transactions, the first one stays.
  mysql: (id) => `INSERT INTO flat (id) VALUES (${id}), (0)`,
  mariadb: (id) => `INSERT INTO flat (id) VALUES (${id}) RETURNING id`,
};

const behind = { role: 'primary', reason: 'replicas-behind' };

/** When something goes wrong, or is not yet known, reads see at least what they would have seen. */
describe.each(flavors)('%s', (flavor) => {
  let bed: Bed;
  let last = 100;

  beforeAll(async () => {
    bed = new Bed(await startCluster({ flavor }));
    await bed.create([
      'CREATE TABLE note (id INT PRIMARY KEY, t INT NOT NULL DEFAULT 0)',
      'CREATE TABLE flat (id INT PRIMARY KEY) ENGINE = MyISAM',
      'INSERT INTO flat (id) VALUES (0)',
    ]);
  });
  afterAll(() => bed[Symbol.asyncDispose]());
  afterEach(async () => {
    await bed.closePools();
    await bed.apply();
  });

  const next = () => ++last;

  function read(pool: ReplicatedPool, id = last, table = 'note') {
    return look(through(pool), `SELECT id FROM ${table} WHERE id = ${id}`);
  }

  /** Writes what no answer tells of; what the server says of it does not matter. */
  async function hide(pool: ReplicatedPool): Promise<void> {
    await through(pool)(hiddenWrites[flavor](next())).catch(() => {});
  }

  /** The application cannot log in to the primary while something runs. */
  async function whileFull(work: () => Promise<void>): Promise<void> {
    const { primary } = bed.cluster;
    const taken: mysql.Connection[] = [];
    await primary.query('SET GLOBAL max_connections = 10');
    try {
      for (;;) {
        const connection = await mysql.createConnection(bed.primary).catch(() => null);
        if (connection === null) break;
        taken.push(connection);
      }
      await work();
    } finally {
      await primary.query('SET GLOBAL max_connections = 151');
      await Promise.all(taken.map((connection) => connection.end()));
    }
  }

  it('a token names what was written before while a write is asked for', async () => {
    await bed.hold();
    const pool = bed.open({ causalWait: 20, causalWindow: 1 });
    const id = next();
    const tokens = new Set<string>();
    await withSession(async (session) => {
      await through(pool)(`INSERT INTO note (id) VALUES (${id})`);
      const first = session.token();
      let isDone = false;
      const writing = hide(pool).finally(() => {
        isDone = true;
      });
      while (!isDone) {
        tokens.add(session.token() ?? 'none');
        await new Promise((resolve) => setImmediate(resolve));
      }
      await writing;
      expect(tokens).toContain(first);
    });
    await sleep(5);
    for (const after of tokens) {
      const seen = await withSession({ after }, () => read(pool, id));
      expect(seen).toMatchObject({ ...behind, rows: [{ id }] });
    }
    const other = bed.open({ causalWait: 20, causalWindow: 1 });
    for (const after of tokens) {
      expect(await withSession({ after }, () => read(other, id))).toMatchObject(behind);
    }
  });

  it.each(['session', 'process'] as const)(
    'what a token names is seen by a read that asks for the writes of the %s',
    async (consistency) => {
      await bed.hold();
      // By another address, it knows what is written from the token alone.
      const primary = { ...bed.primary, host: 'localhost' };
      const [writer, pool] = [bed.open(), bed.open({ primary, causalWait: 20, consistency })];
      const id = next();
      const after = await withSession(async (session) => {
        await through(writer)(`INSERT INTO note (id) VALUES (${id})`);
        return session.token();
      });
      expect((await read(pool, id)).rows).toEqual([]);
      const seen = await withSession({ after: after ?? 'none' }, () => read(pool, id));
      expect(seen).toMatchObject({ ...behind, rows: [{ id }] });
    },
  );

  it('a write is seen later of which the primary could not be asked', async () => {
    await bed.hold();
    const primary = { ...bed.primary, name: 'primary', connectionLimit: 1 };
    const pool = bed.open({ primary, causalWait: 20, causalWindow: 1 });
    await through(pool)('SELECT id FROM note FOR UPDATE');
    await withSession(async () => {
      await whileFull(() => hide(pool));
      const { rows } = await read(pool, last, 'flat');
      expect(rows).toEqual([{ id: last }]);
      await sleep(5);
      expect(await read(pool, last, 'flat')).toMatchObject({ ...behind, rows: [{ id: last }] });
    });
    expect(await read(pool, last, 'flat')).toMatchObject({ ...behind, rows: [{ id: last }] });
  });

  it('a write is seen, too, while the primary still cannot be asked', async () => {
    await bed.hold();
    const primary = { ...bed.primary, name: 'primary', connectionLimit: 1 };
    const pool = bed.open({ primary, causalWait: 20, causalWindow: 1 });
    await through(pool)('SELECT id FROM note FOR UPDATE');
    await whileFull(async () => {
      await withSession(async () => {
        await hide(pool);
        await sleep(5);
        expect(await read(pool, last, 'flat')).toMatchObject({ ...behind, rows: [{ id: last }] });
      });
      expect(await read(pool, last, 'flat')).toMatchObject({ ...behind, rows: [{ id: last }] });
    });
  });

  it('a replica that comes back is read by who read there before only after the primary was asked', async () => {
    const pool = bed.open({ replicas: bed.replicas.slice(0, 1) });
    const [replica] = bed.cluster.replicas;
    if (replica === undefined) throw new Error('no replica');
    const { primary } = bed.cluster;
    const asked = async (since: Awaited<ReturnType<typeof primary.mark>>) => {
      const containing = flavor === 'mysql' ? 'gtid_owned' : 'gtid_binlog_pos';
      const sent = await primary.statements({ since, containing });
      return sent.filter(({ sql }) => sql.startsWith('SELECT')).length;
    };
    await withSession(async () => {
      const before = await primary.mark();
      expect((await untilReplica(() => read(pool))).role).toBe('replica');
      expect((await read(pool)).role).toBe('replica');
      const since = await primary.mark();
      expect(await asked(before)).toBe(0);
      await replica.kill();
      await replica.restart();
      expect((await untilReplica(() => read(pool))).role).toBe('replica');
      expect(await asked(since)).toBeGreaterThan(0);
    });
  });

  it('replicas that were behind serve sessions again that have only read on the primary', async () => {
    const pool = bed.open({ causalWait: 30 });
    await bed.hold();
    await withSession(async () => {
      await through(pool)(`INSERT INTO note (id) VALUES (${next()})`);
      expect(await read(pool)).toMatchObject(behind);
    });
    // Longer than one question to a replica waits: nobody waits there any more.
    await sleep(400);
    await bed.apply();
    const seen = await untilReplica(() =>
      withSession(async () => {
        await through(pool)('SELECT id FROM note FOR UPDATE');
        return read(pool);
      }),
    );
    expect(seen.rows).toEqual([{ id: last }]);
  });

  it.each<[string, readonly string[]]>([
    ['INSERT IGNORE', ['INSERT IGNORE INTO note (id) VALUES (?)']],
    [
      'INSERT IGNORE in a transaction',
      ['BEGIN', 'INSERT IGNORE INTO note (id) VALUES (?)', 'COMMIT'],
    ],
    ['ON DUPLICATE KEY UPDATE', ['INSERT INTO note (id) VALUES (?) ON DUPLICATE KEY UPDATE t = t']],
    ['an UPDATE that changes nothing', ['UPDATE note SET t = 0 WHERE id = ?']],
    [
      'an UPDATE that changes nothing, in a transaction',
      ['BEGIN', 'UPDATE note SET t = 0 WHERE id = ?', 'COMMIT'],
    ],
  ])('no later read misses the row that was found by %s', async (_what, statements) => {
    await bed.hold();
    const id = next();
    await bed.cluster.primary.query(`INSERT INTO ${bed.cluster.database}.note (id) VALUES (${id})`);
    const pool = bed.open({ causalWait: 20 });
    await withSession(async () => {
      for (const sql of statements) await through(pool)(sql.replace('?', String(id)));
      expect(await read(pool, id)).toMatchObject({ ...behind, rows: [{ id }] });
    });
  });
});
