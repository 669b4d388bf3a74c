/** Takes jobs one after the other, and finds what was written for them on a replica. */
import { subscribe } from 'node:diagnostics_channel';
import { on } from 'node:events';
import { channels, type StatementEvent, withSession } from '@rwsplit/kysely';
import { connect, type Job } from './job.ts';

const db = connect();
let ranOn = '';
subscribe(channels.statement, (message) => {
  const { role, host } = message as StatementEvent;
  ranOn = `${role} ${host}`;
});

for await (const [message] of on(process, 'message')) {
  if (message === 'that is all') break;
  const { personId, token } = message as Job;
  await withSession({ after: token ?? undefined }, async () => {
    const { name } = await db
      .selectFrom('person')
      .select('name')
      .where('id', '=', personId)
      .executeTakeFirstOrThrow();
    console.log(`welcome, ${name} (read on ${ranOn})`);
  });
}
await db.destroy();
process.disconnect();
