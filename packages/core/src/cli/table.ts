import type { Role } from '../routing/reasons.ts';
import { isSpace } from '../statement/characters.ts';
import { lineCommentContent, lineEnd } from '../statement/comments.ts';

/** Widths of the columns before the SQL. */
const roleWidth = 7;
const reasonWidth = 28;
const gap = '  ';
/** Width of a line where nothing says how wide a line may be, and the least for the SQL. */
const defaultWidth = 160;
const leastSql = 40;
/** Longest part of a statement that is looked at for one line. */
const longestShown = 2_000;

/** How a reason and its word are shown. */
export function reasonText(reason: string, word: string | null): string {
  return word === null ? reason : `${reason} (${oneLine(word, 64)})`;
}

/** One line of the list of statements. */
export function statementLine(role: Role, reason: string, sql: string, columns: number): string {
  const start = `${role.padEnd(roleWidth)}${gap}${reason.padEnd(reasonWidth)}${gap}`;
  return `${start}${oneLine(sql, Math.max(leastSql, columns - start.length))}\n`;
}

/** The line above the statements. */
export const statementHeader = `${'role'.padEnd(roleWidth)}${gap}${'reason'.padEnd(reasonWidth)}${gap}sql\n`;

/** How wide a line is: as wide as the terminal, or a good deal for a file. */
export function widthOf(output: { readonly columns?: number | undefined }): number {
  return output.columns !== undefined && output.columns > 0 ? output.columns : defaultWidth;
}

/**
 * A statement on one line of at most `width` characters: without the comments before it, white space
 * as single blanks, and nothing that a terminal would take for a command.
 */
export function oneLine(sql: string, width: number): string {
  const from = behindComments(sql);
  const text = sql
    .slice(from, from + longestShown)
    .replace(/\s+/g, ' ')
    .replace(/\p{C}/gu, '·')
    .trim();
  const isCut = text.length > width || sql.length > from + longestShown;
  return isCut ? `${text.slice(0, width - 1)}…` : text;
}

/** Where the first word stands; the start of a text that is only comments. */
function behindComments(sql: string): number {
  for (let at = 0; at < sql.length; ) {
    const code = sql.charCodeAt(at);
    if (isSpace(code)) {
      at++;
    } else if (sql.startsWith('/*', at) && !/[!+M]/.test(sql.charAt(at + 2))) {
      const end = sql.indexOf('*/', at + 2);
      if (end < 0) return 0;
      at = end + 2;
    } else if ((code === 35 || code === 45) && lineCommentContent(sql, at) >= 0) {
      at = lineEnd(sql, at);
    } else {
      return at;
    }
  }
  return 0;
}
/** Rows with columns as wide as their widest cell; numbers stand to the right. */
export function alignedRows(rows: readonly (readonly (string | number)[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, String(cell).length);
    }
  }
  const line = (row: readonly (string | number)[]): string =>
    row
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width);
      })
      .join(gap)
      .trimEnd();
  return rows.map((row) => `  ${line(row)}\n`).join('');
}
