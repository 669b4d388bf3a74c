import { channel } from 'node:diagnostics_channel';
import type { CataloguePart } from './catalogue/rows.ts';
import type { CatalogueState } from './catalogue/stats.ts';
import type { HostState } from './hosts/health.ts';
import type { Role, RouteReason } from './routing/reasons.ts';
import type { StatementKind } from './statement/facts.ts';
import type { TableName } from './statement/syntax-tree.ts';

/** Where a statement ran, and why. */
export interface RoutedStatement {
  /** Name of the host that ran it; `null` if no connection was had. */
  readonly host: string | null;
  /** What that host is; `null` if no connection was had. */
  readonly role: Role | null;
  readonly reason: RouteReason;
  /** The keyword, function or table behind the reason, or `null`. */
  readonly word: string | null;
  /** Hosts that failed or refused it before. */
  readonly tried: readonly string[];
  /** How long it waited for a replica to have what it has to see, in milliseconds; 0: not at all. */
  readonly waited: number;
}

/** What became of a statement. Published on `rwsplit:statement` when its answer is complete. */
export interface StatementEvent extends RoutedStatement {
  /** The text as the caller gave it, placeholders and all; bound values are never part of an event. */
  readonly sql: string;
  /** From the call to the complete answer, in milliseconds. */
  readonly duration: number;
  /** Code of its error, or `null`. The error itself may hold bound values: the server quotes them. */
  readonly error: string | null;
  /** What the statement does. */
  readonly kind: StatementKind;
  /** The tables that its text names. Worked out when it is read, and each time; nothing is, unread. */
  readonly tables: readonly TableName[];
  /** That of `explain()`: the same for texts that differ in literals. Worked out when it is read. */
  readonly fingerprint: string;
}

/** A host went down or came back, or is suspected. Published on `rwsplit:host`. */
export interface HostEvent {
  readonly host: string;
  readonly role: Role;
  readonly isUp: boolean;
  /** What it is now: see `stats()`. */
  readonly state: HostState;
  /** Code of the failure; `null` when the host came back. */
  readonly failure: string | null;
}

/** The primary has moved, or there is none, or there are several. Published on `rwsplit:topology`. */
export interface TopologyEvent {
  /** Name of the primary; `null`: writes are refused until there is one. */
  readonly primary: string | null;
  /** Name of the primary before. */
  readonly previous: string;
  /** Hosts that all say that they take writes; empty unless there are several. */
  readonly rivals: readonly string[];
  /** Whether writes that this process had an answer for are missing on the new primary. */
  readonly hasLostWrites: boolean;
}

/** The catalogue was read, or could not be. Published on `rwsplit:catalogue`. */
export interface CatalogueEvent {
  readonly state: CatalogueState;
  /** What could not be read: see `stats().catalogue`. */
  readonly unread: readonly CataloguePart[];
  /** How many views and tables are read on the primary for what they hide. */
  readonly unsafeTables: number;
  /** Code of the error that it ended with, or `null`. */
  readonly error: string | null;
  /** From the login on, in milliseconds. */
  readonly duration: number;
}

/**
 * Names of the `node:diagnostics_channel` channels.
 *
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel';
 * import { channels, type StatementEvent } from '@rwsplit/core';
 *
 * subscribe(channels.statement, (message) => {
 *   const { host, reason, duration } = message as StatementEvent;
 *   console.log(`${host} (${reason}) ${duration.toFixed(1)} ms`);
 * });
 * ```
 */
export const channels = {
  /** Messages are {@link StatementEvent}s. */
  statement: 'rwsplit:statement',
  /** Messages are {@link HostEvent}s. */
  host: 'rwsplit:host',
  /** Messages are {@link TopologyEvent}s. */
  topology: 'rwsplit:topology',
  /** Messages are {@link CatalogueEvent}s. */
  catalogue: 'rwsplit:catalogue',
} as const;

/** Costs a property read while nobody listens; a statement is only timed while somebody does. */
export const statementChannel = channel(channels.statement);
export const hostChannel = channel(channels.host);
export const topologyChannel = channel(channels.topology);
export const catalogueChannel = channel(channels.catalogue);

/** What of {@link StatementEvent} is worked out only if somebody reads it. */
type Lazy = 'sql' | 'tables' | 'fingerprint';

export function publishStatement(
  sql: string,
  event: Omit<StatementEvent, Lazy>,
  inspector: { tables(sql: string): readonly TableName[]; fingerprint(sql: string): string },
): void {
  statementChannel.publish({
    ...event,
    sql,
    get tables() {
      return inspector.tables(sql);
    },
    get fingerprint() {
      return inspector.fingerprint(sql);
    },
  } satisfies StatementEvent);
}
