import { describe, expect, it } from 'vitest';
import { check } from './check.ts';
import { Clock, type Entry, History } from './history.ts';

type Row = readonly [
  why: string,
  history: readonly Entry[],
  violations: readonly string[],
  checked: readonly [writes: number, reads: number],
];

const w = (register: number, version: number, start: number, end: number): Entry =>
  entry('write', register, version, start, end);
const r = (register: number, version: number, start: number, end: number): Entry =>
  entry('read', register, version, start, end);

function entry(
  kind: Entry['kind'],
  register: number,
  version: number,
  start: number,
  end: number,
): Entry {
  return { kind, register, version, start, end, how: 'by hand' };
}

const rows: readonly Row[] = [
  ['a read gives what was written before', [w(1, 5, 1, 2), r(1, 5, 3, 4)], [], [1, 0]],
  ['a newer version is somebody else’s write', [w(1, 5, 1, 2), r(1, 9, 3, 4)], [], [1, 0]],
  ['a stale read', [w(1, 5, 1, 2), r(1, 4, 3, 4)], ['read-your-writes 4 < 5'], [1, 0]],
  ['no row yet is stale too', [w(1, 5, 1, 2), r(1, 0, 3, 4)], ['read-your-writes 0 < 5'], [1, 0]],
  ['the write had not ended when the read began', [w(1, 5, 1, 4), r(1, 4, 2, 6)], [], [0, 0]],
  ['the read began and ended within the write', [w(1, 5, 1, 6), r(1, 4, 2, 3)], [], [0, 0]],
  ['one time for both is no order', [w(1, 5, 1, 3), r(1, 4, 3, 4)], [], [0, 0]],
  ['a long read began before the write', [r(1, 4, 1, 9), w(1, 5, 2, 3)], [], [0, 0]],
  ['another register has no order with this one', [w(1, 5, 1, 2), r(2, 4, 3, 4)], [], [0, 0]],
  ['reads go forward', [r(1, 4, 1, 2), r(1, 5, 3, 4), r(1, 5, 5, 6)], [], [0, 2]],
  ['a read goes back', [r(1, 5, 1, 2), r(1, 4, 3, 4)], ['monotonic-reads 4 < 5'], [0, 1]],
  ['a row is gone again', [r(1, 5, 1, 2), r(1, 0, 3, 4)], ['monotonic-reads 0 < 5'], [0, 1]],
  ['overlapping reads differ', [r(1, 5, 1, 4), r(1, 4, 2, 5)], [], [0, 0]],
  [
    'of two overlapping reads, the newer one is what the third comes after',
    [r(1, 5, 1, 4), r(1, 4, 2, 5), r(1, 4, 6, 7)],
    ['monotonic-reads 4 < 5'],
    [0, 1],
  ],
  [
    'the newest write counts, and not the one that ended last',
    [w(1, 6, 1, 2), w(1, 5, 1, 3), r(1, 5, 4, 5)],
    ['read-your-writes 5 < 6'],
    [1, 0],
  ],
  [
    'a read can break both promises',
    [w(1, 5, 1, 2), r(1, 5, 3, 4), r(1, 4, 5, 6)],
    ['read-your-writes 4 < 5', 'monotonic-reads 4 < 5'],
    [2, 1],
  ],
  [
    'the order in the list means nothing',
    [r(1, 4, 3, 4), w(1, 5, 1, 2)],
    ['read-your-writes 4 < 5'],
    [1, 0],
  ],
];

describe('the checker', () => {
  it.each(rows)('%s', (_why, history, expected, [writes, reads]) => {
    const { violations, checked } = check(history);
    expect(
      violations.map(
        ({ promised, read, after }) => `${promised} ${read.version} < ${after.version}`,
      ),
    ).toEqual(expected);
    expect(checked).toEqual({ 'read-your-writes': writes, 'monotonic-reads': reads });
  });
});

describe('a recorded history', () => {
  it('orders what ended before something else began, and nothing else', () => {
    const history = new History(new Clock());
    const late = history.begin();
    const write = history.begin();
    history.wrote(write, 'update', { register: 1, version: 5 });
    history.read(late, 'overlapping', [{ register: 1, version: 0 }]);
    history.read(history.begin(), 'after', [
      { register: 1, version: 0 },
      { register: 2, version: 0 },
    ]);
    expect(check(history.entries).violations).toMatchObject([
      { promised: 'read-your-writes', read: { how: 'after' }, after: { how: 'update' } },
    ]);
  });

  it('tells the newest acknowledged version of each register, and none that was only read', () => {
    const history = new History(new Clock());
    history.wrote(history.begin(), 'update', { register: 1, version: 6 });
    history.wrote(history.begin(), 'update', { register: 1, version: 5 });
    history.wrote(history.begin(), 'update', { register: 2, version: 7 });
    history.read(history.begin(), 'read', [{ register: 3, version: 9 }]);
    expect(history.written()).toEqual([
      { register: 1, version: 6 },
      { register: 2, version: 7 },
    ]);
  });
});
