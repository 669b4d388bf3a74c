import { openSession, primary, type ReplicatedPool, replicas, withSession } from '@rwsplit/core';
import { describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { host, hostsOf, makePoolBed, newTag, on, type Run, tally, tell } from './pool-bed.ts';

const cluster = sharedCluster('mysql');
const bed = makePoolBed(cluster, await freshDatabase(cluster));

/** Of two groups; c is in both, d in none that anybody names. */
function grouped(change: Parameters<typeof bed.open>[0] = {}): ReplicatedPool {
  return bed.open({
    balancing: 'roundRobin',
    replicas: bed.replicas(
      'a',
      { name: 'b', groups: ['reports'] },
      { name: 'c', groups: ['default', 'reports'] },
      { name: 'd', groups: ['spare'] },
    ),
    ...change,
  });
}

/** Reads of a pool as its code wishes them. */
const query = (pool: ReplicatedPool): Run => on(pool);

describe('groups', () => {
  it('get the reads that name them; others go to the default one', async () => {
    const pool = grouped();
    expect(tally(await hostsOf(on(pool), 4))).toEqual({ a: 2, c: 2 });
    expect(tally(await hostsOf(on(pool, { useReplica: true }), 4))).toEqual({ a: 2, c: 2 });
    expect(tally(await hostsOf(on(pool, { useReplica: false }), 4))).toEqual({ a: 2, c: 2 });
    const reports = on(pool, { useReplica: 'reports' });
    expect(tally(await hostsOf(reports, 4))).toEqual({ b: 2, c: 2 });
    expect(tally(await hostsOf(on(pool, { useReplica: 'spare' }), 2))).toEqual({ d: 2 });
    expect(host(pool, 'c').groups).toEqual(['default', 'reports']);
  });

  it('are a scope too, with the statement having the last word', async () => {
    const pool = grouped();
    await replicas('reports', async () => {
      expect(tally(await hostsOf(query(pool), 4))).toEqual({ b: 2, c: 2 });
      await replicas('spare', async () => {
        expect(tally(await hostsOf(query(pool), 2))).toEqual({ d: 2 });
      });
      // Without a name it is that of the code around.
      await replicas(async () => {
        expect(tally(await hostsOf(query(pool), 4))).toEqual({ b: 2, c: 2 });
      });
      expect(tally(await hostsOf(on(pool, { useReplica: 'spare' }), 2))).toEqual({ d: 2 });
    });
    expect(tally(await hostsOf(query(pool), 4))).toEqual({ a: 2, c: 2 });
  });

  it('are found by a stream, an execute, a connection and a session', async () => {
    const pool = grouped();
    const options = { useReplica: 'spare' };
    const stream: Run = async (sql) => {
      const rows: unknown[] = [];
      for await (const row of pool.query({ ...options, sql }).stream()) rows.push(row);
      return rows;
    };
    const execute: Run = (sql) => pool.promise().execute({ ...options, sql });
    const connection = await pool.promise().getConnection();
    const held: Run = (sql) => connection.query({ ...options, sql });
    const inSession: Run = (sql) => withSession(() => on(pool, options)(sql));
    for (const run of [stream, execute, held, inSession]) {
      expect(await tell(run)).toMatchObject({ host: 'd', reason: 'read', error: null });
    }
    connection.release();
  });

  it('that nobody is in are refused before anything is sent, and the names are told', async () => {
    const pool = grouped();
    const tag = newTag();
    for (const run of [
      on(pool, { useReplica: 'report' }),
      (sql: string) => replicas('report', () => query(pool)(sql)),
    ]) {
      const { error } = await tell(run, `SELECT 1 /* ${tag} */`);
      expect(error).toMatchObject({
        code: 'RWSPLIT_OPTIONS',
        isRetryable: false,
        message:
          "useReplica: expected a group that a replica is in ('default', 'reports', 'spare'), found 'report'",
      });
    }
    expect(await cluster.whoRan(tag)).toEqual([]);
  });

  it('that were known are not forgotten with their last host', async () => {
    const pool = grouped();
    pool.addReplica(bed.replicas({ name: 'e', groups: ['new'] })[0] ?? {});
    expect(await tell(on(pool, { useReplica: 'new' }))).toMatchObject({ host: 'e' });
    await pool.removeReplica('e');
    expect(await tell(on(pool, { useReplica: 'new' }))).toMatchObject({
      host: 'primary',
      reason: 'replicas-unavailable',
    });
  });

  it('without a default one leave the reads that name none on the primary', async () => {
    const pool = bed.open({ replicas: bed.replicas({ name: 'b', groups: ['reports'] }) });
    expect(await tell(on(pool))).toMatchObject({ host: 'primary', reason: 'replicas-unavailable' });
    expect(await tell(on(pool, { useReplica: 'reports' }))).toMatchObject({ host: 'b' });
  });

  it('whose hosts are all down are read on the primary, not in another group', async () => {
    const { proxy, host: behind } = await bed.behindProxy('b');
    const pool = bed.open({
      replicas: [...bed.replicas('a'), { ...behind, groups: ['reports'] }],
    });
    const reports = on(pool, { useReplica: 'reports' });
    expect(await tell(reports)).toMatchObject({ host: 'b' });
    proxy.refuse();
    proxy.cut();
    expect(await tell(reports)).toMatchObject({
      host: 'primary',
      reason: 'replicas-unavailable',
      error: null,
    });
  });

  it.each([
    ['', "useReplica: expected true, false or the name of a group, found ''"],
    [1, 'useReplica: expected true, false or the name of a group, found 1'],
    [null, 'useReplica: expected true, false or the name of a group, found null'],
    [['reports'], 'found an array of 1'],
  ])('refuses %o as a name', (useReplica, expected) => {
    const pool = grouped();
    const options = { sql: 'SELECT 1', useReplica } as unknown as { sql: string };
    expect(() => pool.query(options, () => {})).toThrow(
      expect.objectContaining({
        code: 'RWSPLIT_OPTIONS',
        message: expect.stringContaining(expected),
      }),
    );
  });
});

describe('useReplica', () => {
  it.each([
    "INSERT INTO note (text) VALUES ('x')",
    'UPDATE item SET id = id',
    'DELETE FROM note',
    'REPLACE INTO note (text) VALUES (1)',
    'CREATE TABLE never (id INT)',
    'TRUNCATE TABLE note',
  ])('is refused for what writes, and nothing is sent: %s', async (sql) => {
    const pool = grouped();
    for (const useReplica of [true, 'reports', 'nobody']) {
      const tag = newTag();
      const { error } = await tell(on(pool, { useReplica }), `${sql} /* ${tag} */`);
      expect(error).toMatchObject({ code: 'RWSPLIT_USE_REPLICA', isRetryable: false });
      expect(String(error)).not.toContain('VALUES');
      expect(await cluster.whoRan(tag)).toEqual([]);
    }
    expect(await tell(on(pool, { useReplica: false }), 'UPDATE item SET id = id')).toMatchObject({
      host: 'primary',
      error: null,
    });
  });

  it('is refused for a write in a transaction too, which goes on', async () => {
    const pool = grouped();
    const connection = await pool.promise().getConnection();
    await connection.beginTransaction();
    const hinted: Run = (sql) => connection.query({ sql, useReplica: true });
    expect((await tell(hinted, "INSERT INTO note (text) VALUES ('x')")).error).toMatchObject({
      code: 'RWSPLIT_USE_REPLICA',
    });
    const [rows] = await connection.query('SELECT COUNT(*) AS n FROM item');
    expect(rows).toEqual([{ n: 200 }]);
    await connection.rollback();
    connection.release();
  });

  it('says nothing to the code of a scope: writes in it run', async () => {
    const pool = grouped();
    const told = await replicas('reports', () => tell(query(pool), 'UPDATE item SET id = id'));
    expect(told).toMatchObject({ host: 'primary', reason: 'not-a-read', error: null });
  });

  it.each([
    ['SELECT id FROM item WHERE id = 1 FOR UPDATE', 'locking-read'],
    ['SELECT id FROM item WHERE id = 1 LOCK IN SHARE MODE', 'locking-read'],
    ['SELECT @@version_comment', 'system-variable'],
    ['SELECT SLEEP(0)', 'unsafe-function'],
    ['SHOW TABLES', 'show'],
    ['SELECT 1 AS one INTO @one', 'into'],
  ])('is no more than a wish where the primary is needed: %s', async (sql, reason) => {
    const pool = grouped();
    const alone = await tell(on(pool), sql);
    expect(alone).toMatchObject({ host: 'primary', reason, error: null });
    for (const useReplica of [true, 'reports']) {
      const told = await tell(on(pool, { useReplica }), sql);
      expect(told).toMatchObject({ host: 'primary', reason, error: null });
    }
  });

  it('is no more than a wish in a transaction', async () => {
    const pool = grouped();
    const connection = await pool.promise().getConnection();
    const hinted: Run = (sql) => connection.query({ sql, useReplica: 'reports' });
    await connection.beginTransaction();
    expect(await tell(hinted)).toMatchObject({ host: 'primary', reason: 'transaction' });
    await connection.commit();
    connection.release();
  });

  it.each([
    ['SET @x = 1', 'pinned:user-variable'],
    ['SET autocommit = 0', 'pinned:session-variable'],
    ["INSERT INTO note (text) VALUES ('own')", 'pinned:has-written'],
    ['SELECT GET_LOCK("pool-groups", 0)', 'pinned:user-lock'],
    ['CREATE TEMPORARY TABLE own (id INT)', 'pinned:temporary-table'],
  ])('is no more than a wish for a session that is bound by %s', async (sql, reason) => {
    const pool = grouped();
    const connection = await pool.promise().getConnection();
    await connection.query(sql);
    const hinted: Run = (text) => connection.query({ sql: text, useReplica: true });
    expect(await tell(hinted)).toMatchObject({ host: 'primary', reason });
    connection.release();
  });
});

describe('who has the last word', () => {
  const forced = { forcePrimary: true };

  it.each<[string, (pool: ReplicatedPool) => Run, string]>([
    [
      'forcePrimary over useReplica',
      (pool) => on(pool, { ...forced, useReplica: true }),
      'primary',
    ],
    [
      'useReplica over primary()',
      (pool) => (sql) => primary(() => on(pool, { useReplica: 'spare' })(sql)),
      'd',
    ],
    [
      'forcePrimary over replicas()',
      (pool) => (sql) => replicas('spare', () => on(pool, forced)(sql)),
      'primary',
    ],
    [
      'replicas() inside primary()',
      (pool) => (sql) => primary(() => replicas('spare', () => on(pool)(sql))),
      'd',
    ],
    [
      'primary() inside replicas()',
      (pool) => (sql) => replicas('spare', () => primary(() => on(pool)(sql))),
      'primary',
    ],
    [
      'a comment over useReplica',
      (pool) => (sql) => on(pool, { useReplica: 'spare' })(`/* route:primary */ ${sql}`),
      'primary',
    ],
    [
      'useReplica: false leaves primary() alone',
      (pool) => (sql) => primary(() => on(pool, { useReplica: false })(sql)),
      'primary',
    ],
    [
      'useReplica: false leaves replicas() alone',
      (pool) => (sql) => replicas('spare', () => on(pool, { useReplica: false })(sql)),
      'd',
    ],
  ])('%s', async (_what, run, expected) => {
    const told = await tell(run(grouped()));
    expect(told.host).toBe(expected);
    expect(told.reason).toBe(expected === 'primary' ? 'force-primary' : 'read');
  });

  it('of consistency: useReplica reads as the replica is, unless the statement asks for more', async () => {
    // Behind the marks of this process no server is: a write that no replica will have.
    const pool = grouped({ consistency: 'process', causalWait: 0 });
    const { primary: server } = cluster;
    const [replica] = cluster.replicas;
    if (replica === undefined) throw new Error('a replica');
    const connection = await pool.promise().getConnection();
    await replica.query(`LOCK TABLES ${bed.database}.note READ`);
    try {
      await connection.query("INSERT INTO note (text) VALUES ('behind')");
      expect(await tell(on(pool))).toMatchObject({ host: 'primary', reason: 'replicas-behind' });
      expect(await tell(on(pool, { useReplica: true }))).toMatchObject({ reason: 'read' });
      expect(await tell(on(pool, { useReplica: 'spare' }))).toMatchObject({ host: 'd' });
      const strict = { useReplica: 'spare', consistency: 'process' } as const;
      expect(await tell(on(pool, strict))).toMatchObject({
        host: 'primary',
        reason: 'replicas-behind',
      });
      const session = openSession({ consistency: 'process' });
      expect(await tell(on(pool, { useReplica: 'spare', session }))).toMatchObject({ host: 'd' });
      session.end();
    } finally {
      await replica.query('UNLOCK TABLES');
      connection.release();
    }
    expect(server.name).toBe('primary');
    await cluster.waitUntilReplicated();
  });
});
