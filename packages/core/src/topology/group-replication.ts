import { answersOf, nothingFound, placesOf } from './answers.ts';
import { membersOf, nameOf, type Places } from './group-names.ts';
import { type GroupView, isOnline, isTrusted, memberOf, readGroupView } from './group-view.ts';
import type { Address, Findings, Topology } from './topology.ts';

// Each server has rows of all members, and a view of its own (MySQL manual, "The
// replication_group_members Table"). Secondaries are `super_read_only` ("Single-Primary Mode").
const sql = `SELECT m.MEMBER_ID AS member_id, m.MEMBER_HOST AS member_host, m.MEMBER_PORT AS member_port,
  m.MEMBER_STATE AS member_state, m.MEMBER_ROLE AS member_role, @@server_uuid AS server_uuid,
  @@global.read_only AS read_only, @@global.super_read_only AS super_read_only,
  @@global.offline_mode AS offline_mode,
  (SELECT MAX(s.VIEW_ID) FROM performance_schema.replication_group_member_stats s
    WHERE s.MEMBER_ID = @@server_uuid) AS view_id
  FROM performance_schema.replication_group_members m`;

/**
 * Group Replication and InnoDB Cluster, MySQL 8.0 and later (5.7 has no MEMBER_ROLE). The account needs
 * SELECT on `performance_schema.replication_group_members` and `replication_group_member_stats`.
 *
 * Which members there are, and what each is, is what the newest view says that has a majority; what a
 * member may be used for needs its own answer besides:
 *
 * ```text
 *   views whose owner is ONLINE and sees a majority      the others say nothing
 *     └ the newest of them                               a member that lags behind a failover is not believed
 *         ├ PRIMARY, and itself says: PRIMARY, not read-only  ─▶ writable
 *         │    (no answer, but it was the primary until now: still writable)
 *         └ ONLINE to most, and itself says: ONLINE, majority ─▶ readable
 * ```
 *
 * A member that nobody has asked yet is named in `members`, and used after its first answer. Two members
 * that both claim to be the primary of one view are in the middle of a switch: none is, until the next
 * round. Several primaries are returned in multi-primary mode, and if two groups have been bootstrapped.
 */
export const groupReplication: Topology<GroupView> = { sql, read: readGroupView, resolve };

function resolve(round: ReadonlyMap<Address, GroupView | null>, primary: Address | null): Findings {
  const answers = answersOf(round);
  const places: Places = { round, heard: placesOf(answers), primary };
  const trusted = answers.map(({ said }) => said).filter(isTrusted);
  const groups = groupsOf(trusted);
  if (groups.length === 0) {
    return nothingFound(round);
  }
  const found = groups.map((group) => rolesIn(group, places));
  const writable = found.flatMap((roles) => roles.writable);
  // Of two groups, one has data that the other does not: whose, only a single primary can tell.
  const [home] = groups.length === 1 ? found : found.filter((roles) => roles.writable.length > 0);
  const readable = groups.length > 1 && writable.length !== 1 ? [] : (home?.readable ?? []);
  const members = membersOf(
    groups.flatMap(({ newest }) => newest),
    places,
  );
  return { writable, readable, members, lags: new Map() };
}

interface Group {
  /** All views of it that count. */
  readonly views: readonly GroupView[];
  /** Those of the last change. */
  readonly newest: readonly GroupView[];
}

/** Views of groups that were bootstrapped apart are not older or newer than each other. */
function groupsOf(views: readonly GroupView[]): Group[] {
  const names = new Set(views.map(({ group }) => group));
  return [...names].map((name) => {
    const own = views.filter(({ group }) => group === name);
    const last = Math.max(...own.map(({ sequence }) => sequence));
    return { views: own, newest: own.filter(({ sequence }) => sequence === last) };
  });
}

type Roles = Pick<Findings, 'writable' | 'readable'>;

function rolesIn(group: Group, places: Places): Roles {
  const writable = writableIn(group, places);
  const usable = group.views.filter((view) => !view.isOffline && isAgreed(group, view.server));
  const names = namesIn(group, usable, places);
  return { writable, readable: names.filter((name) => !writable.includes(name)) };
}

function writableIn(group: Group, places: Places): readonly Address[] {
  const elected = electedBy(group);
  if (group.newest.some((view) => primariesOf(view).length > 1)) {
    return elected.map((id) => nameIn(group, id, places));
  }
  const claiming = group.views.filter((view) => elected.includes(view.server) && isClaiming(view));
  if (claiming.length > 0) {
    return isSwitching(claiming) ? [] : namesIn(group, claiming, places);
  }
  const [only, ...others] = elected;
  if (only === undefined || others.length > 0 || places.heard.has(only)) {
    return [];
  }
  // Full, or slow to answer: it has shown before that it can be reached and that it takes writes.
  const name = nameIn(group, only, places);
  return name === places.primary ? [name] : [];
}

/** Those that the newest views call PRIMARY, as far as they are in working order. */
function electedBy(group: Group): string[] {
  const ids = new Set(group.newest.flatMap(primariesOf));
  return [...ids].filter((id) => isAgreed(group, id)).sort();
}

function primariesOf({ members }: GroupView): string[] {
  return members.filter(({ isPrimary }) => isPrimary).map(({ id }) => id);
}

/** Elected, it works off what it has not applied yet before it opens up. */
function isClaiming(view: GroupView): boolean {
  const { server, isReadOnly, isOffline } = view;
  return !isReadOnly && !isOffline && memberOf(view, server)?.isPrimary === true;
}

/**
 * Whether a member is ONLINE to at least half of those who see the newest view with it: one bad link
 * between two members is no reason to give up either.
 */
function isAgreed({ newest }: Group, id: string): boolean {
  const states = newest.flatMap((view) => memberOf(view, id)?.state ?? []);
  return (
    states.length > 0 && states.filter((state) => state === 'ONLINE').length * 2 >= states.length
  );
}

/**
 * Whether one primary takes over from another: each still answers as the primary, and sees the other.
 * Where they do not see each other, the group has been forced apart, and that does not pass.
 */
function isSwitching(claiming: readonly GroupView[]): boolean {
  return claiming.some((one) =>
    claiming.some((other) => one.server !== other.server && isOnline(one, other.server)),
  );
}

function namesIn(group: Group, views: readonly GroupView[], places: Places): Address[] {
  return [...new Set(views.map(({ server }) => nameIn(group, server, places)))];
}

function nameIn({ newest }: Group, id: string, places: Places): Address {
  const member = newest.flatMap(({ members }) => members).find((candidate) => candidate.id === id);
  return member === undefined ? '' : nameOf(member, places);
}
