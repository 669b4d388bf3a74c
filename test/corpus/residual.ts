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
    file: 'suite/engines/funcs/t/ai_sql_auto_is_null.test',
    residual: 'sql_auto_is_null',
    texts: ['SELECT * FROM t1 WHERE c1 IS NULL'],
  },
  {
    flavor: 'mysql',
    file: 'suite/secondary_engine/t/query_preparation.test',
    residual: 'sql_auto_is_null',
    texts: ['EXPLAIN FORMAT=TREE SELECT * FROM t WHERE a IS NULL'],
  },
  {
    flavor: 'mysql',
    file: 'include/schema_read_only.inc',
    residual: 'view over a stored function',
    texts: ['SELECT * FROM test.v_test', 'SELECT * FROM test.v_s'],
  },
  {
    flavor: 'mysql',
    file: 't/func_rollback.test',
    residual: 'view over a stored function',
    texts: ['SELECT * FROM v1_func'],
  },
  {
    flavor: 'mysql',
    file: 'suite/rpl_nogtid/t/rpl_sp_effects.test',
    residual: 'view over a stored function',
    texts: ['select * from v1 order by f'],
  },
  {
    flavor: 'mariadb',
    file: 'main/check_constraint.test',
    residual: 'sql_auto_is_null',
    texts: ['select * from t1 where a is null'],
  },
  {
    flavor: 'mariadb',
    file: 'main/odbc.test',
    residual: 'sql_auto_is_null',
    texts: ['select * from t1 where a is null'],
  },
  {
    flavor: 'mariadb',
    file: 'suite/engines/funcs/t/ai_sql_auto_is_null.test',
    residual: 'sql_auto_is_null',
    texts: ['SELECT * FROM t1 WHERE c1 IS NULL'],
  },
  {
    flavor: 'mariadb',
    file: 'main/func_rollback.test',
    residual: 'view over a stored function',
    texts: ['SELECT * FROM v1_func'],
  },
  {
    flavor: 'mariadb',
    file: 'main/view_grant.test',
    residual: 'view over a stored function',
    texts: [
      'select * from vin',
      'select * from vdn',
      'select * from vil',
      'select * from vdl',
      'select * from vis',
      'select * from vds',
    ],
  },
  {
    flavor: 'mariadb',
    file: 'suite/rpl/t/rpl_sp_effects.test',
    residual: 'view over a stored function',
    texts: ['select * from v1 order by f'],
  },
  {
    flavor: 'mariadb',
    file: 'main/view.test',
    residual: 'view over a session function',
    texts: ['SELECT * FROM test.v_no_db'],
  },
  {
    flavor: 'mariadb',
    file: 'suite/sql_sequence/next.test',
    residual: 'view over a sequence',
    texts: ['select * from v1', 'Select * from v1'],
  },
  {
    flavor: 'mariadb',
    file: 'suite/sql_sequence/view.test',
    residual: 'view over a sequence',
    texts: ['select * from v2'],
  },
  {
    flavor: 'mariadb',
    file: 'suite/compat/oracle/t/sequence.test',
    residual: 'view over a sequence',
    texts: ['SELECT * FROM v1'],
  },
  {
    flavor: 'mariadb',
    file: 'suite/vcol/inc/vcol_trigger_sp.inc',
    residual: 'generated column',
    texts: ['select a,b,c,blob_a from t1'],
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
