import { describe, expect, it } from 'vitest';
import { runOnce, withConnection } from '../support/application.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';

describe.each(['mysql', 'mariadb'] as const)('the shared %s cluster', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const database = await freshDatabase(cluster);

  it('is a primary with two replicas of the flavour', async () => {
    expect(cluster.all.map(({ name }) => name)).toEqual(['primary', 'replica-1', 'replica-2']);
    for (const server of cluster.all) {
      const [row] = await server.query<{ version: string; id: number }>(
        'SELECT version() AS version, @@server_id AS id',
      );
      expect(row?.version.includes('MariaDB')).toBe(flavor === 'mariadb');
      expect(row?.version.startsWith(cluster.version)).toBe(true);
      expect(row?.id).toBe(server.serverId);
    }
  });

  it('has the fresh database on every server', async () => {
    for (const server of cluster.all) {
      const rows = await runOnce(database.connectionOptions(server), 'SELECT DATABASE() AS name');
      expect(rows).toEqual([{ name: database.name }]);
    }
  });

  describe('another fresh database', () => {
    let name = '';
    const find = () => cluster.primary.query('SHOW DATABASES LIKE ?', [name]);

    describe('in its block', async () => {
      ({ name } = await freshDatabase(cluster));
      it('is there, under a name of its own', async () => {
        expect(name).not.toBe(database.name);
        expect(await find()).toHaveLength(1);
      });
    });

    it('is dropped after its block', async () => {
      expect(await find()).toEqual([]);
    });
  });

  it('counts in SHOW GLOBAL STATUS', async () => {
    const options = cluster.connectionOptions(cluster.primary);
    const before = await cluster.primary.status('Com_do');
    await runOnce(options, 'DO 1');
    expect(await cluster.primary.status('Com_do')).toBe(before + 1);
    await expect(cluster.primary.status('No_such_counter')).rejects.toThrow('No_such_counter');
  });

  it('lets the application do what an application does', async () => {
    await withConnection(database.connectionOptions(cluster.primary), async (connection) => {
      for (const sql of [
        'CREATE TABLE t (id INT PRIMARY KEY)',
        'CREATE VIEW v AS SELECT * FROM t',
        'CREATE FUNCTION f() RETURNS INT RETURN 1',
        'CREATE PROCEDURE p() SELECT f()',
        'CALL p()',
        'CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET @a = 1',
        'CREATE TEMPORARY TABLE temporary (id INT)',
        'LOCK TABLES t WRITE',
        'UNLOCK TABLES',
        flavor === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW BINLOG STATUS',
        'SHOW REPLICA STATUS',
      ]) {
        await connection.query(sql);
      }
    });
  });
});
