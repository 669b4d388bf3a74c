/** A set of tables, named as `'t'` or `'db.t'`. */
export class TableNames {
  /** By the table's own name: the databases it was named with; `null` if it was named without. */
  readonly #databases = new Map<string, ReadonlySet<string> | null>();

  /** Adds a name; returns the identifiers that stand for its table, spelled as inside backquotes. */
  add(name: string): string[] {
    // Inside backquotes the text doubles them.
    const folded = foldName(name).replaceAll('`', '``');
    if (!folded.includes('.')) {
      this.#databases.set(folded, null);
      return [folded];
    }
    const tables: string[] = [];
    // Of several points, any may be the one behind the database.
    for (let dot = folded.indexOf('.'); dot >= 0; dot = folded.indexOf('.', dot + 1)) {
      const table = folded.slice(dot + 1);
      const known = this.#databases.get(table);
      if (known !== null) {
        this.#databases.set(table, new Set([...(known ?? []), folded.slice(0, dot)]));
      }
      tables.push(table);
    }
    return tables;
  }

  /** Whether `database.table` may be one of them; a database of `null` may be any. */
  mayHave(table: string, database: string | null): boolean {
    const databases = this.#databases.get(table);
    if (databases === undefined) return false;
    return databases === null || database === null || databases.has(foldName(database));
  }
}

/**
 * A name in lower case, character for character: one whose lower case has another length, such as
 * `İ`, stays, so that a name is as long in the vocabulary as in a text.
 */
export function foldName(name: string): string {
  const lower = name.toLowerCase();
  if (lower.length === name.length) return lower;
  return Array.from(name, (each) =>
    each.toLowerCase().length === each.length ? each.toLowerCase() : each,
  ).join('');
}
