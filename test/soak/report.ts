import type { Figures } from './figures.ts';
import type { Outcome } from './run.ts';

/** An outcome as lines of text. */
export function report({ faults, totals, verdict, figures, recoveries }: Outcome): string {
  const { acknowledged, refused, unknown } = verdict.counts;
  return [
    `faults: ${pairs([...faults])}`,
    ...Object.entries(totals.outcomes).map(
      ([kind, { done, failed }]) => `${kind}: ${done} done ${pairs(Object.entries(failed))}`,
    ),
    `writes: ${acknowledged} acknowledged, ${refused} not carried out, ${unknown} unknown (${verdict.unknownButThere} of them there)`,
    `reads while the primary was well: ${totals.judgedReads}, the longest ${Math.round(totals.longestRead)} ms`,
    `all hosts up again after ${recoveries.join(' and ')} ms`,
    ...Object.entries(figures).map(([when, at]) => `${when}: ${line(at)}`),
  ].join('\n');
}

function line({ heap, resources, objects, listeners, connections }: Figures): string {
  const megabytes = (heap / 1e6).toFixed(2);
  return [
    `heap ${megabytes} MB`,
    pairs(Object.entries(objects)),
    `listeners ${listeners}`,
    `connections ${connections.join('/')}`,
    `resources ${pairs(Object.entries(resources))}`,
  ].join(', ');
}

function pairs(entries: readonly (readonly [string, number])[]): string {
  const sorted = [...entries].sort(([, one], [, other]) => other - one);
  return sorted.map(([name, count]) => `${name} ${count}`).join(', ');
}
