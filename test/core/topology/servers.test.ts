import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { describe, expect, it } from 'vitest';
import { aurora } from '../../../packages/core/src/topology/aurora.ts';
import { groupReplication } from '../../../packages/core/src/topology/group-replication.ts';
import { readOnly } from '../../../packages/core/src/topology/read-only.ts';
import type { Findings, Topology } from '../../../packages/core/src/topology/topology.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';

/** One round, over every server of a cluster, as the application user. */
async function ask<Said>(
  topology: Topology<Said>,
  cluster: ReturnType<typeof sharedCluster>,
  aliases: readonly string[] = [],
): Promise<Findings> {
  const round = new Map<string, Said | null>();
  for (const server of cluster.all) {
    const connection = await createConnection(cluster.connectionOptions(server));
    const [rows] = await connection.query<RowDataPacket[]>(topology.sql);
    await connection.end();
    const said = topology.read(rows);
    round.set(server.name, said);
    for (const alias of server === cluster.primary ? aliases : []) {
      round.set(alias, said);
    }
  }
  return topology.resolve(round, null);
}

describe.each(['mysql', 'mariadb'] as const)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const { name } = await freshDatabase(cluster);

  it('says who is writable', async () => {
    expect(await ask(readOnly, cluster)).toMatchObject({
      writable: ['primary'],
      readable: cluster.replicas.map(({ name }) => name),
    });
  });

  it('is the same server under each of its names', async () => {
    expect((await ask(readOnly, cluster, ['db.example.com:3306'])).writable).toHaveLength(1);
  });

  it('is no Aurora instance', async () => {
    const unknown = /^ER_UNKNOWN_(SYSTEM_VARIABLE|TABLE)$/;
    await expect(ask(aurora({ pattern: '?:3306' }), cluster)).rejects.toMatchObject({
      code: expect.stringMatching(unknown),
    });
  });

  it('answers as Aurora would, where it has such a table', async () => {
    const { primary } = cluster;
    const table = `${name}.replica_host_status`;
    await primary.query(`CREATE TABLE ${table} (SERVER_ID varchar(100), SESSION_ID varchar(100),
      LAST_UPDATE_TIMESTAMP datetime(6), REPLICA_LAG_IN_MILLISECONDS double)`);
    await primary.query(`INSERT INTO ${table} VALUES
      ('i1', 'MASTER_SESSION_ID', NOW(6), 0), ('i2', 'b5a9', NOW(6) - INTERVAL 1 SECOND, 12.5),
      ('i3', 'c7d1', NOW(6) - INTERVAL 1 HOUR, 20)`);
    const topology = aurora({ pattern: '?.x:3306' });
    const sql = topology.sql
      .replace('information_schema.REPLICA_HOST_STATUS', table)
      .replace('@@aurora_server_id', "'i1'");
    const said = topology.read(await primary.query(sql));
    expect(topology.resolve(new Map([['i1.x:3306', said]]), null)).toEqual({
      writable: ['i1.x:3306'],
      readable: [],
      members: ['i1.x:3306', 'i2.x:3306'],
      lags: new Map([['i2.x:3306', 12.5]]),
    });
  });
});

it('MySQL tells of a group only whom it has been allowed to', async () => {
  await expect(ask(groupReplication, sharedCluster('mysql'))).rejects.toMatchObject({
    code: 'ER_TABLEACCESS_DENIED_ERROR',
  });
});

it('MySQL without the plugin has no group to tell of', async () => {
  const rows = await sharedCluster('mysql').primary.query(groupReplication.sql);
  expect(groupReplication.read(rows)).toBeNull();
});
