/** What the servers' catalogue knows of names and no text shows. Names in any case. */
export interface CatalogueNames {
  /**
   * Views and tables, as `'db.name'`, whose definition hides what would keep a text on the
   * primary: a view over a stored function, a generated column with a user variable. A text that
   * has an identifier of that name anywhere, in that database or without one, counts.
   */
  readonly unsafeTables: readonly string[];
  /**
   * Stored or loadable functions, without their database, that a call without one reaches
   * although the tables say that the name is a pure built-in.
   */
  readonly shadowingFunctions: readonly string[];
}
