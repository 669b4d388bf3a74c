import type { Facts } from '../statement/facts.ts';

/**
 * Statements that commit what is open before they run: MySQL manual, "Statements That Cause an
 * Implicit Commit". LOAD and CACHE are not among them: LOAD DATA commits nothing but in
 * NDB, CACHE INDEX nothing on MariaDB (measured).
 */
const words: ReadonlySet<string | null> = new Set(
  (
    'alter analyze change check create drop flush grant install lock optimize rename repair ' +
    'reset revoke start stop truncate uninstall'
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
