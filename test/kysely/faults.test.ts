import { setTimeout as sleep } from 'node:timers/promises';
import { isRwSplitError, ReplicatedMysqlDialect } from '@rwsplit/kysely';
import { CompiledQuery, Kysely, sql } from 'kysely';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { createTables, hosts, newTag, open, rolesOf, type Tables } from './people.ts';

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const database = await freshDatabase(cluster);
  let network: TcpProxy;
  /** Over a network to the primary that fails when told to. */
  let db: Kysely<Tables>;

  beforeAll(() => createTables(cluster, database));
  beforeEach(async () => {
    network = await TcpProxy.start(cluster.primary);
    const { primary } = hosts(cluster, database);
    db = open(cluster, database, {
      primary: { ...primary, port: network.port, connectionLimit: 2 },
      acquireTimeout: 1_000,
    });
    await Promise.all([1, 2].map(() => insert(db, 'warm')));
  });
  afterEach(async () => {
    network.resume();
    await db.destroy();
    network.close();
  });

  /** Breaks all connections, those that nobody uses too, and lets mysql2 notice. */
  async function cut(): Promise<void> {
    network.cut();
    await sleep(20);
  }

  describe('a transaction that does not begin', () => {
    // Not every version of Kysely releases the connection then: here, nobody does.
    it('gives its connection back when the network fails under BEGIN', async () => {
      const { primary } = hosts(cluster, database);
      const driver = new ReplicatedMysqlDialect({
        primary: { ...primary, port: network.port, connectionLimit: 2 },
        acquireTimeout: 1_000,
      }).createDriver();
      await driver.init();
      for (let i = 0; i < 4; i++) {
        const used = await driver.acquireConnection();
        await used.executeQuery(CompiledQuery.raw('select 1'));
        await driver.releaseConnection(used);
        network.drop('down');
        const connection = await driver.acquireConnection();
        const begin = driver.beginTransaction(connection, { isolationLevel: 'serializable' });
        const lost = expect(begin).rejects.toThrow();
        await sleep(20);
        await cut();
        await lost;
      }
      // If connections were still counted as in use, this would be a full pool's error.
      network.pause();
      const connection = await driver.acquireConnection();
      const query = connection.executeQuery(CompiledQuery.raw('select 1'));
      await expect(query).rejects.toThrow('the server did not answer');
      network.resume();
      await driver.destroy();
    });

    it('gives its connection back when the server refuses it', async () => {
      const { primary } = hosts(cluster, database);
      const driver = new ReplicatedMysqlDialect({
        primary: { ...primary, connectionLimit: 1 },
        acquireTimeout: 500,
      }).createDriver();
      await driver.init();
      for (let i = 0; i < 3; i++) {
        // MySQL has no such isolation level.
        const begin = driver.beginTransaction(await driver.acquireConnection(), {
          isolationLevel: 'snapshot',
        });
        await expect(begin).rejects.toMatchObject({ errno: 1064 });
      }
      const other = await driver.acquireConnection();
      await driver.beginTransaction(other, {});
      await driver.rollbackTransaction(other);
      await driver.destroy();
    });

    it('leaves what a connection() holds alone', async () => {
      await db.connection().execute(async (connection) => {
        await sql`set @kept = 1`.execute(connection);
        const begin = connection.startTransaction().setIsolationLevel('snapshot').execute();
        await expect(begin).rejects.toMatchObject({ errno: 1064 });
        const { rows } = await sql`select @kept as kept`.execute(connection);
        expect(rows).toEqual([{ kept: 1 }]);
      });
    });

    it('fails at once, as often as it is tried, while the primary is down', async () => {
      network.refuse();
      await cut();
      for (let i = 0; i < 5; i++) {
        const begin = db.startTransaction().execute();
        await expect(begin).rejects.toMatchObject({ code: 'RWSPLIT_PRIMARY_DOWN' });
      }
      const tag = newTag();
      await db.selectFrom('person').select('id').where('name', '=', tag).execute();
      expect(await rolesOf(cluster, tag)).toEqual(['replica']);
      await network.accept();
      await db.transaction().execute((trx) => insert(trx, tag));
    });
  });

  describe('a transaction whose connection is lost', () => {
    it('rejects with the error of the query that noticed, and the pool goes on', async () => {
      const [before, after] = [newTag(), newTag()];
      const transaction = db.transaction().execute(async (trx) => {
        await insert(trx, before);
        network.drop('down');
        setTimeout(() => network.cut(), 20);
        await insert(trx, after);
      });
      await expect(transaction).rejects.toMatchObject({ fatal: true });
      await sleep(20);
      await db.transaction().execute((trx) => insert(trx, after));
    });

    it('runs nothing outside of the transaction that was lost', async () => {
      const after = newTag();
      const trx = await db.startTransaction().execute();
      await insert(trx, newTag());
      network.cut();
      await expect(insert(trx, after)).rejects.toThrow();
      await expect(insert(trx, after)).rejects.toMatchObject({ code: 'RWSPLIT_SESSION_LOST' });
      await trx.rollback().execute();
      expect(await rolesOf(cluster, after)).toEqual([]);
    });

    it("rejects with the callback's own error, not with that of ROLLBACK", async () => {
      const failure = new Error('changed my mind');
      const transaction = db.transaction().execute(async (trx) => {
        await insert(trx, newTag());
        network.drop('down');
        setTimeout(() => network.cut(), 20);
        throw failure;
      });
      await expect(transaction).rejects.toBe(failure);
    });

    it('rejects with the error of COMMIT, though ROLLBACK finds no primary', async () => {
      const transaction = db.transaction().execute(async (trx) => {
        await insert(trx, newTag());
        network.drop('down');
        setTimeout(() => {
          network.refuse();
          network.cut();
        }, 20);
      });
      await expect(transaction).rejects.toMatchObject({
        code: 'RWSPLIT_UNKNOWN_OUTCOME',
        cause: { fatal: true },
      });
    });

    it('leaves a connection() usable after ROLLBACK', async () => {
      const tag = newTag();
      await db.connection().execute(async (connection) => {
        const trx = await connection.startTransaction().execute();
        await cut();
        await expect(insert(trx, tag)).rejects.toThrow();
        await trx.rollback().execute();
        await insert(connection, tag);
      });
      expect(await rolesOf(cluster, tag)).toEqual(['primary']);
    });
  });

  it('says which host has no free connection', async () => {
    const open = await Promise.all([1, 2].map(() => db.startTransaction().execute()));
    await Promise.all(open.map((trx) => insert(trx, newTag())));
    const error = await insert(db, newTag()).catch((caught: unknown) => caught);
    expect(isRwSplitError(error) && error.code).toBe('RWSPLIT_ACQUIRE_TIMEOUT');
    expect(String(error)).toContain('all 2 connections of its pool are in use');
    await Promise.all(open.map((trx) => trx.rollback().execute()));
  });

  it('passes on that the password is wrong, and does not show it', async () => {
    const { primary, replicas } = hosts(cluster, database);
    const password = 'hunter2';
    await using wrong = new Kysely<Tables>({
      dialect: new ReplicatedMysqlDialect({ primary: { ...primary, password }, replicas }),
    });
    const error = await insert(wrong, newTag()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR' });
    expect(JSON.stringify(error) + String(error)).not.toContain(password);
  });

  it('passes on that the database is unknown', async () => {
    const { primary } = hosts(cluster, database);
    await using wrong = new Kysely<Tables>({
      dialect: new ReplicatedMysqlDialect({ primary: { ...primary, database: 'app_nowhere' } }),
    });
    await expect(sql`select 1`.execute(wrong)).rejects.toMatchObject({ errno: 1049 });
  });
});

function insert(db: Kysely<Tables>, name: string) {
  return db.insertInto('person').values({ name }).executeTakeFirstOrThrow();
}
