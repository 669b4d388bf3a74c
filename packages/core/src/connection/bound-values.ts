/** Nesting that is looked into; anything deeper counts as code that nobody knows. */
const deepest = 4;

const none: readonly string[] = [];

/** Stands for code whose text is not known: no statement reads like this. */
const unknownCode = '\0';

/**
 * The texts among bound values that mysql2 writes into the statement as code. It inlines the values
 * of `query()`, and takes the text of an object's `toSqlString()`, such as `mysql.raw('NOW()')`, as
 * it is. Source: sql-escaper, which mysql2 uses.
 */
export function codeIn(values: unknown): readonly string[] {
  if (typeof values !== 'object' || values === null) {
    return typeof values === 'function' ? [unknownCode] : none;
  }
  return mayHoldCode(values) ? collected(values) : none;
}

/** Tells the usual values, a flat list of text, numbers and the like, without making anything. */
function mayHoldCode(values: object): boolean {
  return (
    !Array.isArray(values) ||
    elementsOf(values).some(
      (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
    )
  );
}

function collected(values: object): string[] {
  const code: string[] = [];
  collect(values, 0, code);
  return code;
}

function collect(value: unknown, depth: number, code: string[]): void {
  if (typeof value === 'function') {
    code.push(unknownCode);
  } else if (typeof value === 'object' && value !== null) {
    collectFromObject(value, depth, code);
  }
}

function collectFromObject(value: object, depth: number, code: string[]): void {
  if ('toSqlString' in value) {
    code.push(textOf(value.toSqlString, value));
  } else if (isLiteral(value)) {
    // One quoted literal.
  } else if (depth > deepest || value instanceof Set || value instanceof Map) {
    code.push(unknownCode);
  } else if (Array.isArray(value)) {
    for (const element of elementsOf(value)) {
      collect(element, depth + 1, code);
    }
  } else {
    for (const key in value) {
      collect((value as Record<string, unknown>)[key], depth + 1, code);
    }
  }
}

function textOf(toSqlString: unknown, owner: object): string {
  try {
    return typeof toSqlString === 'function' ? String(toSqlString.call(owner)) : unknownCode;
  } catch {
    return unknownCode;
  }
}

/**
 * Whether the values are all of kinds whose text is known: primitive ones, dates, bytes, lists and
 * plain objects of these. Anything else may have a getter or a `toString` that makes code.
 */
export function areRecognised(values: unknown, depth = 0): boolean {
  if (typeof values !== 'object' || values === null) {
    return typeof values !== 'function' && typeof values !== 'symbol';
  }
  if ('toSqlString' in values || depth > deepest) {
    return false;
  }
  if (isLiteral(values)) {
    return true;
  }
  if (Array.isArray(values)) {
    return elementsOf(values).every((value) => areRecognised(value, depth + 1));
  }
  if (!isPlain(values)) {
    return false;
  }
  return Object.values(Object.getOwnPropertyDescriptors(values)).every(
    ({ get, value }) => get === undefined && areRecognised(value, depth + 1),
  );
}

/** By index, as mysql2 reads them: a class of lists may have other methods. */
function elementsOf(values: readonly unknown[]): readonly unknown[] {
  return Object.getPrototypeOf(values) === Array.prototype
    ? values
    : Array.from({ length: values.length }, (_, index) => values[index]);
}

/** What becomes one quoted literal. */
function isLiteral(value: object): boolean {
  const tag = Object.prototype.toString.call(value);
  return (
    tag === '[object Date]' || tag.startsWith('[object Temporal.') || ArrayBuffer.isView(value)
  );
}

/** Also those of another realm, as in tests that run in one of their own. */
function isPlain(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty'))
  );
}

/** Whether a text among bound values matches; for what nests too deep, or throws: it does. */
export function hasText(values: unknown, pattern: RegExp, depth = 0): boolean {
  if (typeof values === 'string') {
    return pattern.test(values);
  }
  if (typeof values !== 'object' || values === null || ArrayBuffer.isView(values)) {
    return false;
  }
  try {
    return (
      depth > deepest ||
      Object.entries(values).some(
        ([key, value]) => pattern.test(key) || hasText(value, pattern, depth + 1),
      )
    );
  } catch {
    return true;
  }
}
