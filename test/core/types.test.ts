import {
  createReplicatedPool,
  type ReplicatedConnection,
  type ReplicatedPool,
} from '@rwsplit/core';
import type { Pool, PoolConnection, QueryError, RowDataPacket } from 'mysql2';
import type { Pool as PromisePool } from 'mysql2/promise';
import { describe, expectTypeOf, it } from 'vitest';

// Opens no connection.
const pool = createReplicatedPool({ primary: 'mysql://app@localhost/shop' });

describe('a pool', () => {
  it('is one of mysql2 for code that knows mysql2 alone, and one of core', () => {
    expectTypeOf(pool).toExtend<Pool>();
    expectTypeOf(pool).toExtend<ReplicatedPool>();
    expectTypeOf(pool.promise()).toExtend<PromisePool>();
  });

  it('gives connections that are both', () => {
    const lease = () =>
      pool.getConnection((_error, connection) => {
        expectTypeOf(connection).toExtend<PoolConnection>();
        expectTypeOf(connection).toExtend<ReplicatedConnection>();
      });
    expectTypeOf(lease).toBeFunction();
  });

  it('takes the rows of a statement as mysql2 does', () => {
    type Row = RowDataPacket & { name: string };
    const read = () =>
      pool.query<Row[]>('SELECT name FROM person', (error, rows) => {
        expectTypeOf(error).toEqualTypeOf<QueryError | null>();
        expectTypeOf(rows).toEqualTypeOf<Row[]>();
      });
    expectTypeOf(read).toBeFunction();
  });

  it('takes hints in every form of a statement, and no wrong ones', () => {
    const sql = 'SELECT 1';
    const right = () => [
      pool.query({ sql, forcePrimary: true }, () => {}),
      pool.execute({ sql, useReplica: 'reports' }, [], () => {}),
      pool.promise().query({ sql, forcePrimary: true, rowsAsArray: true }),
      pool.promise().execute({ sql, maxLag: 1_000, consistency: 'eventual' }),
    ];
    const wrong = () => [
      // @ts-expect-error
      pool.promise().query({ sql, forcePrimary: 'yes' }),
      // @ts-expect-error
      pool.promise().query({ sql, consistency: 'sometimes' }),
    ];
    expectTypeOf(right).toBeFunction();
    expectTypeOf(wrong).toBeFunction();
  });
});
