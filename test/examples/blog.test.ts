import { beforeAll, describe, expect, it } from 'vitest';
import { type App, answerOf, makeBed } from './bed.ts';

describe('blog: Fastify and Kysely', async () => {
  const bed = await makeBed('mysql', ({ primary, replicas }) => ({
    DB_PRIMARY: primary,
    DB_REPLICAS: replicas.join(),
  }));
  const { cluster } = bed;
  let blog: App;
  let newsletter: App;

  beforeAll(async () => {
    await bed.run(['examples/blog/migrate.ts']);
    newsletter = await bed.start('examples/blog/newsletter.ts');
    blog = await bed.start('examples/blog/main.ts', {
      NEWSLETTER: newsletter.url,
      SLOW_QUERY: '0',
    });
    for (const number of [1, 2, 3]) {
      const tags = number === 2 ? [] : ['odd', 'news'];
      await add(`post-${number}`, tags);
    }
    await cluster.waitUntilReplicated();
  });

  function add(slug: string, tags: readonly string[] = []): Promise<Response> {
    return blog.ask('POST', '/posts', { slug, title: `On ${slug}`, body: 'Text', tags });
  }

  it('adds a post in a transaction on the primary, or nothing of it', async () => {
    const { primary } = await bed.sent(async () => {
      const { status, body } = await answerOf(await add('whole', ['b', 'a']));
      const tags = ['a', 'b'];
      const id = expect.any(Number);
      const post = { id, title: 'On whole', body: 'Text', published_at: null, tags };
      expect({ status, body }).toEqual({ status: 201, body: post });
      // The second tag breaks its key: the post goes with it.
      expect(await answerOf(await add('half', ['a', 'a']))).toMatchObject({ status: 409 });
    });
    const words = primary.map((sql) => /^\w+/.exec(sql)?.[0]);
    const whole = ['begin', 'insert', 'insert', 'commit'];
    const half = ['begin', 'insert', 'insert', 'rollback'];
    expect(words.filter((word) => word !== 'select')).toEqual([...whole, ...half]);
    expect((await blog.ask('GET', '/posts/half')).status).toBe(404);
  });

  it.each([
    ['no slug', { title: 'x', body: 'x' }],
    ['a slug that is none', { slug: 'A B', title: 'x', body: 'x' }],
    ['tags that are none', { slug: 'x', title: 'x', body: 'x', tags: [{}] }],
  ])('refuses a post with %s', async (_what, post) => {
    expect((await blog.ask('POST', '/posts', post)).status).toBe(400);
  });

  it('publishes while replicas are behind, and the other service sees it by its header', async () => {
    await bed.behind(async () => {
      for (const number of [1, 2, 3]) {
        const published = await blog.ask('POST', `/posts/post-${number}/publish`);
        expect(await answerOf(published)).toEqual({
          status: 200,
          body: { mailed: { subject: `On post-${number}`, text: 'Text' } },
        });
        expect(published.headers.get('x-db-position')).toMatch(/^1~![md]/);
      }
      // Without the header it does not.
      expect((await newsletter.ask('POST', '/issues/post-1')).status).toBe(404);
    });
    expect((await blog.ask('POST', '/posts/post-1/publish')).status).toBe(409);
  });

  it('lists what is published page by page, on replicas', async () => {
    await cluster.waitUntilReplicated();
    const pages: unknown[] = [];
    const { primary, replicas } = await bed.sent(async () => {
      for (const query of ['limit=2', 'limit=2&before=2', 'tag=odd', 'tag=odd&limit=1&before=3']) {
        const { body } = await answerOf(await blog.ask('GET', `/posts?${query}`));
        const { posts, next } = body as { posts: { id: number }[]; next: number | null };
        pages.push({ ids: posts.map(({ id }) => id), next });
      }
    });
    expect(pages).toEqual([
      { ids: [3, 2], next: 2 },
      { ids: [1], next: null },
      { ids: [3, 1], next: null },
      { ids: [1], next: 1 },
    ]);
    expect(primary).toEqual([]);
    expect(replicas).toHaveLength(4);
    expect((await blog.ask('GET', '/posts?limit=1000')).status).toBe(400);
  });

  it('logs who ran what, and why there', async () => {
    const lines = blog.printed.split('\n').filter((line) => line.startsWith('{'));
    const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(logged.find(({ sql }) => String(sql).startsWith('update'))).toEqual({
      level: 'query',
      sql: expect.stringContaining('update `post` set `published_at` = ?'),
      took: expect.any(Number),
      host: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      role: 'primary',
      reason: 'not-a-read',
      waited: 0,
    });
    const lists = logged.filter(({ sql }) => String(sql).includes('limit ?'));
    expect(lists.map(({ role, reason }) => `${role}: ${reason}`)).toEqual([
      'replica: read',
      'replica: read',
      'replica: read',
      'replica: read',
    ]);
  });

  it('says how its servers are', async () => {
    const { status, body } = await answerOf(await blog.ask('GET', '/health'));
    const up = { name: expect.any(String), state: 'up', lag: null };
    expect(status).toBe(200);
    expect(body).toEqual([
      { ...up, role: 'primary' },
      { ...up, role: 'replica' },
      { ...up, role: 'replica' },
    ]);
  });

  it('ends when it is asked to', async () => {
    expect(await Promise.all([blog.terminate(), newsletter.terminate()])).toEqual([
      [0, null],
      [0, null],
    ]);
  });
});
