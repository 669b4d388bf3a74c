import { RwSplitError } from '../errors.ts';
import { contains, union } from '../gtid/set.ts';
import { formatToken, parseToken, type TokenPart } from '../gtid/token.ts';
import type { OnBadToken, ScopeMarks } from './marks.ts';

/** So many surely fit, whatever their names and positions are. */
const mostClusters = 19;

/**
 * What a token says; nothing, for none, and for a malformed one that is ignored.
 *
 * @throws `RWSPLIT_TOKEN` for a malformed one.
 */
export function readToken(token: string | undefined, onBadToken: OnBadToken): readonly TokenPart[] {
  const read = token === undefined ? [] : parseToken(token);
  const parts = read !== null && read.length <= mostClusters ? read : null;
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
  const passedOn = new Map<string, TokenPart>();
  for (const part of followed.filter(({ cluster }) => !known.has(cluster))) {
    const before = passedOn.get(part.cluster);
    passedOn.set(part.cluster, before === undefined ? part : later(before, part));
  }
  const parts = [...merged, ...passedOn.values()];
  if (parts.length > mostClusters) {
    throw new RwSplitError(
      'RWSPLIT_TOKEN',
      `This session has written to ${parts.length} primaries, and a token has room for ${mostClusters}`,
    );
  }
  return parts.length === 0 ? null : formatToken(parts, now);
}

/** One part for each name, if none of two says more than the other; else `null`. */
function withoutRepeats(parts: readonly TokenPart[]): readonly TokenPart[] | null {
  const byName = new Map<string, TokenPart>();
  for (const part of parts) {
    const before = byName.get(part.cluster) ?? part;
    const both = later(before, part);
    if (!asksFor(before, both) && !asksFor(part, both)) {
      return null;
    }
    byName.set(part.cluster, both);
  }
  return [...byName.values()];
}

function asksFor({ position: one }: TokenPart, { position: other }: TokenPart): boolean {
  return one.kind === 'gtids' && other.kind === 'gtids'
    ? contains(one.set, other.set)
    : one.kind === other.kind;
}

/**
 * GTIDs say more than a time. That of writes without them is told if there are no others, or while the
 * server has still to say.
 */
function partOf({ cluster, written, claims }: ScopeMarks, now: number): TokenPart | null {
  const { gtids, untoldAt, isOpen } = written;
  if (isOpen) {
    return { cluster, position: { kind: 'time', at: now } };
  }
  const sets = [gtids, ...claims.map(({ set }) => set)].filter((set) => set !== null);
  const [first, ...others] = sets.map(
    (set): TokenPart => ({ cluster, position: { kind: 'gtids', set } }),
  );
  if (first !== undefined) {
    return others.reduce(later, first);
  }
  return untoldAt === 0 ? null : { cluster, position: { kind: 'time', at: untoldAt } };
}

/** What two parts about the same servers ask for together; GTIDs say more than a time, the second of two kinds more. */
function later(one: TokenPart, other: TokenPart): TokenPart {
  const { position: a } = one;
  const { position: b } = other;
  if (a.kind === 'gtids' && b.kind === 'gtids' && a.set.dialect === b.set.dialect) {
    return { ...other, position: { kind: 'gtids', set: union(a.set, b.set) } };
  }
  return a.kind === 'gtids' && b.kind === 'time' ? one : other;
}
