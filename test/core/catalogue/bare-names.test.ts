import { expect, it } from 'vitest';
import { bareNames } from '../../../packages/core/src/catalogue/bare-names.ts';

it('gives the functions of a database without it, but none that is a word already', () => {
  const names = ['shop.Price', 'x.other', 'shop.update', 'shop.count', 'shop.in', 'shopping.a'];
  expect(bareNames(names, 'shop')).toEqual(['price']);
  expect(bareNames(names, null)).toEqual([]);
});
