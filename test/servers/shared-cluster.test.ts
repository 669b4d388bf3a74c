import { createConnection } from 'mysql2/promise';
import { beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';

describe.each(['mysql', 'mariadb'] as const)('shared %s cluster', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const database = await freshDatabase(cluster);
  const other = await freshDatabase(cluster);
  it('a', async () => {
    console.log(database.name, other.name, await cluster.primary.query('show databases'));
  });
});
describe('x', () => {
  let d;
  beforeAll(async () => {
    d = await freshDatabase(sharedCluster('mysql'));
  });
  it('b', async () => {
    console.log(d.name, await sharedCluster('mysql').primary.query('show databases'));
  });
});
describe('y', () => {
  it('c', async () => {
    console.log(await sharedCluster('mysql').primary.query('show databases'));
  });
});
