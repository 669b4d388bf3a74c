/**
 * The status flags of an answer as mysql2 gives it: an OK packet has them, a result set does not;
 * with several results, the last one with flags counts.
 */
export function serverStatusOf(result: unknown): number | null {
  if (Array.isArray(result)) {
    return isHeader(result[0]) || isHeader(result.at(-1)) ? statusOfLast(result) : null;
  }
  return isHeader(result) ? result.serverStatus : null;
}

function statusOfLast(results: readonly unknown[]): number | null {
  const header = results.findLast(isHeader);
  return header === undefined ? null : header.serverStatus;
}

interface Header {
  readonly serverStatus: number;
}

/** By its class: a row has none, whatever its columns are called. */
function isHeader(value: unknown): value is Header {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value)?.constructor?.name === 'ResultSetHeader' &&
    'serverStatus' in value &&
    typeof value.serverStatus === 'number'
  );
}

/** The answer to a ROLLBACK for which the server has no transaction any more: done. */
export function rolledBack(): object {
  return {
    fieldCount: 0,
    affectedRows: 0,
    insertId: 0,
    info: '',
    serverStatus: 2,
    warningStatus: 0,
    changedRows: 0,
  };
}
