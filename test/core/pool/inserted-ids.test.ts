import { describe, expect, it } from 'vitest';
import { InsertedIds } from '../../../packages/core/src/pool/inserted-ids.ts';

function told(...ids: string[]): InsertedIds {
  const inserted = new InsertedIds();
  for (const id of ids) {
    inserted.tell(id);
  }
  return inserted;
}

describe('InsertedIds', () => {
  it('knows of none on a new connection', () => {
    const none = told();
    expect([none.count, none.isEmpty]).toEqual([0, true]);
    expect(none.isNewSince(0, '7')).toBe(true);
  });

  it('counts what was told, also one twice', () => {
    expect(told('1').isEmpty).toBe(false);
    expect(told('1', '2', '1').count).toBe(3);
  });

  it.each<[string, string[], number, string, boolean]>([
    ['never told', ['1', '2'], 2, '3', true],
    ['told before', ['1', '2'], 2, '2', false],
    ['told since', ['1', '2'], 1, '2', true],
    ['told first of all', ['1', '2'], 1, '1', false],
    ['told before, and again since', ['1', '2', '1'], 2, '1', false],
    ['told since, twice', ['1', '2', '2'], 1, '2', true],
    ['as text, beyond 2^53', ['18446744073709551615'], 1, '18446744073709551614', true],
    ['as text, the same', ['18446744073709551615'], 1, '18446744073709551615', false],
  ])('says whether an id is new: %s', (_why, ids, count, id, expected) => {
    expect(told(...ids).isNewSince(count, id)).toBe(expected);
  });

  it('is incomplete once there may be some that nobody was told of', () => {
    const inserted = told('1');
    expect(inserted.isComplete).toBe(true);
    inserted.mayHaveMore();
    expect(inserted.isComplete).toBe(false);
    const silent = told();
    silent.mayHaveMore();
    expect([silent.isEmpty, silent.isComplete, silent.count]).toEqual([false, false, 0]);
  });

  it('keeps so many, and says when it has no place for another', () => {
    const inserted = new InsertedIds();
    for (let id = 1; id <= 10_000; id++) {
      inserted.tell(`${id}`);
    }
    expect(inserted.isComplete).toBe(true);
    inserted.tell('10001');
    expect([inserted.count, inserted.isComplete]).toEqual([10_001, false]);
  });

  it('forgets all of it with a reset', () => {
    const inserted = told('1', '2');
    inserted.mayHaveMore();
    inserted.clear();
    expect([inserted.count, inserted.isEmpty]).toEqual([0, true]);
    expect(inserted.isNewSince(0, '1')).toBe(true);
    inserted.tell('1');
    expect(inserted.isNewSince(1, '1')).toBe(false);
  });
});
