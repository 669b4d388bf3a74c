import { describe, expect, it } from 'vitest';
import { Refusals } from '../../../packages/core/src/catalogue/refusals.ts';

describe('Refusals', () => {
  it.each([
    ['SELECT note(1)', true, 'the same text'],
    ['select  NOTE ( 22 ) /* x */', true, 'the same in other words'],
    ['SELECT note(?)', true, 'a placeholder for its literal'],
    ['SELECT note(1, 2)', true, 'a list of literals of another length'],
    ['SELECT other(1)', false, 'another function'],
    ['SELECT note(a)', false, 'a column'],
    ['SELECT note(1) FROM t', false, 'more of it'],
  ])('%s: %s, %s', (sql, expected) => {
    const refusals = new Refusals();
    expect(refusals.has(sql)).toBe(false);
    refusals.add('SELECT note(1)');
    expect(refusals.has(sql)).toBe(expected);
  });

  it('forgets the oldest beyond a thousand', () => {
    const refusals = new Refusals();
    for (let n = 0; n < 1_500; n++) refusals.add(`SELECT f${n}()`);
    expect(refusals.count).toBe(1_000);
    expect(refusals.has('SELECT f499()')).toBe(false);
    expect(refusals.has('SELECT f500()')).toBe(true);
  });
});
