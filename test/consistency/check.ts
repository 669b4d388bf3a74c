import type { Entry } from './history.ts';

/** What a session promises, and `'eventual'` does not. */
export const promises = ['read-your-writes', 'monotonic-reads'] as const;

/** One of {@link promises}. */
export type Promised = (typeof promises)[number];

/** A read that gave an older version than what it came after. */
export interface Violation {
  readonly promised: Promised;
  readonly read: Entry;
  readonly after: Entry;
}

/** What a history shows. */
export interface Findings {
  /** Reads that a promise said something about: with none of them, no violation means nothing. */
  readonly checked: Readonly<Record<Promised, number>>;
  readonly violations: readonly Violation[];
}

interface Moment {
  readonly at: number;
  readonly isEnd: boolean;
  readonly entry: Entry;
}

/**
 * Checks the history of one observer. Of each register: a read is not older than any write, and than
 * any read, that ended before the read started. What overlaps has no order, and is not compared.
 */
export function check(history: readonly Entry[]): Findings {
  const newest = { write: new Map<number, Entry>(), read: new Map<number, Entry>() };
  const checked = { 'read-your-writes': 0, 'monotonic-reads': 0 };
  const violations: Violation[] = [];
  const compare = (promised: Promised, read: Entry, after: Entry | undefined) => {
    if (after === undefined) return;
    checked[promised]++;
    if (read.version < after.version) violations.push({ promised, read, after });
  };
  for (const { isEnd, entry } of momentsOf(history)) {
    if (isEnd) {
      const known = newest[entry.kind].get(entry.register);
      if (known === undefined || known.version <= entry.version) {
        newest[entry.kind].set(entry.register, entry);
      }
    } else if (entry.kind === 'read') {
      compare('read-your-writes', entry, newest.write.get(entry.register));
      compare('monotonic-reads', entry, newest.read.get(entry.register));
    }
  }
  return { checked, violations };
}

/** The starts and ends in their order; of equal times, the start comes first, as if they overlap. */
function momentsOf(history: readonly Entry[]): Moment[] {
  return history
    .flatMap((entry) => [
      { at: entry.start, isEnd: false, entry },
      { at: entry.end, isEnd: true, entry },
    ])
    .sort((a, b) => a.at - b.at || Number(a.isEnd) - Number(b.isEnd));
}

/** A violation for a person. */
export function describeViolation({ promised, read, after }: Violation): string {
  const of = (entry: Entry) => `${entry.version} (${entry.how}, ${entry.start}-${entry.end})`;
  return `${promised}: register ${read.register} read as ${of(read)} after ${after.kind} of ${of(after)}`;
}
