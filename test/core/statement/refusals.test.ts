import { describeRows } from './rows.ts';

describeRows('no statement', { kind: 'empty', reason: 'empty', pin: null }, [
  ['', 'the empty text'],
  [' \t\r\n', 'white space'],
  ['-- nothing', 'a comment'],
  ['/* nothing */ # at all', 'comments'],
  [';', 'a semicolon alone'],
  ['/*+ NO_ICP(t) */', 'a hint alone'],
]);

describeRows('locking reads', { kind: 'read', reason: 'locking-read' }, [
  ['SELECT a FROM t FOR UPDATE', 'FOR UPDATE'],
  ['SELECT a FROM t FOR SHARE', 'FOR SHARE'],
  ['SELECT a FROM t LOCK IN SHARE MODE', 'LOCK IN SHARE MODE'],
  ['SELECT a FROM t FOR UPDATE OF t SKIP LOCKED', 'with a table and SKIP LOCKED'],
  ['SELECT a FROM t FOR UPDATE NOWAIT', 'with NOWAIT'],
  ['SELECT a FROM t FOR UPDATE WAIT 5', 'with WAIT, of MariaDB'],
  ['SELECT a FROM t FOR/**/UPDATE', 'a comment between'],
  ['SELECT a FROM t for\n\tUpDaTe', 'any case, any white space'],
  ['WITH c AS (SELECT 1 FROM t FOR UPDATE) SELECT * FROM c', 'in a common table expression'],
  ['SELECT * FROM (SELECT 1 FROM t FOR SHARE) d', 'in a derived table'],
  ['SELECT 1 UNION (SELECT 2 FROM t FOR UPDATE)', 'in an arm of a union'],
  ['(SELECT a FROM t FOR UPDATE)', 'in parentheses'],
  ['SELECT a FROM t WHERE b = 1e1FOR UPDATE', 'a number with an exponent ends before it'],
  ['SELECT a FROM t WHERE b = 1.FOR UPDATE', 'or with a point'],
  ['SELECT a FROM t WHERE b = .5FOR UPDATE', 'or that begins with one'],
  ['SELECT a FROM t WHERE b = 1.e0LOCK IN SHARE MODE', 'or both'],
  ["SELECT a FROM t WHERE b = 'x'FOR UPDATE", 'a string ends before it'],
  ['SELECT a FROM `t`FOR UPDATE', 'and a quoted name'],
  ['SELECT a FROM t WHERE (1)FOR UPDATE', 'and a parenthesis'],
  [
    'SELECT SUBSTRING((SELECT a FROM t FOR UPDATE) FROM 1 FOR 2)',
    'in the parentheses of SUBSTRING',
  ],
  ['SELECT SUBSTRING(a FROM 1 FOR UPDATE)', 'no length has that name'],
  ['TABLE t FOR UPDATE', 'of TABLE'],
  ['EXPLAIN ANALYZE SELECT a FROM t FOR UPDATE', 'that EXPLAIN executes'],
  ['SELECT a FROM t -- \n FOR UPDATE', 'a comment ends at the line feed'],
  ['SELECT a FROM t # x\nFOR UPDATE', 'a comment ends at the line feed'],
  ['SELECT a FROM t /*/ x */ FOR UPDATE', '/*/ does not close itself'],
  ['SELECT a FROM t /*! FOR UPDATE */', 'in an executable comment'],
  ['SELECT a FROM t /*!50000FOR UPDATE*/', 'with a version'],
  ['SELECT a FROM t /*M! FOR UPDATE */', 'of MariaDB'],
  ['SELECT a FROM t /*!99999 FOR UPDATE */', 'of a version that few servers have'],
]);

describeRows('FOR that no rule knows', { kind: 'read', reason: 'unrecognised', word: 'for' }, [
  ['SELECT a FROM t FOR x', 'an unknown word'],
  ['SELECT a FROM t FOR', 'nothing'],
  ['SELECT a FROM t FOR JOIN (i)', 'no index hint'],
  ['SELECT a FROM t FOR ? UPDATE', 'a placeholder that may become nothing'],
  ['SELECT f.FOR FROM t FOR PORTION OF p FROM 1 TO 2', 'MariaDB has it for writes'],
  ['SELECT CONCAT(a FOR 2)', 'in another function than SUBSTRING'],
]);

describeRows('INTO', { kind: 'read', reason: 'into' }, [
  ["SELECT a INTO OUTFILE '/x' FROM t", 'a file'],
  ["SELECT a FROM t INTO DUMPFILE '/x'", 'a dump file'],
  ['SELECT a FROM t INTO @v', 'a variable'],
  ['SELECT a INTO v FROM t', 'a local variable'],
  ["(SELECT a FROM t) INTO OUTFILE '/x'", 'behind parentheses'],
  ["TABLE t INTO OUTFILE '/x'", 'of TABLE'],
  ['SELECT 1e1INTO @v', 'behind a number'],
]);
describeRows('EXPLAIN INTO', { reason: 'into', word: 'into', pin: 'user-variable' }, [
  ['EXPLAIN FORMAT=JSON INTO @v SELECT 1', 'MySQL 9 puts the plan into a variable'],
]);

describeRows(
  'writes behind WITH and EXPLAIN ANALYZE',
  { kind: 'write', reason: 'writes', pin: null },
  [
    ['WITH c AS (SELECT 1) DELETE FROM t', 'DELETE'],
    ['WITH c AS (SELECT 1) UPDATE t SET a = 1', 'UPDATE'],
    ['WITH RECURSIVE c (n) AS (SELECT 1) DELETE t FROM t JOIN c', 'recursive'],
    ['EXPLAIN ANALYZE DELETE FROM t', 'executed'],
    ['EXPLAIN ANALYZE FORMAT=TREE INSERT INTO t VALUES (1)', 'executed'],
    ['EXPLAIN ANALYZE WITH c AS (SELECT 1) UPDATE t SET a = 1', 'executed'],
    ['ANALYZE UPDATE t SET a = 1', 'executed by MariaDB'],
    ['ANALYZE FORMAT=JSON DELETE FROM t', 'executed by MariaDB'],
  ],
);
describeRows('writes that are shown, not executed', { kind: 'show', reason: 'writes', pin: null }, [
  ['EXPLAIN DELETE FROM t', 'DELETE'],
  ['DESC UPDATE t SET a = 1', 'UPDATE'],
  ['EXPLAIN FORMAT=JSON REPLACE INTO t VALUES (1)', 'REPLACE'],
  ['EXPLAIN WITH c AS (SELECT 1) DELETE FROM t', 'behind WITH'],
]);
describeRows('words that write in a read', { kind: 'read', reason: 'writes' }, [
  ['SELECT 1 PROCEDURE ANALYSE()', 'PROCEDURE'],
  ['SELECT 1 FROM t CREATE TABLE x', 'a statement behind a read'],
  ['SELECT a SET FROM t', 'SET without CHARACTER'],
  ['SELECT REPLACE INTO t', 'REPLACE that is no call'],
  ['SELECT 1 DELETE (2)', 'a parenthesis makes no call of it'],
]);

describeRows('user variables', { kind: 'read', reason: 'user-variable', pin: 'user-variable' }, [
  ['SELECT @a', 'read'],
  ['SELECT @a := 1', 'assigned'],
  ['SELECT @a:=@a+1 FROM t', 'both'],
  ['SELECT @`a b`', 'quoted'],
  ["SELECT @'a'", 'quoted'],
  ['SELECT @"a"', 'quoted'],
  ['SELECT a FROM t WHERE b = @for', 'named like a keyword'],
  ['SELECT 1, @ a', 'the sign alone'],
  ["SELECT 'a'@b", 'where no account is'],
]);
describeRows(
  'an assignment to no user variable',
  { kind: 'read', reason: 'user-variable', pin: null },
  [['SELECT a := 1', 'only routines have such']],
);
describeRows('user variables in XPath', { kind: 'read', reason: 'user-variable' }, [
  ["SELECT EXTRACTVALUE(x, '//b[$@i]')", 'in the string'],
  ["SELECT ExtractValue (x, '//b[$ @i]')", 'with white space'],
  ["SELECT UPDATEXML(x, '$@i', 'y')", 'UPDATEXML'],
  ["SELECT EXTRACTVALUE(x, '//b[\\$@i]')", 'behind a backslash'],
  ['SELECT EXTRACTVALUE(x, "//b")', 'in double quotes it may be a column'],
  ['SELECT EXTRACTVALUE(x, ?)', 'a bound value'],
  ['SELECT EXTRACTVALUE(x, p) FROM t', 'a column'],
  ["SELECT EXTRACTVALUE(x, CONCAT('$', '@i'))", 'an expression'],
  ["SELECT EXTRACTVALUE(x, '//b' '$@i')", 'strings side by side are one'],
  ["SELECT EXTRACTVALUE(x, '//b' COLLATE utf8mb4_bin)", 'anything behind the string'],
  ['SELECT EXTRACTVALUE(x, 0x2f2f62)', 'a hexadecimal literal'],
  ["SELECT EXTRACTVALUE(x, _utf8mb4'//b')", 'an introducer'],
  ["SELECT EXTRACTVALUE(CONCAT(a, b), '//b[$@i]')", 'behind commas of another call'],
  ["SELECT CONCAT(EXTRACTVALUE(a, '//b'), EXTRACTVALUE(a, '//b[$@i]'))", 'the second of two'],
]);

describeRows('XPath that names no variable', { kind: 'read', reason: null }, [
  ["SELECT EXTRACTVALUE(x, '//b[1]'), UPDATEXML(x, '/a', '$@') FROM t", 'a plain string'],
  ["SELECT EXTRACTVALUE(CONCAT(a, '$@i'), '/a') FROM t", 'the document is no XPath'],
  ["SELECT extractvalue FROM t WHERE a = '$@i'", 'a column of that name'],
]);

describeRows('system variables', { kind: 'read', reason: 'system-variable', pin: null }, [
  ['SELECT @@version', 'plain'],
  ['SELECT @@global.gtid_executed', 'with a scope'],
  ['SELECT @@`sql_mode`', 'quoted'],
  ['SELECT a FROM t WHERE b = @@session.pseudo_thread_id', 'anywhere'],
]);

describeRows('functions of the session', { kind: 'read', reason: 'session-function', pin: null }, [
  ['SELECT CONNECTION_ID()', 'CONNECTION_ID'],
  ['SELECT USER(), 1', 'USER'],
  ['SELECT CURRENT_USER', 'CURRENT_USER without parentheses'],
  ['SELECT CURRENT_USER()', 'and with them'],
  ['SELECT SESSION_USER(), SYSTEM_USER()', 'synonyms'],
  ['SELECT DATABASE()', 'DATABASE'],
  ['SELECT SCHEMA ()', 'its synonym'],
  ['SELECT CURRENT_ROLE()', 'CURRENT_ROLE'],
]);
describeRows(
  'functions of the session in MariaDB',
  { kind: 'read', reason: 'session-function' },
  [
    ['SELECT CURRENT_ROLE', 'without parentheses'],
    ['SELECT LASTVAL(s)', 'the last value of a sequence'],
    ['SELECT PREVIOUS VALUE FOR s', 'the same'],
    ['SELECT s.currval', 'the same in ORACLE mode'],
  ],
  ['mariadb', 'unknown'],
);

describeRows('unsafe functions', { kind: 'read', reason: 'unsafe-function' }, [
  ['SELECT SLEEP(1)', 'waits'],
  ['SELECT SLEEP (1)', 'with white space'],
  ['SELECT BENCHMARK(1, 1)', 'burns time'],
  ["SELECT RELEASE_LOCK('a'), 1", 'user locks'],
  ["SELECT IS_FREE_LOCK('a')", 'user locks'],
  ['SELECT RELEASE_ALL_LOCKS()', 'user locks'],
  ["SELECT LOAD_FILE('/x')", 'reads a file'],
  ["SELECT MASTER_POS_WAIT('a', 1)", 'waits for replication'],
  ['SELECT DEFAULT(a) FROM t', 'may advance a sequence'],
  ['SELECT DEFAULT (a) FROM t', 'with white space'],
  ['SELECT VALUE(a) FROM t', 'only an INSERT has it'],
  ['SELECT UUID_SHORT()', 'a counter of one server'],
  ['SELECT a FROM t WHERE b IN (SELECT SLEEP(1))', 'anywhere'],
  ['SELECT 1 /*! + SLEEP(1) */', 'in an executable comment'],
]);
describeRows(
  'unsafe functions of MySQL',
  { kind: 'read', reason: 'unsafe-function' },
  [
    ["SELECT WAIT_FOR_EXECUTED_GTID_SET('a', 1)", 'waits'],
    ["SELECT SOURCE_POS_WAIT('a', 1)", 'waits'],
  ],
  ['mysql', 'unknown'],
);
describeRows(
  'sequences of MariaDB',
  { kind: 'read', reason: 'unsafe-function' },
  [
    ['SELECT NEXTVAL(s)', 'writes'],
    ['SELECT NEXT VALUE FOR s', 'writes'],
    ['SELECT next/**/value for `s`', 'with comments'],
    ['SELECT SUBSTRING(a FROM NEXT VALUE FOR s FOR 2)', 'where FOR means another thing'],
    ['SELECT SETVAL(s, 1)', 'writes'],
    ['SELECT s.nextval', 'in ORACLE mode'],
    ['SELECT `s`.`NextVal`', 'quoted'],
    ['SELECT s . nextval', 'with white space'],
    ['SELECT s."nextval"', 'in double quotes'],
    ['SELECT s. ?? nextval', 'a placeholder that may become nothing'],
  ],
  ['mariadb', 'unknown'],
);
describeRows(
  'user locks',
  { kind: 'read', reason: 'unsafe-function', word: 'get_lock', pin: 'user-lock' },
  [
    ["SELECT GET_LOCK('a', 1)", 'as Kysely takes its migration lock'],
    ["select get_lock('kysely_migration_lock', 3600) as acquired", 'in lower case'],
    ["SELECT 1 FROM t WHERE GET_LOCK('a', 1)", 'anywhere'],
  ],
);

describeRows(
  'functions that are no known built-in',
  { kind: 'read', reason: 'unknown-function', pin: 'unknown-state' },
  [
    ['SELECT f(1)', 'a stored or loadable function'],
    ['SELECT f (1)', 'with white space'],
    ['SELECT f\n(1)', 'with a line feed'],
    ['SELECT f/**/(1)', 'with a comment'],
    ['SELECT --f(1)', 'two minus signs are no comment here'],
    ['SELECT `f`(1)', 'in quotes'],
    ['SELECT `now`(1)', 'a quoted built-in is a stored function'],
    ['SELECT "now"(1)', 'also so under ANSI_QUOTES'],
    ["SELECT 'now'(1)", 'nothing that a server has'],
    ['SELECT db.f(1)', 'qualified'],
    ['SELECT db.now()', 'a qualified built-in is a stored function'],
    ['SELECT db . concat(1)', 'with white space'],
    ['SELECT db. concat(1)', 'on one side'],
    ['SELECT `db`.`f`(1)', 'quoted'],
    ['SELECT a.b.c(1)', 'twice qualified'],
    ['SELECT tax(1)', 'declared pure in a database only'],
    ['SELECT other.tax(1)', 'in another database'],
    ['SELECT x.shop.tax(1)', 'behind one more name'],
    ['SELECT shop.price(1)', 'declared pure without a database'],
    ['SELECT ſin(1)', 'no server folds this letter'],
    ['SELECT cаst(a AS CHAR)', 'a Cyrillic letter'],
    ['SELECT now\u00a1()', 'a character beyond ASCII belongs to the name'],
    ['SELECT a FROM t WHERE x IN f(1)', 'behind a keyword'],
    ['SELECT (1) f(2 + 3)', 'no column list'],
    ['SELECT * FROM (SELECT 1) d (f(1))', 'no column list'],
    ['WITH c (f(1)) AS (SELECT 1) SELECT 1', 'no column list'],
    ['SELECT f(a) AS b', 'no common table expression'],
    ['SELECT 1FOR(2)', 'an identifier that begins with a digit'],
    ['SELECT 0X1(2)', 'an identifier: only a small x makes a number'],
    ['SELECT 1e1f(2)', 'a number before it'],
    ['SELECT over (1)', 'OVER behind no call'],
    ['SELECT lateral (1)', 'LATERAL before no query'],
    ['SELECT lateral (`select`)', 'a quoted keyword begins no query'],
    ['SELECT lateral ((SELECT 1))', 'a query in parentheses may be an argument'],
    ['SELECT of (1)', 'OF behind no MEMBER'],
    ['SELECT except (1), 2', 'EXCEPT before no query'],
    ['SELECT cube (1)', 'CUBE behind no BY'],
    ['SELECT sets (1)', 'SETS behind no GROUPING'],
    ['SELECT {fn f(1)}', 'in the escape of ODBC'],
    ['SELECT {fn oj (1)}', 'OJ that is not behind the brace'],
    ['SELECT oj (1)', 'OJ without a brace'],
    ['SELECT 1 /*! + f(1) */', 'in an executable comment'],
    ['SELECT EXTRACTVALUE2(1)', 'one letter more'],
  ],
);
describeRows(
  'built-in functions that must touch their parenthesis',
  { kind: 'read', reason: 'unknown-function' },
  [
    ['SELECT NOW ()', 'else NOW is a stored function'],
    ['SELECT COUNT (*) FROM t', 'COUNT'],
    ['SELECT MAX\t(a) FROM t', 'MAX'],
    ['SELECT SUBSTRING/**/(a, 1) FROM t', 'a comment between'],
    ['SELECT CAST (a AS CHAR) FROM t', 'CAST'],
    ['SELECT NOW/*!(*/)', 'a comment that is code between'],
    ['SELECT TRIM -- x\n(a) FROM t', 'a line between'],
  ],
);
describeRows(
  'built-in functions that must touch their parenthesis in MariaDB',
  { kind: 'read', reason: 'unknown-function' },
  [
    ['SELECT RANK () OVER (ORDER BY a) FROM t', 'RANK'],
    ['SELECT FIRST_VALUE (a) OVER () FROM t', 'FIRST_VALUE'],
  ],
  ['mariadb', 'unknown'],
);
describeRows(
  'functions of the other dialect',
  { kind: 'read', reason: 'unknown-function' },
  [
    ['SELECT NVL(a, b) FROM t', 'MariaDB'],
    ['SELECT TO_CHAR(a) FROM t', 'MariaDB'],
  ],
  ['mysql', 'unknown'],
);
describeRows(
  'functions of the other dialect',
  { kind: 'read', reason: 'unknown-function' },
  [
    ['SELECT ANY_VALUE(a) FROM t', 'MySQL'],
    ['SELECT BIN_TO_UUID(a) FROM t', 'MySQL'],
    ['SELECT ST_Transform(a, 1) FROM t', 'MySQL'],
  ],
  ['mariadb', 'unknown'],
);

describeRows('SQL_CALC_FOUND_ROWS', { kind: 'read', reason: 'calc-found-rows', pin: null }, [
  ['SELECT SQL_CALC_FOUND_ROWS a FROM t LIMIT 1', 'first'],
  ['SELECT DISTINCT sql_calc_found_rows a FROM t', 'behind DISTINCT'],
]);

describeRows('hints that set variables', { reason: 'variable-hint', word: 'set_var' }, [
  ['SELECT /*+ SET_VAR(timestamp = 5) */ NOW()', 'SET_VAR'],
  ['SELECT /*+ NO_ICP(t) set_var (a=1) */ 1', 'behind another hint'],
  ['SELECT /*+SET_VAR(a=1)*/ 1', 'without white space'],
]);
describeRows(
  'SET STATEMENT of MariaDB',
  { kind: 'other', reason: 'variable-hint', word: 'statement' },
  [['SET STATEMENT max_statement_time = 1 FOR SELECT 1', 'sets a variable for one statement']],
);
describeRows('hints that no rule knows', { reason: 'unrecognised', word: '/*+' }, [
  ['SELECT /*+ WHATEVER(t) */ 1', 'a name'],
  ['SELECT /*+ QB_NAME(`a*/ 1 AS `b`', 'an end inside quotes'],
  ['SELECT /*+ QB_NAME(\'a" b\' ") */ 1', 'two kinds of quotes'],
  ['SELECT /*+ MAX_EXECUTION_TIME(?) */ 1', 'a placeholder'],
  ['SELECT /*+ NO_ICP(t1 ( */ 1', 'a syntax error, of which the server warns'],
]);
describeRows('hints that change how a read runs', { kind: 'read', reason: null }, [
  ['SELECT /*+ NO_ICP(t) MAX_EXECUTION_TIME(1000) */ 1', 'documented hints'],
  ['SELECT /*+ JOIN_ORDER(t1@qb1, `t 2`) QB_NAME(qb1) */ 1', 'query blocks, quoted names'],
  ['SELECT /*+ INDEX(t i), BKA(@qb t) */ 1', 'indexes'],
  ['SELECT /*+ any text */ 1', 'words without parentheses are ignored by the server'],
  ['SELECT 1 /*+ NO_ICP(t) */', 'a comment where no hint is'],
]);

describeRows('system schemas', { kind: 'read', reason: 'system-schema' }, [
  ['SELECT * FROM information_schema.tables', 'information_schema'],
  ['SELECT * FROM INFORMATION_SCHEMA.TABLES', 'in capitals'],
  ['SELECT * FROM `information_schema`.`tables`', 'quoted'],
  ['SELECT * FROM "information_schema"."tables"', 'in double quotes'],
  ['SELECT * FROM information_schema . tables', 'white space around the point'],
  ['SELECT * FROM information_schema/**/./**/tables', 'comments around it'],
  ['SELECT * FROM `mysql`.user', 'mysql'],
  ['SELECT * FROM performance_schema.threads', 'performance_schema'],
  ['SELECT * FROM sys.version', 'sys'],
  ['SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM mysql.proc)', 'anywhere'],
  ['SELECT sys.a FROM t AS sys', 'an alias of that name counts too'],
  ['TABLE mysql.user', 'of TABLE'],
]);

describeRows('primary tables', { kind: 'read', reason: 'primary-table' }, [
  ['SELECT * FROM job', 'by name'],
  ['SELECT * FROM JOB', 'in any case'],
  ['SELECT * FROM `shop`.`Job` AS j', 'in any database'],
  ['SELECT job.id FROM x AS job', 'an alias counts'],
  ['SELECT a AS "job" FROM t', 'in double quotes it may be a name'],
  ['SELECT * FROM till', 'shop.till without its database'],
  ['SELECT * FROM shop.till', 'with it'],
  ['SELECT * FROM `SHOP` . till', 'with it'],
  ['SELECT * FROM "shop".till', 'with what may be it'],
  ['SELECT * FROM `with ``quote`', 'a name with a quote'],
  ['select * from `knex_migrations`', 'the migrations of Knex'],
  ['select * from `knex_migrations_lock`', 'their lock'],
  ['select `name` from `kysely_migration`', 'the migrations of Kysely'],
  ['select * from `app`.`kysely_migration_lock`', 'their lock'],
]);

describeRows('what no rule knows', { kind: 'read', reason: 'unrecognised' }, [
  ['SELECT a FROM t CHECK x', 'a reserved word without a place in reads'],
  ['SELECT [now](1)', 'brackets quote in the MSSQL mode of MariaDB'],
  ['SELECT a[1] FROM t', 'brackets'],
  ['SELECT 1\u00a0FROM t', 'NBSP is white space in some character sets'],
  ['SELECT 1\u0085', 'a control character beyond ASCII'],
  ['SELECT 1 \u0001', 'a control character'],
  ['SELECT a::int FROM t', 'two colons'],
  ['SELECT 1 : 2', 'a colon alone'],
  ['SELECT a :?= 1', 'an assignment, if nothing is put there'],
  ['SELECT VALUES(1) FROM t', 'VALUES that is no query, nor of a column'],
  ['SELECT VALUES(a + 1) FROM t', 'of more than a column'],
  ['SELECT VALUES(f(1)) FROM t', 'of a call'],
  ['SELECT COALESCE(VALUES(), 1) FROM t', 'of nothing'],
  ['SELECT DISTINCT VALUES FROM t', 'of nothing'],
  [`SELECT ${'('.repeat(1100)}1${')'.repeat(1100)}`, 'deeper than servers parse'],
]);
describeRows(
  '$ that may begin a dollar-quoted text',
  { reason: 'unrecognised', word: '$', pin: 'unknown-state' },
  [
    ['SELECT $$', 'two'],
    ['SELECT $$x$$', 'without a tag'],
    ['SELECT $tag$ FOR UPDATE $tag$', 'with a tag'],
    ['SELECT $t$ FROM t', 'that does not end'],
    ['SELECT 1 AS $é$', 'a tag beyond ASCII'],
    ['SELECT 8.4$p$', 'behind a number'],
    ['SELECT t . $t$', 'behind a point that it does not touch'],
    ['SELECT 1 /*! AS $t$ */', 'in an executable comment'],
  ],
);
describeRows(
  'executable comments that servers do not read in one of two ways',
  { reason: 'unrecognised', word: '/*!', pin: 'unknown-state' },
  [
    [
      'SELECT 1 /*!50000 + 1 */ /*!80000 + 2 */',
      'two versions: a server may read one and skip the other',
    ],
    ['SELECT 1 /*!50000 + 1 */ /*! + 2 */', 'with a version and without'],
    ['SELECT 1 /*!123 + 1 */', 'no version'],
    ['SELECT 1 /*!1234567 + 1 */', 'no version'],
    ['SELECT 1 /*! + 1 /* x */ */', 'a comment in an executable one'],
    ['SELECT 1 /*!99999 /* x */ */', 'also where it is skipped'],
  ],
);
describeRows(
  'a sixth digit is a version to MySQL only before white space',
  { reason: 'unrecognised', word: '/*!' },
  [['SELECT 1 /*!100500 + 1 */', 'a version of MariaDB']],
  ['mysql', 'unknown'],
);
describeRows('brackets', { reason: 'unrecognised', word: '[' }, [
  ['SELECT [a b] FROM t', 'a name in the MSSQL mode of MariaDB, an error in all others'],
  ['SELECT 1 AS [for update]', 'a name in the MSSQL mode of MariaDB, an error in all others'],
]);
describeRows(
  'a type of the other dialect',
  { reason: 'unknown-function', word: 'varchar2' },
  [['SELECT CAST(a AS VARCHAR2(10)) FROM t', 'VARCHAR2 of MariaDB may be a stored function']],
  ['mysql', 'unknown'],
);

describeRows(
  'functions that may do anything, behind another reason',
  { kind: 'read', callsUnknown: true },
  [
    ['SELECT USER(), f(1)', 'behind a question about the session'],
    ['SELECT @@sql_mode, f(1)', 'a system variable'],
    ['SELECT @a, f(1)', 'a user variable'],
    ['SELECT 1 FROM t WHERE f(1) FOR UPDATE', 'a lock'],
    ['SELECT 1 FROM information_schema.tables WHERE f(1)', 'a system schema'],
    ['SELECT /*+ SET_VAR(sort_buffer_size = 1) */ f(1)', 'a hint'],
    ['SELECT @a, SLEEP(1)', 'one that is built in'],
  ],
);

describeRows('no such function', { kind: 'read', callsUnknown: false }, [
  ['SELECT USER(), NOW()', 'the session'],
  ['SELECT @a', 'a variable'],
  ['SELECT 1 FROM t FOR UPDATE', 'a lock'],
]);

describeRows(
  'questions about the session that have another reason too',
  { kind: 'read', reason: 'unknown-function', word: 'f', pin: 'unknown-state' },
  [
    ['SELECT FOUND_ROWS(), f(1)', 'a stored function'],
    ['SELECT @@warning_count, f(1)', 'behind a variable'],
    ['SELECT ROW_COUNT(), USER(), @@error_count, f(1)', 'behind several'],
  ],
);
describeRows('a question and a lock', { asks: ['found-rows'], reason: 'locking-read' }, [
  ['SELECT FOUND_ROWS() FROM t LOCK IN SHARE MODE', 'shared'],
  ['SELECT FOUND_ROWS() FROM t FOR UPDATE', 'exclusive'],
]);
describeRows('a question and a file', { asks: ['found-rows'], reason: 'into' }, [
  ["SELECT FOUND_ROWS() INTO OUTFILE 'x'", 'written'],
]);
describeRows('a question and a system schema', { asks: ['row-count'], reason: 'system-schema' }, [
  ['SELECT ROW_COUNT(), (SELECT COUNT(*) FROM mysql.user)', 'read'],
]);
describeRows('a question in one reading only', { reason: 'into' }, [
  ["SELECT FOUND_ROWS(), 'a\\' INTO OUTFILE 'x' -- '", 'and a file in the other'],
]);

describeRows(
  'words of a clause where MariaDB calls a function',
  { kind: 'read', reason: 'unknown-function' },
  [
    ['SELECT against (1)', 'no columns before it'],
    ['SELECT a, against (1) FROM t', 'columns without MATCH'],
    ['SELECT MATCH against (1)', 'no column but itself'],
    ['SELECT t.match, against (1) FROM t', 'a column named match'],
    ['SELECT t.match a against (1) FROM t', 'and a name behind it'],
    ['SELECT escape (1)', 'nothing before it'],
    ['SELECT 2 LIKE escape (1)', 'an operator'],
    ['SELECT a LIKE b OR escape (1) FROM t', 'another'],
    ['SELECT ? escape (1)', 'what may be nothing at all'],
  ],
  ['mariadb', 'unknown'],
);
