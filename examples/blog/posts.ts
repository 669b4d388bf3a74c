import { db } from './database.ts';

export interface NewPost {
  readonly slug: string;
  readonly title: string;
  readonly body: string;
  readonly tags: readonly string[];
}

/** What a list has of the published posts, the newest first. */
export interface Page {
  readonly tag?: string;
  /** The id of the last one of the page before. */
  readonly before?: number;
  readonly limit: number;
}

/** A post and its tags, or nothing: one transaction, on one connection to the primary. */
export async function addPost({ tags, ...post }: NewPost): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const { insertId } = await trx.insertInto('post').values(post).executeTakeFirstOrThrow();
    if (tags.length > 0) {
      const rows = tags.map((name) => ({ post_id: Number(insertId), name }));
      await trx.insertInto('tag').values(rows).execute();
    }
  });
}

export async function publish(slug: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('post')
    .set({ published_at: new Date() })
    .where('slug', '=', slug)
    .where('published_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0;
}

/** Two reads, of which the second is never older than the first: both are of one request. */
export async function findPost(slug: string) {
  const post = await db
    .selectFrom('post')
    .select(['id', 'title', 'body', 'published_at'])
    .where('slug', '=', slug)
    .executeTakeFirst();
  if (post === undefined) {
    return undefined;
  }
  const tags = db.selectFrom('tag').select('name').where('post_id', '=', post.id).orderBy('name');
  return { ...post, tags: (await tags.execute()).map(({ name }) => name) };
}

export function listPosts({ tag, before, limit }: Page) {
  return db
    .selectFrom('post')
    .select(['id', 'slug', 'title', 'published_at'])
    .where('published_at', 'is not', null)
    .$if(before !== undefined, (query) => query.where('id', '<', before ?? 0))
    .$if(tag !== undefined, (query) =>
      query.where('id', 'in', (tagged) =>
        tagged
          .selectFrom('tag')
          .select('post_id')
          .where('name', '=', tag ?? ''),
      ),
    )
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}
