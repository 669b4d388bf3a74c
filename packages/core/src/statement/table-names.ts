/** A set of tables, named as `'t'` or `'db.t'`. */
export class TableNames {
  /** By the table's own name: the databases it was named with; `null` if it was named without. */
  readonly #databases = new Map<string, ReadonlySet<string> | null>();

  /** Adds a name; returns the identifiers that stand for its table, as they are spelled inside quotes. */
  add(name: string): string[] {
    const folded = foldName(name);
    // Inside quotes the text doubles them; `"` quotes names under ANSI_QUOTES.
    const spellings = new Set([folded.replaceAll('`', '``'), folded.replaceAll('"', '""')]);
    return [...spellings].flatMap((spelling) => this.#add(spelling));
  }

  #add(folded: string): string[] {
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
 * A name in lower case, character for character, as the servers fold it: `İ` is an `i`. A name is as
 * long in the vocabulary as in a text.
 */
export function foldName(name: string): string {
  const lower = name.toLowerCase();
  if (lower.length === name.length) return lower;
  return Array.from(name, (each) => {
    const folded = each === 'İ' ? 'i' : each.toLowerCase();
    return folded.length === each.length ? folded : each;
  }).join('');
}
