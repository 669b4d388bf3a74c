import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cached } from '../support/servers/cache-folder.ts';

describe('the cache of servers', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rwsplit-cache-'));
    vi.stubEnv('XDG_CACHE_HOME', folder);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });
  const names = () => readdir(join(folder, 'rwsplit', 'servers'));

  it('builds once in a process, also when asked twice at the same time', async () => {
    let builds = 0;
    const build = async (target: string) => {
      builds += 1;
      await writeFile(join(target, 'file'), 'content');
    };
    const [first, second] = await Promise.all([cached('once', build), cached('once', build)]);
    expect(second).toBe(first);
    expect(await readFile(join(await cached('once', build), 'file'), 'utf8')).toBe('content');
    expect(builds).toBe(1);
  });

  it('uses what another process finished first', async () => {
    const path = await cached('race', async (target) => {
      const theirs = join(folder, 'rwsplit', 'servers', 'race');
      await mkdir(theirs);
      await writeFile(join(theirs, 'file'), 'theirs');
      await writeFile(join(target, 'file'), 'ours');
    });
    expect(await readFile(join(path, 'file'), 'utf8')).toBe('theirs');
    expect((await names()).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('removes what a dead process left, and nothing that is being built', async () => {
    const left = join(folder, 'rwsplit', 'servers', '.unfinished-left');
    await mkdir(left);
    await utimes(left, 0, 0);
    await cached('slow', async (target) => {
      await utimes(target, 0, 0);
      await cached('quick', async () => {});
      await writeFile(join(target, 'file'), 'content');
    });
    expect((await names()).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('takes nothing half-finished for done, and tries again', async () => {
    const broken = cached('broken', async (target) => {
      await writeFile(join(target, 'half'), '');
      throw new Error('the network is down');
    });
    await expect(broken).rejects.toThrow('the network is down');
    expect(await names()).not.toContain('broken');
    const path = await cached('broken', (target) => writeFile(join(target, 'whole'), ''));
    expect(await readdir(path)).toEqual(['whole']);
  });
});
