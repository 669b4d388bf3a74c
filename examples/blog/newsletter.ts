/** Another service, which mails what has been published: it reads on replicas, and writes nothing. */
import { sessionPerRequest } from '@rwsplit/kysely';
import { fastify } from 'fastify';
import { db, positionHeader } from './database.ts';
import { findPost } from './posts.ts';

const { PORT = '3001' } = process.env;

// The caller's header says what the request has to see.
sessionPerRequest({ header: positionHeader });

const app = fastify();
app.post<{ Params: { slug: string } }>('/issues/:slug', async ({ params }, reply) => {
  const post = await findPost(params.slug);
  return post?.published_at
    ? { subject: post.title, text: post.body }
    : reply.code(404).send({ error: 'It is not published' });
});
console.log(`listening on ${await app.listen({ host: '127.0.0.1', port: Number(PORT) })}`);

process.once('SIGTERM', async () => {
  await app.close();
  await db.destroy();
});
