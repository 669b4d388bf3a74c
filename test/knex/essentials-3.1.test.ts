import type { Knex } from 'knex';
import oldest from 'knex-oldest';
import { describe, expect, it, vi } from 'vitest';
import { failureOf, makeBed, newTag } from './bed.ts';

// The oldest version that the package allows, for everything that is imported here.
vi.mock('knex', () => import('knex-oldest'));
vi.mock('knex/lib/dialects/mysql2/index.js', () => load('dialects/mysql2/index.js'));
vi.mock('knex/lib/dialects/mysql2/transaction.js', () => load('dialects/mysql2/transaction.js'));
vi.mock('knex/lib/dialects/mysql/query/mysql-querybuilder.js', () =>
  load('dialects/mysql/query/mysql-querybuilder.js'),
);
vi.mock('knex/lib/execution/runner.js', () => load('execution/runner.js'));
vi.mock('knex/lib/migrations/seed/Seeder.js', () => load('migrations/seed/Seeder.js'));
vi.mock('knex/lib/raw.js', () => load('raw.js'));
vi.mock('knex/lib/schema/builder.js', () => load('schema/builder.js'));

async function load(file: string): Promise<object> {
  return (await import(`knex-oldest/lib/${file}`)) as object;
}

const migrations = (table: string) => ({
  getMigrations: async () => ['1_create', '2_fill'],
  getMigrationName: (name: string) => name,
  getMigration: async (name: string) =>
    name === '1_create'
      ? {
          up: (db: Knex) => db.schema.createTable(table, (made) => void made.integer('id')),
          down: (db: Knex) => db.schema.dropTable(table),
        }
      : { up: (db: Knex) => db(table).insert({ id: 1 }), down: (db: Knex) => db(table).del() },
});

/** What each version of Knex must do with the client: those of its parts that the versions differ in. */
describe('with Knex 3.1', async () => {
  const bed = await makeBed('mysql');

  it('is what runs here', () => {
    const Client: unknown = Reflect.get(oldest, 'Client');
    expect(bed.open().client).toBeInstanceOf(Client);
    // 3.2 has it.
    expect('checkVersion' in bed.open().client).toBe(false);
  });

  it('reads on replicas, writes on the primary, and reads its writes', async () => {
    const db = bed.open();
    const tag = newTag();
    const [id] = await db('person').insert({ name: tag });
    expect(await db('person').where('name', tag).pluck('id')).toEqual([id]);
    await db.raw('select ?', [tag]);
    expect(await bed.ran(tag)).toEqual(['primary', 'replica', 'replica']);
  });

  it('obeys hints of builders, raw queries, schema builders, contexts and streams', async () => {
    const db = bed.open();
    const tag = newTag();
    await db('person').where('name', tag).forcePrimary();
    await db.raw('select ?', [tag]).forcePrimary();
    await db.schema.forcePrimary().raw(`select '${tag}'`);
    await db('person').where('name', tag).queryContext({ useMaster: true });
    const rows = db('person').where('name', tag).queryContext({ forcePrimary: true }).stream();
    expect(await rows.toArray()).toEqual([]);
    expect(await bed.ran(tag)).toEqual(Array.from({ length: 5 }, () => 'primary'));
  });

  it('keeps transactions on one connection, and the error that they are rolled back for', async () => {
    const db = bed.open();
    const tag = newTag();
    await db.transaction(async (trx) => {
      await trx('person').insert({ name: tag });
      await trx.transaction((inner) => inner('person').where('name', tag)).catch(() => {});
      await trx('person').where('name', tag);
    });
    const failure = await failureOf(
      db.transaction(async (trx) => {
        await trx.raw('kill connection_id()').catch(() => {});
        throw new Error('own');
      }),
    );
    expect(failure.message).toBe('own');
    expect(new Set(await bed.ran(tag))).toEqual(new Set(['primary']));
  });

  it('gives its one slot back once: after streams, timeouts and errors', async () => {
    const db = bed.open({ pool: { min: 0, max: 1 } });
    for await (const _row of db('person').stream()) break;
    db('person').stream().destroy();
    expect((await failureOf(db('nothing').stream().toArray())).message).toContain('nothing');
    const slow = db.raw('select sleep(10)').timeout(50, { cancel: true });
    expect((await failureOf(slow)).message).toContain('timeout');
    expect(await db('person').count()).toEqual([{ 'count(*)': expect.any(Number) }]);
  });

  it('migrates on the primary, with its locks', async () => {
    const db = bed.open({ migrations: { tableName: newTag() } });
    const source = { migrationSource: migrations('note') };
    expect(await db.migrate.latest(source)).toEqual([1, ['1_create', '2_fill']]);
    expect(await db.migrate.rollback(source)).toEqual([1, ['2_fill', '1_create']]);
    expect(await db.schema.hasTable('note')).toBe(false);
  });

  it('asks a function for settings anew when they have expired, however busy it is', async () => {
    let asked = 0;
    let isExpired = false;
    const db = bed.open({
      connection: async () => {
        asked += 1;
        isExpired = false;
        return { ...bed.primary, expirationChecker: () => isExpired };
      },
      replicas: bed.replicas.map(({ host, port }) => ({ host, port })),
      pool: { min: 0, max: 1 },
    });
    await db('person').first();
    expect(asked).toBe(1);
    isExpired = true;
    await db('person').first();
    expect(asked).toBe(2);
  });

  it('runs afterCreate on every host, and starts again after its end', async () => {
    const hosts = new Set<unknown>();
    const afterCreate = (connection: { config: { port: number } }, done: () => void) => {
      hosts.add(connection.config.port);
      done();
    };
    const db = bed.open({ pool: { min: 0, max: 2, afterCreate } });
    await db('person').insert({ name: newTag() });
    await db('person').first();
    expect(hosts.size).toBeGreaterThanOrEqual(2);
    await db.destroy();
    db.initialize();
    expect(await db('person').first()).toMatchObject({ name: 'Ada' });
  });
});
