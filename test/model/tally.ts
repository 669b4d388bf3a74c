import type { Performance } from './perform.ts';
import type { Kind } from './plan.ts';
import { mayBe } from './replay.ts';

/** What the follow-ups of one kind of session came to. */
export interface FollowUps {
  /** Answered, and checked. */
  answered: number;
  /** Refused, although the session had done what they ask about. */
  lost: number;
  /** Refused, since the session had done nothing that they could be about. */
  idle: number;
}

/** How much was tried: a test that passes because nothing happened is none. */
export class Tally {
  statements = 0;
  sessions = 0;
  errors = 0;
  replicaReads = 0;
  /** By kind of session; on pools with a connection for every session, and on smaller ones. */
  readonly followUps = { roomy: new Map<Kind, FollowUps>(), tight: new Map<Kind, FollowUps>() };

  add({ kind, said }: Performance, isRoomy: boolean): void {
    const followUps = this.#of(kind, isRoomy);
    let hasSaid = false;
    let hasWritten = false;
    this.sessions++;
    for (const { saying, outcome } of said) {
      this.statements++;
      if (outcome.kind === 'error') this.errors++;
      const hasDone = saying.asks === 'insert' ? hasWritten : hasSaid;
      if (saying.asks !== null) {
        if (!mayBe(outcome, true)) followUps.answered++;
        else if (hasDone && !kind.endsWith('alone')) followUps.lost++;
        else followUps.idle++;
      }
      if (outcome.kind !== 'refused') hasSaid = true;
      if (outcome.kind === 'result' && /^(INSERT|REPLACE)/.test(saying.template)) hasWritten = true;
    }
  }

  toString(): string {
    const lines = Object.entries(this.followUps).flatMap(([size, byKind]) =>
      [...byKind].map(
        ([kind, { answered, lost, idle }]) =>
          `  ${size} ${kind}: ${answered} follow-ups answered, ${lost} lost, ${idle} had nothing to ask about`,
      ),
    );
    const { statements, sessions, errors, replicaReads } = this;
    return [
      `${statements} statements of ${sessions} sessions, ${errors} errors of the server, ${replicaReads} statements ran on replicas`,
      ...lines,
    ].join('\n');
  }

  #of(kind: Kind, isRoomy: boolean): FollowUps {
    const byKind = isRoomy ? this.followUps.roomy : this.followUps.tight;
    let found = byKind.get(kind);
    if (found === undefined) {
      found = { answered: 0, lost: 0, idle: 0 };
      byKind.set(kind, found);
    }
    return found;
  }
}
