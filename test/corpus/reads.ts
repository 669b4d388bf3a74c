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
  const isCall = reason === 'unknown-function';
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

/** Names that are built in only where they touch their parenthesis (same section). */
const touching = new Set(
  (
    'adddate bit_and bit_or bit_xor cast count curdate curtime date_add date_sub extract ' +
    'group_concat max mid min now position session_user std stddev stddev_pop stddev_samp subdate ' +
    'substr substring sum sysdate system_user trim variance var_pop var_samp'
  ).split(' '),
);

/**
 * Whether a call is written so that it would reach a stored function: qualified, quoted, or, for
 * some names, apart from its parenthesis (MySQL manual, "Function Name Parsing and Resolution").
 */
function namesStoredFunction(sql: string, name: string | null): boolean {
  const word = name?.replace(/[^\w\u0080-\uffff]/g, '\\$&') ?? '[^`"]+';
  const marked = new RegExp(`(?:\\.\\s*|[\`"])${word}[\`"]?\\s*\\(`, 'i');
  const apart = new RegExp(`\\b${word}(?:\\s|/\\*.*?\\*/)+\\(`, 'is');
  return marked.test(sql) || (name !== null && touching.has(name) && apart.test(sql));
}
