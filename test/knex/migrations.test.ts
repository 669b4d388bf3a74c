import type { Knex } from 'knex';
import { describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { type Bed, failureOf, makeBed, newTag } from './bed.ts';

/** Migrations in memory: one with a transaction, and one without. */
function migrations(table: string): Knex.MigrationSource<string> {
  const all: Record<string, Knex.Migration & { config?: { transaction: boolean } }> = {
    '1_create': {
      up: (db) =>
        db.schema.createTable(table, (columns) => {
          columns.increments('id');
          columns.string('title');
        }),
      down: (db) => db.schema.dropTable(table),
    },
    '2_fill': {
      config: { transaction: false },
      up: async (db) => {
        await db(table).insert({ title: 'one' });
        if (await db.schema.hasColumn(table, 'title')) {
          await db.schema.alterTable(table, (columns) => columns.renameColumn('title', 'name'));
        }
      },
      down: (db) => db(table).del(),
    },
  };
  return {
    getMigrations: async () => Object.keys(all),
    getMigrationName: (name) => name,
    getMigration: async (name) => all[name] ?? { up: async () => {}, down: async () => {} },
  };
}

/** What the replicas were asked by connections to the database of the tests, but for their set-up. */
async function askedOfReplicas(bed: Bed): Promise<string[]> {
  const asked = await Promise.all(
    bed.cluster.replicas.map(async (server) => {
      const all = await server.statements();
      const connects = all.filter(
        ({ command, sql }) => command === 'Connect' && sql.includes(bed.database.name),
      );
      const threads = new Set(connects.map(({ threadId }) => threadId));
      return all.filter(({ threadId, command }) => threads.has(threadId) && command === 'Query');
    }),
  );
  return asked
    .flat()
    .map(({ sql }) => sql)
    .filter((sql) => !/^(SET SESSION TRANSACTION READ ONLY|SELECT VERSION\(\))$/i.test(sql));
}

describe.each(flavors)('Knex migrations on %s', (flavor) => {
  describe('tables', async () => {
    const bed = await makeBed(flavor);

    it.each(['person', 'person_lock'])(
      'are read on the primary by other queries too: %s',
      async (table) => {
        const db = bed.open({ migrations: { tableName: 'person' } });
        const tag = newTag();
        await failureOf(db(table).where('name', tag)).catch(() => {});
        expect(await bed.ran(tag)).toEqual(['primary']);
      },
    );
  });

  describe.each([
    ['default names', () => ({ config: {}, call: {} })],
    [
      'names of the configuration',
      (tag: string) => ({ config: { migrations: { tableName: tag } }, call: {} }),
    ],
    ['names of the call', (tag: string) => ({ config: {}, call: { tableName: tag } })],
  ] as const)('with %s', async (_what, name) => {
    const bed = await makeBed(flavor);

    it('run, list and roll back on the primary alone', async () => {
      const { config, call } = name(newTag());
      const db = bed.open(config);
      const source = { ...call, migrationSource: migrations('note') };
      expect(await db.migrate.latest(source)).toEqual([1, ['1_create', '2_fill']]);
      expect(await db.migrate.latest(source)).toEqual([1, []]);
      expect(await db.migrate.currentVersion(source)).toBe('2');
      expect((await db.migrate.list(source))[0]).toHaveLength(2);
      expect(await db('note').forcePrimary()).toEqual([{ id: 1, name: 'one' }]);
      expect(await db.migrate.rollback(source)).toEqual([1, ['2_fill', '1_create']]);
      expect(await db.schema.hasTable('note')).toBe(false);
      expect(await askedOfReplicas(bed)).toEqual([]);
    });

    it('leave other queries of the instance where they belong', async () => {
      const { config, call } = name(newTag());
      const db = bed.open(config);
      await db.migrate.list({ ...call, migrationSource: migrations('note') });
      const tag = newTag();
      await db('person').where('name', tag);
      expect(await bed.ran(tag)).toEqual(['replica']);
    });
  });
});
