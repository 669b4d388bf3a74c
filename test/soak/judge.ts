import type { Figures } from './figures.ts';
import type { Outcome } from './run.ts';
import { lastingPools, mostConnections } from './stage.ts';

/** What of the heap may come and go, in bytes: above all what the engine has compiled. */
const heapTolerance = 3_000_000;
/** What one connection takes, with its two more in the network, in bytes: measured. */
const heapOfLink = 150_000;
/** Hosts that were removed and are still known of, such as the one that was asked last, of each pool. */
const goneHosts = 2;

/** All that must not be so, in words. */
export function problemsOf(outcome: Outcome): string[] {
  const { totals, verdict, problems, figures } = outcome;
  const more = totals.wrongCount - totals.wrong.length;
  return [
    ...problems,
    ...verdict.problems,
    ...totals.wrong,
    ...(more > 0 ? [`and ${more} more like these`] : []),
    ...(totals.judgedReads === 0 ? ['no read was judged'] : []),
    ...growthOf(figures.middle, figures.end),
    ...connectionProblems(figures.middle),
    ...connectionProblems(figures.end),
    ...leftovers(figures.closed),
  ];
}

/** What has become more from the middle to the end. */
export function growthOf(middle: Figures, end: Figures): string[] {
  const rows: readonly (readonly [string, number, number, number])[] = [
    ['heap', heapWithoutLinks(middle), heapWithoutLinks(end), heapTolerance],
    ['listeners', middle.listeners, end.listeners, 0],
    ['timers', middle.objects.timers, end.objects.timers, 20],
    ['sockets', spareSockets(middle), spareSockets(end), 10],
    ['borrowed connections', middle.objects.borrowed, end.objects.borrowed, 10],
    // A connection may remember in whose session it was opened, as any asynchronous resource does.
    ['sessions', middle.objects.sessions, end.objects.sessions, 20],
    ['promises', middle.objects.promises, end.objects.promises, 200],
    ...Object.keys(end.resources)
      // Sockets are counted above, with what they belong to.
      .filter((kind) => kind !== 'TCPSocketWrap')
      .map((kind) => [kind, middle.resources[kind] ?? 0, end.resources[kind] ?? 0, 10] as const),
  ];
  return rows
    .filter(([, before, after, tolerance]) => after > before + tolerance)
    .map(([name, before, after]) => `${name} grew from ${before} to ${after}`);
}

function heapWithoutLinks({ heap, links }: Figures): number {
  return heap - heapOfLink * sum(links);
}

/** Each link has three: the pool's, and the network's two. */
function spareSockets({ objects, links }: Figures): number {
  return objects.sockets - 3 * sum(links);
}

function connectionProblems({ links, connections, objects }: Figures): string[] {
  return [
    ...(`${links}` === `${connections}`
      ? []
      : [`servers have ${connections} connections, and the network ${links}`]),
    ...(connections.some((count) => count > mostConnections)
      ? [`servers have ${connections} connections, more than ${mostConnections}`]
      : []),
    ...(objects.pools === lastingPools ? [] : [`${objects.pools} pools are alive`]),
    ...(objects.hosts <= lastingPools * (links.length + goneHosts)
      ? []
      : [`${objects.hosts} hosts are alive in ${lastingPools} pools`]),
  ];
}

function leftovers({ links, connections }: Figures): string[] {
  return sum(links) + sum(connections) === 0
    ? []
    : [`after the end of all pools, ${connections} connections are left`];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
