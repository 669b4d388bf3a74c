import { isIdentifier, isSpace } from './characters.ts';
import type { TextReason } from './facts.ts';

/**
 * Hints that change how a statement runs and nothing else (MySQL manual, "Optimizer Hints";
 * MariaDB manual, "Optimizer Hints"). RESOURCE_GROUP moves the thread for this statement only.
 */
const harmless = new Set(
  (
    'bka bnl derived_condition_pushdown group_index hash_join index index_merge join_fixed_order ' +
    'join_index join_order join_prefix join_suffix max_execution_time merge mrr no_bka no_bnl ' +
    'no_derived_condition_pushdown no_group_index no_hash_join no_icp no_index no_index_merge ' +
    'no_join_index no_merge no_mrr no_order_index no_range_optimization no_rowid_filter ' +
    'no_semijoin no_skip_scan no_split_materialized order_index qb_name resource_group ' +
    'rowid_filter semijoin skip_scan split_materialized subquery'
  ).split(' '),
);

/** Quotes and what may join with bound values; see {@link quotesAreClosed}. */
const SUSPICIOUS = /[\\?:]/;

/**
 * Judges the content `sql[start, end)` of an optimizer hint comment: `null` if it is harmless.
 * `SET_VAR` sets a variable of the session, `timestamp` even for good.
 */
export function judgeOptimizerHint(sql: string, start: number, end: number): TextReason | null {
  let at = start;
  while (at < end) {
    if (!isIdentifier(sql.charCodeAt(at))) {
      at++;
      continue;
    }
    const from = at;
    while (at < end && isIdentifier(sql.charCodeAt(at))) at++;
    const word = at - from > 64 ? '' : sql.slice(from, at).toLowerCase();
    if (word === 'set_var') return 'variable-hint';
    while (isSpace(sql.charCodeAt(at))) at++;
    if (sql.charCodeAt(at) === 40 && at < end && !harmless.has(word)) return 'unrecognised';
  }
  const content = sql.slice(start, end);
  return SUSPICIOUS.test(content) || !quotesAreClosed(content) ? 'unrecognised' : null;
}

/**
 * The server reads quotes inside a hint, so its end may be inside them: only one kind of quote,
 * an even number of times, leaves no doubt.
 */
function quotesAreClosed(content: string): boolean {
  const counts = ["'", '"', '`'].map((quote) => content.split(quote).length - 1);
  return counts.every((count) => count % 2 === 0) && counts.filter((count) => count > 0).length < 2;
}
