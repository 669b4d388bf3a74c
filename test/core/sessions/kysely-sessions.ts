import { setTimeout as sleep } from 'node:timers/promises';
import { CompiledQuery, type Generated, type Kysely, sql } from 'kysely';
import type { Random } from '../../proofs/random.ts';
import type { Kind } from './bare-sessions.ts';
import { findNothing, innerStep, type Run, rows, runSteps, Thrown } from './steps.ts';

/** The tables of these sessions. */
export interface Tables {
  item: { id: number; n: number };
  note: { id: Generated<number>; text: string };
}

const strategies = ['cancel query', 'kill session', 'ignore query'] as const;

/** Sessions over Kysely. */
export function kyselySessions(db: Kysely<Tables>, random: Random): Record<string, Kind> {
  return {
    async 'Kysely: query'() {
      const id = 1 + random.below(rows);
      const row = await db
        .selectFrom('item')
        .select('id')
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      if (row.id !== id) {
        throw new Error(`expected ${id}, found ${row.id}`);
      }
    },
    async 'Kysely: write'() {
      await db.insertInto('note').values({ text: 'Kysely' }).execute();
    },
    async 'Kysely: refused'() {
      await db.insertInto('item').values({ id: 1, n: 1 }).execute();
    },
    async 'Kysely: connection'() {
      await db.connection().execute(async (connection) => {
        const run = runOn(connection);
        if (random.chance(0.3)) {
          await findNothing(run);
        }
        await runSteps(random, run);
      });
    },
    async 'Kysely: transaction'() {
      const transaction = random.chance(0.3)
        ? db.transaction().setIsolationLevel('serializable')
        : db.transaction();
      await transaction.execute((trx) => runSteps(random, runOn(trx), innerStep));
    },
    async 'Kysely: transaction in a connection'() {
      await db.connection().execute(async (connection) => {
        await runSteps(random, runOn(connection), innerStep);
        await connection.transaction().execute((trx) => runSteps(random, runOn(trx), innerStep));
      });
    },
    async 'Kysely: controlled transaction'() {
      const trx = await db.startTransaction().execute();
      try {
        await runSteps(random, runOn(trx), innerStep);
        const savepoint = await trx.savepoint('s').execute();
        await runSteps(random, runOn(savepoint), innerStep);
        await savepoint.rollbackToSavepoint('s').execute();
        await trx.commit().execute();
      } finally {
        if (!trx.isCommitted) {
          await trx.rollback().execute();
        }
      }
    },
    async 'Kysely: stream left early'() {
      const leave = random.below(4);
      let seen = 0;
      for await (const _ of db
        .selectFrom('item as a')
        .innerJoin('item as b', 'a.n', 'b.n')
        .select('a.id')
        .stream()) {
        if (++seen > leave) {
          return;
        }
      }
    },
    async 'Kysely: aborted'() {
      const abort = new AbortController();
      const query = db
        .selectFrom('item')
        .select(sql<number>`sleep(0.02)`.as('slept'))
        .execute({ signal: abort.signal, inflightQueryAbortStrategy: random.pick(strategies) });
      const outcome = Promise.allSettled([query]);
      await sleep(random.below(40));
      abort.abort(new Thrown('by an abort'));
      await outcome;
      await query;
    },
    async 'Kysely: aborted in a transaction'() {
      const abort = new AbortController();
      await db.transaction().execute(async (trx) => {
        await runSteps(random, runOn(trx), innerStep);
        const query = trx
          .updateTable('item')
          .set({ n: 1 })
          .where(sql<boolean>`sleep(0.02) = 0`)
          .execute({ signal: abort.signal, inflightQueryAbortStrategy: random.pick(strategies) });
        const outcome = Promise.allSettled([query]);
        await sleep(random.below(40));
        abort.abort(new Thrown('by an abort'));
        await outcome;
        await query;
      });
    },
  };
}

/** Runs texts on a Kysely. */
export function runOn(db: Kysely<Tables>): Run {
  return async (text, values = []) =>
    (await db.executeQuery(CompiledQuery.raw(text, [...values]))).rows;
}
