import type { Judged } from './score.ts';
import { type Counts, type Figures, share } from './tally.ts';

/** What must hold of every run. */
export const bars = {
  /** Least share of safe reads that no rule excludes which go to a replica. */
  share: 0.995,
  /** Most hazards without an explanation. */
  hazards: 0,
} as const;

/** Bars that the figures miss, in words. */
export function missedBars(figures: Figures): string[] {
  const unexplained = figures.hazards.filter(({ explanation }) => explanation === undefined);
  return [
    ...(share(figures) < bars.share ? [`share ${percent(share(figures))}`] : []),
    ...(unexplained.length > bars.hazards ? [`${unexplained.length} unexplained hazards`] : []),
  ];
}

/** The figures of one server as lines of text. */
export function report(title: string, figures: Figures): string {
  const { hazards, misses } = figures;
  const unexplained = hazards.filter(({ explanation }) => explanation === undefined);
  const judged = figures.reads - total(figures.failed) - total(figures.open);
  return [
    `== ${title}`,
    `replayed        ${figures.replayed} statements of ${figures.files} files`,
    `not replayed    ${figures.abandoned} left when a file's time was up, ${list(figures.skipped)}`,
    `reads           ${figures.reads} distinct, ${judged} judged`,
    `  not judged    no answer to compare: ${list(figures.open)}`,
    `                refused by the server: ${total(figures.failed)}: ${list(figures.failed, 10)}`,
    `safe            ${figures.safe}`,
    `  by rule       ${total(figures.excluded)}: ${list(figures.excluded)}`,
    `  to a replica  ${figures.toReplica} of ${figures.toReplica + misses.length}: ${percent(share(figures))} (bar ${percent(bars.share)})`,
    `  missed        ${misses.length}: ${list(countBy(misses, kindOfMiss))}`,
    `hazards`,
    `  to the primary ${total(figures.refused)}: ${list(figures.refused)}`,
    `  to a replica  ${unexplained.length} unexplained (bar ${bars.hazards}); ` +
      `not in the text: ${list(countBy(hazards, ({ explanation }) => explanation))}`,
    ...hazards.map(
      ({ judged, signals, explanation }) =>
        `    ${explanation ?? 'UNEXPLAINED'} [${signals.join(', ')}] ${place(judged)}`,
    ),
    'every miss:',
    ...misses.map((each) => `    ${kindOfMiss(each)} ${place(each)}`).sort(),
  ].join('\n');
}

function kindOfMiss({ facts }: Judged): string {
  return [facts.reason, facts.word].filter((each) => each !== null).join(' ');
}

function countBy<T>(values: readonly T[], kind: (value: T) => string | undefined): Counts {
  const counts = new Map<string, number>();
  for (const each of values) {
    const name = kind(each);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function total(counts: Counts): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** A read and where it stands, in one line. */
export function place({ file, sql }: Judged): string {
  return `${file}: ${sql.replace(/\s+/g, ' ').slice(0, 300)}`;
}

function list(counts: Counts, most = Number.POSITIVE_INFINITY): string {
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const others = total(new Map(sorted.slice(most)));
  const shown = sorted.slice(0, most).map(([name, count]) => `${name} ${count}`);
  return [...shown, ...(others > 0 ? [`others ${others}`] : [])].join(', ') || 'none';
}

function percent(value: number): string {
  return `${(value * 100).toFixed(2)} %`;
}
