import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('post')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('slug', 'varchar(80)', (column) => column.notNull().unique())
    .addColumn('title', 'varchar(200)', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('published_at', sql`datetime(3)`)
    .execute();
  await db.schema
    .createTable('tag')
    .addColumn('post_id', 'integer', (column) =>
      column.notNull().references('post.id').onDelete('cascade'),
    )
    .addColumn('name', 'varchar(40)', (column) => column.notNull())
    .addPrimaryKeyConstraint('tag_key', ['name', 'post_id'])
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('tag').execute();
  await db.schema.dropTable('post').execute();
}
