import type { Insert } from './session.ts';

/** Longer texts are not looked through: the server is asked. */
const longest = 65_536;

/** `INSERT INTO t (a, b) VALUES (?, 1), …` up to its rows. */
const opening =
  /^\s*(?:insert|replace)\s+(?:ignore\s+)?(?:into\s+)?[\w$`.]+\s*(?:\([\w$`.,\s]*\)\s*)?values?\s*\(/i;

/** Rows of nothing but placeholders, numbers and empty words: no expression can make an id. */
const rows = /^[\s(),?\d.]*(?:(?:null|default|true|false)[\s(),?\d.]*)*$/i;

/**
 * Whether the server has generated the id that it told, so that LAST_INSERT_ID() says it too. It tells
 * an id that was given as well (measured), and that one LAST_INSERT_ID() does not know. A given id
 * stands in the text or among the bound values.
 */
export function isOwnInsertId({ statement, insertId }: Insert): boolean {
  const { sql, values } = statement;
  if (sql.length > longest || sql.includes(insertId) || holds(values, insertId)) {
    return false;
  }
  const start = opening.exec(sql)?.[0].length;
  return start !== undefined && rows.test(sql.slice(start - 1));
}

function holds(values: unknown, insertId: string): boolean {
  if (Array.isArray(values)) {
    return values.some((value) => holds(value, insertId));
  }
  switch (typeof values) {
    case 'string':
      // '5 apples' is 5 to the server, and '4.6' may be.
      return /^\s*[-+.\d]/.test(values) && (!/^\d+$/.test(values) || values === insertId);
    case 'number':
      return !Number.isSafeInteger(values) || String(values) === insertId;
    case 'bigint':
      return String(values) === insertId;
    case 'boolean':
      return insertId === '1';
    default:
      // What an object becomes in the text is not looked at here.
      return typeof values === 'object' && values !== null && !(values instanceof Date);
  }
}
