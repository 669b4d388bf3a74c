import { type Item, type Reader, statement } from './items.ts';

/** Reads one JSON object with a string `sql` per line. */
export class JsonLines implements Reader {
  #number = 0;

  line(text: string): Item[] {
    this.#number++;
    if (text.trim() === '') {
      return [];
    }
    const sql = sqlIn(text);
    return sql === null ? [this.#problem()] : [statement(sql)];
  }

  end(): Item[] {
    return [];
  }

  #problem(): Item {
    return { kind: 'problem', line: this.#number, what: 'expected {"sql": "…"}' };
  }
}

function sqlIn(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null;
    return isObject && 'sql' in value && typeof value.sql === 'string' ? value.sql : null;
  } catch {
    return null;
  }
}
