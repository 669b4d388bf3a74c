import { isSpace } from '../statement/characters.ts';

/** What a reader finds in its input. */
export type Item =
  /** A statement as its client sent it. `thread`: the connection that it came from, if known. */
  | { readonly kind: 'statement'; readonly sql: string; readonly thread: string | null }
  /** A connection was opened, closed or reset: what follows on this thread is another session. */
  | { readonly kind: 'session'; readonly thread: string }
  /** The server that wrote the log. */
  | { readonly kind: 'server'; readonly version: string }
  /** Something that is no statement, by the number of its line. */
  | { readonly kind: 'problem'; readonly line: number; readonly what: string };

/** Takes the lines of an input one after the other. */
export interface Reader {
  /** What the line completes. */
  line(text: string): Item[];
  /** What is left at the end of the input. */
  end(): Item[];
}

export function statement(sql: string, thread: string | null = null): Item {
  return { kind: 'statement', sql, thread };
}

/** Without what the servers take for white space at the ends; to `trim()` an identifier may be some. */
export function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text.charCodeAt(from))) from++;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}
