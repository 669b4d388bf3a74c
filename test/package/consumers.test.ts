import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const names = ['core', 'knex', 'kysely'] as const;
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));

/** The oldest TypeScript that our types are written for, and the one that we build with. */
const typescripts = ['5.4.5', manifest.devDependencies.typescript as string];

/** Packs the three packages as they would be published and uses them as a stranger would. */
describe('the published packages', async () => {
  const cluster = sharedCluster('mysql');
  const database = await freshDatabase(cluster);
  const folder = await mkdtemp(join(tmpdir(), 'rwsplit-consumer-'));
  const tarballs: string[] = [];
  afterAll(() => rm(folder, { recursive: true, force: true }));

  beforeAll(async () => {
    await cluster.primary.query(`CREATE TABLE ${database.name}.item (id INT PRIMARY KEY)`);
    await cluster.primary.query(`INSERT INTO ${database.name}.item VALUES (1)`);
    await cluster.waitUntilReplicated();
    await run('npm', ['run', 'build'], { cwd: root });
    const pnpm = `pnpm@${manifest.devEngines.packageManager.version}`;
    for (const name of names) {
      await run('npx', ['--yes', pnpm, 'pack', '--pack-destination', folder], {
        cwd: join(root, 'packages', name),
      });
    }
    tarballs.push(...(await readdir(folder)).filter((file) => file.endsWith('.tgz')));
    await writeFile(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'consumer', private: true }),
    );
    const versions = ['knex', 'kysely', 'mysql2', '@types/node'].map(
      (name) => `${name}@${manifest.devDependencies[name]}`,
    );
    await run('npm', ['install', ...tarballs.map((file) => `./${file}`), ...versions], {
      cwd: folder,
    });
  }, 240_000);

  it('are three tarballs without tests, caches or workspace paths', async () => {
    expect(tarballs.sort()).toEqual(names.map((name) => `rwsplit-${name}-0.1.0.tgz`));
    for (const tarball of tarballs) {
      const { stdout } = await run('tar', ['-tzf', join(folder, tarball)]);
      const files = stdout.trim().split('\n');
      expect(files).toContain('package/dist/index.js');
      expect(files).toContain('package/dist/index.d.ts');
      expect(
        files.filter(
          (file) =>
            !/^package\/(dist|src)\/|^package\/(package\.json|README\.md|LICENSE)$/.test(file),
        ),
      ).toEqual([]);
      expect(files.filter((file) => file.includes('tsbuildinfo'))).toEqual([]);
      const text = await run('tar', ['-xzOf', join(folder, tarball), 'package/package.json']);
      expect(text.stdout).not.toContain('workspace:');
    }
  });

  it.each(names)('%s has nothing that publint or attw finds wrong', async (name) => {
    const { messages, pkg } = await publint({
      pkgDir: join(folder, 'node_modules', '@rwsplit', name),
      pack: false,
    });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
    const attw = join(root, 'node_modules', '.bin', 'attw');
    // The packages are ESM, which CommonJS can require since Node 20.19.
    await run(attw, [join(folder, `rwsplit-${name}-0.1.0.tgz`), '--profile', 'esm-only']);
  });

  /** Reads through all three, and prints what came. */
  const script = `
    const options = JSON.parse(process.env.RWSPLIT_HOSTS);
    const pool = core.createReplicatedPool(options).promise();
    const db = new kysely.Kysely({ dialect: new kyselyAdapter.ReplicatedMysqlDialect(options) });
    const { primary, ...rest } = options;
    const knex = (knexModule.default ?? knexModule)({ client: knexAdapter.ReplicatedMysql2, connection: primary, ...rest });
    (async () => {
      const [rows] = await pool.query('SELECT id FROM item');
      const same = await db.selectFrom('item').select('id').execute();
      const again = await knex('item').select('id').forcePrimary();
      console.log(JSON.stringify([rows, same, again]));
      await Promise.all([pool.end(), db.destroy(), knex.destroy()]);
    })();
  `;
  const modules = {
    core: '@rwsplit/core',
    knexAdapter: '@rwsplit/knex',
    kyselyAdapter: '@rwsplit/kysely',
    kysely: 'kysely',
    knexModule: 'knex',
  };
  const esm = Object.entries(modules).map(([name, from]) => `import * as ${name} from '${from}';`);
  const cjs = Object.entries(modules).map(([name, from]) => `const ${name} = require('${from}');`);

  async function runScript(file: string, text: string, node = process.execPath): Promise<unknown> {
    await writeFile(join(folder, file), text);
    const hosts = {
      primary: database.connectionOptions(cluster.primary),
      replicas: cluster.replicas.map((server) => database.connectionOptions(server)),
    };
    const { stdout } = await run(node, [file], {
      cwd: folder,
      env: { ...process.env, RWSPLIT_HOSTS: JSON.stringify(hosts) },
      timeout: 20_000,
    });
    return JSON.parse(stdout);
  }

  const answer = [[{ id: 1 }], [{ id: 1 }], [{ id: 1 }]];

  it('work with import, and the process ends by itself', async () => {
    expect(await runScript('consumer.mjs', esm.join('\n') + script)).toEqual(answer);
  });

  it('work with require', async () => {
    expect(await runScript('consumer.cjs', cjs.join('\n') + script)).toEqual(answer);
  });

  it('have the command', async () => {
    const command = [
      '--no-install',
      'rwsplit',
      'explain',
      '--json',
      'SELECT id FROM item FOR UPDATE',
    ];
    const { stdout } = await run('npx', command, { cwd: folder });
    expect(JSON.parse(stdout)).toMatchObject({
      role: 'primary',
      reason: 'locking-read',
      tables: [{ db: null, table: 'item' }],
    });
  });

  it.each(['22', '24', '26'])(
    'work on Node %s',
    async (version) => {
      const home = join(folder, `node-${version}`);
      await run('npm', ['install', '--prefix', home, `node@${version}`]);
      const node = join(home, 'node_modules', 'node', 'bin', 'node');
      expect((await run(node, ['--version'])).stdout).toMatch(new RegExp(`^v${version}\\.`));
      expect(await runScript('consumer.mjs', esm.join('\n') + script, node)).toEqual(answer);
      expect(await runScript('consumer.cjs', cjs.join('\n') + script, node)).toEqual(answer);
    },
    120_000,
  );

  it.each(typescripts)(
    'have types that TypeScript %s accepts under strict',
    async (version) => {
      const home = join(folder, `typescript-${version}`);
      await run('npm', ['install', '--prefix', home, `typescript@${version}`]);
      await writeFile(
        join(folder, 'consumer.mts'),
        await readFile(new URL('./consumer.ts.txt', import.meta.url), 'utf8'),
      );
      const compilerOptions = {
        strict: true,
        noEmit: true,
        module: 'nodenext',
        target: 'es2022',
        types: ['node'],
        exactOptionalPropertyTypes: true,
        skipLibCheck: true,
      };
      await writeFile(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ compilerOptions, files: ['consumer.mts'] }),
      );
      const tsc = join(home, 'node_modules', '.bin', 'tsc');
      const { stdout } = await run(tsc, ['-p', folder]).catch((error: { stdout: string }) => error);
      expect(stdout).toBe('');
    },
    120_000,
  );
});
