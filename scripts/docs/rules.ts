import type { RouteReason } from '@rwsplit/core';

/** What `docs/routing-rules.md` says of one reason. */
export interface Rule {
  readonly where: 'primary' | 'replica' | 'same connection' | 'nowhere';
  readonly meaning: string;
  /** A statement that has this reason, and the statement before it where it takes one. */
  readonly example: string;
  readonly before?: string;
  /** Where the rule comes from. */
  readonly source: string;
}

const manual = 'MySQL Reference Manual';

/** One row for each reason; a new reason without a row does not compile. */
export const rules = {
  read: {
    where: 'replica',
    meaning: 'A plain read.',
    example: 'SELECT name FROM person WHERE id = 1',
    source: 'design §4',
  },
  transaction: {
    where: 'same connection',
    meaning:
      'A transaction is open, or `SET TRANSACTION` has prepared one. The server’s status flags say when it ends.',
    before: 'BEGIN',
    example: 'SELECT name FROM person',
    source: 'client/server protocol, SERVER_STATUS_IN_TRANS',
  },
  'follow-up': {
    where: 'same connection',
    meaning: 'It asks about the statement before it, wherever that ran.',
    before: 'SELECT name FROM person',
    example: 'SELECT FOUND_ROWS()',
    source: `${manual}, Information Functions`,
  },
  'force-primary': {
    where: 'primary',
    meaning: '`forcePrimary`, or the comment.',
    example: '/* route:primary */ SELECT name FROM person',
    source: 'design §5',
  },
  'no-replicas': {
    where: 'primary',
    meaning: 'No replicas are configured.',
    example: 'SELECT name FROM person',
    source: 'design §7',
  },
  'replicas-unavailable': {
    where: 'primary',
    meaning: 'Every replica is out of service.',
    example: 'SELECT name FROM person',
    source: 'design §7',
  },
  'use-replica': {
    where: 'nowhere',
    meaning: '`useReplica` was given with what writes: it is an error, and nothing is sent.',
    example: "UPDATE person SET name = 'Ada', with useReplica",
    source: 'design §5',
  },
  'replicas-lagging': {
    where: 'primary',
    meaning: 'Every replica lags behind by more than `maxLag`, or does not say by how much.',
    example: 'SELECT name FROM person',
    source: 'design §7',
  },
  'primary-reads': {
    where: 'primary',
    meaning: 'The primary has a share of the plain reads: see `primaryReads`.',
    example: 'SELECT name FROM person',
    source: 'design §7',
  },
  'replicas-behind': {
    where: 'primary',
    meaning: 'No replica had, within `causalWait`, what the read has to see.',
    example: 'SELECT name FROM person',
    source: 'design §6',
  },
  'causal-window': {
    where: 'primary',
    meaning:
      'Something was written within `causalWindow` of which no GTID is known, so that no replica can be asked for it.',
    example: 'SELECT name FROM person',
    source: 'design §6',
  },
  fence: {
    where: 'primary',
    meaning: 'A replica refused it as a write, now or before. Nothing was executed there.',
    example: 'SELECT total FROM a_view_that_calls_a_writing_function',
    source: `${manual}, SET TRANSACTION Statement; error 1792`,
  },
  'catalogue-pending': {
    where: 'primary',
    meaning:
      'This pool has just created or changed a view or function, or reads the catalogue for the first time and the primary takes long: what the names hide is not known yet.',
    before: 'CREATE OR REPLACE VIEW list AS SELECT name FROM person',
    example: 'SELECT name FROM list',
    source: 'option `catalogueRefresh`; decision 5',
  },
  'replica-differs': {
    where: 'primary',
    meaning: 'The replica it was sent to does not know what it names, or may not read it.',
    example: 'SELECT column_just_added FROM person',
    source: 'decision 3',
  },
  'pinned:has-written': {
    where: 'same connection',
    meaning: 'The connection has written: a replica may not have it yet.',
    before: "UPDATE person SET name = 'Ada'",
    example: 'SELECT name FROM person',
    source: 'design §5',
  },
  'pinned:autocommit-off': {
    where: 'same connection',
    meaning: 'The server says that autocommit is off: every statement is in a transaction.',
    before: 'on a server with autocommit = 0: DO 1',
    example: 'SELECT name FROM person',
    source: 'client/server protocol, SERVER_STATUS_AUTOCOMMIT',
  },
  'pinned:user-variable': pinned('A user variable is set.', 'SET @a = 1', 'User-Defined Variables'),
  'pinned:session-variable': pinned(
    'A session variable is set.',
    "SET SESSION sql_mode = 'ANSI'",
    'SET Syntax for Variable Assignment',
  ),
  'pinned:temporary-table': pinned(
    'A temporary table may exist.',
    'CREATE TEMPORARY TABLE t (id INT)',
    'CREATE TEMPORARY TABLE Statement',
  ),
  'pinned:table-lock': pinned(
    'Tables are locked.',
    'LOCK TABLES person READ',
    'LOCK TABLES and UNLOCK TABLES Statements',
  ),
  'pinned:user-lock': pinned(
    'A user lock is held.',
    "SELECT GET_LOCK('job', 0)",
    'Locking Functions',
  ),
  'pinned:prepared-statement': pinned(
    'A statement was prepared by name.',
    "PREPARE s FROM 'SELECT 1'",
    'Prepared Statements',
  ),
  'pinned:handler': pinned('A handler is open.', 'HANDLER person OPEN', 'HANDLER Statement'),
  'pinned:current-database': pinned(
    'The current database was changed.',
    'USE shop',
    'USE Statement',
  ),
  'pinned:xa-transaction': pinned(
    'A distributed transaction was begun.',
    "XA START 'x'",
    'XA Transactions',
  ),
  'pinned:role': pinned('Roles were chosen.', 'SET ROLE NONE', 'SET ROLE Statement'),
  'pinned:unknown-state': pinned(
    'What ran may have left anything.',
    'CALL restock()',
    'CALL Statement',
  ),
  empty: text('Nothing to run.', '', 'Comments'),
  malformed: text(
    'It does not read in one way: unterminated text, NUL, a placeholder that touches a word.',
    "SELECT 'unterminated",
    'String Literals',
  ),
  'multiple-statements': text(
    'More than one statement.',
    'SELECT 1; SELECT 2',
    'Multiple Statement Execution Support',
  ),
  'not-a-read': text('It does not begin like a read.', 'DELETE FROM person', 'SQL Statements'),
  writes: text(
    'It begins like a read, and a word in it writes.',
    'WITH c AS (SELECT 1) DELETE FROM person',
    'WITH (Common Table Expressions)',
  ),
  into: text(
    '`INTO` a file or a variable.',
    'SELECT id INTO @a FROM person',
    'SELECT … INTO Statement',
  ),
  'locking-read': text(
    'A lock, wherever it stands.',
    'SELECT id FROM person FOR UPDATE',
    'Locking Reads',
  ),
  'user-variable': text(
    'A user variable, read or assigned.',
    'SELECT @a',
    'User-Defined Variables',
  ),
  'system-variable': text('A system variable.', 'SELECT @@sql_mode', 'Using System Variables'),
  'session-function': text(
    'A function that reads or changes the session.',
    'SELECT CONNECTION_ID()',
    'Information Functions',
  ),
  'unsafe-function': text(
    'A function that locks, waits, writes or reads files.',
    "SELECT GET_LOCK('job', 0)",
    'Locking Functions',
  ),
  'unknown-function': text(
    'A function that is no known pure built-in.',
    'SELECT price(1)',
    'Function Name Parsing and Resolution',
  ),
  'calc-found-rows': text(
    'What it counts is asked for on the same connection.',
    'SELECT SQL_CALC_FOUND_ROWS id FROM person LIMIT 1',
    'Information Functions',
  ),
  'variable-hint': text(
    'An optimizer hint that sets a variable.',
    'SELECT /*+ SET_VAR(sort_buffer_size = 262144) */ 1',
    'Optimizer Hints',
  ),
  show: text('It tells of one server.', 'SHOW TABLES', 'SHOW Statements'),
  'system-schema': text(
    'A schema that tells of one server.',
    'SELECT * FROM information_schema.TABLES',
    'INFORMATION_SCHEMA Tables',
  ),
  'primary-table': text(
    'A table of `primaryTables`, or a migration table of Knex or Kysely.',
    'SELECT * FROM knex_migrations',
    'option `primaryTables`',
  ),
  catalogue: text(
    'A view or table whose definition hides what would keep the text on the primary, or may.',
    'SELECT * FROM a_view_that_calls_a_stored_function',
    'design §4',
  ),
  'bound-code': text(
    'A bound value is SQL code, which mysql2 writes into the text.',
    'SELECT ?, with mysql.raw',
    'sql-escaper, toSqlString()',
  ),
  'parser-veto': text(
    'node-sql-parser sees a lock, a write or a second statement where the lexer saw none.',
    'none known',
    'design §4',
  ),
  unrecognised: text('Something that no rule knows.', 'SELECT [id] FROM person', 'design §4'),
} as const satisfies Record<RouteReason, Rule>;

function pinned(meaning: string, before: string, section: string): Rule {
  return {
    where: 'same connection',
    meaning: `${meaning} The connection is closed when it is released.`,
    before,
    example: 'SELECT name FROM person',
    source: `${manual}, ${section}`,
  };
}

function text(meaning: string, example: string, section: string): Rule {
  const source = /^(design|option|sql-escaper)/.test(section) ? section : `${manual}, ${section}`;
  return { where: 'primary', meaning, example, source };
}

/** The page as Markdown. */
export function routingRulesPage(): string {
  const rows = Object.entries<Rule>(rules).map(([reason, rule]) => {
    const example = rule.example === '' ? 'the empty text' : code(rule.example);
    const statement = rule.before === undefined ? example : `${code(rule.before)}, then ${example}`;
    return `| \`${reason}\` | ${rule.where} | ${rule.meaning} | ${statement} | ${rule.source} |`;
  });
  return `# Routing rules

<!-- Written by scripts/docs/main.ts from scripts/docs/rules.ts. Do not edit. -->

Every route has one of these reasons: in events (\`rwsplit:statement\`), with the word of the text behind it. The first
rule that applies wins, in the order of [routing/decide.ts](../packages/core/src/routing/decide.ts): the session, then the
text, then hints, then the hosts.

| reason | where it runs | meaning | example | source |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

function code(sql: string): string {
  return `\`${sql.replaceAll('|', '\\|')}\``;
}
