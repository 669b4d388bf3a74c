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
  const claim = openClaim(scope, offered, replicas);
  const canStay = offered.some((host) => scope.admits(host) && !replicas.isBehind(host));
  if (claim === null && canStay) {
    callback(null);
    return;
  }
  const upTo = scope.reads;
  snapshots.take((executed) => {
    if (executed === null) {
      // Without the primary nobody can say more of the token, or of what was read.
      if (claim !== null) {
        replicas.askFor(offered, claim.set);
      }
      callback(null);
      return;
    }
    if (!canStay) {
      scope.proveReads(upTo, executed);
    }
    callback(claim === null ? null : judge(scope, claim, executed));
  });
}

/** The token that nobody knows to be true; `null`: there is none. */
function openClaim(
  scope: ScopeMarks<HostInfo>,
  offered: readonly HostInfo[],
  replicas: Replicas,
): Claim | null {
  const { claim } = scope;
  if (claim !== null && offered.some((host) => replicas.has(host, claim.set))) {
    scope.proveClaim(claim);
  }
  return scope.claim;
}

function judge(scope: ScopeMarks<HostInfo>, claim: Claim, executed: GtidSet): Error | null {
  if (contains(executed, claim.set)) {
    scope.proveClaim(claim);
    return null;
  }
  scope.dropClaim(claim);
  return claim.onBadToken === 'error' ? foreignToken() : null;
}

function foreignToken(): RwSplitError {
  return new RwSplitError(
    'RWSPLIT_TOKEN',
    'The token of this session names writes that its primary does not know: it is of other servers, ' +
      'or they have lost what it names',
  );
}
