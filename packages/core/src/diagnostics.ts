import { channel } from 'node:diagnostics_channel';
import type { Role, RouteReason } from './routing/reasons.ts';

/** What became of a statement. Published on `rwsplit:statement` when its answer is complete. */
export interface StatementEvent {
  /** The text as the caller gave it, placeholders and all; bound values are never part of an event. */
  readonly sql: string;
  /** Name of the host that ran it; `null` if no connection was had. */
  readonly host: string | null;
  /** What that host is; `null` if no connection was had. */
  readonly role: Role | null;
  readonly reason: RouteReason;
  /** The keyword, function or table behind the reason, or `null`. */
  readonly word: string | null;
  /** Hosts that failed or refused it before. */
  readonly tried: readonly string[];
  /** From the call to the complete answer, in milliseconds. */
  readonly duration: number;
  /** Code of its error, or `null`. The error itself may hold bound values: the server quotes them. */
  readonly error: string | null;
}

/** A host went down or came back. Published on `rwsplit:host`. */
export interface HostEvent {
  readonly host: string;
  readonly role: Role;
  readonly isUp: boolean;
  /** Code of the failure; `null` when the host came back. */
  readonly failure: string | null;
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
} as const;

/** Costs a property read while nobody listens; a statement is only timed while somebody does. */
export const statementChannel = channel(channels.statement);
export const hostChannel = channel(channels.host);
