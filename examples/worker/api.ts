/** Takes expenses, and asks for reports about them, which a worker makes. */
import { sessionPerRequest } from '@rwsplit/kysely';
import { fastify } from 'fastify';
import { connect, createTables } from './database.ts';
import { enqueue } from './queue.ts';

const { PORT = '3000' } = process.env;
const db = connect();
await createTables(db);

// The cookie takes what the client has saved to its next request, and from there to the job.
sessionPerRequest({ cookie: 'db-position' });

const person = { type: 'string', minLength: 1, maxLength: 40 } as const;
const month = { type: 'string', pattern: '^\\d{4}-\\d{2}$' } as const;
const cents = { type: 'integer' } as const;

interface Wanted {
  readonly person: string;
  readonly month: string;
}

const wanted = { type: 'object', required: ['person', 'month'], properties: { person, month } };
const expense = {
  type: 'object',
  required: [...wanted.required, 'cents'],
  properties: { ...wanted.properties, cents },
};

const app = fastify();

app.post<{ Body: Wanted & { readonly cents: number } }>(
  '/expenses',
  { schema: { body: expense } },
  async ({ body }, reply) => {
    const { insertId } = await db.insertInto('expense').values(body).executeTakeFirstOrThrow();
    return reply.code(201).send({ id: Number(insertId) });
  },
);

app.post<{ Body: Wanted }>('/reports', { schema: { body: wanted } }, async ({ body }, reply) => {
  return reply.code(202).send({ id: await enqueue(db, 'report', body) });
});

app.get<{ Params: { id: string } }>('/reports/:id', async ({ params }, reply) => {
  const id = Number(params.id);
  const report = await db
    .selectFrom('report')
    .select(['count', 'cents'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (report !== undefined) {
    return report;
  }
  const job = db.selectFrom('job').select('state').where('id', '=', id);
  const { state } = (await job.executeTakeFirst()) ?? {};
  return reply.code(state === undefined ? 404 : 202).send({ state: state ?? 'unknown' });
});

console.log(`listening on ${await app.listen({ host: '127.0.0.1', port: Number(PORT) })}`);

process.once('SIGTERM', async () => {
  await app.close();
  await db.destroy();
});
