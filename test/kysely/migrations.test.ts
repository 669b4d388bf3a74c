import { sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { open } from './people.ts';

/** A migration that looks at what it changes, as real ones do. */
const migrations: Record<string, Migration> = {
  '1_create': {
    up: async (db) => {
      await db.schema.createTable('shop').addColumn('id', 'integer').execute();
      await db.insertInto('shop').values({ id: 1 }).execute();
    },
    down: async (db) => {
      await db.schema.dropTable('shop').execute();
    },
  },
  '2_fill': {
    up: async (db) => {
      const tables = await db.introspection.getTables();
      const rows = await db.selectFrom('shop').selectAll().execute();
      await sql`insert into shop values (${tables.length + rows.length})`.execute(db);
    },
  },
};

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const empty = [
    await freshDatabase(cluster),
    await freshDatabase(cluster),
    await freshDatabase(cluster),
  ] as const;

  it('migrates up and down on the primary alone', async () => {
    const database = empty[0];
    await using db = open(cluster, database);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    const before = await Promise.all(cluster.replicas.map((server) => server.mark()));

    const up = await migrator.migrateToLatest();
    expect(up.error).toBeUndefined();
    expect(up.results?.map(({ status }) => status)).toEqual(['Success', 'Success']);
    expect((await migrator.getMigrations()).map(({ name }) => name)).toEqual([
      '1_create',
      '2_fill',
    ]);
    const down = await migrator.migrateTo('1_create');
    expect(down.error).toBeUndefined();

    const onReplicas = await Promise.all(
      cluster.replicas.map(async (server, index) => {
        const since = before[index];
        const statements = await server.statements(since === undefined ? {} : { since });
        const connects = statements.filter(
          ({ command, sql: text }) => command === 'Connect' && text.includes(database.name),
        );
        const threads = new Set(connects.map(({ threadId }) => threadId));
        const commands = statements.filter(({ threadId }) => threads.has(threadId));
        return commands.map(({ command }) => command);
      }),
    );
    // After a write, core makes ready to ask each replica whether it has it; nobody reads.
    for (const commands of onReplicas) {
      expect(['', 'Connect', 'Connect Ping', 'Connect Ping Quit']).toContain(commands.join(' '));
    }
  });

  it('lets one of two migrators at a time migrate', async () => {
    const database = empty[1];
    await using one = open(cluster, database);
    await using other = open(cluster, database);
    const provider = { getMigrations: async () => migrations };
    const results = await Promise.all(
      [one, other].map((db) => new Migrator({ db, provider }).migrateToLatest()),
    );
    expect(results.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(results.flatMap((result) => result.results ?? []).length).toBe(2);
  });

  it('reads the migration tables on the primary', async () => {
    const database = empty[2];
    await using db = open(cluster, database);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    await migrator.migrateToLatest();
    const tag = `migrations-${flavor}`;
    await sql`/* ${sql.raw(tag)} */ select * from kysely_migration`.execute(db);
    await sql`/* ${sql.raw(tag)} */ select * from kysely_migration_lock`.execute(db);
    const ran = await cluster.whoRan(tag);
    expect(ran.map(({ server }) => server)).toEqual(['primary', 'primary']);
  });
});
