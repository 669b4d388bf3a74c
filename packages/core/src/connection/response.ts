import type { Response } from '../session/response.ts';

/**
 * What an answer as mysql2 gives it says of its session: an OK packet has status flags, a result set
 * does not; with several results, the last one with flags counts.
 */
export function responseOf(result: unknown): Response {
  const headers = headersOf(result);
  const header = headers.at(-1);
  if (header === undefined) {
    return withoutHeader;
  }
  const { serverStatus, insertId, stateChanges } = header;
  const hasInsertId = insertId !== undefined && String(insertId) !== '0';
  return {
    serverStatus,
    insertId: hasInsertId ? String(insertId) : null,
    // mysql2 misreads what the tracker says, but not that it says something.
    hasChangedState: (stateChanges?.trackStateChange ?? null) !== null,
    gtids: gtidsOf(headers),
    hasRows: Array.isArray(result) && headers.length < result.length,
    isIdle: header.affectedRows === 0,
  };
}

const withoutHeader: Response = {
  serverStatus: null,
  insertId: null,
  hasChangedState: false,
  gtids: null,
  hasRows: true,
  isIdle: false,
};

const mostResults = 32;

function headersOf(result: unknown): readonly Header[] {
  if (Array.isArray(result)) {
    // Rows are no headers; results of several statements are few.
    return result.slice(-mostResults).filter(isHeader);
  }
  return isHeader(result) ? [result] : [];
}

/** Each statement of several tells of its own. */
function gtidsOf(headers: readonly Header[]): Response['gtids'] {
  const changes = headers.flatMap(({ stateChanges }) => stateChanges ?? []);
  const ofMysql = changes.flatMap(({ gtids }) => gtids ?? []);
  if (ofMysql.length > 0) {
    return { text: ofMysql.join(','), dialect: 'mysql' };
  }
  const ofMariadb = changes.flatMap(({ systemVariables }) => systemVariables?.['last_gtid'] || []);
  return ofMariadb.length > 0 ? { text: ofMariadb.join(','), dialect: 'mariadb' } : null;
}

interface Header {
  readonly serverStatus: number;
  readonly insertId?: number | string;
  readonly affectedRows?: number;
  readonly stateChanges?: {
    readonly trackStateChange?: unknown;
    readonly gtids?: readonly string[];
    readonly systemVariables?: Readonly<Record<string, string>>;
  };
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
