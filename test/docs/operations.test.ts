import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { freePorts } from '../support/servers/ports.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

/** The example of the page, as a program, with a replica that nobody has started. */
describe('docs/operations.md, what to alert on', async () => {
  const cluster = sharedCluster('mysql');
  const database = await freshDatabase(cluster);
  const [port] = await freePorts(1);
  // Inside the workspace, so that imports find the packages.
  const folder = join(root, 'node_modules', '.cache', `rwsplit-operations-${process.pid}`);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('tells of a replica that cannot be reached, and of each statement', async () => {
    const { primary, replicas } = cluster;
    await primary.query(`CREATE TABLE ${database.name}.person (name VARCHAR(40))`);
    await cluster.waitUntilReplicated();
    const page = await readFile(join(root, 'docs', 'operations.md'), 'utf8');
    const [, section = ''] = page.split('## What to alert on');
    const [, example = ''] = /^```ts\n(.*?)^```$/ms.exec(section) ?? [];
    const program = example
      .replace("host: 'db-1'", `host: '${primary.host}', port: ${primary.port}`)
      .replace("host: 'db-2'", `host: '${primary.host}', port: ${replicas[0]?.port}`)
      .replace("host: 'db-3'", `host: '${primary.host}', port: ${port}`)
      .replace("'app'", `'${cluster.user}'`)
      .replace("'shop'", `'${database.name}'`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'alerts.mts'), program);
    const tsx = join(root, 'node_modules', '.bin', 'tsx');
    const { stdout, stderr } = await run(tsx, [join(folder, 'alerts.mts')], {
      cwd: root,
      env: { ...process.env, DB_PASSWORD: cluster.password },
      timeout: 20_000,
    });
    expect(stderr).toContain(`replica ${primary.host}:${port} is down (ECONNREFUSED)`);
    expect(stdout).toContain(`${primary.host}:${port} replica down null`);
    expect(stdout).toContain("[ 'hosts.replica.down', 1 ]");
    expect(stdout).toContain("[ 'statements.replica.read', 1 ]");
  }, 30_000);
});
