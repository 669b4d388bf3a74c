/** Says what a value should have been, or `null` if it is right. */
export type Check = (value: unknown) => string | null;

/** An option that is left out, or given as `undefined`, is right. */
export function check(inner: Check): Check {
  return (value) => (value === undefined ? null : inner(value));
}

export function oneOf(values: readonly string[]): Check {
  const expected = values.map((value) => `'${value}'`).join(' or ');
  return (value) => (values.some((one) => one === value) ? null : expected);
}

export function positiveInteger(unit: string): Check {
  return (value) =>
    Number.isSafeInteger(value) && Number(value) > 0 ? null : `a positive integer (${unit})`;
}

/** Node's timers know no longer time; for one they wait a millisecond. */
const longestTimer = 2 ** 31 - 1;

/** A time in milliseconds that a timer can wait. */
export const duration: Check = (value) =>
  Number.isSafeInteger(value) && Number(value) > 0 && Number(value) <= longestTimer
    ? null
    : `a positive integer up to ${longestTimer} (milliseconds)`;

export const durationOrZero = durationOr(0);
export const durationOrFalse = durationOr(false);

/** The same, or one value that stands for none. */
function durationOr(none: 0 | false): Check {
  return (value) => {
    const expected = value === none ? null : duration(value);
    return expected === null ? null : `${expected} or ${none}`;
  };
}

export const boolean: Check = (value) => (typeof value === 'boolean' ? null : 'true or false');

export const count: Check = (value) =>
  Number.isSafeInteger(value) && Number(value) >= 0 ? null : 'an integer that is not negative';

export const weight: Check = (value) =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0
    ? null
    : 'a number that is not negative';

export function text(meaning: string): Check {
  return (value) => (typeof value === 'string' && value.trim() !== '' ? null : meaning);
}

export function array(inner: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) {
      return `an array of ${inner(undefined) ?? 'values'}`;
    }
    const wrong = value.map(inner).find((problem) => problem !== null);
    return wrong === undefined ? null : `an array of ${wrong}`;
  };
}

export const func: Check = (value) => (typeof value === 'function' ? null : 'a function');

/** A value as an error message may show it: short, and never what could be a secret. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > 40 ? `a string of ${value.length} characters` : `'${value}'`;
    case 'number':
    case 'boolean':
    case 'bigint':
    case 'undefined':
      return String(value);
    case 'object':
      return value === null
        ? 'null'
        : Array.isArray(value)
          ? `an array of ${value.length}`
          : 'an object';
    default:
      return `a ${typeof value}`;
  }
}

/**
 * Finds unknown keys and wrong values.
 *
 * @param place how messages name the object; empty for the top.
 */
export function problemsOf(
  given: object,
  checks: Readonly<Record<string, Check>>,
  place: string,
): string[] {
  return Object.entries(given).flatMap(([key, value]) => {
    const known = Object.hasOwn(checks, key) ? checks[key] : undefined;
    const path = place === '' ? key : `${place}.${key}`;
    if (known === undefined) {
      return [`${path}: unknown option${suggestion(key, Object.keys(checks))}`];
    }
    const expected = known(value);
    return expected === null ? [] : [`${path}: expected ${expected}, found ${shown(value)}`];
  });
}

/** `; did you mean 'x'?` for the known key that differs in the fewest letters, if few enough. */
export function suggestion(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return near === null ? '' : `; did you mean '${near}'?`;
}

/** The known word within a third of its length in edits, or `null`. */
export function nearest(word: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein's distance, row by row. */
function editDistance(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const substitution = one[row - 1] === other[column - 1] ? 0 : 1;
      current.push(
        Math.min(
          (previous[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (previous[column - 1] ?? 0) + substitution,
        ),
      );
    }
    previous = current;
  }
  return previous[other.length] ?? 0;
}
