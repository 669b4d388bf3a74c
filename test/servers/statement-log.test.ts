import { randomUUID } from 'node:crypto';
import type { Connection } from 'mysql2/promise';
import { describe, expect, it } from 'vitest';
import { runOnce, withConnection } from '../support/application.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';

describe.each(['mysql', 'mariadb'] as const)('the statement log of %s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const database = await freshDatabase(cluster);
  const { primary } = cluster;
  const [replica] = cluster.replicas;
  if (replica === undefined) throw new Error('the shared cluster has replicas');
  const onPrimary = <T>(use: (connection: Connection) => Promise<T>) =>
    withConnection(database.connectionOptions(primary), use);

  it('says which server ran a statement, on which thread', async () => {
    const tag = randomUUID();
    await runOnce(database.connectionOptions(replica), `SELECT 1 /* ${tag} */`);
    const threadId = await onPrimary(async (connection) => {
      await connection.query(`SELECT 2 /* ${tag} */`);
      return connection.threadId;
    });
    expect(await cluster.whoRan(tag)).toEqual([
      { server: 'primary', sql: `SELECT 2 /* ${tag} */`, threadId },
      { server: 'replica-1', sql: `SELECT 1 /* ${tag} */`, threadId: expect.any(Number) },
    ]);
  });

  it('counts executions of a prepared statement, not its preparation', async () => {
    const tag = randomUUID();
    await onPrimary(async (connection) => {
      for (const value of ['a', 'b']) await connection.execute(`SELECT ? /* ${tag} */`, [value]);
    });
    const texts = (await cluster.whoRan(tag)).map(({ sql }) => sql);
    expect(texts).toEqual([`SELECT 'a' /* ${tag} */`, `SELECT 'b' /* ${tag} */`]);
    const commands = (await primary.statements({ containing: tag })).map((each) => each.command);
    expect(commands).toEqual(['Prepare', 'Execute', 'Execute']);
  });

  it.each([
    ['several lines', 'SELECT 1,\r\n\t2\n'],
    ['quotes and backslashes', String.raw`SELECT '\\n', "a""b", '\'' , '\"' -- `],
    ['a line that looks like a row of the log', `SELECT 1 -- \n","x",1,1,"Query","SELECT 2"\n`],
    ['characters of four bytes', "SELECT 'é😀' "],
    ['a NUL byte', "SELECT 'a\0b' "],
    ['a NUL byte where none may be', 'SELECT 1 \0 '],
    ['no SQL at all', 'selec wrong('],
  ])('has the exact text: %s', async (_, sql) => {
    const tag = randomUUID();
    const text = `${sql} /* ${tag} */`;
    // Refused or not is no matter here: it was sent.
    await runOnce(database.connectionOptions(primary), text).catch(() => {});
    expect((await cluster.whoRan(tag)).map((each) => each.sql)).toEqual([text]);
  });

  it('has huge statements', async () => {
    const tag = randomUUID();
    const text = `SELECT length('${'0123456789\\"\n'.repeat(1_000_000)}') /* ${tag} */`;
    await runOnce(database.connectionOptions(primary), text);
    const [ran] = await cluster.whoRan(tag);
    // Not compared by `expect`: it would print both.
    expect(ran?.sql === text).toBe(true);
  });

  it('has every statement of concurrent connections, each thread in its order', async () => {
    const tag = randomUUID();
    const threads = await Promise.all(
      [1, 2, 3, 4].map((client) =>
        onPrimary(async (connection) => {
          const sent = Array.from({ length: 50 }, (_, n) => `SELECT ${n} /* ${tag} ${client} */`);
          for (const sql of sent) await connection.query(sql);
          return { threadId: connection.threadId, sent };
        }),
      ),
    );
    const ran = await cluster.whoRan(tag);
    for (const { threadId, sent } of threads) {
      const texts = ran.filter((each) => each.threadId === threadId).map(({ sql }) => sql);
      expect(texts).toEqual(sent);
    }
    expect(ran).toHaveLength(200);
  });

  it('shows neither queries of the tests nor what replication runs', async () => {
    const tag = randomUUID();
    const marks = await Promise.all(cluster.replicas.map((each) => each.mark()));
    await primary.query(`SELECT 1 /* ${tag} */`);
    await replica.query(`SELECT 1 /* ${tag} */`);
    // Replicated as text.
    await runOnce(database.connectionOptions(primary), `CREATE TABLE t (id INT) /* ${tag} */`);
    await cluster.waitUntilReplicated();
    expect(await cluster.whoRan(tag)).toEqual([
      expect.objectContaining({ server: 'primary', sql: expect.stringContaining('CREATE') }),
    ]);
    for (const [index, each] of cluster.replicas.entries()) {
      const since = marks[index];
      if (since === undefined) throw new Error('one mark for each replica');
      const all = await each.statements({ since });
      expect(all.filter(({ user }) => user !== cluster.user)).toEqual([]);
    }
  });

  it('starts at a mark', async () => {
    const tag = randomUUID();
    await onPrimary(async (connection) => {
      await connection.query(`SELECT 'before' /* ${tag} */`);
      const since = await primary.mark();
      expect(await primary.statements({ since, containing: tag })).toEqual([]);
      await connection.query(`SELECT 'after' /* ${tag} */`);
      expect(await primary.statements({ since, containing: tag })).toEqual([
        {
          threadId: connection.threadId,
          command: 'Query',
          sql: `SELECT 'after' /* ${tag} */`,
          user: cluster.user,
        },
      ]);
    });
  });

  it('does not take a mark of another server', async () => {
    const since = await primary.mark();
    await expect(replica.statements({ since })).rejects.toThrow('another server');
  });
});
