import { currentSession, isRwSplitError } from '@rwsplit/kysely';
import { type FastifyError, type FastifyInstance, fastify } from 'fastify';
import { dialect, positionHeader } from './database.ts';
import { addPost, findPost, listPosts, type NewPost, type Page, publish } from './posts.ts';

const slug = { type: 'string', pattern: '^[a-z0-9-]{1,80}$' } as const;
const tags = { type: 'array', items: { type: 'string', maxLength: 40 }, default: [] } as const;
const text = { type: 'string', minLength: 1 } as const;
const post = {
  type: 'object',
  required: ['slug', 'title', 'body'],
  properties: { slug, title: { ...text, maxLength: 200 }, body: text, tags },
} as const;
const page = {
  type: 'object',
  properties: {
    tag: { type: 'string' },
    before: { type: 'integer' },
    limit: { type: 'integer', minimum: 1, maximum: 100, default: 10 },
  },
} as const;

/** @param newsletter the URL of the other service. */
export function blog(newsletter: string): FastifyInstance {
  const app = fastify();

  app.get<{ Querystring: Page }>('/posts', { schema: { querystring: page } }, async ({ query }) => {
    const posts = await listPosts(query);
    const next = posts.length === query.limit ? (posts.at(-1)?.id ?? null) : null;
    return { posts, next };
  });

  app.post<{ Body: NewPost }>('/posts', { schema: { body: post } }, async ({ body }, reply) => {
    await addPost(body);
    // On a replica that has it by now, else on the primary.
    return reply.code(201).send(await findPost(body.slug));
  });

  app.get<{ Params: { slug: string } }>('/posts/:slug', async ({ params }, reply) => {
    return (
      (await findPost(params.slug)) ?? reply.code(404).send({ error: 'There is no such post' })
    );
  });

  app.post<{ Params: { slug: string } }>('/posts/:slug/publish', async ({ params }, reply) => {
    if (!(await publish(params.slug))) {
      return reply.code(409).send({ error: 'There is no such draft' });
    }
    // Another process, with connections of its own: the header says what it has to see.
    const issue = await fetch(`${newsletter}/issues/${params.slug}`, {
      method: 'POST',
      headers: { [positionHeader]: currentSession()?.token() ?? '' },
    });
    return issue.ok
      ? { mailed: await issue.json() }
      : reply.code(502).send({ error: 'It is published, but was not mailed' });
  });

  // A blog without its primary can still be read.
  app.get('/health', async (_request, reply) => {
    const hosts = dialect.pools.flatMap((pool) => pool.stats().hosts);
    const isFine = hosts.length === 0 || hosts.some(({ isUp }) => isUp);
    return reply
      .code(isFine ? 200 : 503)
      .send(hosts.map(({ name, role, state, lag }) => ({ name, role, state, lag })));
  });

  app.setErrorHandler((error: FastifyError, _request, reply) => {
    if (isRwSplitError(error) && error.isRetryable) {
      return reply.code(503).header('retry-after', '1').send({ error: 'Please try again' });
    }
    if (error.code === 'ER_DUP_ENTRY') {
      return reply.code(409).send({ error: 'There is such a post already' });
    }
    const { statusCode = 500 } = error;
    if (statusCode >= 500) {
      console.error(error);
    }
    return reply.code(statusCode).send({ error: statusCode < 500 ? error.message : 'Sorry' });
  });
  return app;
}
