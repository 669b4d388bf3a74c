import type { Flavor } from '../support/servers/flavor.ts';
import type { Judged } from './score.ts';

/** What makes a read unsafe although nothing in its text says so. */
export type Residual =
  /** A view that calls a stored function. */
  | 'view over a stored function'
  /** A view that asks for the session's state. */
  | 'view over a session function'
  /** A view that takes the next value of a sequence (MariaDB). */
  | 'view over a sequence'
  /** A column whose value is an expression with a user variable (MariaDB). */
  | 'generated column'
  /** `WHERE auto_inc IS NULL` finds the last inserted row (`sql_auto_is_null`). */
  | 'sql_auto_is_null'
  /**
   * No hazard: `LIMIT` among rows of equal rank, where each session has an answer of its own
   * because the server compares places in memory.
   */
  | 'tie';

interface Row {
  readonly flavor: Flavor;
  readonly file: string;
  readonly residual: Residual;
  /** The texts, white space aside. */
  readonly texts: readonly string[];
}

/** Every hazard of the test suites that no text could show. */
export const residuals: readonly Row[] = [
  {
    flavor: 'mysql',
    file: 't/odbc.test',
    residual: 'sql_auto_is_null',
    texts: [
      'select * from t1 where a is null',
      'SELECT a, a IS NULL FROM t1 WHERE a IS NULL',
      'SELECT * FROM t1 WHERE a IS NULL',
    ],
  },
  {
    flavor: 'mysql',
    file: 'include/schema_read_only.inc',
    residual: 'view over a stored function',
    texts: ['SELECT * FROM test.v_test', 'SELECT * FROM test.v_s'],
  },
  {
    flavor: 'mariadb',
    file: 'main/order_by.test',
    residual: 'tie',
    texts: [
      'select b, count(*) num_cnt from t1 where a > 9750 group by b order by num_cnt limit 1',
    ],
  },
];

/** Why this hazard cannot be seen in its text; `undefined` if it is not in the list. */
export function explain(flavor: Flavor, { file, sql }: Judged): Residual | undefined {
  const text = sql.trim().replace(/\s+/g, ' ');
  const isRow = (row: Row) =>
    row.flavor === flavor && row.file === file && row.texts.includes(text);
  return residuals.find(isRow)?.residual;
}
