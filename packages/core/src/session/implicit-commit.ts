import type { Facts } from '../statement/facts.ts';

/**
 * Statements that commit what is open before they run: MySQL manual, "Statements That Cause an
 * Implicit Commit".
 */
const words: ReadonlySet<string | null> = new Set(
  (
    'alter analyze cache change check create drop flush grant import install load lock optimize ' +
    'purge rename repair reset restart revoke shutdown start stop truncate uninstall'
  ).split(' '),
);

/** Whether a statement ends an open transaction because it says so, and not because the server does. */
export function endsTransaction({ kind, word, pin, frees }: Facts): boolean {
  if (kind === 'begin' || kind === 'commit' || kind === 'rollback') {
    return true;
  }
  const isTemporary = pin === 'temporary-table' || frees?.pin === 'temporary-table';
  return kind !== 'read' && words.has(word) && !isTemporary;
}
