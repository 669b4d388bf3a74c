import { check, describeViolation, type Promised } from './check.ts';
import type { Entry } from './history.ts';
import { type Part, parts, promisedBy } from './registers.ts';

/** What came of one part: plain data, for another process. */
export interface PartTotals {
  operations: number;
  readonly checked: Record<Promised, number>;
  readonly violations: Record<Promised, number>;
  /** The first broken promises, in words. */
  readonly samples: string[];
  readonly reads: ReadTotals;
  /** By register. */
  readonly acknowledged: Record<number, Acknowledged>;
}

/** Where reads of registers ran. */
export interface ReadTotals {
  /** On a replica at once. */
  replica: number;
  /** On a replica, after waiting for it. */
  waited: number;
  /** How long all of them waited for replicas, in milliseconds. */
  waitedMs: number;
  /** On the primary, by reason. */
  readonly primary: Record<string, number>;
}

/** The acknowledged writes of a register. */
export interface Acknowledged {
  newest: number;
  count: number;
}

/** What came of a run: plain data, for another process. */
export interface Totals {
  readonly parts: Readonly<Record<Part, PartTotals>>;
  /** Failed operations by code. */
  readonly errors: Record<string, number>;
}

const maxSamples = 5;

/** Counts, and forgets what needs no more looking at. */
export class Tally {
  readonly totals: Totals = {
    parts: { session: none(), token: none(), process: none(), eventual: none() },
    errors: {},
  };

  /** Checks the finished history of one observer. */
  judge(part: Part, history: readonly Entry[]): void {
    const totals = this.totals.parts[part];
    const { checked, violations } = check(history);
    addTo(totals.checked, checked);
    for (const violation of violations) {
      totals.violations[violation.promised]++;
      const isBroken = promisedBy[part].includes(violation.promised);
      if (isBroken && totals.samples.length < maxSamples)
        totals.samples.push(describeViolation(violation));
    }
  }

  acknowledge(part: Part, register: number, version: number): void {
    const { acknowledged } = this.totals.parts[part];
    addAcknowledged(acknowledged, register, { newest: version, count: 1 });
  }

  fail(error: unknown): void {
    addTo(this.totals.errors, { [codeOf(error)]: 1 });
  }

  /** Adds what another process counted. */
  merge({ parts: theirs, errors }: Totals): void {
    addTo(this.totals.errors, errors);
    for (const part of parts) {
      const [ours, other] = [this.totals.parts[part], theirs[part]];
      ours.operations += other.operations;
      addTo(ours.checked, other.checked);
      addTo(ours.violations, other.violations);
      ours.samples.push(...other.samples);
      ours.reads.replica += other.reads.replica;
      ours.reads.waited += other.reads.waited;
      ours.reads.waitedMs += other.reads.waitedMs;
      addTo(ours.reads.primary, other.reads.primary);
      for (const [register, writes] of Object.entries(other.acknowledged)) {
        addAcknowledged(ours.acknowledged, Number(register), writes);
      }
    }
  }
}

/** No read yet. */
export function noReads(): ReadTotals {
  return { replica: 0, waited: 0, waitedMs: 0, primary: {} };
}

function none(): PartTotals {
  return {
    operations: 0,
    checked: { 'read-your-writes': 0, 'monotonic-reads': 0 },
    violations: { 'read-your-writes': 0, 'monotonic-reads': 0 },
    samples: [],
    reads: noReads(),
    acknowledged: {},
  };
}

function addTo(counts: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) counts[name] = (counts[name] ?? 0) + count;
}

function addAcknowledged(
  all: Record<number, Acknowledged>,
  register: number,
  { newest, count }: Acknowledged,
): void {
  const known = all[register];
  all[register] = {
    newest: Math.max(newest, known?.newest ?? 0),
    count: count + (known?.count ?? 0),
  };
}

/** Code of an error; mysql2 has none for what it cannot send any more, and Knex puts the text first. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code !== undefined) return String(error.code);
  return error.message.includes('connection is in closed state') ? 'closed state' : error.message;
}
