import type { UnsafeTable } from './judge-tables.ts';
import type { CataloguePart } from './rows.ts';

/** Where a pool stands with its catalogue. */
export const catalogueStates = [
  /** It is not read: `catalogueRefresh` is off, or there are no replicas. */
  'off',
  /** It was not read yet: the first plain read begins with that. */
  'pending',
  /** It is known. */
  'ready',
  /** It is known but for the parts named in `unread`. */
  'partial',
  /** It could not be read so far: reads go by their text alone. */
  'failed',
] as const;

/** One of {@link catalogueStates}. */
export type CatalogueState = (typeof catalogueStates)[number];

/** What a pool knows of its servers' catalogue. */
export interface CatalogueStats {
  readonly state: CatalogueState;
  /** What could not be read: the account lacks a right, there is too much of it, or it took too long. */
  readonly unread: readonly CataloguePart[];
  /** When it was last read, in milliseconds since 1970; `null` if never. */
  readonly lastRefresh: number | null;
  /** Code of the error that the last reading ended with; `null` if it was good. */
  readonly error: string | null;
  readonly views: number;
  /** Stored functions. */
  readonly functions: number;
  /** Those of them that count as pure because of `trustDeclarations`. */
  readonly trustedFunctions: number;
  /** Functions that stand in the place of a built-in one: calls of that name run on the primary. */
  readonly shadowingFunctions: readonly string[];
  /** Views and tables that are read on the primary, and why. */
  readonly unsafeTables: readonly UnsafeTable[];
  /** Statements that a replica refused as writes, by fingerprint: they run on the primary. */
  readonly refused: number;
}
