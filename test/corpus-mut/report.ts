import type { Flavor } from '../support/servers/flavor.ts';
import type { Judged } from './replay.ts';
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
export function report(flavor: Flavor, figures: Figures): string {
  const { hazards, misses } = figures;
  return [
    `== ${flavor}`,
    `replayed        ${figures.replayed} statements of ${figures.files} files, ${figures.abandoned} left when time was up`,
    `not replayed    ${list(figures.skipped)}`,
    `reads           ${figures.reads} distinct`,
    `  not comparable ${list(figures.open)}`,
    `  refused       ${list(figures.failed)}`,
    `safe            ${figures.safe}`,
    `  by rule       ${list(figures.excluded)}`,
    `  to a replica  ${figures.toReplica} of ${figures.toReplica + misses.length}: ${percent(share(figures))}`,
    `hazards kept on the primary: ${list(figures.refused)}`,
    `hazards sent to a replica: ${hazards.length}`,
    ...hazards.map(
      ({ judged, signals, explanation }) =>
        `  ${explanation ?? 'UNEXPLAINED'} [${signals.join(', ')}] ${place(judged)}`,
    ),
    `misses: ${misses.length}`,
    ...misses.map((each) => `  ${each.facts.reason} ${each.facts.word ?? ''} ${place(each)}`),
  ].join('\n');
}

function place({ file, sql }: Judged): string {
  return `${file}: ${sql.replace(/\s+/g, ' ').slice(0, 300)}`;
}

function list(counts: Counts): string {
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
}

function percent(value: number): string {
  return `${(value * 100).toFixed(2)} %`;
}
