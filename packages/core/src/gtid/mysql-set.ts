import { covers, type Interval, type Intervals, normalized, unionOf } from './intervals.ts';
import { Scanner } from './scanner.ts';

/** A set of MySQL's GTIDs. */
export interface MysqlGtidSet {
  readonly dialect: 'mysql';
  /**
   * The transaction numbers, by where they come from: the lower-case `uuid` of the server that
   * committed them first, or `uuid:tag` (MySQL 8.3).
   */
  readonly origins: ReadonlyMap<string, Intervals>;
}

export const emptyMysqlSet: MysqlGtidSet = { dialect: 'mysql', origins: new Map() };

/** MySQL manual, "GTID Format and Storage": below the greatest signed number of 64 bits. */
const greatestNumber = 2n ** 63n - 2n;

const space = /[ \t\n\v\f\r]*/y;
const commas = /(?:[ \t\n\v\f\r]*,)+[ \t\n\v\f\r]*/y;
const colon = /[ \t\n\v\f\r]*:[ \t\n\v\f\r]*/y;
const dash = /[ \t\n\v\f\r]*-[ \t\n\v\f\r]*/y;
/** In braces only with its dashes. */
const uuid =
  /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}/iy;
const tag = /[a-z_][a-z0-9_]*/iy;
const longestTag = 32;

/**
 * Reads what MySQL 9.7 takes for a set (measured), as it takes it: an origin without numbers, and an
 * interval that ends before it begins, add nothing. Not letters beyond ASCII, which it lets into tags
 * and then breaks.
 */
export function parseMysqlSet(text: string): MysqlGtidSet | null {
  const scanner = new Scanner(text);
  const found = new Map<string, Interval[]>();
  if (scanner.take(commas) === null) scanner.take(space);
  while (!scanner.isAtEnd) {
    if (!readServer(scanner, found)) return null;
    if (scanner.take(commas) === null) {
      scanner.take(space);
      if (!scanner.isAtEnd) return null;
    }
  }
  const origins = new Map<string, Intervals>();
  for (const [origin, intervals] of found) origins.set(origin, normalized(intervals));
  return origins.size === 0 ? emptyMysqlSet : { dialect: 'mysql', origins };
}

/** One uuid and what follows it: `uuid:1-3:tag:1:3-5:other_tag:2`. */
function readServer(scanner: Scanner, found: Map<string, Interval[]>): boolean {
  const server = scanner.take(uuid);
  if (server === null) return false;
  const id = canonical(server.toLowerCase());
  let origin = id;
  while (scanner.take(colon) !== null) {
    const name = scanner.take(tag);
    if (name === null) {
      if (!readInterval(scanner, origin, found)) return false;
    } else {
      if (name.length > longestTag) return false;
      origin = `${id}:${name.toLowerCase()}`;
    }
  }
  return true;
}

function readInterval(scanner: Scanner, origin: string, found: Map<string, Interval[]>): boolean {
  const first = scanner.takeNumber(greatestNumber);
  if (first === null || first === 0n) return false;
  const last = scanner.take(dash) === null ? first : scanner.takeNumber(greatestNumber);
  if (last === null) return false;
  if (last < first) return true;
  const intervals = found.get(origin);
  if (intervals === undefined) found.set(origin, [{ first, last }]);
  else intervals.push({ first, last });
  return true;
}

/** `8-4-4-4-12` of any spelling; nearly always it is that. */
function canonical(id: string): string {
  if (id.length === 36) return id;
  return id.replace(/\{?(.{8})-?(.{4})-?(.{4})-?(.{4})-?(.{12})\}?/, '$1-$2-$3-$4-$5');
}

/** As the server prints it (the same order), but without line breaks. */
export function formatMysqlSet({ origins }: MysqlGtidSet): string {
  const texts: string[] = [];
  let server = '';
  for (const origin of [...origins.keys()].sort()) {
    const [id = '', name] = origin.split(':');
    if (id !== server) texts.push(texts.length === 0 ? id : `,${id}`);
    if (name !== undefined) texts.push(`:${name}`);
    for (const interval of origins.get(origin) ?? []) texts.push(`:${formatInterval(interval)}`);
    server = id;
  }
  return texts.join('');
}

function formatInterval({ first, last }: Interval): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

export function containsMysqlSet(set: MysqlGtidSet, subset: MysqlGtidSet): boolean {
  for (const [origin, wanted] of subset.origins) {
    const intervals = set.origins.get(origin);
    if (intervals === undefined || !covers(intervals, wanted)) return false;
  }
  return true;
}

export function unionOfMysqlSets(one: MysqlGtidSet, other: MysqlGtidSet): MysqlGtidSet {
  const origins = new Map(one.origins);
  for (const [origin, added] of other.origins) {
    const intervals = origins.get(origin);
    if (intervals === undefined) origins.set(origin, added);
    else if (!covers(intervals, added)) origins.set(origin, unionOf(intervals, added));
  }
  return { dialect: 'mysql', origins };
}

/** Closes the smallest gaps, wherever they are, until no more than `most` intervals are left. */
export function compactMysqlSet(set: MysqlGtidSet, most: number): MysqlGtidSet {
  const gaps = gapsOf(set);
  const excess = gaps.length + set.origins.size - most;
  if (excess <= 0 || gaps.length === 0) return set;
  const smallest = gaps.sort(bySize).slice(0, excess);
  const joined = new Set(smallest.map(({ behind }) => behind));
  const origins = new Map<string, Intervals>();
  for (const [origin, intervals] of set.origins) origins.set(origin, joinedWith(intervals, joined));
  return { dialect: 'mysql', origins };
}

interface Gap {
  readonly size: bigint;
  /** The interval that follows the gap. */
  readonly behind: Interval;
}

function gapsOf({ origins }: MysqlGtidSet): Gap[] {
  return [...origins.values()].flatMap((intervals) =>
    intervals.slice(1).map((behind, index) => {
      const before = intervals[index] ?? behind;
      return { size: behind.first - before.last, behind };
    }),
  );
}

function bySize(one: Gap, other: Gap): number {
  return one.size < other.size ? -1 : Number(one.size > other.size);
}

/** Joins each interval that is in `joined` with the one before it. */
function joinedWith(intervals: Intervals, joined: ReadonlySet<Interval>): Intervals {
  const result: Interval[] = [];
  for (const interval of intervals) {
    const before = joined.has(interval) ? result.pop() : undefined;
    result.push(before === undefined ? interval : { first: before.first, last: interval.last });
  }
  return result;
}
