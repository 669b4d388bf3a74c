import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Runs every fenced `ts` example of the README, the docs and the doc comments of the packages as a
 * program of its own, on real servers: `db-1` is the primary, `db-2` and `db-3` are its replicas.
 */
describe('examples', async () => {
  const cluster = sharedCluster('mysql');
  const database = await freshDatabase(cluster);
  // Inside the workspace, so that imports find the packages.
  const folder = join(root, 'node_modules', '.cache', `rwsplit-examples-${process.pid}`);
  const examples = await collect();
  afterAll(() => rm(folder, { recursive: true, force: true }));

  beforeAll(async () => {
    await cluster.primary.query(
      `CREATE TABLE ${database.name}.person (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40))`,
    );
    await cluster.waitUntilReplicated();
    await mkdir(folder, { recursive: true });
    for (const { file, text } of examples) {
      await writeFile(join(folder, file), text);
    }
    const tsconfig = {
      extends: join(root, 'tsconfig.tests.json'),
      // What users have: `strict`, and no more.
      compilerOptions: {
        rootDir: root,
        noUnusedLocals: false,
        exactOptionalPropertyTypes: false,
        noPropertyAccessFromIndexSignature: false,
      },
      include: [join(folder, '*.mts'), join(root, 'packages/*/src/*.d.ts')],
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  });

  it('are found', () => {
    expect(examples.length).toBeGreaterThanOrEqual(6);
  });

  it('have right types', async () => {
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    const { stdout } = await run(tsc, ['-p', folder]).catch((error: { stdout: string }) => error);
    expect(stdout).toBe('');
  }, 60_000);

  it.each(examples)('$from', async ({ file, text }) => {
    await writeFile(join(folder, file), onServers(text));
    const tsx = join(root, 'node_modules', '.bin', 'tsx');
    await run(tsx, [join(folder, file)], {
      cwd: root,
      env: { ...process.env, DB_PASSWORD: cluster.password },
      timeout: 20_000,
    });
  });

  /** Puts real addresses where an example has the names of its story. */
  function onServers(text: string): string {
    return cluster.all
      .reduce(
        (result, server, index) =>
          result
            .replaceAll(`host: 'db-${index + 1}'`, `host: '${server.host}', port: ${server.port}`)
            .replaceAll(`@db-${index + 1}/`, `@${server.host}:${server.port}/`),
        text,
      )
      .replaceAll("user: 'app'", `user: '${cluster.user}'`)
      .replaceAll('//app:', `//${cluster.user}:`)
      .replaceAll("database: 'shop'", `database: '${database.name}'`)
      .replaceAll('/shop`', `/${database.name}\``);
  }
});

interface Example {
  readonly from: string;
  readonly file: string;
  readonly text: string;
}

async function collect(): Promise<Example[]> {
  const docs = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md'));
  const sources = await Promise.all(
    ['core', 'knex', 'kysely'].map(async (name) => {
      const path = join('packages', name, 'src');
      const files = await readdir(join(root, path), { recursive: true });
      return files.filter((file) => file.endsWith('.ts')).map((file) => join(path, file));
    }),
  );
  const packages = ['core', 'knex', 'kysely'].map((name) => join('packages', name, 'README.md'));
  const files = [
    'README.md',
    ...docs.map((name) => join('docs', name)),
    ...packages,
    ...sources.flat(),
  ];
  const perFile = await Promise.all(files.map(examplesOf));
  return perFile.flat();
}

async function examplesOf(file: string): Promise<Example[]> {
  const text = await readFile(join(root, file), 'utf8');
  const isSource = file.endsWith('.ts');
  const fence = isSource ? /^ *\* ```ts\n(.*?)^ *\* ```$/gms : /^```ts\n(.*?)^```$/gms;
  return [...text.matchAll(fence)].map((match, index) => {
    const code = (match[1] ?? '').replace(isSource ? /^ *\* ?/gm : /$^/, '');
    const name = file.replaceAll(/\W+/g, '-');
    // `export {}` makes each one a module, so that they do not see each other.
    return {
      from: `${file} ${index + 1}`,
      file: `${name}-${index + 1}.mts`,
      text: `${code}\nexport {};\n`,
    };
  });
}
