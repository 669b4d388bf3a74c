import type { Facts } from '../statement/facts.ts';

/** `COMMIT RELEASE` and `ROLLBACK RELEASE`: the server closes the connection after its answer. */
export function closesConnection(facts: Facts, sql: string): boolean {
  const ends = facts.kind === 'commit' || facts.kind === 'rollback';
  return ends && /(?<!\bno\s+)\brelease\b/i.test(sql);
}

/** A ROLLBACK that leaves nothing to be done: AND CHAIN begins another transaction. */
export function undoes(facts: Facts, sql: string): boolean {
  return facts.kind === 'rollback' && !/(?<!\bno\s+)\bchain\b/i.test(sql);
}
