import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Flavor, flavors } from '../support/servers/flavor.ts';
import { breakLexer } from './break.ts';
import { brokenLexers } from './broken-lexers.ts';
import { lexerOf } from './classifier.ts';
import { fuzz } from './fuzz.ts';
import { Stage } from './stage.ts';

const stages = new Map<Flavor, Stage>();

function stageOf(flavor: Flavor): Stage {
  const stage = stages.get(flavor);
  if (stage === undefined) throw new Error(`no ${flavor}`);
  return stage;
}

beforeAll(async () => {
  for (const stage of await Promise.all(flavors.map((flavor) => Stage.open(flavor)))) {
    stages.set(stage.flavor, stage);
  }
});
afterAll(async () => {
  await Promise.all([...stages.values()].map((stage) => stage[Symbol.asyncDispose]()));
});

describe.concurrent('texts that the lexer lets go to a replica', () => {
  it.each(flavors)(
    'have no effect on %s, in six sql_modes',
    async (flavor) => {
      const figures = await fuzz({
        stage: stageOf(flavor),
        seed: Number(process.env['FC_SEED'] ?? 20),
        isSafe: await lexerOf(flavor),
        isEnough: ({ accepted, findings }) => accepted >= 4000 || findings.length > 0,
      });
      expect(figures.findings).toEqual([]);
      // Not vacuous: most of them are no syntax errors.
      expect(figures.executed).toBeGreaterThan(2000);
    },
    300_000,
  );
});

describe('a broken lexer is caught, that believes', () => {
  it.each(brokenLexers)(
    '$name',
    async (mistake) => {
      using copy = breakLexer(mistake);
      const found: string[] = [];
      for (const flavor of flavors) {
        const isSafe = await lexerOf(flavor, copy.folder);
        const skip = await lexerOf(flavor);
        const { findings } = await fuzz({
          stage: stageOf(flavor),
          seed: 1,
          danger: 1,
          batchSize: 12,
          isSafe,
          skip,
          isEnough: (figures) => figures.findings.length > 0 || figures.generated >= 40_000,
        });
        found.push(...findings.map(({ sql }) => sql));
        if (found.length > 0) break;
      }
      expect(found).not.toEqual([]);
    },
    300_000,
  );
});
