import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const bin = join(root, 'node_modules', '.bin');

/** A fenced `ts` example, and where its comments say that its statements run. */
interface Example {
  readonly from: string;
  readonly file: string;
  readonly text: string;
  readonly routes: readonly string[];
}

const examples = await collect();

/**
 * Runs every fenced `ts` example of the README, the docs and the doc comments of the packages on real servers,
 * one after the other in one process: `db-1` is the primary, `db-2` and `db-3` are its replicas. The comments
 * `// on a replica` and `// on the primary (reason)` are claims: they must be, in this order, where the
 * statements that name the table `person` ran.
 */
describe('examples', async () => {
  const cluster = sharedCluster('mysql');
  const database = await freshDatabase(cluster);
  // Inside the workspace, so that imports find the packages.
  const folder = join(root, 'node_modules', '.cache', `rwsplit-examples-${process.pid}`);
  const outcomes = new Map<string, unknown>();
  afterAll(() => rm(folder, { recursive: true, force: true }));

  beforeAll(async () => {
    await cluster.primary.query(
      `CREATE TABLE ${database.name}.person (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40))`,
    );
    await cluster.waitUntilReplicated();
    await mkdir(folder, { recursive: true });
    await Promise.all(
      examples.map(({ file, text, routes }) =>
        writeFile(join(folder, file), onServers(routes.length > 0 ? patient(text) : text)),
      ),
    );
    await writeFile(join(folder, 'main.mts'), mainProgram());
    const { stdout } = await run(join(bin, 'tsx'), [join(folder, 'main.mts')], {
      cwd: root,
      env: { ...process.env, DB_PASSWORD: cluster.password },
      timeout: 110_000,
    });
    for (const line of stdout.split('\n').filter((text) => text.startsWith('{"file":'))) {
      const { file, ...outcome } = JSON.parse(line);
      outcomes.set(file, outcome);
    }
  });

  it('are found, and say where statements run', () => {
    expect(examples.length).toBeGreaterThanOrEqual(60);
    expect(examples.flatMap(({ routes }) => routes).length).toBeGreaterThanOrEqual(20);
  });

  it('have right types', async () => {
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
    const { stdout } = await run(join(bin, 'tsc'), ['-p', folder]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  }, 60_000);

  it.each(examples)('$from', ({ file, routes }) => {
    const claims = routes.length > 0 ? { routes } : {};
    expect(outcomes.get(file)).toMatchObject({ error: null, ...claims });
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

/** A busy machine must not send a read to the primary that waits for a replica in vain. */
function patient(text: string): string {
  if (!text.includes('client: ReplicatedMysql2')) {
    return text.replaceAll(/\breplicas:/g, 'causalWait: 10_000, replicas:');
  }
  return text.includes('replication: {')
    ? text.replaceAll('replication: {', 'replication: { causalWait: 10_000,')
    : text.replaceAll(/\breplicas:/g, 'replication: { causalWait: 10_000 }, replicas:');
}

/** Runs the examples, and prints of each what became of it. */
function mainProgram(): string {
  return `
    import { subscribe } from 'node:diagnostics_channel';
    import { channels } from '@rwsplit/core';

    let routes: string[] = [];
    subscribe(channels.statement, (message) => {
      const { sql, role, reason } = message as { sql: string; role: string | null; reason: string };
      if (/\\bperson\\b/.test(sql)) routes.push(role === 'replica' ? role : \`\${role} \${reason}\`);
    });
    console.log = () => {};
    for (const file of ${JSON.stringify(examples.map(({ file }) => file))}) {
      routes = [];
      const error = await import('./' + file).then(
        () => null,
        (reason: unknown) => String(reason),
      );
      process.stdout.write(JSON.stringify({ file, error, routes }) + '\\n');
      // What failed has left its pool open. All others leave nothing that keeps the process.
      if (error !== null) process.exitCode = 1;
    }
    if (process.exitCode === 1) process.exit(0);
  `;
}

async function collect(): Promise<Example[]> {
  const all = await Promise.all([
    ...['core', 'knex', 'kysely'].map((name) => filesIn(join('packages', name, 'src'), '.ts')),
    filesIn('docs', '.md'),
  ]);
  const packages = ['core', 'knex', 'kysely'].map((name) => join('packages', name, 'README.md'));
  const files = ['README.md', ...packages, ...all.flat().sort()];
  return (await Promise.all(files.map(examplesOf))).flat();
}

async function filesIn(folder: string, extension: string): Promise<string[]> {
  const files = await readdir(join(root, folder), { recursive: true });
  return files.filter((file) => file.endsWith(extension)).map((file) => join(folder, file));
}

async function examplesOf(file: string): Promise<Example[]> {
  const text = await readFile(join(root, file), 'utf8');
  const isSource = file.endsWith('.ts');
  const fence = isSource ? /^ *\* ```ts\n(.*?)^ *\* ```$/gms : /^ *```ts\n(.*?)^ *```$/gms;
  return [...text.matchAll(fence)].map((match, index) => {
    const code = (match[1] ?? '').replace(isSource ? /^ *\* ?/gm : /$^/, '');
    return {
      from: `${file} ${index + 1}`,
      file: `${file.replaceAll(/\W+/g, '-')}-${index + 1}.mts`,
      // `export {}` makes each one a module, so that they do not see each other.
      text: `${code}\nexport {};\n`,
      routes: routesIn(code),
    };
  });
}

function routesIn(text: string): string[] {
  return [...text.matchAll(/\/\/ on (a replica|the primary \(([a-z:-]+)\))/g)].map((match) =>
    match[2] === undefined ? 'replica' : `primary ${match[2]}`,
  );
}
