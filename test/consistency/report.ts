import { promises } from './check.ts';
import type { LongLag, SteadyLag } from './lag.ts';
import { type Part, parts, promisedBy } from './registers.ts';
import type { Outcome } from './run.ts';
import type { ReadTotals } from './tally.ts';

const readColumns = [
  'replica',
  'replica, waited',
  'primary',
  'mean wait',
  'why the primary',
] as const;

const titles: Readonly<Record<Part, string>> = {
  session: "'session' in scopes",
  token: 'tokens, two processes',
  process: "'process' outside scopes",
  eventual: "'eventual'",
};

/** What a client may get when connections and replicas die under it; all else is a mistake. */
const legitimate: ReadonlySet<string> = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'closed state',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  // By a deadlock, or by KILL while it runs.
  'ER_LOCK_DEADLOCK',
  'ER_QUERY_INTERRUPTED',
  'ER_CONNECTION_KILLED',
  'RWSPLIT_ACQUIRE_TIMEOUT',
  'RWSPLIT_PRIMARY_DOWN',
  'RWSPLIT_UNKNOWN_OUTCOME',
  'RWSPLIT_SESSION_LOST',
]);

/** The part that promises nothing: it proves that the checker bites. */
const unpromised: Part = 'eventual';

/** What must not be, in words; of a run that proves what it should, nothing. */
export function problemsOf({ parts: totals, errors, lost }: Outcome): string[] {
  const problems = [...lost];
  for (const part of parts) {
    for (const promised of promises) {
      const count = totals[part].violations[promised];
      if (part === unpromised && count === 0) problems.push(`${part}: no violation of ${promised}`);
      if (promisedBy[part].includes(promised) && count > 0)
        problems.push(`${part}: ${count} violations of ${promised}`);
      if (totals[part].checked[promised] === 0) problems.push(`${part}: no ${promised} checked`);
    }
  }
  for (const [code, count] of Object.entries(errors)) {
    if (!legitimate.has(code)) problems.push(`${count} unexpected errors: ${code}`);
  }
  return problems;
}

/** The table of a run, and what is said below it. */
export function report({ parts: totals, errors, faults, lost }: Outcome): string {
  const rows = parts.map((part) => {
    const { operations, checked, violations, reads } = totals[part];
    return [
      titles[part],
      `${operations}`,
      ...promises.map((promised) => `${violations[promised]} of ${checked[promised]}`),
      ...sharesOf(reads),
    ];
  });
  const head = ['', 'operations', ...promises, ...readColumns];
  const samples = parts.flatMap((part) => totals[part].samples.map((each) => `  ${part}: ${each}`));
  return [
    table([head, ...rows]),
    `faults: ${counts(Object.fromEntries(faults))}`,
    `errors: ${counts(errors) || 'none'}`,
    `writes lost: ${lost.length}`,
    ...samples,
  ].join('\n');
}

/** The columns {@link readColumns} of the reads of registers. */
export function sharesOf({ replica, waited, waitedMs, primary }: ReadTotals): string[] {
  const onPrimary = Object.values(primary).reduce((sum, count) => sum + count, 0);
  const all = replica + waited + onPrimary;
  const share = (count: number) => `${((100 * count) / Math.max(all, 1)).toFixed(1)} %`;
  const mean = `${(waitedMs / Math.max(all, 1)).toFixed(1)} ms`;
  return [share(replica), share(waited), share(onPrimary), mean, counts(primary)];
}

/** What the two figures came to. */
export function reportLag(lagMs: number, steady: SteadyLag, long: LongLag): string {
  return [
    `under a steady lag of ${lagMs} ms in the network (a commit arrives after ${steady.arrival.toFixed(1)} ms), scopes of 95 % reads`,
    table([readColumns, sharesOf(steady.reads)]),
    `Com_select of each server, with what core asks replicas: ${counts(steady.selects)}`,
    'under a long lag',
    table([
      ['', ...readColumns],
      ['scopes that have written, replicas behind', ...sharesOf(long.behind.writers)],
      ['scopes that have not', ...sharesOf(long.behind.readers)],
      ['scopes that have written, finding out', ...sharesOf(long.findingOut.writers)],
      ['scopes that have not', ...sharesOf(long.findingOut.readers)],
      ['scopes that have written, caught up', ...sharesOf(long.caughtUp.writers)],
      ['scopes that have not', ...sharesOf(long.caughtUp.readers)],
    ]),
  ].join('\n');
}

function counts(of: Readonly<Record<string, number>>): string {
  return Object.entries(of)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
