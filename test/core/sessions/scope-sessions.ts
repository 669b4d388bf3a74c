import { setTimeout as sleep } from 'node:timers/promises';
import { openSession, type ReplicatedPool, withSession } from '@rwsplit/core';
import type { Knex } from 'knex';
import type { Kysely } from 'kysely';
import type { Random } from '../../proofs/random.ts';
import type { Kind } from './bare-sessions.ts';
import { runOn as runOnKysely, type Tables } from './kysely-sessions.ts';
import { names } from './leftovers.ts';
import { anyStep, findNothing, innerStep, type Run, runSteps } from './steps.ts';

/** Sessions whose statements come one by one, each on a connection that is acquired for it alone. */
export function scopeSessions({ pool, kysely, knex }: Apis, random: Random): Record<string, Kind> {
  const onPool: Run = async (sql, values = []) => (await pool.promise().query(sql, [...values]))[0];
  const onKnex: Run = async (sql, values = []) =>
    (await knex.raw(sql, [...values] as Knex.RawBinding[]))[0];
  const runs = { pool: onPool, Kysely: runOnKysely(kysely), Knex: onKnex } as const;
  const anyRun = () => runs[random.pick(['pool', 'Kysely', 'Knex'] as const)];

  return {
    async 'scope: steps'() {
      const run = anyRun();
      await withSession(async () => {
        if (random.chance(0.3)) {
          await findNothing(run);
        }
        await runSteps(random, run);
      });
    },
    async 'scope: several APIs'() {
      await withSession(async () => {
        for (const run of Object.values(runs)) {
          await runSteps(random, run);
        }
      });
    },
    async 'scope: keeps its state'() {
      const run = anyRun();
      const number = random.below(1_000);
      await withSession(async () => {
        await run(`SET @${names.variable} = ?`, [number]);
        await runSteps(random, run, innerStep);
        const [row] = (await run(`SELECT @${names.variable} AS n`)) as [{ n: unknown }];
        // A step may have set it too.
        if (![number, 1, 2].includes(Number(row.n))) {
          throw new Error(`expected ${number}, found ${row.n}`);
        }
      });
    },
    async 'scope: follow-ups'() {
      const run = anyRun();
      await withSession(async () => {
        await run("INSERT INTO note (text) VALUES ('scope')");
        await sleep(random.below(10));
        await run('SELECT LAST_INSERT_ID() AS id');
        await run('SELECT id FROM item');
        await sleep(random.below(10));
        await run('SELECT FOUND_ROWS() AS n');
      });
    },
    async 'scope: idles'() {
      const run = anyRun();
      await withSession(async () => {
        await run(anyStep(random));
        await sleep(30);
        await run(anyStep(random));
      });
    },
    async 'scope: statements side by side'() {
      const run = anyRun();
      await withSession(async () => {
        const work = Array.from({ length: 4 }, () => run(anyStep(random)));
        await Promise.allSettled(work);
        await Promise.all(work);
      });
    },
    async 'scope: ends while statements run'() {
      const run = anyRun();
      let work: Promise<unknown> = Promise.resolve();
      await withSession(() => {
        work = Promise.allSettled([
          run(anyStep(random)),
          run(anyStep(random)),
          run(anyStep(random)),
        ]);
      });
      await work;
    },
    async 'scope: transactions and connections'() {
      await withSession(async () => {
        await runSteps(random, onPool, innerStep);
        await kysely.transaction().execute((trx) => runSteps(random, runOnKysely(trx), innerStep));
        await knex.transaction((trx) =>
          runSteps(random, async (sql) => (await trx.raw(sql))[0], innerStep),
        );
        const connection = await pool.promise().getConnection();
        try {
          await runSteps(random, async (sql) => (await connection.query(sql))[0]);
        } finally {
          await (random.chance(0.3) ? connection.destroy() : connection.release());
        }
        await runSteps(random, onPool);
      });
    },
    async 'scope: inside another'() {
      await withSession(async () => {
        await runSteps(random, onPool, innerStep);
        await withSession(() => runSteps(random, runOnKysely(kysely), innerStep));
        await runSteps(random, onPool, innerStep);
      });
    },
    async 'handle: run, end'() {
      const session = openSession();
      const run = anyRun();
      await session
        .run(() => runSteps(random, run))
        .finally(() => {
          session.end();
          session.end();
        });
    },
    async 'handle: option'() {
      using session = openSession();
      const run: Run = async (sql) =>
        (await pool.promise().query({ sql, session } as { sql: string }))[0];
      await runSteps(random, run);
      await runSteps(random, run);
    },
    async 'handle: ends while a statement runs'() {
      const session = openSession();
      const work = Promise.allSettled([
        session.run(() => onPool('DO SLEEP(0.01)')),
        session.run(() => onPool(anyStep(random))),
      ]);
      await sleep(random.below(15));
      session.end();
      await work;
      await session.run(() => onPool('SELECT 1'));
    },
  };
}

interface Apis {
  readonly pool: ReplicatedPool;
  readonly kysely: Kysely<Tables>;
  readonly knex: Knex;
}
