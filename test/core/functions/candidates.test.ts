import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { binaryNames } from '../../../scripts/functions/candidates.ts';

describe('the names in a binary', () => {
  let folder = '';
  let path = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rwsplit-candidates-'));
    path = join(folder, 'binary');
    await writeFile(path, 'ABS\0\x01\xffRECORD\0st_area\0Mixed\0two words\0ENDLESS', 'latin1');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('end at a NUL, in either case', async () => {
    const names = await binaryNames(path, false);
    expect([...names].sort()).toEqual(['abs', 'ixed', 'record', 'st_area', 'words']);
  });

  it('may be the tail of another', async () => {
    const names = await binaryNames(path, true);
    expect([...names]).toContain('ord');
    expect([...names]).toContain('d');
    expect([...names]).not.toContain('area');
  });
});
