import { describe, expect, it } from 'vitest';
import { createClassifier } from '../../packages/core/src/statement/classifier.ts';
import { compiledByKnex, compiledByKysely } from './compiled.ts';

describe.each(['mysql', 'mariadb', 'unknown'] as const)('on %s', (dialect) => {
  const classifier = createClassifier({ dialect });

  it.each([
    ['Knex', compiledByKnex, 3000],
    ['Kysely', compiledByKysely, 2000],
  ])('every plain read that %s compiles goes to a replica', (_library, compile, least) => {
    const texts = compile();
    expect(texts.length).toBeGreaterThan(least);
    const kept = texts.filter((text) => classifier.classify(text).reason !== null);
    expect(kept).toEqual([]);
  });
});
