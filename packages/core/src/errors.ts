/** The stable codes of {@link RwSplitError}; each has a row in `docs/errors.md`. */
export const errorCodes = [
  'RWSPLIT_OPTIONS',
  'RWSPLIT_ACQUIRE_TIMEOUT',
  'RWSPLIT_POOL_CLOSED',
  'RWSPLIT_CONNECTION_RELEASED',
  'RWSPLIT_CONNECTION_DESTROYED',
  'RWSPLIT_CANCELLED',
  'RWSPLIT_SESSION_LOST',
  'RWSPLIT_FOLLOW_UP_LOST',
  'RWSPLIT_TOKEN',
  'RWSPLIT_HOST_SETUP',
  'RWSPLIT_PRIMARY_DOWN',
  'RWSPLIT_TWO_PRIMARIES',
  'RWSPLIT_NO_REPLICA',
  'RWSPLIT_REPLICAS_LAGGING',
  'RWSPLIT_UNKNOWN_OUTCOME',
  'RWSPLIT_USE_REPLICA',
  'RWSPLIT_CLOSE_TIMEOUT',
] as const;

/** One of {@link errorCodes}. */
export type ErrorCode = (typeof errorCodes)[number];

/** Shared by every copy of the package in a process, so that {@link isRwSplitError} needs no `instanceof`. */
const brand = Symbol.for('rwsplit.error');

/** Further facts of a {@link RwSplitError}. */
export interface RwSplitErrorOptions {
  /** Whether the same call may succeed when it is made again, and cannot do harm. Default: `false`. */
  readonly isRetryable?: boolean;
  /** The error below this one. */
  readonly cause?: unknown;
}

/**
 * The base of every error that rwsplit itself raises; errors of the server and of mysql2 pass
 * through as they are. Messages never hold bound values or credentials.
 */
export class RwSplitError extends Error {
  override readonly name = 'RwSplitError';
  /** Stable across versions; what to test for. */
  readonly code: ErrorCode;
  /** Whether the same call may succeed when it is made again, and cannot do harm. */
  readonly isRetryable: boolean;

  constructor(code: ErrorCode, message: string, options: RwSplitErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.isRetryable = options.isRetryable ?? false;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** @param what the pool does or does not, now that it is closed. */
export function poolClosed(what: string): RwSplitError {
  return new RwSplitError('RWSPLIT_POOL_CLOSED', `The pool is closed: it ${what}`);
}

/**
 * Whether a value is an error raised by rwsplit, also by another copy or version of the package.
 *
 * ```ts
 * import { createReplicatedPool, isRwSplitError } from '@rwsplit/core';
 *
 * try {
 *   createReplicatedPool({ primary: 'not a URL' });
 * } catch (error) {
 *   if (isRwSplitError(error) && error.code === 'RWSPLIT_OPTIONS') console.error(error.message);
 * }
 * ```
 */
export function isRwSplitError(value: unknown): value is RwSplitError {
  return typeof value === 'object' && value !== null && brand in value;
}
