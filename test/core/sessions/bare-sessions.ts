import { setTimeout as sleep } from 'node:timers/promises';
import { type ReplicatedConnection, type ReplicatedPool, withSession } from '@rwsplit/core';
import type { Random } from '../../proofs/random.ts';
import { anyStep, findNothing, type Run, rows, runSteps, Thrown } from './steps.ts';

/** One session of some kind, from its beginning to its end. */
export type Kind = () => Promise<void>;

const manyRows =
  'WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 300) SELECT n FROM c';

/** Sessions over the bare pool. */
export function bareSessions(pool: ReplicatedPool, random: Random): Record<string, Kind> {
  const connect = () =>
    new Promise<ReplicatedConnection>((resolve, reject) => {
      pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection)));
    });
  const withConnection = async (work: (connection: ReplicatedConnection) => Promise<void>) => {
    const connection = await connect();
    try {
      await work(connection);
    } finally {
      connection.release();
    }
  };

  return {
    async 'bare: statement alone'() {
      const number = random.below(1_000);
      const [answer] = await pool.promise().query('SELECT ? AS n', [number]);
      expectOne(answer, number);
    },
    async 'bare: write alone'() {
      await pool
        .promise()
        .query('UPDATE item SET n = n + 1 WHERE id = ?', [1 + random.below(rows)]);
    },
    async 'bare: prepared'() {
      const number = random.below(1_000);
      const [answer] = await pool.promise().execute('SELECT ? AS n', [String(number)]);
      expectOne(answer, String(number));
    },
    async 'bare: any statement alone'() {
      await pool.promise().query(anyStep(random));
    },
    async 'bare: new session'() {
      await withConnection((connection) => findNothing(runOn(connection)));
    },
    async 'bare: connection'() {
      await withConnection((connection) => runSteps(random, runOn(connection)));
    },
    async 'bare: dirty connection, prepared statement'() {
      await withConnection(async (connection) => {
        const number = String(random.below(1_000));
        const [before] = await connection.promise().execute('SELECT ? AS n FOR UPDATE', [number]);
        expectOne(before, number);
        await runSteps(random, runOn(connection));
        const [after] = await connection.promise().execute('SELECT ? AS n FOR UPDATE', [number]);
        expectOne(after, number);
      });
    },
    async 'bare: release twice'() {
      const connection = await connect();
      await runSteps(random, runOn(connection)).finally(() => {
        connection.release();
        connection.release();
        pool.releaseConnection(connection);
      });
    },
    async 'bare: release while it runs'() {
      const connection = await connect();
      const running = [runOn(connection)(anyStep(random)), runOn(connection)(anyStep(random))];
      connection.release();
      await Promise.allSettled(running);
      await runOn(connection)('SELECT 1');
    },
    async 'bare: destroy'() {
      const connection = await connect();
      await runSteps(random, runOn(connection)).finally(() => connection.destroy());
    },
    async 'bare: destroy while it runs'() {
      const connection = await connect();
      const running = Promise.allSettled([
        runOn(connection)('DO SLEEP(0.05)'),
        runOn(connection)(anyStep(random)),
      ]);
      await sleep(random.below(30));
      connection.destroy();
      connection.release();
      await running;
    },
    async 'bare: cancel'() {
      await withConnection(async (connection) => {
        const running = runOn(connection)(
          random.chance(0.5) ? 'UPDATE item SET n = n WHERE SLEEP(0.05) = 0 AND id = 6' : manyRows,
        );
        const outcome = Promise.allSettled([running]);
        await sleep(random.below(20));
        await connection.cancel(random.chance(0.5) ? 'query' : 'connection');
        await outcome;
        await running;
      });
    },
    async 'bare: client timeout'() {
      const options = { sql: 'DO SLEEP(0.06)', timeout: 1 + random.below(20) };
      await (random.chance(0.5)
        ? pool.promise().query(options)
        : withConnection(async (connection) => {
            await connection.promise().query('BEGIN');
            await connection.promise().query(options);
          }));
    },
    async 'bare: stream left early'() {
      const leave = random.below(5);
      const read = async (on: ReplicatedPool | ReplicatedConnection) => {
        let seen = 0;
        for await (const _ of on.query(manyRows).stream({ highWaterMark: 1 })) {
          if (++seen > leave) {
            return;
          }
        }
      };
      await (random.chance(0.5) ? read(pool) : withConnection(read));
    },
    async 'bare: what cannot be sent'() {
      const value = {
        toSqlString(): string {
          throw new Thrown('by a value');
        },
      };
      await (random.chance(0.5)
        ? pool.promise().query('SELECT ? AS n', [value])
        : withConnection(async (connection) => {
            await connection.promise().query('BEGIN');
            await connection.promise().execute('SELECT ? AS n', [undefined as unknown as string]);
          }));
    },
    async 'bare: callback that throws'() {
      await new Promise<void>((resolve) => {
        pool.query(anyStep(random), () => {
          resolve();
          throw new Thrown('by a callback');
        });
      });
    },
    async 'bare: full pool'() {
      await withConnection(async (connection) => {
        await connection.promise().query('BEGIN');
        await connection.promise().query('SELECT SLEEP(0.15)');
        await connection.promise().query('COMMIT');
      });
    },
    async 'bare: change of user, reset'() {
      await withConnection(async (connection) => {
        await runSteps(random, runOn(connection));
        await (random.chance(0.5)
          ? connection.promise().reset()
          : connection.promise().changeUser({ database: 'app_other' }));
        await runSteps(random, runOn(connection));
      });
    },
  };
}

/** Sessions over a pool with one connection to each host, which they fight for. */
export function narrowSessions(pool: ReplicatedPool, random: Random): Record<string, Kind> {
  const onPool: Run = async (sql, values = []) => (await pool.promise().query(sql, [...values]))[0];
  return {
    async 'narrow: full pool'() {
      const hold = async () => {
        const connection = await pool.promise().getConnection();
        try {
          await connection.query('BEGIN');
          await connection.query('DO SLEEP(0.15)');
        } finally {
          connection.release();
        }
      };
      const both = [hold(), hold()];
      await Promise.allSettled(both);
      await Promise.all(both);
    },
    async 'narrow: connection'() {
      const connection = await pool.promise().getConnection();
      const run: Run = async (sql) => (await connection.query(sql))[0];
      try {
        await (random.chance(0.5) ? findNothing(run) : runSteps(random, run));
      } finally {
        connection.release();
      }
    },
    async 'narrow: scope'() {
      await withSession(async () => {
        await onPool('SELECT id FROM item');
        await sleep(random.below(20));
        await runSteps(random, onPool);
      });
    },
  };
}

function runOn(connection: ReplicatedConnection): Run {
  return async (sql, values = []) => (await connection.promise().query(sql, [...values]))[0];
}

function expectOne(answer: unknown, n: unknown): void {
  const found = JSON.stringify(answer);
  if (found !== JSON.stringify([{ n }])) {
    throw new Error(`expected ${n}, found ${found}`);
  }
}
