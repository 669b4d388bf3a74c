import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Heading, type RecordedFile, Recording, readHeading } from './recording.ts';
import { scoreRecording } from './run.ts';

const heading: Heading = {
  flavor: 'mariadb',
  server: '10.11.0',
  suite: '1:10.11.0-1',
  files: 3,
  day: '2026-01-31',
};

function fileOf(root: string, ...texts: readonly string[]): RecordedFile {
  const reads = texts.map((sql) => ({ sql, file: root, verdict: { kind: 'safe' } as const }));
  return { root, reads, skipped: { XA: 1 }, replayed: 5, abandoned: 0 };
}

describe('a recording', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rwsplit-recording-'));
    path = join(folder, 'recording.jsonl');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is scored without a server', async () => {
    const recording = await Recording.open(path, heading);
    recording.add(fileOf('a.test', 'SELECT 1', 'SELECT "a\nb"'));
    recording.add(fileOf('b.test', 'SELECT 1', 'SELECT @a'));
    expect(await scoreRecording(path)).toMatchObject({
      files: 2,
      replayed: 10,
      safe: 3,
      toReplica: 2,
      skipped: new Map([['XA', 2]]),
      excluded: new Map([['user-variable', 1]]),
    });
  });

  it('goes on where a run was cut off', async () => {
    const first = await Recording.open(path, heading);
    expect(first.done).toEqual(new Set());
    first.add(fileOf('a.test', 'SELECT 1'));
    await appendFile(path, '{"root":"b.te');
    const second = await Recording.open(path, { ...heading, day: '2026-02-01' });
    expect(second.done).toEqual(new Set(['a.test']));
    second.add(fileOf('b.test', 'SELECT 2'));
    expect(await scoreRecording(path)).toMatchObject({ files: 2, toReplica: 2 });
    expect(await readHeading(path)).toEqual(heading);
  });

  it('is of one server and one suite', async () => {
    await Recording.open(path, heading);
    const other = Recording.open(path, { ...heading, server: '10.11.1' });
    await expect(other).rejects.toThrow('of another server or suite');
  });
});
