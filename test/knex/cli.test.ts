import { execFile } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import knex, { type Knex } from 'knex';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';
import { failureOf } from './bed.ts';
import {
  type LanguageName,
  languages,
  makeProject,
  type Project,
  removeProjects,
} from './knexfiles.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const program = join(root, 'node_modules', 'knex', 'bin', 'cli.js');

/** What is there with an old replica; the primary has gone on. */
const old = [
  'CREATE TABLE app.setting (id INT PRIMARY KEY, value VARCHAR(40))',
  "INSERT INTO app.setting VALUES (1, 'old')",
  "CREATE TABLE app.thing (id INT PRIMARY KEY, title VARCHAR(20) NOT NULL DEFAULT 'x')",
];
const changes = [
  "UPDATE app.setting SET value = 'new'",
  'ALTER TABLE app.thing MODIFY title VARCHAR(70) NULL',
  'CREATE TABLE app.late (id INT PRIMARY KEY)',
];
const tables = ['setting', 'thing', 'late', 'note', 'knex_migrations', 'knex_migrations_lock'];

describe.each(flavors)('migrations and seeds on %s', (flavor) => {
  let cluster: OwnedCluster;
  /** How many statements the replica had before the test. */
  let asked = 0;

  beforeAll(async () => {
    // The knexfiles that are no TypeScript get what is published.
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    await run(tsc, ['--build', 'packages/core', 'packages/knex'], { cwd: root });
    cluster = await startCluster({ flavor, replicas: 1 });
  });
  afterAll(async () => {
    await cluster.stop();
    await removeProjects();
  });
  const replica = () => {
    const [only] = cluster.all.filter((server) => server !== cluster.primary);
    if (only === undefined) throw new Error('a cluster with one replica has it');
    return only;
  };

  /** What is asked while a test runs; what sets up connections and looks after hosts is not counted. */
  async function askedOfReplica(): Promise<string[]> {
    const all = await replica().statements();
    const recent = new Set(all.slice(asked));
    const users = all.filter(({ command, sql }) => command === 'Connect' && sql.startsWith('app@'));
    const threads = new Set(users.map(({ threadId }) => threadId));
    return all
      .filter((statement) => recent.has(statement))
      .filter(({ threadId, command }) => threads.has(threadId) && /Query|Execute/.test(command))
      .map(({ sql }) => sql)
      .filter((sql) => /note|setting|thing|late|migrations|information_schema/i.test(sql));
  }

  beforeEach(async () => {
    for (const sql of old) await cluster.primary.query(sql);
    await cluster.waitUntilReplicated();
    await replica().stopApplying();
    for (const sql of changes) await cluster.primary.query(sql);
    asked = (await replica().statements()).length;
  });
  afterEach(async () => {
    if (!replica().isAnswering) replica().resume();
    for (const table of tables) await cluster.primary.query(`DROP TABLE IF EXISTS app.${table}`);
    await replica().startApplying();
    await cluster.waitUntilReplicated();
  });

  const hosts = () => ({
    primary: cluster.connectionOptions(cluster.primary),
    replicas: cluster.replicas.map((server) => cluster.connectionOptions(server)),
  });

  async function start(project: Project, ...args: string[]): Promise<string> {
    const { stdout, stderr } = await run(process.execPath, [...project.nodeOptions, ...args], {
      cwd: project.folder,
      env: { ...process.env, RWSPLIT_HOSTS: JSON.stringify(hosts()), NO_COLOR: '1' },
      timeout: 25_000,
    });
    return stdout + stderr;
  }

  const command = (project: Project, ...args: string[]) =>
    start(project, program, ...args, '--knexfile', project.knexfile);

  const notes = async () => {
    const rows = await cluster.primary.query<{ name: string }>('SELECT name FROM app.note');
    return rows.map(({ name }) => name);
  };

  // What a knexfile is written in is the same on any server.
  const most = (Object.keys(languages) as LanguageName[]).slice(0, flavor === 'mysql' ? 6 : 1);

  it.each(most)('run from the command line: %s', async (language) => {
    const project = await makeProject(language, flavor);
    expect(await command(project, 'migrate:latest')).toContain('Batch 1 run: 2 migrations');
    expect(await command(project, 'seed:run')).toContain('Ran 1 seed files');
    expect(await notes()).toEqual(['new', 'new and more']);
    expect(await askedOfReplica()).toEqual([]);
  });

  describe.each(flavor === 'mysql' ? ['any server'] : [])('on %s', () => {
    it('are listed and rolled back from the command line', async () => {
      const project = await makeProject('knexfile.cjs', `${flavor}-back`);
      await command(project, 'migrate:up');
      expect(await command(project, 'migrate:list')).toContain('Found 1 Completed Migration file');
      expect(await command(project, 'migrate:latest')).toContain('Batch 2 run: 1 migrations');
      expect(await command(project, 'migrate:latest')).toContain('Already up to date');
      expect(await command(project, 'migrate:rollback', '--all')).toContain('2 migrations');
      expect(await askedOfReplica()).toEqual([]);
    });

    it('run while the replica hangs', async () => {
      await replica().hang();
      const project = await makeProject('knexfile.cjs', `${flavor}-hangs`);
      expect(await command(project, 'migrate:latest')).toContain('Batch 1 run: 2 migrations');
      expect(await command(project, 'seed:run')).toContain('Ran 1 seed files');
      expect(await notes()).toEqual(['new', 'new and more']);
    });

    it('are made without a server', async () => {
      const project = await makeProject('knexfile.mjs', `${flavor}-make`);
      expect(await command(project, 'migrate:make', 'other', '-x', 'mjs')).toContain('Created');
      expect(await command(project, 'seed:make', 'other', '-x', 'mjs')).toContain('Created');
      expect(await readdir(join(project.folder, 'migrations'))).toHaveLength(3);
      expect(await readdir(join(project.folder, 'seeds'))).toHaveLength(2);
    });

    it.each(['lags', 'hangs'])(
      'leave a process that ends by itself while the replica %s',
      async (what) => {
        if (what === 'hangs') {
          await replica().hang();
        }
        const project = await makeProject('knexfile.mjs', `${flavor}-${what}-ends`);
        await writeFile(
          join(project.folder, 'main.mjs'),
          `import Knex from 'knex';
         import config from './knexfile.mjs';
         const knex = Knex(config);
         const [batch, done] = await knex.migrate.latest();
         await knex.seed.run();
         console.log(batch, done.length, await knex('note').forcePrimary().pluck('name'));
         await knex.destroy();`,
        );
        expect(await start(project, 'main.mjs')).toBe("1 2 [ 'new', 'new and more' ]\n");
      },
    );
  });

  describe('by calls', () => {
    let db: Knex;
    beforeEach(() => {
      const { primary: connection, replicas } = hosts();
      db = knex({
        client: ReplicatedMysql2,
        connection,
        replicas,
        // Else what the migrator itself has written would send reads to the primary.
        replication: { consistency: 'eventual' },
        log: { warn: () => {} },
      });
    });
    afterEach(() => db.destroy());

    /** A read of the instance itself. */
    const byTheWay = () => db('setting').pluck('value');

    /** A migration that looks at the data first. */
    const source = (up: (trx: Knex) => Promise<unknown>) => ({
      migrationSource: {
        getMigrations: async () => ['1'],
        getMigrationName: (name: string) => name,
        getMigration: async () => ({ up, down: async () => {}, config: { transaction: false } }),
      },
    });

    it('read what is there, in migrations and their hooks', async () => {
      const seen: unknown[] = [];
      const look = async (trx: Knex) => {
        seen.push(await trx('setting').pluck('value'));
        seen.push(await trx.raw('select value from setting').then(([[row]]) => row.value));
        for await (const { value } of trx('setting').stream()) seen.push(value);
      };
      await db.migrate.latest({ ...source(look), beforeAll: look, afterEach: look } as never);
      expect(seen).toEqual(
        Array(3)
          .fill([['new'], 'new', 'new'])
          .flat(),
      );
      expect(await byTheWay()).toEqual(['old']);
    });

    it('read what is there, in seeds', async () => {
      const seen: unknown[] = [];
      const seed = async (instance: Knex) => {
        seen.push(await instance('setting').pluck('value'));
        seen.push(await instance('setting').useReplica().pluck('value'));
      };
      const seedSource = { getSeeds: async () => ['1'], getSeed: async () => ({ seed }) };
      await db.seed.run({ seedSource } as never);
      expect(seen).toEqual([['new'], ['old']]);
      expect(await byTheWay()).toEqual(['old']);
    });

    it('respect the lock', async () => {
      const nothing = source(async () => {});
      await db.migrate.latest(nothing);
      await replica().startApplying();
      await cluster.waitUntilReplicated();
      await replica().stopApplying();
      await cluster.primary.query('UPDATE app.knex_migrations_lock SET is_locked = 1');
      await cluster.primary.query('DELETE FROM app.knex_migrations');
      expect(await failureOf(db.migrate.latest(nothing))).toMatchObject({
        name: 'MigrationLocked',
      });
      await db.migrate.forceFreeMigrationsLock(nothing);
      expect(await db.migrate.latest(nothing)).toEqual([1, ['1']]);
    });

    it('leave other queries where they belong, after a migration in a transaction', async () => {
      await db.transaction((trx) => trx.migrate.latest(source(async () => {})));
      expect(await byTheWay()).toEqual(['old']);
      // That would be seen of migrations and seeds as well.
      expect(await askedOfReplica()).toEqual(['select `value` from `setting`']);
    });

    it('alter what the primary has', async () => {
      expect(await db.schema.hasTable('late')).toBe(true);
      expect(await db.schema.hasColumn('late', 'id')).toBe(true);
      expect(await db('thing').columnInfo('title')).toMatchObject({
        maxLength: 70,
        nullable: true,
      });
      await db.schema.alterTable('thing', (table) => table.renameColumn('title', 'name'));
      expect(await db('thing').columnInfo('name')).toMatchObject({ maxLength: 70, nullable: true });
      const [row] = await cluster.primary.query<Record<string, string>>(
        'SHOW CREATE TABLE app.thing',
      );
      expect(row?.['Create Table']).toMatch(/`name` varchar\(70\).* DEFAULT NULL/i);
      expect(await askedOfReplica()).toEqual([]);
    });
  });
});
