import type { SessionPin } from '../session/state.ts';
import { statePins, type TextReason, textReasons } from '../statement/facts.ts';

/** Reasons that lie in the session, the hints, the options or the hosts, and not in the text. */
const contextReasons = [
  /** A plain read: it ran on a replica. */
  'read',
  /** A transaction is open on the session's connection, or SET TRANSACTION has prepared one. */
  'transaction',
  /** It asks about the statement before it, and follows it to that connection. */
  'follow-up',
  /** `forcePrimary`, as an API call, query option or comment. */
  'force-primary',
  /** `useReplica` was given with what writes: it is refused. */
  'use-replica',
  /** No replicas are configured. */
  'no-replicas',
  /** Every replica is out of service. */
  'replicas-unavailable',
  /** Every replica lags behind by more than `maxLag`, or does not say by how much. */
  'replicas-lagging',
  /** The primary has a share of the reads: see `primaryReads`. */
  'primary-reads',
  /** No replica had in time what the read has to see: see `causalWait`. */
  'replicas-behind',
  /** The servers give no GTIDs, and something was written just now: see `causalWindow`. */
  'causal-window',
  /** A view or function has changed, and what it hides is not known yet: see `catalogueRefresh`. */
  'catalogue-pending',
  /** A replica refused the statement as a write: it ran again on the primary. */
  'fence',
  /** A replica lacks what the statement names, or the right to read it: it ran again on the primary. */
  'replica-differs',
] as const;

const pinReasons = [
  ...statePins.map((pin) => `pinned:${pin}` as const),
  'pinned:autocommit-off',
  'pinned:has-written',
] as const;

/** Every reason that a route can have; `docs/routing-rules.md` has a row for each. */
export const routeReasons: readonly RouteReason[] = [
  ...contextReasons,
  ...pinReasons,
  ...textReasons,
];

/** Why a statement ran where it ran. A closed list: {@link routeReasons}. */
export type RouteReason = (typeof contextReasons)[number] | `pinned:${SessionPin}` | TextReason;

/** What a host is to its pool. */
export type Role = 'primary' | 'replica';

/** Where a statement has to run, and why. */
export interface Route {
  /** `'current'`: on the connection that the session holds, whatever its role. */
  readonly role: Role | 'current';
  readonly reason: RouteReason;
  /** The word of the text behind the reason, or `null`. Never a literal. */
  readonly word: string | null;
}
