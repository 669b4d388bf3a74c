import { GeneralLog, isLogLine } from './general-log.ts';
import type { Item, Reader } from './items.ts';
import { JsonLines } from './json-lines.ts';
import { SqlFile } from './sql-file.ts';
import type { Format } from './usage.ts';

/** Lines with something in them that are looked at before an input counts as SQL. */
const mostLines = 20;

/** A reader for this format; for `null` it is guessed from the first lines. */
export function readerFor(format: Format | null, onGuess: (format: Format) => void): Reader {
  switch (format) {
    case null:
      return new GuessingReader(onGuess);
    case 'sql':
      return new SqlFile();
    case 'jsonl':
      return new JsonLines();
    case 'general-log':
      return new GeneralLog();
  }
}

/** Keeps lines until one of them tells what they are. */
class GuessingReader implements Reader {
  readonly #onGuess: (format: Format) => void;
  readonly #kept: string[] = [];
  #lines = 0;
  #reader: Reader | null = null;

  constructor(onGuess: (format: Format) => void) {
    this.#onGuess = onGuess;
  }

  line(text: string): Item[] {
    if (this.#reader !== null) {
      return this.#reader.line(text);
    }
    this.#kept.push(text);
    const format = this.#guess(text);
    return format === null ? [] : this.#decide(format);
  }

  end(): Item[] {
    const kept = this.#reader === null ? this.#decide('sql') : [];
    return [...kept, ...(this.#reader?.end() ?? [])];
  }

  #guess(line: string): Format | null {
    if (isLogLine(line)) {
      return 'general-log';
    }
    if (line.trim() === '') {
      return null;
    }
    this.#lines++;
    // No statement begins with a brace.
    const isObject = this.#lines === 1 && line.trimStart().startsWith('{');
    if (isObject) {
      return 'jsonl';
    }
    return this.#lines === mostLines ? 'sql' : null;
  }

  #decide(format: Format): Item[] {
    this.#onGuess(format);
    const reader = readerFor(format, this.#onGuess);
    this.#reader = reader;
    return this.#kept.splice(0).flatMap((line) => reader.line(line));
  }
}
