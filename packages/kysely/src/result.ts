import type { QueryResult } from 'kysely';

/** What mysql2 answers to a statement that gives no rows. */
interface OkPacket {
  readonly insertId: number | string;
  readonly affectedRows: number;
  readonly changedRows?: number;
}

/** Kysely's form of what mysql2 answered; of several statements, the list of their answers. */
export function toQueryResult<R>(answer: unknown): QueryResult<R> {
  if (!isOkPacket(answer)) {
    return { rows: Array.isArray(answer) ? answer : [] };
  }
  const { insertId, affectedRows, changedRows } = answer;
  // The keys of the stock dialect, which are there without a value too.
  const result: { [Key in keyof QueryResult<R>]: QueryResult<R>[Key] | undefined } = {
    // mysql2 says 0 where nothing was generated.
    insertId: String(insertId) === '0' ? undefined : BigInt(insertId),
    numAffectedRows: BigInt(affectedRows),
    numChangedRows: changedRows === undefined ? undefined : BigInt(changedRows),
    rows: [],
  };
  return result as QueryResult<R>;
}

function isOkPacket(answer: unknown): answer is OkPacket {
  return (
    typeof answer === 'object' &&
    answer !== null &&
    'insertId' in answer &&
    'affectedRows' in answer
  );
}
