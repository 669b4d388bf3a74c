/** Lists of tasks, with Express and Drizzle on a pool that runs reads on replicas. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isRwSplitError, primary, sessionPerRequest } from '@rwsplit/core';
import { and, DrizzleQueryError, eq, sql } from 'drizzle-orm';
import express, { type ErrorRequestHandler } from 'express';
import { createTables, db, pool } from './database.ts';
import { list, task } from './schema.ts';

const { PORT = '3000' } = process.env;
await createTables();
sessionPerRequest({ cookie: 'db-position' });

/** Compiled once. */
const listById = db.query.list
  .findFirst({ where: eq(list.id, sql.placeholder('id')), with: { tasks: true } })
  .prepare();

const app = express();
app.use(express.json());

// A list with its tasks, or nothing: one transaction, on one connection to the primary.
app.post('/lists', async ({ body }, response) => {
  const id = await db.transaction(async (tx) => {
    const [made] = await tx.insert(list).values({ name: body.name }).$returningId();
    const listId = made?.id ?? 0;
    for (const { text, due } of body.tasks) {
      await tx.insert(task).values({ listId, text, due: due ? new Date(due) : null });
    }
    return listId;
  });
  // On a replica that has it by now, else on the primary.
  response.status(201).json(await listById.execute({ id }));
});

app.get('/lists/:id', async ({ params }, response) => {
  const found = await listById.execute({ id: Number(params.id) });
  response.status(found === undefined ? 404 : 200).json(found ?? null);
});

app.post('/tasks/:id/done', async ({ params }, response) => {
  const isOpen = and(eq(task.id, Number(params.id)), eq(task.isDone, false));
  const [{ affectedRows }] = await db.update(task).set({ isDone: true }).where(isOpen);
  response.status(affectedRows === 0 ? 409 : 204).end();
});

// One row after the other, however many there are.
app.get('/export', async (_request, response) => {
  response.type('application/x-ndjson');
  // Waits for a slow reader, and ends the query of one that has left.
  await pipeline(Readable.from(exportLines()), response);
});

async function* exportLines() {
  for await (const row of db.select().from(task).orderBy(task.id).iterator()) {
    yield `${JSON.stringify(row)}\n`;
  }
}

// By everybody, up to now.
app.get('/count', async (_request, response) => {
  response.json(await primary(() => db.$count(task)));
});

const onError: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) {
    next(error);
    return;
  }
  // Drizzle wraps what its pool says, in a message with bound values.
  const cause = error instanceof DrizzleQueryError ? error.cause : error;
  const isPassing = isRwSplitError(cause) && cause.isRetryable;
  console.error(cause?.message);
  response.status(isPassing ? 503 : 500).json({ error: 'Sorry' });
};
app.use(onError);

const server = app.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`listening on ${JSON.stringify(server.address())}`);
});

process.once('SIGTERM', () => {
  // Clients keep the connections of answered requests for seconds.
  server.keepAliveTimeout = 1;
  server.close(() => pool.end());
});
