import type { Facts, TextReason } from '../../packages/core/src/statement/facts.ts';
import { withoutLeadingComments } from './skip.ts';

/**
 * Whether a text begins like a read, seen without the classifier: a query, perhaps in parentheses,
 * or EXPLAIN of one.
 */
export function looksLikeRead(sql: string): boolean {
  const text = withoutLeadingComments(sql).replace(/^[\s(]+/, '');
  if (/^(?:SELECT|WITH|VALUES|TABLE)\b/i.test(text)) return true;
  return (
    /^(?:EXPLAIN|DESC|DESCRIBE|ANALYZE)\b[^;]*?\b(?:SELECT|WITH|VALUES|TABLE)\b/i.test(text) &&
    !/^ANALYZE\s+(?:LOCAL\s+|NO_WRITE_TO_BINLOG\s+)?TABLE/i.test(text)
  );
}

/** Reasons that are rules of their own: what they keep on the primary, they are meant to. */
const rules: ReadonlySet<TextReason> = new Set<TextReason>([
  'multiple-statements',
  'writes',
  'into',
  'locking-read',
  'user-variable',
  'system-variable',
  'session-function',
  'unsafe-function',
  'calc-found-rows',
  'variable-hint',
  'show',
  'system-schema',
  'primary-table',
]);

/**
 * Built-in functions that a stored function of their name can stand in for, which makes them as
 * unknown as that: POINT with one argument is no built-in of MariaDB.
 */
const replaceable: ReadonlySet<string> = new Set(['point']);

/** Whether a rule keeps this read on the primary; otherwise it is a miss. */
export function isExcluded({ reason, word }: Facts, isStoredFunction: boolean): boolean {
  if (reason === null) return false;
  const isUnknown = isStoredFunction || replaceable.has(word ?? '');
  return rules.has(reason) || (reason === 'unknown-function' && isUnknown);
}
