import { optionsError } from '@rwsplit/core';
import type { Runnable } from './stock.ts';

/** What is said of where a query runs: options of core's statements. */
export interface Hints {
  readonly forcePrimary?: boolean;
  readonly useReplica?: boolean | string;
}

/** Those of every query that must see what is on the primary. */
export const primaryHint: Hints = { forcePrimary: true };

/**
 * What a query says of where it runs. By its methods and options, or else by its query context, which
 * is for many queries at once.
 *
 * @throws `RWSPLIT_OPTIONS` for options that mean nothing.
 */
export function hintsOf(query: Runnable): Hints | null {
  const { _options: options } = query;
  const own = options === undefined ? null : hintsIn(Object.assign({}, ...options));
  return own ?? hintsAround(query.queryContext());
}

/** @throws `RWSPLIT_OPTIONS` for what names no group of replicas. */
export function checkGroup(group: unknown): void {
  if (group !== undefined && !isGroup(group)) {
    throw optionsError([`useReplica: expected the name of a group, found ${shown(group)}`]);
  }
}

function hintsIn(given: Readonly<Record<string, unknown>>): Hints | null {
  const { forcePrimary, useReplica } = given;
  if (isAbsent(forcePrimary) && isAbsent(useReplica)) {
    return null;
  }
  const problems = [
    ...problemOf(forcePrimary, isBoolean, 'options.forcePrimary: expected true or false'),
    ...problemOf(useReplica, isReplica, `options.useReplica: expected ${replicaValues}`),
  ];
  if (problems.length > 0) {
    throw optionsError(problems);
  }
  return {
    forcePrimary: forcePrimary === true,
    useReplica: isReplica(useReplica) && useReplica,
  };
}

/**
 * A query context is the application's own, and may have had these keys before: what is no hint is left to
 * it, and what may be one keeps to the primary. `useMaster` is the name that people use who split by hand.
 */
function hintsAround(context: unknown): Hints | null {
  if (!isRecord(context)) {
    return null;
  }
  const { forcePrimary, useMaster, useReplica } = context;
  const isOnPrimary = Boolean(forcePrimary) || Boolean(useMaster);
  return isOnPrimary || isReplica(useReplica)
    ? { forcePrimary: isOnPrimary, useReplica: isReplica(useReplica) && useReplica }
    : null;
}

const replicaValues = 'true, false or the name of a group';

function problemOf(
  value: unknown,
  isRight: (value: unknown) => boolean,
  expected: string,
): string[] {
  return isAbsent(value) || isRight(value) ? [] : [`${expected}, found ${shown(value)}`];
}

function shown(value: unknown): string {
  const isSimple = typeof value === 'string' || typeof value === 'number';
  return isSimple ? JSON.stringify(value) : `a value of type ${typeof value}`;
}

function isReplica(value: unknown): value is boolean | string {
  return isBoolean(value) || isGroup(value);
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isGroup(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
