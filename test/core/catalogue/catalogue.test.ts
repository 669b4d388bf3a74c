import { describe, expect, it } from 'vitest';
import { Catalogue } from '../../../packages/core/src/catalogue/catalogue.ts';

function catalogue(dialect?: 'mysql' | 'mariadb'): Catalogue {
  const options = {
    catalogueRefresh: false,
    ...(dialect === undefined ? {} : { dialect }),
  } as const;
  return new Catalogue(options, () => {
    throw new Error('nobody asks for hosts');
  });
}

describe('a catalogue that is not read', () => {
  it.each<[string, 'mysql' | 'mariadb' | undefined, readonly string[], string | null]>([
    ['no version', undefined, [], 'unknown-function'],
    ['no version, the dialect given', 'mysql', [], 'unknown-function'],
    ['a server that has it', undefined, ['9.7.4'], null],
    ['one that does not', undefined, ['5.7.44-log'], 'unknown-function'],
    ['one of two that does not', undefined, ['9.7.4', '8.0.11'], 'unknown-function'],
    ['both do', 'mysql', ['9.7.4', '8.0.21'], null],
    ['two dialects', undefined, ['9.7.4', '10.11.18-MariaDB'], 'unknown-function'],
  ])(
    'knows JSON_VALUE, new in MySQL 8.0.21, by the oldest server: %s',
    (_, dialect, versions, reason) => {
      const known = catalogue(dialect);
      for (const version of versions) known.learnVersion(version);
      expect(known.classify("SELECT JSON_VALUE(a, '$.b') FROM t").reason).toBe(reason);
    },
  );

  it('keeps its classifier while versions tell nothing new', () => {
    const known = catalogue();
    known.learnVersion('9.7.4');
    for (let n = 0; n < 3; n++) known.classify('SELECT unknown(1)');
    const before = known.classify('SELECT unknown(1)');
    known.learnVersion('9.7.4');
    expect(known.classify('SELECT unknown(1)')).toBe(before);
  });

  it('is off', () => {
    const known = catalogue();
    expect(known.stats()).toMatchObject({ state: 'off', unsafeTables: [], lastRefresh: null });
    expect(known.admits(() => {})).toBe(true);
    expect(known.isBehind).toBe(false);
  });
});
