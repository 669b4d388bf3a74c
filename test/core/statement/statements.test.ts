import { describeRows } from './rows.ts';

const notARead = { reason: 'not-a-read', asks: [] } as const;

describeRows('plain writes leave nothing', { ...notARead, kind: 'write', pin: null }, [
  ['INSERT INTO t (a, b) VALUES (?, ?)', 'INSERT: its column list is no call'],
  ["INSERT INTO t VALUES ('it\\'s')", 'an escaped quote'],
  [
    'insert into `t` (`a`) values (1) on duplicate key update `a` = values(`a`)',
    'VALUES of an INSERT',
  ],
  ['INSERT INTO t SELECT f(1) FROM u', 'a stored function may do anything, triggers too'],
  ['UPDATE t SET a = ? WHERE b = ?', 'UPDATE'],
  ['UPDATE t SET get_lock = 1, last_insert_id = 2, found_rows = 3', 'columns named like functions'],
  ['DELETE FROM t WHERE a IN (?)', 'DELETE'],
  ['REPLACE INTO t VALUES (1)', 'REPLACE'],
  ["LOAD DATA INFILE '/x' INTO TABLE t", 'LOAD DATA'],
  ['TRUNCATE t', 'TRUNCATE'],
  ['CREATE TABLE t (a INT)', 'DDL'],
  ['CREATE TABLE t (temporary INT)', 'a column of that name'],
  ['ALTER TABLE t ADD COLUMN a INT', 'DDL'],
  ['DROP TABLE t', 'DDL'],
  ['ALTER TABLE t RENAME COLUMN a TO b, RENAME INDEX c TO d', 'parts of a table'],
  ["RENAME USER 'a'@'b' TO 'c'@'d'", 'no table'],
  ["CREATE USER 'a'@'localhost' IDENTIFIED BY 'x'", 'an account is no variable'],
  ['GRANT ALL ON *.* TO `a`@`%`', 'quoted'],
  ['DROP USER a@localhost', 'unquoted'],
  ['CREATE DEFINER=`a`@`b` VIEW v AS SELECT @x', 'a view: nothing in it happens now'],
  ['CREATE FUNCTION f() RETURNS INT RETURN @a', 'a routine: nothing in it happens now'],
  ["CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET @a = GET_LOCK('x', 1)", 'a trigger'],
  ['ALTER EVENT e DO SET @a = 1', 'an event'],
  ['OPTIMIZE TABLE t', 'maintenance that is replicated'],
  ['ANALYZE TABLE t', 'maintenance that is replicated'],
  ['ANALYZE LOCAL TABLE t', 'maintenance'],
  ['DO SLEEP(1)', 'DO with a built-in'],
  ["DO RELEASE_LOCK('a')", 'DO with a built-in'],
]);

describeRows('a procedure', { kind: 'write', pin: 'unknown-state' }, [
  ['CALL p(1)', 'may do anything'],
]);
describeRows('DO with a function that is not known', { kind: 'write', pin: 'unknown-state' }, [
  ['DO f(1)', 'may do anything'],
  ['DO 1, db.f()', 'may do anything'],
]);
describeRows('temporary tables', { ...notARead, kind: 'write', pin: 'temporary-table' }, [
  ['CREATE TEMPORARY TABLE t (a INT)', 'created'],
  ['create temporary table `t` as select 1', 'created'],
  ['CREATE OR REPLACE TEMPORARY TABLE t (a INT)', 'MariaDB'],
]);
describeRows('user variables in writes', { ...notARead, kind: 'write', pin: 'user-variable' }, [
  ['UPDATE t SET a = (@n := @n + 1)', 'assigned'],
  ['INSERT INTO t VALUES (@a)', 'read'],
  ["LOAD DATA INFILE 'x' INTO TABLE t (a, @b) SET c = @b", 'LOAD DATA'],
  ['CREATE TABLE t AS SELECT @a := 1', 'CREATE TABLE … SELECT executes'],
  ['CREATE TABLE t AS SELECT (@a:=1)', 'no account behind a parenthesis'],
  ["INSERT INTO t VALUES ('x'@a)", 'no account here'],
]);
describeRows('user locks in writes', { ...notARead, kind: 'write', pin: 'user-lock' }, [
  ["INSERT INTO t SELECT GET_LOCK('a', 1)", 'INSERT … SELECT'],
  ["DO GET_LOCK('a', 1)", 'DO'],
]);
describeRows(
  'LAST_INSERT_ID with an argument sets it',
  { kind: 'write', pin: 'session-variable', asks: [] },
  [['UPDATE t SET n = LAST_INSERT_ID(n + 1)', 'the idiom for a sequence']],
);
describeRows(
  '… and in a read too',
  { kind: 'read', reason: 'session-function', pin: 'session-variable' },
  [
    ['SELECT LAST_INSERT_ID(5)', 'a value'],
    ['SELECT LAST_INSERT_ID (a) FROM t', 'white space'],
  ],
);

describeRows('begin', { ...notARead, kind: 'begin', pin: null }, [
  ['BEGIN', 'as Kysely sends it'],
  ['BEGIN;', 'as Knex sends it'],
  ['begin work', 'WORK'],
  ['START TRANSACTION', 'the standard form'],
  ['START TRANSACTION READ ONLY', 'with an option'],
  ['START TRANSACTION WITH CONSISTENT SNAPSHOT, READ WRITE', 'with options'],
  ['/* x */ BEGIN -- y', 'comments'],
]);
describeRows('commit', { ...notARead, kind: 'commit', pin: null }, [
  ['COMMIT', 'plain'],
  ['COMMIT;', 'as Knex sends it'],
  ['COMMIT WORK AND CHAIN NO RELEASE', 'with options'],
]);
describeRows('rollback', { ...notARead, kind: 'rollback', pin: null }, [
  ['ROLLBACK', 'plain'],
  ['ROLLBACK;', 'as Knex sends it'],
  ['ROLLBACK WORK AND NO CHAIN', 'with options'],
]);
describeRows('savepoints', { ...notARead, kind: 'savepoint', pin: null }, [
  ['SAVEPOINT a', 'set'],
  ['savepoint `sp1`', 'quoted'],
  ['RELEASE SAVEPOINT a', 'released'],
  ['ROLLBACK TO SAVEPOINT a', 'rolled back to'],
  ['ROLLBACK TO a', 'without the word'],
  ['ROLLBACK WORK TO SAVEPOINT a', 'with WORK'],
]);

describeRows('the next transaction', { ...notARead, kind: 'set-transaction', pin: null }, [
  ['SET TRANSACTION READ ONLY', 'access mode'],
  ['set transaction isolation level serializable', 'isolation level'],
]);
describeRows('SET of the session', { ...notARead, kind: 'set', pin: 'session-variable' }, [
  ['SET SESSION TRANSACTION READ ONLY', 'all its transactions'],
  ['SET autocommit = 0', 'a variable'],
  ['SET SESSION sql_mode = ""', 'with its scope'],
  ['SET LOCAL sql_mode = ""', 'the other word for it'],
  ['SET @@sql_mode = ""', 'as a system variable'],
  ['SET @@session.sql_mode = ""', 'with its scope'],
  ['SET NAMES utf8mb4', 'NAMES'],
  ['SET CHARACTER SET utf8mb4', 'CHARACTER SET'],
  ['SET @a = 1, sql_mode = ""', 'behind a user variable'],
  ['SET GLOBAL max_connections = 1, sql_mode = ""', 'behind a global one'],
  ['SET RESOURCE GROUP g', 'the group of the thread'],
]);
describeRows('SET that may call what writes', { ...notARead, kind: 'other', word: 'set' }, [
  ['SET @a = f(1)', 'a function'],
  ['SET @a = (SELECT f())', 'one in a subquery'],
  ['SET GLOBAL max_connections = f(1)', 'for a global variable'],
  ['SET SESSION sql_mode = (1)', 'a parenthesis that calls nothing'],
]);
describeRows('SET of both', { ...notARead, kind: 'other', pin: 'session-variable' }, [
  ['SET @a = CONCAT(1, 2), @@session.sql_mode = ""', 'commas in parentheses'],
]);
describeRows('SET of roles', { ...notARead, kind: 'set', pin: 'role' }, [
  ['SET ROLE admin', 'active ones'],
  ['SET ROLE NONE', 'none'],
  ['SET DEFAULT ROLE ALL TO a', 'those of the next sessions'],
  ["SET SESSION AUTHORIZATION 'a'@'b'", 'MariaDB 12: all rights of the session'],
]);
describeRows('SET of user variables', { ...notARead, kind: 'set', pin: 'user-variable' }, [
  ['SET @a = 1', 'one'],
  ['SET @a = 1, @b := 2', 'two'],
  ['SET @@global.x = 1, @b = 2', 'with a global one'],
  ['SET GLOBAL x=@a', 'read for a global one'],
]);
describeRows('SET of a list', { ...notARead, kind: 'other', pin: 'user-variable' }, [
  ['SET @a = (1, sql_mode = 2)', 'a comma in parentheses begins no assignment'],
]);
describeRows('SET of what no session has', { ...notARead, kind: 'set', pin: null }, [
  ['SET GLOBAL max_connections = 1', 'GLOBAL'],
  ['SET @@global.max_connections = 1', 'as a system variable'],
  ['SET @@GLOBAL . max_connections = 1', 'with white space'],
  ['SET PERSIST max_connections = 1, PERSIST_ONLY x = 2', 'PERSIST'],
  ['SET GLOBAL TRANSACTION READ ONLY', 'all later sessions'],
  ["SET PASSWORD FOR 'a'@'b' = 'x'", 'an account'],
]);

describeRows('SHOW and its like', { kind: 'show', reason: 'show', pin: null, asks: [] }, [
  ['SHOW TABLES', 'SHOW'],
  ['show columns from `t`', 'as Knex sends it'],
  ["SHOW GRANTS FOR 'a'@'b'", 'an account is no variable'],
  ['DESCRIBE t', 'of a table'],
  ['DESC t a', 'and a column'],
  ['EXPLAIN t', 'of a table'],
  ['EXPLAIN FOR CONNECTION 5', 'of another connection'],
  ["HELP 'select'", 'HELP'],
]);
describeRows(
  'SHOW about the statement before',
  { kind: 'show', reason: 'show', pin: null, asks: ['diagnostics'] },
  [
    ['SHOW WARNINGS', 'warnings'],
    ['SHOW WARNINGS LIMIT 1', 'some'],
    ['SHOW ERRORS', 'errors'],
    ['SHOW COUNT(*) WARNINGS', 'their number'],
    ['show count ( * ) errors', 'with white space'],
    ['SHOW PROFILES', 'profiles of MySQL'],
  ],
);

describeRows('questions about the last insert', { asks: ['insert-id'] }, [
  ['SELECT LAST_INSERT_ID()', 'the function'],
  ['select last_insert_id ( ) as id', 'white space'],
  ['SELECT @@identity', 'the variable'],
  ['SELECT @@last_insert_id', 'its synonym'],
  ['SELECT @@session.identity', 'with a scope'],
  ['SELECT @@LOCAL.`identity`', 'quoted'],
  ['SELECT LAST_INSERT_ID(), @@identity', 'twice'],
  ['INSERT INTO t VALUES (LAST_INSERT_ID())', 'in a write'],
  ['SELECT a FROM t WHERE id = LAST_INSERT_ID()', 'anywhere'],
  ['SET @a = LAST_INSERT_ID()', 'in SET'],
]);
describeRows('questions about the last read', { asks: ['found-rows'] }, [
  ['SELECT FOUND_ROWS()', 'FOUND_ROWS'],
  ['INSERT INTO t VALUES (FOUND_ROWS())', 'in a write'],
  ['SHOW STATUS WHERE Value = FOUND_ROWS()', 'in SHOW'],
]);
describeRows('questions about the statement before', { asks: ['row-count'] }, [
  ['SELECT ROW_COUNT()', 'ROW_COUNT'],
  ['DO ROW_COUNT()', 'in DO'],
]);
describeRows('questions about its warnings', { asks: ['diagnostics'] }, [
  ['SELECT @@warning_count', 'the warnings'],
  ['SELECT @@session.error_count', 'the errors'],
  ['GET DIAGNOSTICS CONDITION 1 @a = MESSAGE_TEXT', 'diagnostics'],
  ['GET CURRENT DIAGNOSTICS @a = NUMBER', 'the area by its name'],
]);
describeRows('several questions', { asks: ['insert-id', 'found-rows'] }, [
  ['SELECT LAST_INSERT_ID(), FOUND_ROWS()', 'each of them'],
  ['SELECT FOUND_ROWS(), @@identity', 'in the order of the list'],
  ["SELECT LAST_INSERT_ID(), 'a\\', FOUND_ROWS() -- '", 'one of them in one reading only'],
]);
describeRows('all questions', { asks: ['insert-id', 'found-rows', 'row-count', 'diagnostics'] }, [
  ['SELECT @@error_count, ROW_COUNT(), FOUND_ROWS(), LAST_INSERT_ID()', 'backwards'],
]);
describeRows('no questions', { asks: [] }, [
  ['SELECT LAST_INSERT_ID(5)', 'it sets what it answers'],
  ['SELECT `found_rows`()', 'a stored function'],
  ['SELECT row_count FROM t', 'a column'],
  ['SELECT CONNECTION_ID(), @@version', 'about the session, not about a statement'],
  ['CREATE VIEW v AS SELECT LAST_INSERT_ID()', 'a definition'],
]);

describeRows('other statements', { ...notARead, kind: 'other', pin: null }, [
  ['KILL QUERY 5', 'KILL'],
  ['FLUSH STATUS', 'FLUSH'],
  ['FLUSH TABLES', 'FLUSH without a lock'],
  ['UNLOCK TABLES', 'UNLOCK'],
  ['CHECK TABLE t', 'CHECK'],
  ['CHECKSUM TABLE t', 'CHECKSUM'],
  ['START REPLICA', 'replication'],
  ['STOP SLAVE', 'replication'],
  ['PURGE BINARY LOGS TO "x"', 'logs'],
  ['RESET MASTER', 'RESET'],
]);
describeRows('table locks', { ...notARead, kind: 'other', pin: 'table-lock' }, [
  ['LOCK TABLES t READ', 'LOCK TABLES'],
  ['LOCK TABLE t WRITE', 'in the singular'],
  ['LOCK INSTANCE FOR BACKUP', 'the instance'],
  ['FLUSH TABLES WITH READ LOCK', 'FLUSH'],
  ['FLUSH LOCAL TABLES t, u WITH READ LOCK', 'of some tables'],
  ['FLUSH TABLES t FOR EXPORT', 'for export'],
  ['BACKUP STAGE START', 'MariaDB'],
]);
describeRows('prepared statements', { ...notARead, kind: 'other', pin: 'prepared-statement' }, [
  ["PREPARE s FROM 'SELECT 1'", 'PREPARE'],
  ['EXECUTE s', 'EXECUTE'],
  ["EXECUTE IMMEDIATE 'SELECT 1'", 'MariaDB'],
]);
describeRows('handlers', { ...notARead, kind: 'other', pin: 'handler' }, [
  ['HANDLER t OPEN', 'OPEN'],
  ['HANDLER t READ FIRST', 'READ'],
]);
describeRows('the current database', { ...notARead, kind: 'other', pin: 'current-database' }, [
  ['USE shop', 'USE'],
  ['use `shop`', 'quoted'],
]);
describeRows('distributed transactions', { ...notARead, kind: 'other', pin: 'xa-transaction' }, [
  ["XA START 'x'", 'START'],
  ["XA END 'x'", 'END'],
  ["XA PREPARE 'x'", 'PREPARE: MariaDB keeps it in its session'],
]);

describeRows('text that may leave anything', { kind: 'other', pin: 'unknown-state' }, [
  ['BEGIN NOT ATOMIC SELECT 1', 'a compound statement of MariaDB'],
  ['BEGIN NOT ATOMIC SELECT 1; SELECT 2; END', 'with semicolons inside'],
  ['IF 1 THEN SELECT 1', 'a compound statement of MariaDB'],
  ['DELIMITER //', 'a command of the client'],
  ['`select` 1', 'a quoted keyword'],
  ['SELEKT 1', 'a typing error'],
  ['1', 'a number'],
  ["'x'", 'a string'],
  ['?', 'a placeholder'],
  ['(DELETE FROM t)', 'no query in parentheses'],
  ['()', 'nothing in parentheses'],
  [') SELECT 1', 'a parenthesis that nothing opened'],
  ['ſELECT 1', 'a letter that folds in Unicode only'],
  ['\ufeffSELECT 1', 'the byte order mark is part of a word'],
  ['\u2028SELECT 1', 'a line separator too'],
  ['SIGNAL SQLSTATE "45000"', 'a statement of routines'],
]);
describeRows(
  'a routine with a body of statements',
  { kind: 'write', reason: 'not-a-read', pin: 'unknown-state' },
  [
    ['CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END', 'or something behind it'],
    [
      'CREATE DEFINER=`a`@`b` TRIGGER x AFTER INSERT ON t FOR EACH ROW BEGIN SET @a = 1; END',
      'or something behind it',
    ],
  ],
);

const multiple = { kind: 'multiple', reason: 'multiple-statements', pin: 'unknown-state' } as const;
describeRows('more than one statement', multiple, [
  ['SELECT 1; SELECT 2', 'reads'],
  ['SELECT 1; DELETE FROM t', 'a write behind a read'],
  ['SELECT 1;DELETE FROM t;', 'without white space'],
  ['BEGIN; UPDATE t SET a = 1; COMMIT', 'a transaction'],
  ['INSERT INTO t VALUES (1); SELECT LAST_INSERT_ID()', 'a write first'],
  ["SELECT ';' ; SELECT 2", 'a semicolon in a string does not count'],
  ['SELECT 1; ; SELECT 2', 'nothing between'],
  ['; SELECT 1', 'nothing first'],
  ['SELECT 1; /*! DELETE FROM t */', 'in an executable comment'],
  ['SELECT 1 -- x\n; DELETE FROM t', 'behind a comment'],
]);

describeRows('routing hints in comments', { hint: 'primary' }, [
  ['/* route:primary */ SELECT 1', 'before'],
  ['SELECT 1 /*route:primary*/', 'behind, without white space'],
  ['SELECT 1 -- route:primary', 'in a line comment'],
  ['# ROUTE:Primary\nSELECT 1', 'in any case'],
  ['/* route:primary */ UPDATE t SET a = 1', 'on a write'],
  ['/* route:primary */ SELECT @a', 'on a read that needs the primary'],
  ['/* route:primary */', 'on nothing'],
  ["/* route:primary */ SELECT 'it\\'s'", 'on a text with more readings'],
]);
describeRows('comments that are no routing hints', { hint: null }, [
  ['/* route:replica */ SELECT 1', 'another word'],
  ['/* route:primary please */ SELECT 1', 'more words'],
  ["SELECT '/* route:primary */'", 'in a string'],
  ['SELECT `-- route:primary`', 'in a name'],
  [`/* ${' '.repeat(100)}route:primary */ SELECT 1`, 'longer than any hint'],
]);
