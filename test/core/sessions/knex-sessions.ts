import { setTimeout as sleep } from 'node:timers/promises';
import type { Knex } from 'knex';
import type { Random } from '../../proofs/random.ts';
import type { Kind } from './bare-sessions.ts';
import { findNothing, innerStep, type Run, rows, runSteps, Thrown } from './steps.ts';

/** Sessions over Knex. */
export function knexSessions(db: Knex, random: Random): Record<string, Kind> {
  const withConnection = async (releases: number, work: (run: Run) => Promise<void>) => {
    const connection: unknown = await db.client.acquireConnection();
    try {
      await work(async (sql, values = []) => {
        const raw = db.raw(sql, [...values] as Knex.RawBinding[]).connection(connection);
        return (await raw)[0];
      });
    } finally {
      for (let times = 0; times < releases; times++) {
        await db.client.releaseConnection(connection);
      }
    }
  };

  return {
    async 'Knex: query'() {
      const id = 1 + random.below(rows);
      const row = await db('item').where({ id }).first();
      if (row?.id !== id) {
        throw new Error(`expected ${id}, found ${row?.id}`);
      }
    },
    async 'Knex: write'() {
      await db('note').insert({ text: 'Knex' });
    },
    async 'Knex: refused'() {
      await db(random.pick(['no_such_table', 'item'])).insert({ id: 1, n: 0 });
    },
    async 'Knex: connection'() {
      await withConnection(1, async (run) => {
        if (random.chance(0.3)) {
          await findNothing(run);
        }
        await runSteps(random, run);
      });
    },
    async 'Knex: release twice'() {
      await withConnection(2, (run) => runSteps(random, run));
    },
    async 'Knex: transaction'() {
      await db.transaction((trx) => runSteps(random, runOn(trx), innerStep));
    },
    async 'Knex: transaction by hand'() {
      const trx = await db.transaction();
      try {
        await runSteps(random, runOn(trx), innerStep);
        await trx.commit();
      } finally {
        if (!trx.isCompleted()) {
          await trx.rollback();
        }
      }
    },
    async 'Knex: savepoint'() {
      await db.transaction(async (trx) => {
        await runSteps(random, runOn(trx), innerStep);
        await trx.transaction((inner) => runSteps(random, runOn(inner), innerStep)).catch(() => {});
        await runSteps(random, runOn(trx), innerStep);
      });
    },
    async 'Knex: stream left early'() {
      const leave = random.below(4);
      let seen = 0;
      for await (const _ of db('item as a')
        .join('item as b', 'a.n', 'b.n')
        .select('a.id')
        .stream()) {
        if (++seen > leave) {
          return;
        }
      }
    },
    async 'Knex: stream, handler that throws'() {
      await db('item').stream((stream) => {
        stream.once('data', () => stream.destroy(new Thrown('by a handler')));
      });
    },
    async 'Knex: timeout'() {
      const cancel = random.chance(0.5);
      await db.raw('select sleep(0.08)').timeout(5 + random.below(20), { cancel });
    },
    async 'Knex: timeout in a transaction'() {
      await db.transaction(async (trx) => {
        await runSteps(random, runOn(trx), innerStep);
        await trx.raw('select sleep(0.08)').timeout(5 + random.below(20), { cancel: true });
      });
    },
    async 'Knex: full pool'() {
      await db.transaction(async (trx) => {
        await trx('item').where('id', 7).update({ n: 1 });
        await sleep(50 + random.below(100));
      });
    },
  };
}

function runOn(trx: Knex.Transaction): Run {
  return async (sql, values = []) => (await trx.raw(sql, [...values] as Knex.RawBinding[]))[0];
}
