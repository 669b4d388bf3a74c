import { expect } from 'vitest';
import type { Flavor } from '../../support/servers/flavor.ts';

export type Run = (sql: string) => Promise<unknown>;

/** A way to write; `#` stands for a number that nobody else writes. */
export interface Way {
  readonly how: string;
  /** Statements on one connection, in this order. */
  readonly sql: readonly string[];
  /** Number of the error that the last one gives, after it has written. */
  readonly errno?: number;
  readonly only?: Flavor;
  /** A plain read that shows the number, by the name `id`. */
  readonly read?: string;
}

const insert = 'INSERT INTO note (id) VALUES (#)';
const insertNext = 'INSERT INTO note (id) VALUES (# + 1)';
/** For writes that no table shows: whether it runs on the primary tells that they are known. */
const showNothing = 'SELECT # AS id FROM one';
const insertOutside = 'INSERT INTO loose (id) VALUES (#)';
const showLoose = 'SELECT id FROM loose WHERE id = #';
/** The second row is there already. */
const failAtSecond = 'INSERT INTO loose (id) VALUES (#), (1)';

const ways: readonly Way[] = [
  { how: 'INSERT', sql: [insert] },
  { how: 'REPLACE', sql: ['REPLACE INTO note (id) VALUES (#)'] },
  { how: 'UPDATE', sql: [insertNext, 'UPDATE note SET id = # WHERE id = # + 1'] },
  { how: 'upsert', sql: ['INSERT INTO note (id) VALUES (#) ON DUPLICATE KEY UPDATE id = #'] },
  { how: 'INSERT … SELECT', sql: ['INSERT INTO note (id) SELECT # FROM one'] },
  {
    how: 'INSERT … SELECT of a temporary table',
    sql: ['CREATE TEMPORARY TABLE t# SELECT # AS id', 'INSERT INTO note (id) SELECT id FROM t#'],
  },
  {
    how: 'CREATE TABLE … SELECT',
    sql: ['CREATE TABLE made# SELECT # AS id'],
    read: 'SELECT id FROM made#',
  },
  { how: 'CREATE TABLE', sql: ['CREATE TABLE made# (id INT)'], read: showNothing },
  { how: 'ALTER TABLE', sql: ['ALTER TABLE one COMMENT = "#"'], read: showNothing },
  {
    how: 'CREATE VIEW',
    sql: ['CREATE VIEW made# AS SELECT # AS id'],
    read: 'SELECT id FROM made#',
  },
  { how: 'TRUNCATE', sql: ['TRUNCATE TABLE scrap'], read: showNothing },
  { how: 'DROP TABLE IF EXISTS', sql: ['DROP TABLE IF EXISTS nosuch#'], read: showNothing },
  { how: 'OPTIMIZE TABLE', sql: ['OPTIMIZE TABLE scrap'], read: showNothing },
  { how: 'ANALYZE TABLE', sql: ['ANALYZE TABLE scrap'], read: showNothing },
  { how: 'REPAIR TABLE', sql: ['REPAIR TABLE loose'], read: showNothing },
  { how: 'a table without transactions', sql: [insertOutside], read: showLoose },

  { how: 'COMMIT', sql: ['BEGIN', insert, 'COMMIT'] },
  { how: 'COMMIT AND CHAIN', sql: ['BEGIN', insert, 'COMMIT AND CHAIN', 'ROLLBACK'] },
  { how: 'COMMIT RELEASE', sql: ['BEGIN', insert, 'COMMIT RELEASE'] },
  { how: 'a second BEGIN', sql: ['BEGIN', insert, 'BEGIN', 'ROLLBACK'] },
  {
    how: 'START TRANSACTION READ ONLY in a transaction',
    sql: ['BEGIN', insert, 'START TRANSACTION READ ONLY', 'ROLLBACK'],
  },
  { how: 'DDL in a transaction', sql: ['BEGIN', insert, 'CREATE TABLE made# (id INT)'] },
  { how: 'TRUNCATE in a transaction', sql: ['BEGIN', insert, 'TRUNCATE TABLE scrap'] },
  {
    how: 'LOCK TABLES in a transaction',
    sql: ['BEGIN', insert, 'LOCK TABLES one READ', 'UNLOCK TABLES'],
  },
  { how: 'ANALYZE TABLE in a transaction', sql: ['BEGIN', insert, 'ANALYZE TABLE scrap'] },
  { how: 'CHECK TABLE in a transaction', sql: ['BEGIN', insert, 'CHECK TABLE scrap'] },
  { how: 'autocommit = 1', sql: ['SET autocommit = 0', insert, 'SET autocommit = 1'] },
  {
    how: 'BEGIN without autocommit',
    sql: ['SET autocommit = 0', insert, 'BEGIN', 'ROLLBACK', 'SET autocommit = 1'],
  },
  {
    how: 'UNLOCK TABLES without autocommit',
    sql: ['SET autocommit = 0', 'LOCK TABLES note WRITE', insert, 'UNLOCK TABLES', 'ROLLBACK'],
  },
  {
    how: 'a table without transactions, in one that is rolled back',
    sql: ['BEGIN', insertOutside, 'ROLLBACK'],
    read: showLoose,
  },
  {
    how: 'a function that writes to a table without transactions, in one that is rolled back',
    sql: ['BEGIN', 'SELECT add_loose(#)', 'ROLLBACK'],
    read: showLoose,
  },
  {
    how: 'XA COMMIT',
    sql: ["XA START '#'", insert, "XA END '#'", "XA PREPARE '#'", "XA COMMIT '#'"],
  },
  {
    how: 'XA COMMIT ONE PHASE',
    sql: ["XA START '#'", insert, "XA END '#'", "XA COMMIT '#' ONE PHASE"],
  },

  { how: 'CALL', sql: ['CALL add_one(#)'] },
  { how: 'CALL with result sets', sql: ['CALL add_between_reads(#)'] },
  { how: 'CALL that commits', sql: ['CALL add_and_commit(#)'] },
  { how: 'CALL that leaves a transaction open', sql: ['CALL add_and_begin(#)', 'ROLLBACK'] },
  {
    how: 'CALL in a transaction that it commits',
    sql: ['BEGIN', insert, 'CALL add_and_commit(# + 1)'],
  },
  { how: 'DO', sql: ['DO add_note(#)'] },
  { how: 'SET with a function', sql: ['SET @made = add_note(#)'] },
  { how: 'SELECT of a function', sql: ['SELECT add_note(#)'] },
  { how: 'SELECT of a function INTO a variable', sql: ['SELECT add_note(#) INTO @made'] },
  { how: 'SELECT of a function that assigns', sql: ['SELECT @made := add_note(#)'] },
  { how: 'SELECT … FOR UPDATE with a function', sql: ['SELECT add_note(#) FROM one FOR UPDATE'] },
  { how: 'SELECT of a function in a transaction', sql: ['BEGIN', 'SELECT add_note(#)', 'COMMIT'] },
  { how: 'EXECUTE', sql: [`PREPARE made FROM '${insert}'`, 'EXECUTE made'] },
  { how: 'EXECUTE of a SELECT', sql: ["PREPARE made FROM 'SELECT add_note(#)'", 'EXECUTE made'] },
  {
    how: 'EXECUTE of a COMMIT',
    sql: ["PREPARE made FROM 'COMMIT'", 'BEGIN', insert, 'EXECUTE made'],
  },

  { how: 'several writes', sql: [`${insertNext}; ${insert}`] },
  { how: 'a write and a read', sql: [`${insert}; SELECT 1`] },
  { how: 'a read and a write', sql: [`SELECT 1; ${insert}`] },
  { how: 'a function and a DO', sql: ['SELECT add_note(#); DO 1'] },
  { how: 'a transaction in one text', sql: [`BEGIN; ${insert}; SELECT 1; COMMIT`] },
  { how: 'a text that commits and begins', sql: [`BEGIN; ${insert}; COMMIT; BEGIN`, 'ROLLBACK'] },
  { how: 'forty writes', sql: [`${insert}; ${'UPDATE one SET id = id + 1;'.repeat(39)}`] },
  { how: 'a write and forty reads', sql: [`${insert}; ${'SELECT 1;'.repeat(40)}`] },

  { how: 'a row before a duplicate', sql: [failAtSecond], errno: 1062, read: showLoose },
  {
    how: 'a row before a duplicate, in a transaction',
    sql: ['BEGIN', failAtSecond],
    errno: 1062,
    read: showLoose,
  },
  { how: 'a procedure that fails', sql: ['CALL add_and_fail(#)'], errno: 1644 },
  {
    how: 'a procedure whose error is that of a read-only server',
    sql: ['CALL add_and_refuse(#)'],
    errno: 1290,
  },
  {
    how: 'a text whose second statement fails',
    sql: [`${insert}; SELECT nosuch FROM one`],
    errno: 1054,
  },
  {
    how: 'a text whose second statement must not write',
    sql: [`${insert}; SET TRANSACTION READ ONLY; ${insertNext}`],
    errno: 1792,
  },
  {
    how: 'DDL that fails in a transaction',
    sql: ['BEGIN', insert, 'CREATE TABLE one (id INT)'],
    errno: 1050,
  },
  {
    how: 'LOCK TABLES that fails in a transaction',
    sql: ['BEGIN', insert, 'LOCK TABLES nosuch READ'],
    errno: 1146,
  },
  {
    how: 'GRANT that fails in a transaction',
    sql: ['BEGIN', insert, "CREATE USER 'nobody'@'%'"],
    errno: 1227,
  },
  {
    how: 'DROP TABLE of two, of which one is there',
    sql: ['CREATE TABLE made# (id INT)', 'DROP TABLE made#, nosuch#'],
    errno: 1051,
    read: showNothing,
  },

  { how: 'INSERT … RETURNING', sql: [`${insert} RETURNING id`], only: 'mariadb' },
  {
    how: 'DELETE … RETURNING',
    sql: [insert, insertNext, 'DELETE FROM note WHERE id = # + 1 RETURNING id'],
    only: 'mariadb',
  },
  {
    how: 'INSERT … RETURNING in a transaction',
    sql: ['BEGIN', `${insert} RETURNING id`, 'COMMIT'],
    only: 'mariadb',
  },
  {
    how: 'INSERT … RETURNING without transactions, in one that is rolled back',
    sql: ['BEGIN', `${insertOutside} RETURNING id`, 'ROLLBACK'],
    only: 'mariadb',
    read: showLoose,
  },
  { how: 'NEXTVAL', sql: ['SELECT NEXTVAL(numbers)'], only: 'mariadb', read: showNothing },
  { how: 'SETVAL', sql: ['SELECT SETVAL(numbers, #)'], only: 'mariadb', read: showNothing },
  { how: 'EXECUTE IMMEDIATE', sql: [`EXECUTE IMMEDIATE '${insert}'`], only: 'mariadb' },
  {
    how: 'EXECUTE IMMEDIATE of RETURNING',
    sql: [`EXECUTE IMMEDIATE '${insert} RETURNING id'`],
    only: 'mariadb',
  },
  { how: 'BEGIN NOT ATOMIC', sql: [`BEGIN NOT ATOMIC ${insert}; END`], only: 'mariadb' },
  {
    how: 'SET STATEMENT … FOR INSERT',
    sql: [`SET STATEMENT max_sort_length = 99 FOR ${insert}`],
    only: 'mariadb',
  },
  {
    how: 'SET STATEMENT … FOR INSERT … RETURNING',
    sql: [`SET STATEMENT max_sort_length = 99 FOR ${insert} RETURNING id`],
    only: 'mariadb',
  },
  {
    how: 'SET STATEMENT … FOR SELECT of a function',
    sql: ['SET STATEMENT max_sort_length = 99 FOR SELECT add_note(#)'],
    only: 'mariadb',
  },
  {
    how: 'SET STATEMENT … FOR a row before a duplicate',
    sql: [`SET STATEMENT max_sort_length = 99 FOR ${failAtSecond}`],
    errno: 1062,
    only: 'mariadb',
    read: showLoose,
  },
];

const routines = [
  'CREATE PROCEDURE add_one (n INT) INSERT INTO note (id) VALUES (n)',
  `CREATE PROCEDURE add_between_reads (n INT)
   BEGIN SELECT 1; INSERT INTO note (id) VALUES (n); SELECT 2; END`,
  `CREATE PROCEDURE add_and_commit (n INT)
   BEGIN START TRANSACTION; INSERT INTO note (id) VALUES (n); COMMIT; END`,
  `CREATE PROCEDURE add_and_begin (n INT)
   BEGIN INSERT INTO note (id) VALUES (n); START TRANSACTION; INSERT INTO note (id) VALUES (n + 1); END`,
  `CREATE PROCEDURE add_and_fail (n INT)
   BEGIN INSERT INTO note (id) VALUES (n); SIGNAL SQLSTATE '45000'; END`,
  `CREATE PROCEDURE add_and_refuse (n INT)
   BEGIN INSERT INTO note (id) VALUES (n); SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1290; END`,
  `CREATE FUNCTION add_note (n INT) RETURNS INT
   BEGIN INSERT INTO note (id) VALUES (n); RETURN n; END`,
  `CREATE FUNCTION add_loose (n INT) RETURNS INT
   BEGIN INSERT INTO loose (id) VALUES (n); RETURN n; END`,
];

const engines = { mysql: 'MyISAM', mariadb: 'Aria' } as const;

/** What the ways write to, and with. */
export function schemaOf(flavor: Flavor): readonly string[] {
  return [
    'CREATE TABLE note (id INT PRIMARY KEY)',
    'CREATE TABLE one (id INT)',
    'INSERT INTO one VALUES (1)',
    'CREATE TABLE scrap (id INT)',
    `CREATE TABLE loose (id INT PRIMARY KEY) ENGINE = ${engines[flavor]}`,
    'INSERT INTO loose VALUES (1)',
    ...routines,
    ...(flavor === 'mariadb' ? ['CREATE SEQUENCE numbers NOCACHE'] : []),
  ];
}

/** The ways that there are on the servers of a flavour. */
export function waysOf(flavor: Flavor): readonly Way[] {
  return ways.filter(({ only }) => (only ?? flavor) === flavor);
}

/** Runs a way with a number of its own. */
export async function write({ sql, errno }: Way, run: Run, id: number): Promise<void> {
  for (const [index, text] of sql.entries()) {
    const statement = run(text.replaceAll('#', `${id}`));
    if (errno !== undefined && index === sql.length - 1) {
      await expect(statement).rejects.toMatchObject({ errno });
    } else {
      await statement;
    }
  }
}

/** The plain read that shows what a way has written. */
export function readOf({ read = 'SELECT id FROM note WHERE id = #' }: Way, id: number): string {
  return read.replaceAll('#', `${id}`);
}
