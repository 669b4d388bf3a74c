/** Jobs in a table of the primary. Each is done at least once, and what it writes is written once. */
import { currentSession } from '@rwsplit/kysely';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database } from './database.ts';

export interface Job {
  readonly id: number;
  readonly kind: string;
  readonly payload: string;
  readonly token: string | null;
  readonly attempts: number;
}

export const mostAttempts = 5;
/** In seconds: longer than any job takes. */
const lease = 60;

/** Leaves a job to a worker, with the token of the request that this is called in. */
export async function enqueue(db: Kysely<Database>, kind: string, payload: object) {
  const { insertId } = await db
    .insertInto('job')
    .values({
      kind,
      payload: JSON.stringify(payload),
      token: currentSession()?.token() ?? null,
      due: sql`NOW(3)`,
    })
    .executeTakeFirstOrThrow();
  return Number(insertId);
}

/**
 * Takes the next job, which is due again if it is not done when the lease is over: nothing has to be
 * cleaned up after a worker that died. Locking reads run on the primary, in a transaction or not.
 */
export function claim(db: Kysely<Database>): Promise<Job | undefined> {
  // Read committed: it locks the row that it takes, and no gaps that new jobs go into.
  const transaction = db.transaction().setIsolationLevel('read committed');
  return transaction.execute(async (trx) => {
    const job = await trx
      .selectFrom('job')
      .select(['id', 'kind', 'payload', 'token', 'attempts'])
      .where('due', '<=', sql<Date>`NOW(3)`)
      .orderBy('due')
      .limit(1)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst();
    if (job === undefined) {
      return undefined;
    }
    const attempts = job.attempts + 1;
    const due = secondsFromNow(lease);
    await trx.updateTable('job').set({ attempts, due }).where('id', '=', job.id).execute();
    return { ...job, attempts };
  });
}

/**
 * Marks a job as done, in the transaction that writes what it was for: both happen, or none.
 *
 * @throws if the lease was over and somebody else has begun it since: what it wrote is rolled back.
 */
export async function finish(trx: Transaction<Database>, { id, attempts }: Job): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('job')
    .set({ state: 'done', due: null, error: null })
    .where('id', '=', id)
    .where('attempts', '=', attempts)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) {
    throw new Error(`Job ${id} took longer than its lease`);
  }
}

/** Has a job tried again after a while, a few times. */
export async function postpone(db: Kysely<Database>, { id, attempts }: Job, error: unknown) {
  const isLast = attempts >= mostAttempts;
  await db
    .updateTable('job')
    .set({
      state: isLast ? 'failed' : 'open',
      due: isLast ? null : secondsFromNow(10 * attempts),
      error: String(error),
    })
    .where('id', '=', id)
    .where('attempts', '=', attempts)
    .execute();
}

function secondsFromNow(seconds: number) {
  return sql<Date>`NOW(3) + INTERVAL ${seconds} SECOND`;
}
