/**
 * Words that answer like a function before a parenthesis, but are clause syntax: the lexer knows
 * them, the tables do not. `SELECT DISTINCT(a)` is no call. MariaDB takes `UNIQUE` for `DISTINCT`.
 */
export const clauseWords = `all distinct distinctrow high_priority not row sql_big_result
  sql_buffer_result sql_cache sql_calc_found_rows sql_no_cache sql_small_result straight_join
  unique`;

/**
 * Second spellings of interval units, which the grammar reads as the units: `SQL_TSI_DAY(d)` is
 * `DAY(d)`. No manual has them as functions, so they stay unknown.
 */
export const unitWords = `sql_tsi_day sql_tsi_hour sql_tsi_minute sql_tsi_month sql_tsi_quarter
  sql_tsi_second sql_tsi_week sql_tsi_year`;
