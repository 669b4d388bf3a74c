import { RwSplitError } from '../errors.ts';
import { contains, haveOneOrigin, union } from '../gtid/set.ts';
import { formatToken, mostClusters, parseToken, type TokenPart } from '../gtid/token.ts';
import type { OnBadToken, ScopeMarks } from './marks.ts';

/**
 * What a token says; nothing, for none, and for a malformed one that is ignored.
 *
 * @throws `RWSPLIT_TOKEN` for a malformed one.
 */
export function readToken(token: string | undefined, onBadToken: OnBadToken): readonly TokenPart[] {
  const parts = token === undefined ? [] : parseToken(token);
  if (parts === null && onBadToken === 'error') {
    throw new RwSplitError(
      'RWSPLIT_TOKEN',
      `Expected a token, as token() of a session gives it, found a string of ${token?.length ?? 0} characters that is none`,
    );
  }
  return parts ?? [];
}

/**
 * The token of a session: what it has written, and what it followed and no pool has read. `null` if
 * there is neither.
 */
export function formatParts(
  marks: readonly ScopeMarks[],
  followed: readonly TokenPart[],
  now: number,
): string | null {
  const own = marks.map((one) => partOf(one, now)).filter((part) => part !== null);
  const merged = withoutRepeats(own);
  if (merged === null) {
    throw new RwSplitError(
      'RWSPLIT_TOKEN',
      'This session has written to several primaries, and a token cannot tell them apart: ' +
        'give the pools different names by their option `cluster`',
    );
  }
  const known = new Set(marks.map(({ cluster }) => cluster));
  const parts = [...merged, ...mergedParts(followed.filter(({ cluster }) => !known.has(cluster)))];
  if (parts.length > mostClusters) {
    throw new RwSplitError(
      'RWSPLIT_TOKEN',
      `This session has written to ${parts.length} primaries, and a token has room for ${mostClusters}`,
    );
  }
  return parts.length === 0 ? null : formatToken(parts, now);
}

/** One part for each name, which asks for what all of that name do. */
export function mergedParts(parts: readonly TokenPart[]): readonly TokenPart[] {
  const byName = new Map<string, TokenPart>();
  for (const part of parts) {
    byName.set(part.cluster, later(byName.get(part.cluster) ?? part, part));
  }
  return [...byName.values()];
}

/** One part for each name; `null` if two of one name may be about different servers. */
function withoutRepeats(parts: readonly TokenPart[]): readonly TokenPart[] | null {
  const isOfOne = (part: TokenPart, index: number) =>
    parts.slice(0, index).every((one) => one.cluster !== part.cluster || areOfOne(one, part));
  return parts.every(isOfOne) ? mergedParts(parts) : null;
}

function areOfOne({ position: one }: TokenPart, { position: other }: TokenPart): boolean {
  if (one.kind === 'gtids' && other.kind === 'gtids') {
    const isSame = contains(one.set, other.set) && contains(other.set, one.set);
    return isSame || haveOneOrigin(one.set, other.set);
  }
  return one.kind === other.kind;
}

/** GTIDs say more than a time. That of writes of which no server has told a GTID is told if there are no others. */
function partOf({ cluster, written, claims }: ScopeMarks, now: number): TokenPart | null {
  const { gtids, untoldAt, isOwed } = written;
  const sets = [gtids, ...claims.map(({ set }) => set)].filter((set) => set !== null);
  const [first, ...others] = sets.map(
    (set): TokenPart => ({ cluster, position: { kind: 'gtids', set } }),
  );
  if (first !== undefined) {
    return others.reduce(later, first);
  }
  const at = isOwed ? now : untoldAt;
  return at === 0 ? null : { cluster, position: { kind: 'time', at } };
}

/** What two parts about the same servers ask for together; GTIDs say more than a time, the second of two kinds more. */
function later(one: TokenPart, other: TokenPart): TokenPart {
  const { position: a } = one;
  const { position: b } = other;
  if (a.kind === 'gtids' && b.kind === 'gtids' && a.set.dialect === b.set.dialect) {
    return { ...other, position: { kind: 'gtids', set: union(a.set, b.set) } };
  }
  if (a.kind === 'time' && b.kind === 'time') {
    return a.at > b.at ? one : other;
  }
  return a.kind === 'gtids' ? one : other;
}
