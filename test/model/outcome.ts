import { isRwSplitError } from '@rwsplit/core';

/** What a statement gave, in a form in which both sides can be compared. */
export type Outcome =
  | { readonly kind: 'result'; readonly value: unknown }
  | { readonly kind: 'error'; readonly errno: number | string }
  /** rwsplit refused it; the server never saw it. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** Transaction, autocommit and read-only transaction, of the protocol's status flags. */
const statusFlags = 1 | 2 | 0x2000;

/** Runs a statement to its outcome; `side` is what the names of the side's databases begin with. */
export async function outcomeOf(side: string, run: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { kind: 'result', value: plain(await run(), side) };
  } catch (error) {
    if (isRwSplitError(error)) {
      return { kind: 'refused', code: error.code, message: error.message };
    }
    return { kind: 'error', errno: numberOf(error) };
  }
}

/** The server's number of an error; for another error what it says. */
function numberOf(error: unknown): number | string {
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') {
    return error.errno;
  }
  return String(error);
}

function plain(value: unknown, side: string): unknown {
  if (typeof value === 'string') return value.replaceAll(side, 'db');
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map((item) => plain(item, side));
  if (value instanceof Date || typeof value !== 'object' || value === null) return value;
  if ('affectedRows' in value) return plainAnswer(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, side)]));
}

function plainAnswer(answer: object): unknown {
  const { affectedRows, insertId, changedRows, warningStatus, serverStatus } = answer as Record<
    string,
    unknown
  >;
  const status = serverStatus === undefined ? undefined : Number(serverStatus) & statusFlags;
  return {
    affectedRows: Number(affectedRows),
    insertId: Number(insertId),
    changedRows: Number(changedRows),
    warnings: warningStatus,
    status,
  };
}

/** What Kysely keeps of the outcome of a statement. */
export function asKyselySeesIt(outcome: Outcome): Outcome {
  if (outcome.kind !== 'result') return outcome;
  const { value } = outcome;
  if (typeof value !== 'object' || value === null || !('affectedRows' in value)) return outcome;
  const { affectedRows, insertId, changedRows } = value as Record<string, unknown>;
  return { kind: 'result', value: { affectedRows, insertId, changedRows } };
}

export function isSame(one: Outcome, other: Outcome): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

export function show(outcome: Outcome | null): string {
  return outcome === null ? 'success' : JSON.stringify(outcome);
}
