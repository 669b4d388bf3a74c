/** Does jobs, one after the other. Any number of these may run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { withSession } from '@rwsplit/kysely';
import { connect, createTables } from './database.ts';
import { jobs } from './jobs.ts';
import { claim, type Job, mostAttempts, postpone } from './queue.ts';

// A job has the time to wait for a replica.
const db = connect(1_000);
await createTables(db);

// The job at hand is finished. Who cannot wait for that may kill the process: see `claim`.
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
console.log('waiting for jobs');

while (!stop.signal.aborted) {
  try {
    const job = await claim(db);
    if (job === undefined) {
      await sleep(200, undefined, { signal: stop.signal }).catch(() => {});
    } else {
      await work(job);
    }
  } catch (error) {
    // No primary at the moment: the next one may be there in a second.
    console.error(error);
    await sleep(1_000);
  }
}
await db.destroy();

async function work(job: Job): Promise<void> {
  try {
    if (job.attempts > mostAttempts) {
      throw new Error('Whoever began it did not get to its end');
    }
    // Its reads see what the request has seen that left the job here.
    await withSession({ after: job.token }, async () => {
      const run = jobs[job.kind];
      if (run === undefined) {
        throw new Error(`No worker knows the kind ${job.kind}`);
      }
      await run(db, job);
    });
    console.log(`job ${job.id} is done`);
  } catch (error) {
    await postpone(db, job, error);
  }
}
