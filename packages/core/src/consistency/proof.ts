import { RwSplitError } from '../errors.ts';
import { contains, type GtidSet } from '../gtid/set.ts';
import type { HostInfo } from '../pool/host-info.ts';
import type { Claim, ScopeMarks } from './marks.ts';
import { isOwed, type Need } from './need.ts';
import type { Replicas } from './replicas.ts';
import type { Snapshots } from './snapshots.ts';

/** How a proof ended; an error is for the read that needed it. */
export type ProofCallback = (error: Error | null) => void;

/**
 * Asks the primary, if it must be, what it has: for writes of which nobody has told; for a token, which may
 * say anything; and where a session has seen more than its own writes, and cannot stay where it has seen it.
 *
 * @param offered the replicas that the read may be offered.
 */
export function prove(
  need: Need,
  offered: readonly HostInfo[],
  replicas: Replicas,
  snapshots: Snapshots,
  callback: ProofCallback,
): void {
  const { scope } = need;
  const claims = scope === null ? [] : openClaims(scope, offered, replicas);
  const canStay = offered.some((host) => replicas.admits(host, scope) && !replicas.isBehind(host));
  if (claims.length === 0 && canStay && !isOwed(need)) {
    callback(null);
    return;
  }
  const upTo = scope?.reads ?? 0;
  const owed = [need.process, scope?.written ?? null].filter((marks) => marks !== null);
  const debts = owed.map((marks) => [marks, marks.debts] as const);
  snapshots.take((executed) => {
    if (executed === null) {
      // Nobody else can say: the read runs on the primary, or fails there.
      callback(null);
      return;
    }
    for (const [marks, count] of debts) {
      marks.pay(count, executed);
    }
    if (scope !== null) {
      if (!canStay) {
        scope.proveReads(upTo, executed);
      }
      for (const claim of claims) {
        judge(scope, claim, executed);
      }
    }
    callback(badToken(scope));
  });
}

/** What tokens say that nobody knows to be true. */
function openClaims(
  scope: ScopeMarks,
  offered: readonly HostInfo[],
  replicas: Replicas,
): readonly Claim[] {
  for (const claim of scope.claims) {
    if (offered.some((host) => replicas.has(host, claim.set))) {
      scope.proveClaim(claim);
    }
  }
  return scope.claims;
}

function judge(scope: ScopeMarks, claim: Claim, executed: GtidSet): void {
  if (contains(executed, claim.set)) {
    scope.proveClaim(claim);
  } else {
    scope.refuteClaim(claim);
  }
}

/** The error for a session that follows a token of which the primary knows nothing; `null`: it follows none. */
export function badToken(scope: ScopeMarks | null): RwSplitError | null {
  const isBad = scope?.claims.some((claim) => claim.isBad) === true;
  return isBad
    ? new RwSplitError(
        'RWSPLIT_TOKEN',
        'The token of this session names writes that its primary does not know: it is of other ' +
          'servers, or they have lost what it names',
      )
    : null;
}
