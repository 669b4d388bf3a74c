import type { Kysely } from 'kysely';
import type { Database } from './database.ts';
import { finish, type Job } from './queue.ts';

type Work = (db: Kysely<Database>, job: Job) => Promise<void>;

/** What there is to do, by the `kind` of jobs. */
export const jobs: Readonly<Record<string, Work | undefined>> = { report };

/** Sums up what somebody has spent in a month. */
async function report(db: Kysely<Database>, job: Job): Promise<void> {
  const { person, month } = JSON.parse(job.payload) as { person: string; month: string };
  // The long read: on a replica that has the expenses which the person had saved by then.
  const { count, cents } = await db
    .selectFrom('expense')
    .select(({ fn }) => [fn.countAll<number>().as('count'), fn.sum<string>('cents').as('cents')])
    .where('person', '=', person)
    .where('month', '=', month)
    .executeTakeFirstOrThrow();
  await db.transaction().execute(async (trx) => {
    await finish(trx, job);
    await trx
      .insertInto('report')
      .values({ id: job.id, person, month, count, cents: Number(cents) })
      .execute();
  });
}
