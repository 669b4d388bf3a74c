import type { Flavor } from '../support/servers/flavor.ts';
import type { Judged } from './replay.ts';

/** What makes a read unsafe although nothing in its text says so. */
export type Residual =
  /** A view that calls a stored function, or reads a variable through one. */
  | 'view over a stored function'
  /** A column whose value is an expression with a user variable (MariaDB). */
  | 'generated column'
  /** `WHERE auto_inc IS NULL` finds the last inserted row (`sql_auto_is_null`). */
  | 'sql_auto_is_null';

interface Row {
  readonly flavor: Flavor;
  readonly file: string;
  /** The text, or how it begins. */
  readonly sql: string;
  readonly residual: Residual;
}

/** Every hazard of the test suites that no text could show. */
export const residuals: readonly Row[] = [];

/** Why this hazard cannot be seen in its text; `undefined` if it is not in the list. */
export function explain(flavor: Flavor, { file, sql }: Judged): Residual | undefined {
  return residuals.find(
    (row) => row.flavor === flavor && row.file === file && sql.startsWith(row.sql),
  )?.residual;
}
