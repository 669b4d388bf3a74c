import type { Row } from './topology.ts';

/** A column as text; empty for NULL and for a column that is not there. */
export function textOf(row: Row, column: string): string {
  const value = row[column] ?? '';
  return typeof value === 'string' ? value : String(value);
}

/** A column as a number: drivers give decimals and big integers as text. `null` if it is none. */
export function numberOf(row: Row, column: string): number | null {
  const text = textOf(row, column);
  const number = Number(text);
  return text === '' || !Number.isFinite(number) ? null : number;
}

/**
 * Whether a switch is on. What is not known to mean off is on, since these switches all take something
 * away: `read_only` has been ON, NO_LOCK or NO_LOCK_NO_ADMIN since MariaDB 12.0 (MDEV-36425). A column
 * that is not there is off: the server has no such switch.
 */
export function isOn(row: Row, column: string): boolean {
  return !['', '0', 'OFF', 'FALSE'].includes(textOf(row, column).toUpperCase());
}
