import { isIdentifier, isSpace } from './characters.ts';

/**
 * Whether the placeholder `sql[start, end)` cannot join with what stands beside it, whatever
 * mysql2 puts in its place: a quoted string, a number, a list, a name in backquotes, or nothing
 * at all (an empty array).
 */
export function placeholderStandsAlone(
  sql: string,
  start: number,
  end: number,
  isName: boolean,
): boolean {
  const before = sql.charCodeAt(start - 1);
  const after = sql.charCodeAt(end);
  if (joins(before, isName) || joins(after, isName)) return false;
  // `--?` would begin a comment if nothing is put there.
  if (before === 45 && sql.charCodeAt(start - 2) === 45) return false;
  // Two operators would become one: `/?*`, `-?-`.
  return separates(before) || separates(after);
}

/** Identifier characters, quotes, another placeholder, `@`, `\`, and a point if it would be a number's. */
function joins(code: number, isName: boolean): boolean {
  if (code === 46) return !isName;
  return isIdentifier(code) || JOINING.includes(code);
}

/** `'` `"` `` ` `` `?` `:` `@` `\` */
const JOINING: readonly number[] = [39, 34, 96, 63, 58, 64, 92];

/** White space, `(`, `)`, `,`, `;`, and the ends of the text. */
function separates(code: number): boolean {
  return (
    Number.isNaN(code) || isSpace(code) || code === 40 || code === 41 || code === 44 || code === 59
  );
}

/** Whether this content of a plain comment asks for the primary. */
export function isRoutingHint(comment: string): boolean {
  return comment.trim().toLowerCase() === 'route:primary';
}
