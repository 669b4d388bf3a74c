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
  return {
    // mysql2 says 0 where nothing was generated.
    ...(String(insertId) === '0' ? {} : { insertId: BigInt(insertId) }),
    numAffectedRows: BigInt(affectedRows),
    ...(changedRows === undefined ? {} : { numChangedRows: BigInt(changedRows) }),
    rows: [],
  };
}

function isOkPacket(answer: unknown): answer is OkPacket {
  return (
    typeof answer === 'object' &&
    answer !== null &&
    'insertId' in answer &&
    'affectedRows' in answer
  );
}
