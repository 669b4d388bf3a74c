import type { GtidDialect } from '../gtid/set.ts';
import type { Failure } from '../routing/failure.ts';
import type { Facts } from '../statement/facts.ts';
import { endsTransaction } from './implicit-commit.ts';
import type { Response } from './observe.ts';
import { mayWrite } from './predict.ts';
import type { SessionState } from './state.ts';

/** GTIDs in the words of the server. */
export interface Told {
  readonly kind: 'told';
  readonly text: string;
  readonly dialect: GtidDialect;
}

/** What an answer says of committed writes. */
export type Written =
  /** Nothing was committed, or nothing that replicas get. */
  | { readonly kind: 'none' }
  | Told
  /** Something may have been committed that the answer has no room to tell of: the server has to be asked. */
  | { readonly kind: 'hidden' }
  /** Something may have been committed, or may still be. */
  | { readonly kind: 'unknown' };

const none: Written = { kind: 'none' };
const hidden: Written = { kind: 'hidden' };
const unknown: Written = { kind: 'unknown' };

/**
 * What the answer of a statement on the primary says of writes. Only OK packets tell of GTIDs
 * (measured): not result sets, and so not INSERT … RETURNING, OPTIMIZE TABLE, nor a SELECT whose
 * function writes.
 *
 */
export function writtenBy(
  facts: Facts,
  response: Response,
  { before, after, isTold }: Moment,
): Written {
  if (!isTold) {
    return writtenUntold(facts, before, after);
  }
  const { gtids, hasRows, serverStatus } = response;
  // The OK packet at the end of CALL tells of all of it; with several statements, rows may come last.
  const isUntold = serverStatus === null || (facts.kind === 'multiple' && hasRows);
  if (isUntold && mayWrite(facts) && mayHaveCommitted(facts, after)) {
    return hidden;
  }
  return gtids === null ? none : { kind: 'told', ...gtids };
}

/** What surrounds a statement. */
export interface Moment {
  readonly before: SessionState;
  readonly after: SessionState;
  /** Whether the server tells the GTIDs of what the connection writes. */
  readonly isTold: boolean;
}

/** A procedure may commit in the middle of it, and begin again; nothing else does. */
function mayHaveCommitted(facts: Facts, { transaction }: SessionState): boolean {
  return transaction === 'none' || mayCommitWithin(facts);
}

function mayCommitWithin({ kind, pin }: Facts): boolean {
  return kind === 'multiple' || kind === 'other' || (kind === 'write' && pin !== null);
}

function writtenUntold(facts: Facts, before: SessionState, after: SessionState): Written {
  if (facts.kind === 'rollback') {
    return none;
  }
  const wasOpen = before.transaction !== 'none';
  const hasCommitted = wasOpen && after.transaction === 'none' && before.hasWritten;
  const isCommitted = !wasOpen || mayCommitWithin(facts);
  const writes = facts.kind !== 'commit' && mayWrite(facts);
  return hasCommitted || (writes && isCommitted) ? unknown : none;
}

/**
 * What a statement has written although it failed. One that the server refused may have (measured): a row
 * of a table without transactions, a part of a procedure, and the transaction that a CREATE TABLE ends
 * before it fails. Of one whose answer never came nobody knows; but what it left open is rolled back.
 */
export function writtenDespite(failure: Failure, facts: Facts, before: SessionState): Written {
  const mayHaveCommitted =
    before.transaction === 'none' || mayCommitWithin(facts) || endsTransaction(facts);
  if (!mayWrite(facts) || !mayHaveCommitted) {
    return none;
  }
  switch (failure) {
    case 'not-sent':
    case 'read-only':
      return none;
    case 'statement':
    case 'differs':
      return hidden;
    default:
      return unknown;
  }
}
