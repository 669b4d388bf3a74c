import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { run } from '../support/servers/run.ts';
import { startCluster } from '../support/servers/start-cluster.ts';

interface Owned {
  readonly folder: string;
  readonly pids: readonly number[];
}

const owner = fileURLToPath(new URL('cluster-owner.ts', import.meta.url));

describe.each(['mysql', 'mariadb'] as const)('a %s cluster leaves nothing behind', (flavor) => {
  it('after stop, which may be called again', async () => {
    const cluster = await startCluster({ flavor, replicas: 1 });
    const { folder } = cluster;
    const pids = cluster.all.map(({ pid }) => pid);
    expect(existsSync(folder)).toBe(true);
    expect(await alive(pids)).toEqual(pids);
    await cluster.stop();
    await cluster.stop();
    expect(await alive(pids)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  it('after SIGKILL of the process that started it, hung servers included', async () => {
    const { folder, pids } = await killedOwner(flavor);
    await vi.waitFor(
      async () => {
        expect(await alive(pids)).toEqual([]);
        expect(existsSync(folder)).toBe(false);
      },
      { timeout: 20_000, interval: 200 },
    );
  });
});

/** Starts a process that owns a cluster, and kills it once the cluster runs. */
async function killedOwner(flavor: string): Promise<Owned> {
  const child = spawn(process.execPath, ['--import', 'tsx', owner, '--flavor', flavor], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const owned: Owned = JSON.parse(String(line));
  expect(await alive(owned.pids)).toEqual(owned.pids);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return owned;
}

/** Those of the processes that exist; a zombie waiting for its new parent does not. */
async function alive(pids: readonly number[]): Promise<number[]> {
  const states = await Promise.all(
    pids.map((pid) => run('ps', ['-o', 'stat=', '-p', `${pid}`]).catch(() => 'Z')),
  );
  return pids.filter((_, index) => !states[index]?.trim().startsWith('Z'));
}
