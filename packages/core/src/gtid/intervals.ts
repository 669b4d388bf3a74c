/** The numbers from `first` to `last`, both included. */
export interface Interval {
  readonly first: bigint;
  readonly last: bigint;
}

/** Intervals in ascending order that neither overlap nor touch; at least one. */
export type Intervals = readonly Interval[];

/** The same numbers as intervals in order, whatever the order, the overlaps of those given. */
export function normalized(intervals: readonly Interval[]): Intervals {
  // The servers print them in order: linear for those.
  if (isOrdered(intervals)) return intervals;
  return merged([...intervals].sort(byFirst));
}

function isOrdered(intervals: readonly Interval[]): boolean {
  return intervals.every(({ first }, index) => {
    const before = intervals[index - 1];
    return before === undefined || before.last + 1n < first;
  });
}

function byFirst(one: Interval, other: Interval): number {
  return one.first < other.first ? -1 : Number(one.first > other.first);
}

/** Joins those that overlap or touch, of intervals sorted by their first number. */
function merged(sorted: readonly Interval[]): Intervals {
  const joined: Interval[] = [];
  for (const interval of sorted) {
    const before = joined.at(-1);
    if (before === undefined || before.last + 1n < interval.first) joined.push(interval);
    else if (before.last < interval.last) {
      joined[joined.length - 1] = { first: before.first, last: interval.last };
    }
  }
  return joined;
}

/** The numbers of both. */
export function unionOf(one: Intervals, other: Intervals): Intervals {
  return normalized([...one, ...other]);
}

/** Whether all numbers of `subset` are among those of `intervals`. */
export function covers(intervals: Intervals, subset: Intervals): boolean {
  return subset.every(({ first, last }) => {
    const candidate = intervals[indexReaching(intervals, last)];
    return candidate !== undefined && candidate.first <= first;
  });
}

/** Index of the first interval that ends at `number` or later; their count if there is none. */
function indexReaching(intervals: Intervals, number: bigint): number {
  let low = 0;
  let high = intervals.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { last } = intervals[middle] ?? { last: number };
    if (last < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
