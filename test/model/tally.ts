import { isScope } from './counters.ts';
import type { Performance, Said } from './perform.ts';
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

/** A read of what sessions write. */
const readsWritten = /^SELECT .*(\{p\}|counter)/;

/** How much was tried: a test that passes because nothing happened is none. */
export class Tally {
  statements = 0;
  sessions = 0;
  errors = 0;
  replicaReads = 0;
  /** Those of tables or counters that sessions write, by sessions that have written before. */
  readsAfterWrites = 0;
  /**
   * Of scopes: questions for the last insert while the session reads on a replica, on pools with a
   * connection for every session.
   */
  readonly insertsFromReplica = { answered: 0, lost: 0 };
  /** By kind of session; on pools with a connection for every session, and on smaller ones. */
  readonly followUps = { roomy: new Map<Kind, FollowUps>(), tight: new Map<Kind, FollowUps>() };

  add({ kind, said }: Performance, isRoomy: boolean): void {
    const followUps = this.#of(kind, isRoomy);
    let hasSaid = false;
    let hasWritten = false;
    let hasInserted = false;
    let before: Said['role'] = null;
    this.sessions++;
    for (const { saying, template, outcome, role } of said) {
      this.statements++;
      if (outcome.kind === 'error') this.errors++;
      const hasDone = saying.asks === 'insert' ? hasInserted : hasSaid;
      if (saying.asks !== null) {
        if (!mayBe(outcome, true)) followUps.answered++;
        else if (hasDone && !kind.endsWith('alone')) followUps.lost++;
        else followUps.idle++;
      }
      if (
        saying.asks === 'insert' &&
        isRoomy &&
        isScope(kind) &&
        hasInserted &&
        before === 'replica'
      ) {
        this.insertsFromReplica[mayBe(outcome, true) ? 'lost' : 'answered']++;
      }
      if (hasWritten && role === 'replica' && readsWritten.test(template)) this.readsAfterWrites++;
      if (outcome.kind === 'refused') continue;
      hasSaid = true;
      before = role;
      if (outcome.kind === 'error') continue;
      hasInserted ||= /^(INSERT|REPLACE)/.test(template);
      hasWritten ||= /^(INSERT|REPLACE|UPDATE|DELETE|COMMIT)/.test(template);
    }
  }

  toString(): string {
    const lines = Object.entries(this.followUps).flatMap(([size, byKind]) =>
      [...byKind].map(
        ([kind, { answered, lost, idle }]) =>
          `  ${size} ${kind}: ${answered} follow-ups answered, ${lost} lost, ${idle} had nothing to ask about`,
      ),
    );
    const { statements, sessions, errors, replicaReads, readsAfterWrites } = this;
    const { answered, lost } = this.insertsFromReplica;
    return [
      `${statements} statements of ${sessions} sessions, ${errors} errors of the server, ${replicaReads} statements ran on replicas`,
      `  ${readsAfterWrites} reads on replicas of what is written, after a write; ${answered} last inserts answered from there, ${lost} lost`,
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
