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

const SET_VAR = 'set_var';
/** Longer than any name of a hint. */
const MAX_NAME = 64;

/**
 * Judges the content `sql[start, end)` of an optimizer hint comment: `null` if it is harmless.
 * `SET_VAR` sets a variable of the session, `timestamp` even for good.
 *
 * The server reads quotes inside a hint, so its end may be inside them: only one kind of quote,
 * an even number of times, leaves no doubt. A backslash may escape one, and `?` and `:` may join
 * with bound values.
 */
export function judgeOptimizerHint(sql: string, start: number, end: number): TextReason | null {
  let open = 0;
  let kinds = 0;
  let isDoubtful = false;
  let at = start;
  while (at < end) {
    const code = sql.charCodeAt(at);
    if (isIdentifier(code)) {
      const from = at;
      while (at < end && isIdentifier(sql.charCodeAt(at))) at++;
      if (isWord(sql, from, at, SET_VAR)) return 'variable-hint';
      if (isCalled(sql, at, end) && !isHarmless(sql, from, at)) isDoubtful = true;
    } else {
      const quote = quoteBit(code);
      open ^= quote;
      kinds |= quote;
      if (code === 92 || code === 63 || code === 58) isDoubtful = true;
      at++;
    }
  }
  const isOneKind = (kinds & (kinds - 1)) === 0;
  return isDoubtful || open !== 0 || !isOneKind ? 'unrecognised' : null;
}

/** A bit for each of `'`, `"` and `` ` ``; 0 for all else. */
function quoteBit(code: number): number {
  if (code === 39) return 1;
  if (code === 34) return 2;
  return code === 96 ? 4 : 0;
}

function isWord(sql: string, from: number, to: number, word: string): boolean {
  return to - from === word.length && sql.slice(from, to).toLowerCase() === word;
}

function isHarmless(sql: string, from: number, to: number): boolean {
  return to - from <= MAX_NAME && harmless.has(sql.slice(from, to).toLowerCase());
}

/** Whether a parenthesis follows, perhaps behind white space. */
function isCalled(sql: string, behind: number, end: number): boolean {
  let at = behind;
  while (isSpace(sql.charCodeAt(at))) at++;
  return at < end && sql.charCodeAt(at) === 40;
}
