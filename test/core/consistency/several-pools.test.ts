import { ReplicatedMysql2 } from '@rwsplit/knex';
import { ReplicatedMysqlDialect, routeOf } from '@rwsplit/kysely';
import knex from 'knex';
import { Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnedCluster, startCluster } from '../../support/servers/start-cluster.ts';

// Of its own: its replica is held up.
let cluster: OwnedCluster;
beforeAll(async () => {
  cluster = await startCluster({ flavor: 'mysql', replicas: 1, statementLog: false });
  await cluster.primary.query('CREATE TABLE app.written (id INT PRIMARY KEY)');
  await cluster.waitUntilReplicated();
});
afterAll(() => cluster.stop());

it('on one primary read what the others have written, also when those have ended', async () => {
  const [replica] = cluster.replicas;
  if (replica === undefined) throw new Error('no replica');
  const open = () =>
    new Kysely<object>({
      dialect: new ReplicatedMysqlDialect({
        primary: cluster.connectionOptions(cluster.primary),
        replicas: [cluster.connectionOptions(replica)],
        catalogueRefresh: false,
        causalWait: 20,
      }),
    });
  const read = async (db: Kysely<object>) => {
    const query = sql`SELECT id FROM written`.compile(db);
    const { rows } = await db.executeQuery(query);
    return { rows, reason: routeOf(query)?.reason };
  };
  await using reader = open();
  expect(await read(reader)).toEqual({ rows: [], reason: 'read' });
  await replica.stopApplying();
  const writer = knex({
    client: ReplicatedMysql2,
    connection: cluster.connectionOptions(cluster.primary),
    replicas: [cluster.connectionOptions(replica)],
  });
  await writer('written').insert({ id: 1 });
  const seen = { rows: [{ id: 1 }], reason: 'replicas-behind' };
  expect(await read(reader)).toEqual(seen);
  await writer.destroy();
  expect(await read(reader)).toEqual(seen);
  await using later = open();
  expect(await read(later)).toEqual(seen);
});
