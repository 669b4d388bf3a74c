import type { GtidDialect } from '../gtid/set.ts';
import type { Failure } from '../routing/failure.ts';
import type { Facts } from '../statement/facts.ts';
import { hidesWrites, mayHide } from './hidden-writes.ts';
import { endsTransaction } from './implicit-commit.ts';
import type { Response } from './response.ts';
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
  /** Something may have been committed, or may still be, by a statement that nobody waits for any more. */
  | { readonly kind: 'unknown' };

const none: Written = { kind: 'none' };
const hidden: Written = { kind: 'hidden' };
const unknown: Written = { kind: 'unknown' };

/** What surrounds a statement. */
export interface Moment {
  readonly before: SessionState;
  readonly after: SessionState;
  /** Whether answers on the connection tell GTIDs, or the server can at least be asked for them. */
  readonly gtids: 'told' | 'asked' | 'none';
}

/**
 * What the answer of a statement on the primary says of writes. Only OK packets tell of GTIDs
 * (measured): not result sets, and so not INSERT … RETURNING, OPTIMIZE TABLE, nor a SELECT whose
 * function writes. In a transaction, its end is early enough to ask: what it commits is told then, and
 * only tables without transactions are written before.
 */
export function writtenBy(
  facts: Facts,
  response: Response,
  { before, after, gtids }: Moment,
): Written {
  const wasOpen = before.transaction !== 'none';
  const isOver = wasOpen && (endsTransaction(facts) || after.transaction === 'none');
  if (gtids !== 'told') {
    const hasCommitted = isOver && before.hasWritten;
    const commits = facts.kind === 'commit' || facts.kind === 'rollback';
    const untold = gtids === 'asked' ? hidden : unknown;
    return hasCommitted || (mayHide(facts) && !commits) ? untold : none;
  }
  const isAlone = after.transaction === 'none' || mayCommitWithin(facts);
  if ((hidesWrites(facts, response) && isAlone) || (isOver && before.hasHiddenWrites)) {
    return hidden;
  }
  return response.gtids === null ? none : { kind: 'told', ...response.gtids };
}

/** A procedure may commit in the middle of it, and begin again; few others do. */
export function mayCommitWithin({ kind, pin }: Facts): boolean {
  return kind === 'multiple' || kind === 'other' || (kind === 'write' && pin !== null);
}

/**
 * What a statement has written although it failed. One that the server refused may have (measured): a row
 * of a table without transactions, a part of a procedure, and the transaction that a CREATE TABLE ends
 * before it fails. Of one whose answer never came nobody knows; but what it left open is rolled back.
 */
export function writtenDespite(failure: Failure, facts: Facts, before: SessionState): Written {
  const wasOpen = before.transaction !== 'none';
  // BEGIN commits what is open, and so does SET autocommit = 1.
  const mayCommit =
    wasOpen && before.hasWritten && (endsTransaction(facts) || facts.kind === 'set');
  if (!mayHide(facts) && !mayCommit) {
    return none;
  }
  switch (failure) {
    case 'not-sent':
      return none;
    case 'read-only':
    case 'demoted':
      // Of several statements, the first may have been no write.
      return mayCommitWithin(facts) ? hidden : none;
    case 'statement':
    case 'differs':
      return hidden;
    default: {
      const isAlone = !wasOpen || mayCommitWithin(facts);
      return isAlone || mayCommit || endsTransaction(facts) ? unknown : none;
    }
  }
}

/**
 * Whether an answer shows what is in the database: by rows, or by a write that found it so that it had
 * nothing to do.
 */
export function showsData(facts: Facts, response: Response, before: SessionState): boolean {
  const { hasRows, isIdle, gtids } = response;
  const isAlone = before.transaction === 'none';
  const foundNothing = facts.kind === 'write' && (isIdle || isAlone);
  // All writes of the transaction may have found that there was nothing to do.
  const endsIdle = !isAlone && endsTransaction(facts) && before.hasWritten;
  return hasRows || (gtids === null && (foundNothing || endsIdle));
}
