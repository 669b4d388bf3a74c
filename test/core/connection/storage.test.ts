import { expect, it } from 'vitest';
import {
  callsFromHere,
  findStorage,
  storage,
} from '../../../packages/core/src/connection/storage.ts';

// In this order: once there is a store, there is one for good.
it('calls directly while nobody follows anything', () => {
  expect(findStorage()).toBeUndefined();
  const called: unknown[] = [];
  callsFromHere()((...args) => called.push(...args), 1, 'two');
  expect(called).toEqual([1, 'two']);
  expect(findStorage()).toBeUndefined();
});

it('is one for all copies of the package', () => {
  const made = storage();
  expect(storage()).toBe(made);
  expect(findStorage()).toBe(made);
  expect((globalThis as Record<symbol, unknown>)[Symbol.for('rwsplit.storage.1')]).toBe(made);
});

it('calls back as from the place that asked, whoever calls', () => {
  const mine = storage().run('mine', () => callsFromHere());
  const nobodys = callsFromHere();
  storage().run('theirs', () => {
    const seen: unknown[] = [];
    mine((value) => seen.push(storage().getStore(), value), 1);
    nobodys(() => seen.push(storage().getStore()));
    expect(seen).toEqual(['mine', 1, undefined]);
    expect(storage().getStore()).toBe('theirs');
  });
});

it('lets through what the callback throws', () => {
  const call = storage().run('mine', () => callsFromHere());
  expect(() =>
    call(() => {
      throw new Error('of the caller');
    }),
  ).toThrow('of the caller');
});
