import { describe, expect, it } from 'vitest';
import { parseOwnedGtids } from '../../../packages/core/src/gtid/owned.ts';
import { formatGtidSet } from '../../../packages/core/src/gtid/set.ts';

const one = '7264d9ea-e577-11f1-8771-02fc00000001';
const other = '7264e8d0-e577-11f1-bd62-02fc00000001';

describe('gtid_owned', () => {
  it.each([
    ['', '', 'nothing is on its way'],
    [`${one}:7#45`, `${one}:7`, 'one transaction'],
    [`${one}:50002#33:50000#31`, `${one}:50000:50002`, 'two, in any order'],
    [`${one}:7#45:8#46`, `${one}:7-8`, 'two in a row'],
    [`${one}:7#31${other}:9#4`, `${one}:7,${other}:9`, 'two sources, with nothing between them'],
    [`${one.toUpperCase()}:7#45`, `${one}:7`, 'in capitals'],
  ])('%s is %s: %s', (text, expected) => {
    const set = parseOwnedGtids(text);
    expect(set === null ? null : formatGtidSet(set)).toBe(expected);
  });

  it.each([
    ['rubbish', 'a word'],
    [`${one}#3`, 'a thread that has no number'],
    [`${one}:x#3`, 'no number'],
  ])('is not %s: %s', (text) => {
    const set = parseOwnedGtids(text);
    expect(set === null ? '' : formatGtidSet(set)).toBe('');
  });
});
