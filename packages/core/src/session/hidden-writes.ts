import type { Facts } from '../statement/facts.ts';
import { hidesCalls, mayWrite } from './predict.ts';
import type { Response } from './response.ts';

/** Whether a statement may have written of which its answer does not tell. */
export function hidesWrites(facts: Facts, { serverStatus, hasRows }: Response): boolean {
  // The OK packet at the end of CALL tells of all of it; with several statements, rows may come last.
  return mayHide(facts) && (serverStatus === null || (facts.kind === 'multiple' && hasRows));
}

/** Whether a statement may write, be it by a function that it calls. */
export function mayHide(facts: Facts): boolean {
  const { kind, reason, callsWriting } = facts;
  return kind === 'read' ? callsWriting || hidesCalls.has(reason) : mayWrite(facts);
}
