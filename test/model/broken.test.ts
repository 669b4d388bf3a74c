import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attachCluster } from '../support/servers/cluster.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';
import { check } from './check.ts';
import { forgetful, type Mistake, mistakes } from './mistakes.ts';
import { Stage } from './stage.ts';
import type { Core } from './subject.ts';
import type { Tally } from './tally.ts';

const sources = fileURLToPath(new URL('../../packages/core/src', import.meta.url));
const modules = fileURLToPath(new URL('../../packages/core/node_modules', import.meta.url));

// Of its own: its replicas are paused.
let cluster: OwnedCluster;
let stage: Stage;
beforeAll(async () => {
  cluster = await startCluster({ flavor: 'mysql', statementLog: false });
  stage = await Stage.open(cluster, attachCluster(cluster.info));
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await cluster.stop();
});

describe('a broken core is caught, that', () => {
  it.each(mistakes)(
    '$name',
    async (mistake) => {
      await expect(tryOut(mistake, 6000)).rejects.toThrow(
        /on one connection|older than|ran on a replica|tables of set|it hangs/,
      );
    },
    120_000,
  );
});

describe('a core that refuses what it could answer', () => {
  it(`is seen: it ${forgetful.name}`, async () => {
    const { answered, lost } = (await tryOut(forgetful, 1500)).insertsFromReplica;
    expect(answered).toBe(0);
    expect(lost).toBeGreaterThan(0);
  }, 120_000);
});

/** Runs a core with a mistake, without making smaller what fails. */
async function tryOut(mistake: Mistake, statements: number): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'rwsplit-broken-'));
  try {
    const core = await loadBroken(mistake, folder);
    const { kinds } = mistake;
    return await check({ stage, core, kinds, seed: 1, statements, shrinks: false });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function loadBroken({ name, changes }: Mistake, folder: string): Promise<Core> {
  cpSync(sources, join(folder, 'src'), { recursive: true });
  symlinkSync(modules, join(folder, 'node_modules'));
  for (const [file, pattern, replacement] of changes) {
    const path = join(folder, 'src', file);
    const text = readFileSync(path, 'utf8');
    const changed = text.replace(pattern, replacement);
    if (changed === text) throw new Error(`"${name}": ${pattern} is not in ${file}`);
    writeFileSync(path, changed);
  }
  const entry = pathToFileURL(join(folder, 'src', 'index.ts')).href;
  return (await import(/* @vite-ignore */ entry)) as Core;
}
