import type { Flavor } from '../support/servers/flavor.ts';

/** A statement, the role of the server that must run it, and why. */
export interface Row {
  readonly sql: string;
  readonly why: string;
  /** Where only one flavour knows the statement. */
  readonly only?: Flavor;
}

/** The schema that the rows speak of. */
export const schema: readonly string[] = [
  'CREATE TABLE item (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50), doc JSON, FULLTEXT (name))',
  "INSERT INTO item (name, doc) VALUES ('tea', '{\"a\": 1}'), ('for update', '{}'), ('milk', '[]')",
  'CREATE TABLE stock (item_id INT PRIMARY KEY, amount INT DEFAULT 0)',
  'INSERT INTO stock VALUES (1, 10), (2, 20)',
  'CREATE TABLE knex_migrations (id INT PRIMARY KEY, name VARCHAR(50))',
  'CREATE FUNCTION price(n INT) RETURNS INT NO SQL RETURN n * 2',
  'CREATE PROCEDURE restock() UPDATE stock SET amount = amount + 1',
];

/** Design §4, "To a replica". */
export const replicaRows: readonly Row[] = [
  { sql: 'SELECT id, name FROM item', why: 'a plain read' },
  {
    sql: 'SELECT * FROM item WHERE id IN (1, 2, 3) ORDER BY id DESC LIMIT 2 OFFSET 1',
    why: 'clauses',
  },
  { sql: "SELECT id FROM item WHERE name = 'for update'", why: 'a lock inside a string is text' },
  { sql: 'SELECT id AS last_insert_id FROM item', why: 'a name that is a function elsewhere' },
  {
    sql: 'SELECT `for update`.id FROM item AS `for update`',
    why: 'a lock inside quotes is a name',
  },
  { sql: 'SELECT id FROM item -- FOR UPDATE', why: 'a lock inside a comment' },
  { sql: 'SELECT i.id, s.amount FROM item i LEFT JOIN stock s ON s.item_id = i.id', why: 'a join' },
  {
    sql: 'SELECT id FROM item WHERE EXISTS (SELECT 1 FROM stock WHERE item_id = id)',
    why: 'a subquery',
  },
  { sql: 'WITH c AS (SELECT 1 AS n) SELECT n FROM c', why: 'a common table expression' },
  {
    sql: 'WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3) SELECT n FROM c',
    why: 'a recursive one with a column list, which looks like a call',
  },
  { sql: 'SELECT 1 UNION SELECT 2', why: 'a union' },
  { sql: '(SELECT 1) UNION ALL (SELECT 2) ORDER BY 1', why: 'parenthesised arms' },
  { sql: 'SELECT 1 EXCEPT SELECT 2', why: 'EXCEPT' },
  { sql: 'SELECT 1 INTERSECT SELECT 1', why: 'INTERSECT' },
  {
    sql: 'SELECT id, ROW_NUMBER() OVER (PARTITION BY name ORDER BY id) FROM item',
    why: 'a window',
  },
  { sql: 'SELECT id, RANK() OVER w FROM item WINDOW w AS (ORDER BY id)', why: 'a named window' },
  { sql: "SELECT JSON_EXTRACT(doc, '$.a'), JSON_UNQUOTE('\"x\"') FROM item", why: 'JSON' },
  { sql: "SELECT ST_AsText(ST_GeomFromText('POINT(1 1)'))", why: 'spatial' },
  { sql: "SELECT id FROM item WHERE MATCH (name) AGAINST ('tea')", why: 'full text' },
  { sql: 'SELECT d.n FROM (SELECT 1 AS n) AS d', why: 'a derived table' },
  { sql: 'SELECT id FROM item USE INDEX (PRIMARY) WHERE id = 1', why: 'an index hint' },
  {
    sql: 'SELECT COUNT(*), SUM(id), MAX(name), GROUP_CONCAT(name) FROM item GROUP BY id',
    why: 'aggregates',
  },
  { sql: "SELECT CASE WHEN id > 1 THEN 'many' ELSE 'one' END FROM item", why: 'CASE' },
  {
    sql: 'SELECT CAST(id AS CHAR(10)), CONVERT(id, DECIMAL(10, 2)) FROM item',
    why: 'types with a length',
  },
  { sql: 'SELECT NOW(), CURRENT_TIMESTAMP, DATE_ADD(NOW(), INTERVAL 1 DAY)', why: 'the time' },
  {
    sql: "SELECT SUBSTRING('tea' FROM 2 FOR 1), TRIM(LEADING 't' FROM 'tea')",
    why: 'FOR that locks nothing',
  },
  { sql: "SELECT 'it''s', \"quoted\", 0x41, b'01', _utf8mb4'x'", why: 'literals' },
  { sql: 'SELECT 1;', why: 'one statement with its semicolon' },
  { sql: 'EXPLAIN SELECT id FROM item', why: 'EXPLAIN of a read' },
  {
    sql: 'SELECT /*+ MAX_EXECUTION_TIME(1000) */ id FROM item',
    why: 'an optimizer hint',
    only: 'mysql',
  },
  { sql: 'TABLE item', why: 'TABLE', only: 'mysql' },
  { sql: 'VALUES ROW(1, 2), ROW(3, 4)', why: 'VALUES', only: 'mysql' },
  { sql: 'VALUES (1, 2), (3, 4)', why: 'VALUES', only: 'mariadb' },
];

/** Design §4, "To the primary, always". */
export const primaryRows: readonly Row[] = [
  { sql: "INSERT INTO item (name) VALUES ('x')", why: 'DML' },
  { sql: "UPDATE item SET name = 'y' WHERE id = 3", why: 'DML' },
  { sql: 'DELETE FROM stock WHERE item_id = 99', why: 'DML' },
  { sql: 'REPLACE INTO stock VALUES (3, 30)', why: 'DML' },
  { sql: 'INSERT INTO stock SELECT 4, 40', why: 'DML that reads' },
  { sql: 'CREATE TABLE scratch (id INT)', why: 'DDL' },
  { sql: 'TRUNCATE TABLE scratch', why: 'DDL' },
  { sql: 'DROP TABLE scratch', why: 'DDL' },
  { sql: 'CALL restock()', why: 'a procedure' },
  { sql: 'DO 1', why: 'DO' },
  { sql: 'SET @a = 1', why: 'a user variable' },
  { sql: 'LOCK TABLES stock READ', why: 'a table lock' },
  { sql: "PREPARE s FROM 'SELECT 1'", why: 'a prepared statement' },
  { sql: 'KILL QUERY 0', why: 'not a read' },
  { sql: "XA START 'x'", why: 'a distributed transaction' },
  {
    sql: 'WITH c AS (SELECT 1 AS n) UPDATE stock SET amount = 0 WHERE item_id = 99',
    why: 'DML behind WITH',
    only: 'mysql',
  },
  {
    sql: 'WITH c AS (SELECT 99 AS n) DELETE FROM stock WHERE item_id IN (SELECT n FROM c)',
    why: 'DML behind WITH',
    only: 'mysql',
  },
  { sql: 'EXPLAIN UPDATE stock SET amount = 0', why: 'EXPLAIN of a write' },
  {
    sql: 'ANALYZE UPDATE stock SET amount = 1 WHERE item_id = 99',
    why: 'it executes',
    only: 'mariadb',
  },
  { sql: 'SELECT id FROM item LIMIT 1 INTO @x', why: 'INTO a variable' },
  { sql: 'SELECT id INTO @x FROM item LIMIT 1', why: 'INTO a variable' },
  { sql: "SELECT 1 INTO OUTFILE '/nowhere/x'", why: 'INTO a file' },
  { sql: 'SELECT id FROM item WHERE id = 1 FOR UPDATE', why: 'a lock' },
  { sql: 'SELECT id FROM item WHERE id = 1 LOCK IN SHARE MODE', why: 'a share lock' },
  { sql: 'SELECT id FROM item FOR UPDATE SKIP LOCKED', why: 'a lock' },
  { sql: 'SELECT id FROM item FOR UPDATE NOWAIT', why: 'a lock' },
  { sql: 'SELECT id FROM item FOR UPDATE WAIT 1', why: 'a lock', only: 'mariadb' },
  { sql: 'SELECT id FROM item FOR SHARE', why: 'a share lock', only: 'mysql' },
  { sql: 'SELECT i.id FROM item i FOR UPDATE OF i', why: 'a lock of one table', only: 'mysql' },
  { sql: 'SELECT * FROM (SELECT id FROM item FOR UPDATE) AS d', why: 'a lock in a derived table' },
  { sql: 'WITH c AS (SELECT id FROM item FOR UPDATE) SELECT * FROM c', why: 'a lock in a CTE' },
  { sql: '(SELECT id FROM item FOR UPDATE) UNION (SELECT 1)', why: 'a lock in a union arm' },
  { sql: '(SELECT id FROM item) FOR UPDATE', why: 'a lock behind a parenthesis' },
  {
    sql: 'SELECT id FROM item WHERE id = 1e1FOR UPDATE',
    why: 'a number that ends where a lock begins',
  },
  { sql: 'SELECT id FROM item /*! FOR UPDATE */', why: 'an executable comment is code' },
  { sql: 'SELECT @a', why: 'a user variable' },
  { sql: 'SELECT @a := id FROM item', why: 'an assignment' },
  { sql: 'SELECT @@sql_mode', why: 'a system variable' },
  { sql: "SELECT EXTRACTVALUE('<a><b>1</b></a>', '//b[$@i]')", why: 'XPath reads a user variable' },
  {
    sql: 'SELECT SQL_CALC_FOUND_ROWS id FROM item LIMIT 1',
    why: 'what it counts is asked for later',
  },
  {
    sql: 'SELECT /*+ SET_VAR(sort_buffer_size = 262144) */ 1',
    why: 'sets a variable',
    only: 'mysql',
  },
  { sql: 'SELECT LAST_INSERT_ID(7)', why: 'changes the session' },
  { sql: 'SELECT CONNECTION_ID()', why: 'reads the session' },
  { sql: 'SELECT USER(), CURRENT_USER', why: 'reads the session' },
  { sql: "SELECT GET_LOCK('rwsplit-contract', 0)", why: 'a user lock' },
  { sql: "SELECT IS_FREE_LOCK('rwsplit-contract')", why: 'a user lock' },
  { sql: 'SELECT SLEEP(0)', why: 'waits' },
  { sql: 'SELECT BENCHMARK(1, 1)', why: 'burns time' },
  { sql: "SELECT LOAD_FILE('/nowhere/x')", why: "reads the server's files" },
  { sql: "SELECT WAIT_FOR_EXECUTED_GTID_SET('', 0)", why: 'waits for replication', only: 'mysql' },
  { sql: "SELECT MASTER_GTID_WAIT('', 0)", why: 'waits for replication', only: 'mariadb' },
  { sql: 'SELECT DEFAULT(amount) FROM stock', why: 'may advance a sequence' },
  { sql: 'SELECT NEXTVAL(counter)', why: 'a sequence', only: 'mariadb' },
  { sql: 'SELECT NEXT VALUE FOR counter', why: 'a sequence', only: 'mariadb' },
  { sql: 'SELECT price(1)', why: 'a stored function' },
  { sql: 'SELECT `price`(1)', why: 'a stored function in quotes' },
  { sql: 'SELECT `now`()', why: 'a quoted built-in names a stored function' },
  { sql: 'SELECT no_such_function(1)', why: 'an unknown function' },
  { sql: 'SHOW TABLES', why: 'SHOW' },
  { sql: 'DESCRIBE item', why: 'SHOW by another name' },
  { sql: 'SELECT TABLE_NAME FROM information_schema.TABLES LIMIT 1', why: 'a system schema' },
  { sql: 'SELECT * FROM `INFORMATION_SCHEMA` . TABLES LIMIT 1', why: 'a system schema, quoted' },
  { sql: 'SELECT id FROM knex_migrations', why: 'a migration table' },
  { sql: '/* route:primary */ SELECT id FROM item', why: 'the hint as a comment' },
  { sql: 'SELECT 1; SELECT 2', why: 'two statements' },
  { sql: "SELECT 'unterminated", why: 'the primary is to give its own error' },
  { sql: 'SELECT 1 /* unterminated', why: 'the primary is to give its own error' },
  { sql: 'SELEC 1', why: 'the primary is to give its own error' },
];

/** A question about an earlier statement, and one that it can be asked about. */
export interface FollowUp {
  readonly sql: string;
  readonly after: string;
  readonly answer: unknown;
}

/** Design §5, follow-ups: exact, or refused. */
export const followUps: readonly FollowUp[] = [
  {
    sql: 'SELECT LAST_INSERT_ID() > 0 AS answer',
    after: "INSERT INTO item (name) VALUES ('cocoa')",
    answer: [{ answer: 1 }],
  },
  {
    sql: 'SELECT @@identity > 0 AS answer',
    after: "INSERT INTO item (name) VALUES ('mate')",
    answer: [{ answer: 1 }],
  },
  {
    sql: 'SELECT FOUND_ROWS() AS answer',
    after: 'SELECT SQL_CALC_FOUND_ROWS item_id FROM stock WHERE item_id IN (1, 2) LIMIT 1',
    answer: [{ answer: 2 }],
  },
  {
    sql: 'SELECT ROW_COUNT() AS answer',
    after: 'UPDATE stock SET amount = amount + 1 WHERE item_id IN (1, 2)',
    answer: [{ answer: 2 }],
  },
  {
    sql: 'SHOW COUNT(*) WARNINGS',
    after: 'INSERT IGNORE INTO stock VALUES (1, 10)',
    answer: [{ '@@session.warning_count': 1 }],
  },
];
