import { RwSplitError } from '../errors.ts';
import { contains, type GtidSet } from '../gtid/set.ts';
import type { HostInfo } from '../pool/host-info.ts';
import type { Claim, ScopeMarks } from './marks.ts';
import type { Replicas } from './replicas.ts';
import type { Snapshots } from './snapshots.ts';

/** How a proof ended; an error is for the read that needed it. */
export type ProofCallback = (error: Error | null) => void;

/**
 * Asks the primary, if it must be, what it has: for a token, which may say anything; and where a
 * session has seen more than its own writes, and cannot stay where it has seen it.
 *
 * @param offered the replicas that its read may be offered.
 */
export function prove(
  scope: ScopeMarks<HostInfo>,
  offered: readonly HostInfo[],
  replicas: Replicas,
  snapshots: Snapshots,
  callback: ProofCallback,
): void {
  const claims = openClaims(scope, offered, replicas);
  const canStay = offered.some((host) => scope.admits(host) && !replicas.isBehind(host));
  if (claims.length === 0 && canStay) {
    callback(null);
    return;
  }
  const upTo = scope.reads;
  snapshots.take((executed) => {
    if (executed === null) {
      // Without the primary nobody can say more of the token, or of what was read.
      for (const { set } of claims) {
        replicas.askFor(offered, set);
      }
      callback(null);
      return;
    }
    if (!canStay) {
      scope.proveReads(upTo, executed);
    }
    for (const claim of claims) {
      judge(scope, claim, executed);
    }
    callback(badToken(scope));
  });
}

/** What tokens say that nobody knows to be true. */
function openClaims(
  scope: ScopeMarks<HostInfo>,
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

function judge(scope: ScopeMarks<HostInfo>, claim: Claim, executed: GtidSet): void {
  if (contains(executed, claim.set)) {
    scope.proveClaim(claim);
  } else {
    scope.refuteClaim(claim);
  }
}

/** The error for a session that follows a token of which the primary knows nothing; `null`: it follows none. */
export function badToken(scope: ScopeMarks<HostInfo> | null): RwSplitError | null {
  const isBad = scope?.claims.some((claim) => claim.isBad) === true;
  return isBad
    ? new RwSplitError(
        'RWSPLIT_TOKEN',
        'The token of this session names writes that its primary does not know: it is of other ' +
          'servers, or they have lost what it names',
      )
    : null;
}
