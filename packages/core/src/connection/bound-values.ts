/** Nesting that is looked into; anything deeper counts as code. */
const deepest = 4;

/**
 * Whether mysql2 would write a bound value into the statement as code. It inlines the values of
 * `query()`, and takes the text of an object's `toSqlString()`, such as `mysql.raw('NOW()')`, as it
 * is. Source: sql-escaper, which mysql2 uses.
 */
export function carriesCode(values: unknown): boolean {
  return values !== undefined && holdsCode(values, 0);
}

function holdsCode(value: unknown, depth: number): boolean {
  if (typeof value === 'function') {
    return true;
  }
  if (typeof value !== 'object' || value === null || isOpaque(value)) {
    return false;
  }
  if (depth > deepest || 'toSqlString' in value) {
    return true;
  }
  if (Array.isArray(value)) {
    return value.some((element) => holdsCode(element, depth + 1));
  }
  for (const key in value) {
    if (holdsCode((value as Record<string, unknown>)[key], depth + 1)) {
      return true;
    }
  }
  return false;
}

/** Values that mysql2 turns into one quoted literal, unless somebody gave them a `toSqlString`. */
function isOpaque(value: object): boolean {
  return (value instanceof Date || ArrayBuffer.isView(value)) && !('toSqlString' in value);
}
