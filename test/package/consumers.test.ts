import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
const oldestTypescript = '5.4.5';
const newestTypescript: string = manifest.devDependencies.typescript;

/** What a project's compiler is told: `strict`, and what may differ from one to another. */
interface Project {
  readonly typescript: string;
  /** The libraries' versions: those that we build with, or the oldest that our packages accept. */
  readonly libraries: 'newest' | 'oldest';
  readonly module: 'nodenext' | 'esnext';
  readonly moduleResolution: 'nodenext' | 'bundler';
  readonly exactOptionalPropertyTypes: boolean;
  readonly extension: 'mts' | 'cts' | 'ts';
}

const nodeProject = {
  libraries: 'newest',
  module: 'nodenext',
  moduleResolution: 'nodenext',
  exactOptionalPropertyTypes: true,
  extension: 'mts',
} as const;
const bundledProject = {
  libraries: 'oldest',
  module: 'esnext',
  moduleResolution: 'bundler',
  exactOptionalPropertyTypes: false,
  extension: 'ts',
} as const;
const projects: readonly Project[] = [
  { typescript: oldestTypescript, ...nodeProject },
  { typescript: oldestTypescript, ...bundledProject },
  { typescript: newestTypescript, ...nodeProject },
  { typescript: newestTypescript, ...bundledProject },
  // That a CommonJS file may import what is ESM, TypeScript knows since 5.8.
  { typescript: newestTypescript, ...nodeProject, extension: 'cts' },
];
const fixtures = ['consumer', 'results', 'with-primary'];

/** Packs the three packages as they would be published and uses them as a stranger would. */
describe('the published packages', async () => {
  const cluster = sharedCluster('mysql');
  const database = await freshDatabase(cluster);
  const folder = await mkdtemp(join(tmpdir(), 'rwsplit-consumer-'));
  const oldest = join(folder, 'oldest');
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
    const newest = (name: string) => `${name}@${manifest.devDependencies[name]}`;
    await install(folder, ['knex', 'kysely', 'mysql2', '@types/node'].map(newest));
    const oldestOnes = await Promise.all(['knex', 'kysely'].map(oldestPeers));
    await mkdir(oldest);
    await writeFile(join(oldest, 'package.json'), JSON.stringify({ name: 'old', private: true }));
    await install(oldest, [...new Set(oldestOnes.flat()), newest('@types/node')]);
  }, 240_000);

  async function install(home: string, packages: readonly string[]): Promise<void> {
    const ours = tarballs.map((file) => join(folder, file));
    await run('npm', ['install', ...ours, ...packages], { cwd: home });
  }

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
    // Knex 3.1 hides the password in the object that it is given.
    const hosts = () => JSON.parse(process.env.RWSPLIT_HOSTS);
    const pool = core.createReplicatedPool(hosts()).promise();
    const db = new kysely.Kysely({ dialect: new kyselyAdapter.ReplicatedMysqlDialect(hosts()) });
    const { primary, ...rest } = hosts();
    const knex = (knexModule.default ?? knexModule)({ client: knexAdapter.ReplicatedMysql2, connection: primary, ...rest });
    (async () => {
      const [rows] = await pool.query('SELECT id FROM item');
      const same = await db.withPrimary().selectFrom('item').select('id').execute();
      const again = await knex('item').select('id').forcePrimary();
      console.log(JSON.stringify([rows, same, again]));
      await Promise.all([pool.end(), db.destroy(), knex.destroy()]);
    })();
  `;
  const modules = {
    core: '@rwsplit/core',
    knexAdapter: '@rwsplit/knex',
    kyselyAdapter: '@rwsplit/kysely',
    withPrimary: '@rwsplit/kysely/with-primary',
    kysely: 'kysely',
    knexModule: 'knex',
  };
  const esm = Object.entries(modules).map(([name, from]) => `import * as ${name} from '${from}';`);
  const cjs = Object.entries(modules).map(([name, from]) => `const ${name} = require('${from}');`);

  async function runScript(
    file: string,
    text: string,
    { node = process.execPath, cwd = folder } = {},
  ): Promise<unknown> {
    await writeFile(join(cwd, file), text);
    const hosts = {
      primary: database.connectionOptions(cluster.primary),
      replicas: cluster.replicas.map((server) => database.connectionOptions(server)),
    };
    const { stdout } = await run(node, [file], {
      cwd,
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

  it('work with the oldest Knex, Kysely and mysql2 that they accept', async () => {
    for (const [file, modules] of [
      ['consumer.mjs', esm],
      ['consumer.cjs', cjs],
    ] as const) {
      const text = modules.join('\n') + script;
      expect(await runScript(file, text, { cwd: oldest })).toEqual(answer);
    }
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
      expect(await runScript('consumer.mjs', esm.join('\n') + script, { node })).toEqual(answer);
      expect(await runScript('consumer.cjs', cjs.join('\n') + script, { node })).toEqual(answer);
    },
    120_000,
  );

  it.each(projects)(
    'have types that TypeScript $typescript accepts in $extension files, with $moduleResolution and the $libraries libraries',
    async ({ typescript, libraries, extension, ...compilerOptions }) => {
      const home = join(folder, `typescript-${typescript}`);
      if (!existsSync(home)) {
        await run('npm', ['install', '--prefix', home, `typescript@${typescript}`]);
      }
      const project = libraries === 'oldest' ? oldest : folder;
      const files = fixtures.map((fixture) => `${fixture}.${extension}`);
      for (const fixture of fixtures) {
        const text = await readFile(new URL(`./${fixture}.ts.txt`, import.meta.url), 'utf8');
        await writeFile(join(project, `${fixture}.${extension}`), text);
      }
      const strict = { strict: true, noEmit: true, target: 'es2022', types: ['node'] };
      await writeFile(
        join(project, 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: { ...strict, skipLibCheck: true, ...compilerOptions },
          files,
        }),
      );
      const tsc = join(home, 'node_modules', '.bin', 'tsc');
      const { stdout } = await run(tsc, ['-p', project]).catch(
        (error: { stdout: string }) => error,
      );
      expect(stdout).toBe('');
    },
    120_000,
  );
});

/** The oldest versions that one of our packages accepts, as its `peerDependencies` say. */
async function oldestPeers(name: string): Promise<string[]> {
  const text = await readFile(join(root, 'packages', name, 'package.json'), 'utf8');
  const peers: Record<string, string> = JSON.parse(text).peerDependencies;
  return Object.entries(peers).map(
    ([peer, range]) => `${peer}@${/^>=(\S+)/.exec(range)?.[1] ?? range}`,
  );
}
