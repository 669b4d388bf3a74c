import {
  containsMariadbSet,
  emptyMariadbSet,
  formatMariadbSet,
  type MariadbGtidSet,
  parseMariadbSet,
  unionOfMariadbSets,
} from './mariadb-set.ts';
import {
  compactMysqlSet,
  containsMysqlSet,
  emptyMysqlSet,
  formatMysqlSet,
  type MysqlGtidSet,
  parseMysqlSet,
  unionOfMysqlSets,
} from './mysql-set.ts';

/** Whose GTIDs: the two kinds have nothing in common but the name. */
export type GtidDialect = 'mysql' | 'mariadb';

/** A set of global transaction ids: what a server has executed, or what a read has to see. Immutable. */
export type GtidSet = MysqlGtidSet | MariadbGtidSet;

/** The longest text, in characters, that is read as a set. */
export const longestSetText = 1024 * 1024;

/** The set without any GTID. */
export function emptySet(dialect: GtidDialect): GtidSet {
  return dialect === 'mysql' ? emptyMysqlSet : emptyMariadbSet;
}

/** Whether there is no GTID in the set. */
export function isEmptySet(set: GtidSet): boolean {
  return (set.dialect === 'mysql' ? set.origins : set.domains).size === 0;
}

/**
 * Reads a set as the servers print and accept it, such as the value of `gtid_executed` or
 * `gtid_current_pos`.
 *
 * @returns `null` for a text that the server would refuse, or of more than {@link longestSetText}
 */
export function parseGtidSet(text: string, dialect: GtidDialect): GtidSet | null {
  if (text.length > longestSetText) return null;
  return dialect === 'mysql' ? parseMysqlSet(text) : parseMariadbSet(text);
}

/** The one text of a set, without white space, that a server of its dialect accepts. */
export function formatGtidSet(set: GtidSet): string {
  return set.dialect === 'mysql' ? formatMysqlSet(set) : formatMariadbSet(set);
}

/**
 * The GTIDs of both sets.
 *
 * @returns `one` itself if it contains the other
 * @throws TypeError if they are of different dialects
 */
export function union(one: GtidSet, other: GtidSet): GtidSet {
  if (one.dialect === 'mysql' && other.dialect === 'mysql') {
    return containsMysqlSet(one, other) ? one : unionOfMysqlSets(one, other);
  }
  if (one.dialect === 'mariadb' && other.dialect === 'mariadb') {
    return containsMariadbSet(one, other) ? one : unionOfMariadbSets(one, other);
  }
  throw new TypeError(`a ${one.dialect} set has no union with a ${other.dialect} set`);
}

/** The GTIDs of both sets, where there may be no first one; of two dialects, the second set alone. */
export function joined(one: GtidSet | null, other: GtidSet): GtidSet {
  return one?.dialect === other.dialect ? union(one, other) : other;
}

/** Whether all GTIDs of `subset` are in `set`; never those of another dialect. */
export function contains(set: GtidSet, subset: GtidSet): boolean {
  if (set.dialect === 'mysql' && subset.dialect === 'mysql') return containsMysqlSet(set, subset);
  if (set.dialect === 'mariadb' && subset.dialect === 'mariadb') {
    return containsMariadbSet(set, subset);
  }
  return isEmptySet(subset);
}

/**
 * A set of at most `most` intervals that contains `set`, or as few as there are uuids and tags,
 * which each keep one. It may have GTIDs that `set` has not, from its gaps: a read that waits for
 * it waits for more than was asked, never for less. MariaDB's have no intervals: `set` itself.
 */
export function compact(set: GtidSet, most: number): GtidSet {
  return set.dialect === 'mysql' ? compactMysqlSet(set, most) : set;
}

/**
 * Whether two sets surely name transactions of one server: MySQL's uuids are unique, MariaDB's domains and
 * servers are numbered anew in each cluster.
 */
export function haveOneOrigin(one: GtidSet, other: GtidSet): boolean {
  return (
    one.dialect === 'mysql' &&
    other.dialect === 'mysql' &&
    [...one.origins.keys()].some((origin) => other.origins.has(origin))
  );
}
