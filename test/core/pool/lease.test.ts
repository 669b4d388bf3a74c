import { expect, it } from 'vitest';
import { Lease } from '../../../packages/core/src/pool/lease.ts';
import { createRawPool, type RawConnection } from '../../../packages/core/src/pool/mysql2.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';

it('ends once, whoever ends it first', async () => {
  const cluster = sharedCluster('mysql');
  const pool = createRawPool({ ...cluster.connectionOptions(cluster.primary), connectionLimit: 1 });
  const connect = () =>
    new Promise<RawConnection>((resolve, reject) => {
      pool.getConnection((error, connection) =>
        connection === undefined ? reject(error) : resolve(connection),
      );
    });
  let ended = 0;
  let cleaned = 0;
  const host = {
    name: 'primary',
    role: 'primary',
    connectionLost: () => {},
    answered: () => {},
    running: 0,
    hasReplaced: () => false,
    leaseEnded: () => {
      ended += 1;
    },
    clean: () => {
      cleaned += 1;
    },
    remember: () => {},
    recall: () => true,
  } as const;
  const first = new Lease(host, await connect());
  first.giveBack();
  const second = new Lease(host, await connect());
  // The first lease speaks of a connection that the second one has now.
  first.giveBack();
  first.discard();
  first.clean({ mayUseDatabase: false, mayHaveRole: false });
  expect([ended, cleaned]).toEqual([1, 0]);
  await new Promise<void>((resolve, reject) => {
    second.connection.ping((error) => (error ? reject(error) : resolve()));
  });
  second.discard();
  second.giveBack();
  expect(ended).toBe(2);
  await new Promise((resolve) => pool.end(resolve));
});
