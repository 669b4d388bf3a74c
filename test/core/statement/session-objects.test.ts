import { describe, expect, it } from 'vitest';
import type { Facts, Freed } from '../../../packages/core/src/statement/facts.ts';
import { classifiers, describeRows, dialects, type Row } from './rows.ts';

/** What a statement leaves, and under which name. */
function describeObjects(
  title: string,
  pin: Facts['pin'],
  rows: readonly [sql: string, object: string | null, why: string][],
): void {
  describe(title, () => {
    it.each(rows)('%s: %s, %s', (sql, object) => {
      for (const dialect of dialects) {
        expect(classifiers[dialect].classify(sql), dialect).toMatchObject({
          pin,
          object,
          frees: null,
        });
      }
    });
  });
}

describeObjects('temporary tables', 'temporary-table', [
  ['CREATE TEMPORARY TABLE t (a INT)', 't', 'its name'],
  ['CREATE TEMPORARY TABLE T LIKE u', 'T', 'as it is written'],
  ['create temporary table if not exists `t` (a int)', 't', 'without its quotes'],
  ['CREATE OR REPLACE TEMPORARY TABLE t (a INT)', 't', 'MariaDB'],
  ['CREATE TEMPORARY TABLE db.t (a INT)', 'db.t', 'qualified'],
  ['CREATE TEMPORARY TABLE `d``b` . `t` (a INT)', 'd`b.t', 'qualified, in quotes'],
  ['CREATE TEMPORARY TABLE Dré (a INT)', 'Dré', 'beyond ASCII'],
  ['CREATE TEMPORARY TABLE t AS SELECT a FROM u', 't', 'of a query'],
  [
    'CREATE TEMPORARY TABLE t AS (SELECT COUNT(*) FROM u)',
    't',
    'of a query with a built-in function',
  ],
  ['CREATE TEMPORARY TABLE t AS SELECT f(a) FROM u', null, 'a stored function may leave more'],
  ['CREATE TEMPORARY TABLE t (a INT) SELECT f(1) AS a', null, 'also behind columns'],
  ["CREATE TEMPORARY TABLE t SELECT GET_LOCK('a', 1)", null, 'a lock stays when the table is gone'],
  ['CREATE TEMPORARY TABLE t SELECT @a := 1', null, 'a variable stays when the table is gone'],
  ['CREATE TEMPORARY TABLE "t" (a INT)', null, 'a name under ANSI_QUOTES only'],
  ['CREATE TEMPORARY TABLE `a.b` (a INT)', null, 'a point in a name'],
  ['CREATE TEMPORARY TABLE a.b.c (a INT)', null, 'no name'],
  ['CREATE TEMPORARY TABLE ?? (a INT)', null, 'a bound name'],
  ['CREATE TEMPORARY TABLE ??.t (a INT)', null, 'a bound database'],
  ['CREATE TEMPORARY TABLE t.?? (a INT)', null, 'a bound table'],
  ['CREATE TEMPORARY SEQUENCE s', null, 'no table'],
  ['CREATE TEMPORARY TABLE /*! a */ t (a INT)', null, 'two readings'],
]);
describeObjects('prepared statements', 'prepared-statement', [
  ["PREPARE s FROM 'SELECT 1'", 's', 'its name'],
  ["PREPARE `S` FROM 'SELECT 1'", 'S', 'in quotes'],
  ['PREPARE s FROM @a', null, 'what reads a variable'],
  ['PREPARE ? FROM 1', null, 'a bound name'],
  ['PREPARE s', null, 'no text'],
  ['EXECUTE s', null, 'it may do anything'],
  ["EXECUTE IMMEDIATE 'SET @a = 1'", null, 'MariaDB'],
]);
describeObjects('handlers', 'handler', [
  ['HANDLER t OPEN', 't', 'of a table'],
  ['HANDLER db.t OPEN', 't', 'without its database (measured)'],
  ['HANDLER t OPEN AS h', 'h', 'by its alias'],
  ['HANDLER t OPEN h', 'h', 'by its alias alone'],
  ['HANDLER db.t OPEN `h`', 'h', 'in quotes'],
  ['HANDLER h READ FIRST', 'h', 'one that is open'],
  ['HANDLER t OPEN AS h x', null, 'more than an alias'],
  ['HANDLER t', null, 'nothing'],
  ['HANDLER db.t READ FIRST', null, 'a handler has no database'],
]);
describeObjects('table locks', 'table-lock', [
  ['LOCK TABLES t READ', 'tables', 'LOCK TABLES'],
  ['LOCK TABLE t WRITE, u READ', 'tables', 'in the singular'],
  ['FLUSH TABLES WITH READ LOCK', 'tables', 'of all tables'],
  ['FLUSH LOCAL TABLES t WITH READ LOCK', 'tables', 'of one'],
  ['FLUSH TABLE t FOR EXPORT', 'tables', 'for export'],
  ['LOCK INSTANCE FOR BACKUP', 'instance', 'of the instance'],
  ['BACKUP STAGE START', null, 'it ends otherwise'],
]);
describeObjects('temporary tables that have another name now', 'unknown-state', [
  ['ALTER TABLE t RENAME TO u', null, 'both servers'],
  ['ALTER TABLE t ADD COLUMN a INT, RENAME u', null, 'without TO'],
  ['RENAME TABLE t TO u', null, 'MariaDB'],
  ['RENAME TABLES t TO u', null, 'in the plural'],
]);
describeObjects('state without a name', 'xa-transaction', [
  ["XA START 'x'", null, 'one at a time'],
]);
describeObjects('state without a name', 'user-lock', [
  ["SELECT GET_LOCK('a', 1)", null, 'its name is a value'],
]);
describeObjects('a name without a pin', null, [
  ['CREATE TABLE t (a INT)', null, 'nothing is left'],
]);

/** State that is gone, and nothing left. */
function describeFreed(title: string, frees: Freed, rows: readonly Row[]): void {
  describeRows(title, { pin: null, object: null, frees }, rows);
}

describeFreed('table locks', { pin: 'table-lock', objects: ['tables'] }, [
  ['UNLOCK TABLES', 'in the plural'],
  ['unlock table;', 'in the singular'],
]);
describeFreed('the lock of the instance', { pin: 'table-lock', objects: ['instance'] }, [
  ['UNLOCK INSTANCE', 'MySQL'],
]);
describeFreed('user locks', { pin: 'user-lock', objects: null }, [
  ['SELECT RELEASE_ALL_LOCKS()', 'SELECT'],
  ['select release_all_locks () as n', 'with an alias'],
  ['SELECT RELEASE_ALL_LOCKS() n', 'without AS'],
  ["SELECT RELEASE_ALL_LOCKS() AS 'n'", 'a string as alias'],
  ['DO RELEASE_ALL_LOCKS()', 'DO'],
]);
describeFreed('a temporary table', { pin: 'temporary-table', objects: ['t'] }, [
  ['DROP TEMPORARY TABLE t', 'dropped'],
  ['drop temporary tables if exists `t`', 'if it exists'],
  ['DROP TEMPORARY TABLE t RESTRICT', 'with an option'],
  ['DROP TEMPORARY TABLE t CASCADE', 'with the other'],
]);
describeFreed('temporary tables', { pin: 'temporary-table', objects: ['a.b', 'c'] }, [
  ['DROP TEMPORARY TABLE a.b, c', 'two'],
  ['DROP TEMPORARY TABLE IF EXISTS `a`.b , `c` cascade', 'in quotes'],
]);
describeFreed('a prepared statement', { pin: 'prepared-statement', objects: ['s'] }, [
  ['DEALLOCATE PREPARE s', 'DEALLOCATE'],
  ['DROP PREPARE `s`', 'its synonym'],
]);
describeFreed('a handler', { pin: 'handler', objects: ['h'] }, [['HANDLER h CLOSE', 'closed']]);
describeFreed('a distributed transaction', { pin: 'xa-transaction', objects: null }, [
  ["XA COMMIT 'x'", 'committed'],
  ["XA COMMIT 'x', 'y', 1 ONE PHASE", 'in one phase'],
  ["XA ROLLBACK 'x'", 'rolled back'],
]);

/** What reads like one of those and may leave what it names. */
function describeKept(title: string, pin: Facts['pin'], rows: readonly Row[]): void {
  describeRows(title, { pin, frees: null }, rows);
}

describeKept('temporary tables that may stay', 'temporary-table', [
  ['DROP TEMPORARY TABLE ??', 'a bound name'],
  ['DROP TEMPORARY TABLE t, ?', 'a bound name behind another'],
  ['DROP TEMPORARY TABLE', 'no name'],
  ['DROP TEMPORARY TABLE t,', 'a comma and no name'],
  ['DROP TEMPORARY TABLE t WAIT 5', 'MariaDB: an option that is not known'],
  ['DROP TEMPORARY TABLE t CASCADE u', 'more'],
  ['DROP TEMPORARY TABLE "t"', 'a name under ANSI_QUOTES only'],
  ['DROP TEMPORARY TABLE `a.b`', 'it looks like one with a database'],
  ['DROP TEMPORARY SEQUENCE s', 'no table'],
  ['DROP TEMPORARY TABLE t /*! , u */', 'two readings'],
]);
describeKept('prepared statements that may stay', 'prepared-statement', [
  ['DEALLOCATE PREPARE ?', 'a bound name'],
  ['DEALLOCATE PREPARE', 'no name'],
  ['DROP PREPARE s t', 'more'],
  ['DEALLOCATE s', 'no PREPARE'],
]);
describeKept('handlers that may stay', 'handler', [
  ['HANDLER ? CLOSE', 'a bound name'],
  ['HANDLER h CLOSE x', 'more'],
  ['HANDLER db.h CLOSE', 'a handler has no database'],
]);
describeKept('distributed transactions that may stay', 'xa-transaction', [
  ["XA PREPARE 'x'", 'prepared'],
]);
describeKept('locks that may stay', null, [
  ['UNLOCK TABLES t', 'more'],
  ['UNLOCK', 'nothing'],
  ['UNLOCK BINLOG', 'something else'],
  ["SELECT RELEASE_LOCK('a')", 'one of several'],
  ['SELECT RELEASE_ALL_LOCKS() FROM t', 'perhaps no row'],
  ['SELECT RELEASE_ALL_LOCKS() LIMIT 0', 'no row'],
  ['SELECT 1, RELEASE_ALL_LOCKS()', 'beside something else'],
  ['SELECT RELEASE_ALL_LOCKS(), 1', 'before something else'],
  ['SELECT -RELEASE_ALL_LOCKS()', 'in an expression'],
  ['SELECT RELEASE_ALL_LOCKS(1)', 'an error'],
  ['DO RELEASE_ALL_LOCKS() x', 'an error'],
  ['EXPLAIN SELECT RELEASE_ALL_LOCKS()', 'a plan'],
  ['(SELECT RELEASE_ALL_LOCKS())', 'in parentheses'],
]);
describeKept('locks that may stay', 'unknown-state', [
  ['SELECT `release_all_locks`()', 'a stored function'],
  ['SELECT db.release_all_locks()', 'a stored function'],
  ['UNLOCK TABLES; LOCK TABLES t READ', 'two statements'],
  ["SELECT RELEASE_ALL_LOCKS() AS 'n", 'a string that does not end'],
]);
describeKept('locks that may stay', 'user-lock', [
  ["SELECT RELEASE_ALL_LOCKS(), GET_LOCK('a', 1)", 'taken again'],
  ["SELECT RELEASE_ALL_LOCKS() /*! , GET_LOCK('a', 1) */", 'in one reading'],
  ['SELECT RELEASE_ALL_LOCKS() /*! + 1 */', 'not released in one reading'],
]);

describeRows('several pins: a lock can be released alone', { pin: 'user-variable' }, [
  ["SELECT GET_LOCK('a', 1), @a := 1", 'a variable behind it'],
  ["SELECT @a := 1, GET_LOCK('a', 1)", 'a variable before it'],
  ["SELECT GET_LOCK('a', 1), 'b\\', @b -- '", 'in more readings'],
  ["INSERT INTO t SELECT GET_LOCK('a', 1), @a := 1", 'in a write'],
]);
describeRows('a lock and a function that is not known', { pin: 'unknown-state' }, [
  ["SELECT GET_LOCK('a', 1), f()", 'in a read'],
  ["SELECT GET_LOCK('a', 1), 'b\\', f() -- '", 'in one reading'],
  ["DO GET_LOCK('a', 1), f()", 'in DO'],
  ["INSERT INTO t (a, b) SELECT GET_LOCK('a', 1), f()", 'in a write'],
  ["INSERT INTO t (a, b) VALUES (GET_LOCK('a', 1), f())", 'in its values'],
  ["UPDATE t SET a = GET_LOCK('a', 1), b = f()", 'in an update'],
]);
describeRows('a lock and built-in functions', { pin: 'user-lock' }, [
  ["INSERT INTO t (a, b) VALUES (GET_LOCK(CONCAT('a'), 1), NOW())", 'in a write'],
  ['UPDATE t SET a = GET_LOCK(LOWER(b), 1)', 'in an update'],
  ["DO SLEEP(1), GET_LOCK('a', 1)", 'in DO'],
]);

describeRows('a function that is not known', { callsUnknown: true, pin: 'unknown-state' }, [
  ['SELECT f(1)', 'in a read'],
  ['SELECT SLEEP(1), f(1)', 'behind one that acts'],
  ['SELECT a FROM t WHERE f(a) FOR UPDATE', 'in a read that locks'],
  ['SELECT f(1) FROM information_schema.tables', 'in a read of a system schema'],
  ['EXPLAIN SELECT f(1)', 'in a plan: the optimizer may call it'],
  ['WITH c AS (SELECT f(1)) SELECT * FROM c', 'in a WITH'],
]);
describeRows('a function that is not known, in SHOW', { kind: 'show', pin: 'unknown-state' }, [
  ['SHOW TABLES WHERE f() = 1', 'the servers call it'],
]);
describeRows('no function that is not known', { kind: 'show', pin: null }, [
  ["SHOW STATUS WHERE LOWER(Variable_name) IN ('a')", 'a built-in one'],
  ['SHOW COUNT (*) WARNINGS', 'no call'],
]);
describeRows('built-in functions that act', { kind: 'read', callsUnknown: true, pin: null }, [
  ['SELECT SLEEP(1)', 'they leave nothing in the session'],
  ["SELECT RELEASE_LOCK('a')", 'also if they free something'],
]);
describeRows(
  'a function with arguments that the built-in one does not take',
  { callsUnknown: true, pin: 'unknown-state' },
  [
    ['SELECT POINT(1)', 'a stored function'],
    ['SELECT POINT(1, 2) + POINT(1)', 'behind the built-in one'],
    ['SELECT POINT((1, 2))', 'commas in further parentheses'],
    ['SELECT SLEEP(1), POINT(1)', 'behind another reason'],
    ['SELECT SLEEP(1), POINT(1, (2), 3)', 'too many, behind another reason'],
    ['SELECT SLEEP(1), POINT(?)', 'bound, behind another reason'],
    [`SELECT SLEEP(1), POINT(1, ${'1 + '.repeat(130)}1)`, 'too many tokens to count'],
  ],
  ['mariadb', 'unknown'],
);
describeRows(
  'the built-in one behind another reason',
  { pin: null },
  [
    ['SELECT SLEEP(1), POINT(1, 2)', 'as many as it takes'],
    ['SELECT SLEEP(1), POINT((1), ABS(2))', 'with further parentheses'],
    [`SELECT SLEEP(1), POINT(1, ${'1 + '.repeat(120)}1)`, 'many tokens'],
  ],
  ['mariadb', 'unknown'],
);

describeRows('a plan', { kind: 'read', explains: true }, [
  ['EXPLAIN SELECT 1', 'EXPLAIN'],
  ['/* route:primary */ EXPLAIN SELECT 1', 'with a hint'],
  ['DESCRIBE SELECT a FROM t', 'DESCRIBE'],
  ['DESC FORMAT=JSON SELECT f(1)', 'refused'],
  ['EXPLAIN ANALYZE SELECT 1', 'with ANALYZE'],
  ['ANALYZE SELECT 1', 'MariaDB'],
  ['ANALYZE FORMAT=JSON SELECT 1', 'MariaDB, with a format'],
  ['EXPLAIN (SELECT 1)', 'in parentheses'],
  ["EXPLAIN SELECT 'it\\'s'", 'in more readings'],
  ["EXPLAIN SELECT 'a\\' FOR UPDATE -- '", 'refused in one reading'],
  ["EXPLAIN SELECT 'a", 'a text that does not end'],
  ['/*! EXPLAIN */ SELECT 1', 'in one reading'],
]);
describeRows('no plan', { explains: false }, [
  ['SELECT 1', 'a read'],
  ['(SELECT 1)', 'in parentheses'],
  ['WITH c AS (SELECT 1) SELECT * FROM c', 'a WITH'],
  ["SELECT 'it\\'s'", 'in more readings'],
  ['EXPLAIN t', 'of a table'],
  ['EXPLAIN UPDATE t SET a = 1', 'of a write: not of kind read'],
  ['EXPLAIN ANALYZE UPDATE t SET a = 1', 'of a write that is executed'],
  ['EXPLAIN WITH c AS (SELECT 1) UPDATE t SET a = 1', 'behind WITH'],
  ['EXPLAIN SELECT 1; SELECT 1', 'two statements'],
]);

describeRows('state that a session keeps', { pin: 'session-variable' }, [
  ['SET NAMES utf8mb4', 'its characters'],
  ['SET CHARACTER SET utf8mb4', 'its characters'],
  ['SET SESSION sql_mode = 1', 'a variable'],
  ['SET sql_mode = 1', 'without a scope'],
  ['SET @@session.sql_mode = 1', 'as a system variable'],
  ['SET STATEMENT max_statement_time = 1 FOR SELECT 1', 'MariaDB'],
  ['SELECT LAST_INSERT_ID(5)', 'its insert id'],
  ['UPDATE t SET id = LAST_INSERT_ID(id + 1)', 'its insert id, in a write'],
]);
describeRows('state that a session keeps', { pin: 'user-variable' }, [
  ['SELECT a FROM t INTO @x', 'INTO'],
  ['SELECT a INTO @x FROM t', 'INTO before FROM'],
  ['SELECT @x := 1', 'assigned'],
  ['INSERT INTO t VALUES (@x := 1)', 'in a write'],
  ["LOAD DATA INFILE 'a' INTO TABLE t (@x) SET a = @x", 'LOAD DATA'],
]);
describeRows('state that no reset undoes', { pin: 'role' }, [
  ['SET STATEMENT max_statement_time = 1 FOR SET ROLE r', 'behind SET STATEMENT'],
  ['SET STATEMENT max_statement_time = 1 FOR SET DEFAULT ROLE r', 'the default one'],
]);
describeRows('state that no reset undoes', { pin: 'xa-transaction' }, [
  ["SET STATEMENT max_statement_time = 1 FOR XA START 'x'", 'behind SET STATEMENT'],
]);
describeRows('state that a session keeps', { pin: 'unknown-state' }, [
  ['SET STATEMENT max_statement_time = 1 FOR CALL p()', 'MariaDB: a procedure may do anything'],
  ['SET STATEMENT max_statement_time = 1 FOR EXECUTE s', 'so may a prepared statement'],
  ["BINLOG 'x'", 'the format of the events that follow'],
]);
describeRows('nothing that a session keeps', { pin: null, frees: null }, [
  ['SET GLOBAL max_connections = 1', 'of the server'],
  ["SET PASSWORD = 'x'", 'of the account'],
  ['XA RECOVER', 'shown'],
  ['XA RECOVER CONVERT XID', 'shown'],
]);

describe('facts', () => {
  it('share their lists of questions', () => {
    const { classify } = { classify: (sql: string) => classifiers.mysql.classify(sql).asks };
    expect(classify('SELECT f(1)')).toBe(classify('DELETE FROM t'));
    expect(classify('SELECT FOUND_ROWS()')).toBe(classify('SELECT FOUND_ROWS() + 1'));
    expect(Object.isFrozen(classify('SELECT FOUND_ROWS()'))).toBe(true);
    expect(Object.isFrozen(classify('SELECT 1'))).toBe(true);
  });
});
