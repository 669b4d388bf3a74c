import { describe, expect, it } from 'vitest';
import { vocabularyOf } from '../../../packages/core/src/statement/vocabularies.ts';
import type { VocabularyOptions } from '../../../packages/core/src/statement/vocabulary.ts';

const usual: VocabularyOptions = { dialect: 'mysql', version: 90_700 };

describe('vocabularyOf', () => {
  it('gives pools on the same servers one vocabulary', () => {
    expect(vocabularyOf({ ...usual })).toBe(vocabularyOf({ ...usual }));
  });

  it.each<[string, Partial<VocabularyOptions>]>([
    ['another dialect', { dialect: 'mariadb', version: 101_100 }],
    ['another version', { version: 80_000 }],
    ['a newer server beside it', { newestVersion: 99_900 }],
    ['a declared function', { pureFunctions: ['price'] }],
    ['a table of the primary', { primaryTables: ['price'] }],
    ['an unsafe view', { catalogue: { unsafeTables: ['a.price'], shadowingFunctions: [] } }],
    [
      'a function in the place of another',
      { catalogue: { unsafeTables: [], shadowingFunctions: ['price'] } },
    ],
  ])('keeps them apart by %s', (_what, change) => {
    expect(vocabularyOf({ ...usual, ...change })).not.toBe(vocabularyOf(usual));
  });

  it('keeps those that were used last', () => {
    const one = vocabularyOf(usual);
    for (let n = 0; n < 15; n++) vocabularyOf({ ...usual, pureFunctions: [`f${n}`] });
    expect(vocabularyOf(usual)).toBe(one);
    for (let n = 0; n < 16; n++) vocabularyOf({ ...usual, pureFunctions: [`g${n}`] });
    expect(vocabularyOf(usual)).not.toBe(one);
  });
});
