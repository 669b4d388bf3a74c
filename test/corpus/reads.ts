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

/** The rule that keeps this read on the primary; `null` if none does: then it is a miss. */
export function ruleFor(sql: string, facts: Facts, isStoredFunction: boolean): TextReason | null {
  const { reason, word } = facts;
  if (reason === null || rules.has(reason)) return reason;
  const isCall = reason === 'unknown-function' && word !== null;
  if (isCall && (isStoredFunction || namesStoredFunction(sql, word))) return reason;
  return plainRule(sql);
}

/** The rule for a variable or a system schema in a text that was given up for another reason. */
function plainRule(sql: string): TextReason | null {
  const text = sql.replace(/'[^']*'|"[^"]*"/g, "''");
  if (text.includes('@@')) return 'system-variable';
  if (text.includes('@')) return 'user-variable';
  const names = /\b(?:information_schema|performance_schema|mysql|sys)`?\s*\./i;
  return names.test(text) ? 'system-schema' : null;
}

/**
 * Whether a call is written so that it would reach a stored function: qualified, quoted, or apart
 * from its parenthesis (MySQL manual, "Function Name Parsing and Resolution").
 */
function namesStoredFunction(sql: string, name: string): boolean {
  const word = name.replace(/[^\w\u0080-\uffff]/g, '\\$&');
  return new RegExp(
    // `{oj (` begins a join (MySQL manual, "JOIN Clause").
    `(?:\\.\\s*|[\`"])${word}[\`"]?\\s*\\(|(?<!\\{\\s*)\\b${word}(?:\\s|/\\*.*?\\*/)+\\(`,
    'is',
  ).test(sql);
}
