/** Signs people up, and leaves it to a worker, another process, to welcome them. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { withSession } from '@rwsplit/kysely';
import { sql } from 'kysely';
import { connect, type Job } from './job.ts';

const db = connect();
await sql`CREATE TABLE IF NOT EXISTS person (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40))`.execute(
  db,
);
const worker = fork(fileURLToPath(new URL('worker.ts', import.meta.url)));

for (const name of ['Ada', 'Grace', 'Edsger']) {
  await withSession(async (session) => {
    const { insertId } = await db.insertInto('person').values({ name }).executeTakeFirstOrThrow();
    const job: Job = { personId: Number(insertId), token: session.token() };
    worker.send(job);
  });
}
worker.send('that is all');
await once(worker, 'exit');
await db.destroy();
