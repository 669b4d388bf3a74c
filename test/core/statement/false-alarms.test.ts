import mysql from 'mysql2/promise';
import { afterAll, describe, expect, it } from 'vitest';
import { falseAlarms } from '../../../packages/core/src/statement/syntax-tree.ts';
import { flavors } from '../../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';

describe('the known false alarms', async () => {
  const clusters = flavors.map(sharedCluster);
  const connections = await Promise.all(
    clusters.map(async (cluster) => {
      const { name, connectionOptions } = await freshDatabase(cluster);
      for (const table of ['t', 'a', 'b']) {
        await cluster.primary.query(`CREATE TABLE ${name}.${table} (a INT, b INT)`);
      }
      return mysql.createConnection(connectionOptions(cluster.primary));
    }),
  );
  afterAll(async () => {
    await Promise.all(connections.map((connection) => connection.end()));
  });

  it.each([...falseAlarms])(
    'has a statement with %s that a server takes: %s',
    async (_word, sql) => {
      const errors = await Promise.all(
        connections.map((connection) =>
          connection.query('PREPARE s FROM ?', [sql]).then(
            () => null,
            (error: { code: string }) => error.code,
          ),
        ),
      );
      expect(errors.some((code) => code !== 'ER_PARSE_ERROR')).toBe(true);
    },
  );
});
