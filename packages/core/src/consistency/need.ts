import type { GtidSet } from '../gtid/set.ts';
import type { Consistency } from './levels.ts';
import type { ScopeMarks, WriteMarks } from './marks.ts';

/** What a read has to see; at least one of the two. */
export interface Need {
  /** What this process has written; `null` if that does not matter. */
  readonly process: WriteMarks | null;
  /** What its session has written and seen; `null` if it is in none. */
  readonly scope: ScopeMarks | null;
}

/**
 * What a read of this consistency has to see; `null`: nothing.
 *
 * @param ofProcess what it has to see of this process, outside of sessions.
 */
export function needOf(level: Consistency, ofProcess: Need, scope: ScopeMarks | null): Need | null {
  switch (level) {
    case 'eventual':
      return null;
    case 'session':
      return scope === null ? null : { process: null, scope };
    case 'process':
      return scope === null ? ofProcess : { ...ofProcess, scope };
  }
}

/** The GTID sets that a replica must have. */
export function requiredBy({ process, scope }: Need): readonly GtidSet[] {
  const own = process?.gtids ?? null;
  return [...(own === null ? [] : [own]), ...(scope?.required ?? [])];
}

/** Whether a replica has all of it. */
export function isMetBy({ process, scope }: Need, has: (set: GtidSet) => boolean): boolean {
  const own = process?.gtids ?? null;
  return (own === null || has(own)) && (scope === null || scope.isHadBy(has));
}

/** Whether the primary has still to say what was written. */
export function isOwed({ process, scope }: Need): boolean {
  return process?.isOwed === true || scope?.written.isOwed === true;
}

/** From when on time has to pass, in milliseconds since the epoch; 0: never. */
export function untoldAt({ process, scope }: Need): number {
  return Math.max(process?.untoldAt ?? 0, scope?.written.untoldAt ?? 0, scope?.leftAt ?? 0);
}
