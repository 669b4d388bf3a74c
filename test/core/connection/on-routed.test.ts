import { createReplicatedPool, type RoutedStatement, type StatementOptions } from '@rwsplit/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

const cluster = sharedCluster('mysql');
const [replica] = cluster.replicas;
const { name: database } = await freshDatabase(cluster);
const at = (server: { port: number }) => ({
  ...cluster.connectionOptions(cluster.primary, database),
  port: server.port,
});

describe('onRouted', () => {
  let proxy: TcpProxy;
  let pool: ReturnType<typeof createReplicatedPool>;
  beforeAll(async () => {
    if (replica === undefined) throw new Error('no replica');
    proxy = await TcpProxy.start(replica);
    pool = createReplicatedPool({
      primary: { ...at(cluster.primary), name: 'main' },
      replicas: [{ ...at(proxy), name: 'cut' }],
      catalogueRefresh: false,
      consistency: 'eventual',
      acquireTimeout: 2_000,
    });
  });
  afterAll(async () => {
    await pool.promise().end();
    proxy.close();
  });

  /** What it is told, in order, with a mark where the answer came. */
  function told(given: StatementOptions): Promise<readonly unknown[]> {
    const events: unknown[] = [];
    return new Promise((resolve) => {
      const onRouted = ({ host, role, reason, word, tried }: RoutedStatement) =>
        events.push({ host, role, reason, word, tried });
      pool.query({ ...given, onRouted }, (error) => {
        events.push(error === null ? 'answer' : 'error');
        setImmediate(() => resolve(events));
      });
    });
  }

  it.each([
    [
      'a read',
      { sql: 'SELECT 1' },
      { host: 'cut', role: 'replica', reason: 'read', word: null, tried: [] },
      'answer',
    ],
    [
      'a write that fails',
      { sql: 'INSERT INTO nowhere VALUES (1)' },
      { host: 'main', role: 'primary', reason: 'not-a-read', word: 'insert', tried: [] },
      'error',
    ],
    [
      'a statement that was never sent',
      { sql: 'DELETE FROM nowhere', useReplica: true },
      { host: null, role: null, reason: 'use-replica', word: null, tried: [] },
      'error',
    ],
  ])('is told once of %s, before its end', async (_what, given, routed, end) => {
    expect(await told(given)).toEqual([routed, end]);
  });

  it('is told of the hosts that were tried in vain', async () => {
    proxy.refuse();
    proxy.cut();
    expect(await told({ sql: 'SELECT 2' })).toEqual([
      {
        host: 'main',
        role: 'primary',
        reason: 'replicas-unavailable',
        word: null,
        tried: ['cut'],
      },
      'answer',
    ]);
  });

  it('does not keep a statement from its end by throwing', async () => {
    const thrown = new Promise((resolve) => {
      process.once('uncaughtException', resolve);
    });
    const onRouted = () => {
      throw new Error('own');
    };
    const answer = await new Promise((resolve) => {
      pool.query({ sql: 'SELECT 3 AS n', forcePrimary: true, onRouted }, (_error, rows) =>
        resolve(rows),
      );
    });
    expect(answer).toEqual([{ n: 3 }]);
    expect(await thrown).toMatchObject({ message: 'own' });
  });

  it('is no option of mysql2, and must be a function', () => {
    const wrong = { sql: 'SELECT 1', onRouted: 'log' as unknown as () => void };
    expect(() => pool.query(wrong, () => {})).toThrow(/onRouted: expected a function, found 'log'/);
  });
});
