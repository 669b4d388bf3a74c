import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { channels, type StatementEvent } from '@rwsplit/core';
import { parts, tableOf } from './registers.ts';
import type { ReadTotals, Tally } from './tally.ts';

/** Counts where this process's reads of registers run, until disposed. */
export function watchReads(tally: Tally): Disposable {
  return watchReadsOf(
    new Map(parts.map((part) => [tableOf(part), tally.totals.parts[part].reads])),
  );
}

/** Counts where this process's answered reads of each table run, from core's own events. */
export function watchReadsOf(tables: ReadonlyMap<string, ReadTotals>): Disposable {
  const listen = (message: unknown) => {
    const event = message as StatementEvent;
    const name = /^\s*select\b.*\bfrom `?(\w+)/is.exec(event.sql)?.[1];
    const reads = name === undefined || event.error !== null ? undefined : tables.get(name);
    if (reads !== undefined) count(reads, event);
  };
  subscribe(channels.statement, listen);
  return { [Symbol.dispose]: () => void unsubscribe(channels.statement, listen) };
}

function count(reads: ReadTotals, event: StatementEvent): void {
  reads.waitedMs += event.waited;
  if (event.role === 'replica') {
    if (event.waited > 0) reads.waited++;
    else reads.replica++;
  } else {
    reads.primary[event.reason] = (reads.primary[event.reason] ?? 0) + 1;
  }
}
