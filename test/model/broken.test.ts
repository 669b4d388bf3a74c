import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedCluster } from '../support/shared-cluster.ts';
import { check } from './check.ts';
import type { Kind } from './plan.ts';
import { Stage } from './stage.ts';
import type { Core } from './subject.ts';

/** A file of the sources, what stands in it once, and what a mistake makes of it. */
type Change = readonly [file: string, pattern: RegExp, replacement: string];

interface Mistake {
  readonly name: string;
  readonly changes: readonly Change[];
  readonly kinds: readonly Kind[];
}

/** What the model must notice. */
const mistakes: readonly Mistake[] = [
  {
    name: 'gives a connection back without the reset',
    changes: [
      [
        'session/state.ts',
        /if \(!isHeld\(state\)\) \{\n {4}return 'none';/,
        "{\n    return 'none';",
      ],
    ],
    kinds: ['connection'],
  },
  {
    name: 'answers LAST_INSERT_ID() on any connection of the primary',
    changes: [
      [
        'routing/follow-up.ts',
        /return state\.answers/,
        "return answer === 'insert-id' || state.answers",
      ],
      ['connection/check-session.ts', /!session\.isAloneWithInserts/, 'false'],
    ],
    kinds: ['handle', 'scope'],
  },
  {
    name: 'answers ROW_COUNT() and the like on any connection',
    changes: [
      [
        'routing/follow-up.ts',
        /return state\.answers/,
        "return answer !== 'insert-id' || state.answers",
      ],
    ],
    kinds: ['handle', 'scope'],
  },
  {
    name: 'reads on a replica while the session has a temporary table',
    changes: [
      [
        'session/predict.ts',
        /const after = pin === null/,
        "const after = pin === null || pin === 'temporary-table'",
      ],
      [
        'session/predict.ts',
        /\|\| mayWrite\(facts\)/,
        "|| (mayWrite(facts) && pin !== 'temporary-table')",
      ],
    ],
    kinds: ['connection', 'scope'],
  },
  {
    name: 'does not stay where a session variable was set',
    changes: [
      [
        'session/predict.ts',
        /const after = pin === null/,
        "const after = pin === null || pin === 'session-variable'",
      ],
    ],
    kinds: ['connection', 'scope'],
  },
];

const sources = fileURLToPath(new URL('../../packages/core/src', import.meta.url));
const modules = fileURLToPath(new URL('../../packages/core/node_modules', import.meta.url));

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(sharedCluster('mysql'));
});
afterAll(() => stage[Symbol.asyncDispose]());

describe('a broken core is caught, that', () => {
  it.each(mistakes)(
    '$name',
    async (mistake) => {
      const folder = mkdtempSync(join(tmpdir(), 'rwsplit-broken-'));
      try {
        const core = await loadBroken(mistake, folder);
        const options = { stage, core, kinds: mistake.kinds, seed: 1, statements: 6000 };
        await expect(check({ ...options, shrinks: false })).rejects.toThrow(
          /on one connection|tables of set|it hangs/,
        );
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    120_000,
  );
});

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
