/** A stored function, as the catalogue has it. */
export interface FunctionRow {
  readonly database: string;
  readonly name: string;
  /** Whether it is declared DETERMINISTIC, and NO SQL or READS SQL DATA. No server checks that. */
  readonly isDeclaredPure: boolean;
}

/** A view and its query. */
export interface ViewRow {
  readonly database: string;
  readonly name: string;
  /** Empty where the account lacks the right to see it (SHOW VIEW). */
  readonly body: string;
}

/** A column that is computed when it is read. */
export interface ColumnRow {
  readonly database: string;
  readonly table: string;
  readonly expression: string;
}

/** What may be missing in what was read: for lack of a right, for its size, or because it took too long. */
export const catalogueParts = [
  'functions',
  'views',
  /** Some of them; each such view counts as unsafe. */
  'view bodies',
  'generated columns',
  /** The names of tables: views may read some that this account does not see. */
  'tables',
] as const;

/** One of {@link catalogueParts}. */
export type CataloguePart = (typeof catalogueParts)[number];

/** What one server's catalogue says, apart from its own schemas. */
export interface CatalogueRows {
  /** The server's `VERSION()`. */
  readonly version: string;
  /** The current database of a connection after its set-up. */
  readonly database: string | null;
  /** `sql_auto_is_null` of such a connection: `IS NULL` then asks for the last insert. */
  readonly autoIsNull: boolean;
  readonly functions: readonly FunctionRow[];
  readonly views: readonly ViewRow[];
  readonly columns: readonly ColumnRow[];
  /** `db.name` of every table and view that this account sees; `null` if that is not known. */
  readonly tables: readonly string[] | null;
  /** What could not be read, or not as a whole. */
  readonly unread: readonly CataloguePart[];
}

/** Parts without which something that is unsafe may look safe. */
const decisive: ReadonlySet<CataloguePart> = new Set(['functions', 'views', 'generated columns']);

/** Whether nothing is missing that was perhaps there. */
export function isWhole({ unread }: CatalogueRows): boolean {
  return !unread.some((part) => decisive.has(part));
}
