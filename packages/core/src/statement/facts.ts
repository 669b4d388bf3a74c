/**
 * The SQL dialect of the servers behind a pool. `'unknown'` until the first connection has told
 * its version: then only what is safe in both dialects is safe.
 */
export type Dialect = 'mysql' | 'mariadb' | 'unknown';

/**
 * Why a statement's text keeps it off the replicas. The list is closed: every value has a row in
 * `docs/routing-rules.md`.
 */
export const textReasons = [
  /** No statement in the text: empty, blank, or comments only. */
  'empty',
  /** The text does not lex in one way: unterminated string or comment, NUL, a placeholder glued to a word. */
  'malformed',
  /** More than one statement in the text. */
  'multiple-statements',
  /** It does not begin like a read: DML, DDL, CALL, DO, transaction control, and all else. */
  'not-a-read',
  /** It begins like a read, and a word in it writes: `WITH … UPDATE`, `EXPLAIN ANALYZE DELETE`, `PROCEDURE ANALYSE`. */
  'writes',
  /** `INTO OUTFILE`, `INTO DUMPFILE`, `INTO @variable`. */
  'into',
  /** `FOR UPDATE`, `FOR SHARE`, `LOCK IN SHARE MODE`, wherever it stands. */
  'locking-read',
  /** A user variable, read or assigned, also inside an XPath string. */
  'user-variable',
  /** A system variable, `@@name`. */
  'system-variable',
  /** A function that reads or changes the session: `LAST_INSERT_ID`, `FOUND_ROWS`, `CONNECTION_ID`, … */
  'session-function',
  /** A built-in function that locks, waits, writes or reads files: `GET_LOCK`, `SLEEP`, `NEXTVAL`, `LOAD_FILE`, … */
  'unsafe-function',
  /** A function that is no known pure built-in: a stored function, a loadable one, `db.f()`, a quoted name. */
  'unknown-function',
  /** `SQL_CALC_FOUND_ROWS`: what it counts must be asked for on the same connection. */
  'calc-found-rows',
  /** An optimizer hint that sets a variable: `SET_VAR`, MariaDB's `SET STATEMENT`. */
  'variable-hint',
  /** `SHOW`, and `DESCRIBE` of a table. */
  'show',
  /** `information_schema`, `performance_schema`, `mysql` or `sys`. */
  'system-schema',
  /** A table named in `primaryTables`, or a migration table of Knex or Kysely. */
  'primary-table',
  /** A view or table whose definition hides what would keep the text on the primary. */
  'catalogue',
  /** A bound value is code: mysql2 writes the text of a `toSqlString()` object into the statement. */
  'bound-code',
  /** node-sql-parser sees a lock, a write or a second statement where the lexer saw none. */
  'parser-veto',
  /** Something in the text that no rule knows. */
  'unrecognised',
] as const;

/** One of {@link textReasons}. */
export type TextReason = (typeof textReasons)[number];

/** What a statement does, from its leading words. */
export type StatementKind =
  /** SELECT, TABLE, VALUES, WITH … SELECT, and EXPLAIN of these. */
  | 'read'
  /** BEGIN, START TRANSACTION. */
  | 'begin'
  /** COMMIT, with or without CHAIN or RELEASE. */
  | 'commit'
  /** ROLLBACK of the whole transaction. */
  | 'rollback'
  /** SAVEPOINT, RELEASE SAVEPOINT, ROLLBACK TO. */
  | 'savepoint'
  /** SET TRANSACTION without SESSION or GLOBAL: it is about the next transaction of this session. */
  | 'set-transaction'
  /** Any other SET without a parenthesis: behind one, a function may write. */
  | 'set'
  /** SHOW, DESCRIBE of a table, HELP. */
  | 'show'
  /** INSERT, UPDATE, DELETE, REPLACE, LOAD, IMPORT, TRUNCATE, DDL, CALL, DO, and a WITH or EXPLAIN ANALYZE of one. */
  | 'write'
  /** More than one statement in the text. */
  | 'multiple'
  /** Nothing in the text. */
  | 'empty'
  /** Everything else: SET STATEMENT, a SET that may call a function, USE, LOCK TABLES, PREPARE, HANDLER, XA, KILL, FLUSH, … */
  | 'other';

/**
 * State that a statement leaves in its session, so that what follows must run on the same
 * connection.
 */
export const statePins = [
  'user-variable',
  'session-variable',
  'temporary-table',
  'table-lock',
  'user-lock',
  'prepared-statement',
  'handler',
  'current-database',
  'xa-transaction',
  /** `SET ROLE`, `SET DEFAULT ROLE`, MariaDB's `SET SESSION AUTHORIZATION`: COM_RESET_CONNECTION keeps the roles (measured, MySQL 9.7, MariaDB 10.11). */
  'role',
  /** The text is not one known statement: it may have left anything. */
  'unknown-state',
] as const;

/** One of {@link statePins}. */
export type StatePin = (typeof statePins)[number];

/** What earlier statements of a session leave to be asked for, on their connection only. */
export const answers = [
  /** `LAST_INSERT_ID()`, `@@identity`, `@@last_insert_id`: of the last insert. */
  'insert-id',
  /** `FOUND_ROWS()`: of the last read. */
  'found-rows',
  /** `ROW_COUNT()`: of the previous statement. */
  'row-count',
  /** `SHOW WARNINGS`, `SHOW ERRORS`, `SHOW PROFILES`, `@@warning_count`, `@@error_count`, `GET DIAGNOSTICS`. */
  'diagnostics',
] as const;

/** One of {@link answers}. */
export type Answer = (typeof answers)[number];

/** State that is gone when a statement has succeeded. */
export interface Freed {
  readonly pin: StatePin;
  /** What of it, in the words of {@link Facts.object}; `null` if all of it. */
  readonly objects: readonly string[] | null;
}

/** What a statement's text says. Pure data: the same text and catalogue always give equal facts. */
export interface Facts {
  readonly kind: StatementKind;
  /** Why the text must run on the primary; `null` if it may run on a replica. */
  readonly reason: TextReason | null;
  /**
   * The word of the text behind `reason`: a keyword, function or table name in lower case, at most
   * 64 characters; or the characters that could not be judged: `?`, `$`, `[`, `/*!`, `/*+`. Never a
   * literal.
   */
  readonly word: string | null;
  /** State that the statement leaves behind; `null` if none is known. */
  readonly pin: StatePin | null;
  /**
   * What `pin` is about: a name as it is written, without its quotes, qualified ones with a point; for
   * locks `'tables'` or `'instance'`. `null` if there is no such thing, or the text does not surely
   * say which.
   */
  readonly object: string | null;
  /** State that is gone when the statement succeeds; `null` if none surely is. */
  readonly frees: Freed | null;
  /** What of earlier statements of its session the statement asks for, in the order of {@link answers}. */
  readonly asks: readonly Answer[];
  /** Whether it is EXPLAIN, DESCRIBE or ANALYZE of a read: FOUND_ROWS() then counts the rows of the plan. */
  readonly explains: boolean;
  /** Whether it is a read that may call a function which does anything: a stored, loadable or unsafe one. */
  readonly callsUnknown: boolean;
  /** Whether it is a read that may call a function which changes data: not one that locks, waits, or tells of one server. */
  readonly callsWriting: boolean;
  /** `'primary'` if a plain comment of the text is `route:primary`. */
  readonly hint: 'primary' | null;
}
