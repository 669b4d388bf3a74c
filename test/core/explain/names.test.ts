import { explain } from '@rwsplit/core';
import { describe, expect, it } from 'vitest';
import { scanTables } from '../../../packages/core/src/explain/table-scan.ts';
import { Lexer } from '../../../packages/core/src/statement/lexer.ts';
import { defaultReading } from '../../../packages/core/src/statement/readings.ts';
import { Vocabulary } from '../../../packages/core/src/statement/vocabulary.ts';

type Row = readonly [sql: string, names: string, why: string];

function shown(tables: readonly { readonly db: string | null; readonly table: string }[]): string {
  return tables.map(({ db, table }) => (db === null ? table : `${db}.${table}`)).join(' ');
}

function scanned(sql: string): string {
  const lexer = new Lexer(new Vocabulary({ dialect: 'mysql' }));
  lexer.read(sql, defaultReading);
  return shown(scanTables(lexer.tokens).tables);
}

describe('tables', () => {
  // Found in the same way by the parser and by the words in front of them.
  const reads: readonly Row[] = [
    ['SELECT 1', '', 'none'],
    ['SELECT 1 FROM dual', '', 'DUAL is none'],
    ['SELECT a FROM s.b JOIN c ON s.b.x = c.x, a AS z', 's.b c a', 'in their order'],
    ['SELECT x.a FROM t x, t y', 't', 'each once'],
    ['SELECT 1 FROM `a``b`.`c d`', 'a`b.c d', 'without their quotes'],
    ['SELECT * FROM (SELECT a FROM t) d WHERE EXISTS (SELECT 1 FROM u)', 't u', 'nested'],
    ['SELECT 1 FROM a UNION (SELECT 1 FROM b ORDER BY c, d)', 'a b', 'of a union'],
    ['SELECT a, b FROM t WHERE x IN (y, z) ORDER BY b, c', 't', 'commas of other clauses'],
    ['SELECT 1 FROM t GROUP BY a, b HAVING c, d LIMIT 1, 2', 't', 'more of them'],
    ['SELECT TRIM(a FROM b), EXTRACT(DAY FROM c) FROM t', 't', 'FROM of functions'],
    ['WITH c AS (SELECT 1 FROM t) SELECT * FROM C', 't', 'not the names of WITH'],
    ['WITH c (a, b) AS (SELECT 1, 2 FROM t), d AS (SELECT * FROM c) SELECT * FROM d', 't', 'two'],
    ['WITH c AS (SELECT 1 FROM c) SELECT * FROM c', 'c', 'a table that WITH has the name of'],
    ['WITH c AS (SELECT 1) SELECT * FROM s.c', 's.c', 'qualified'],
    ['SELECT 1 FROM (WITH c AS (SELECT 1) SELECT * FROM c) d JOIN c', 'c', 'not behind it'],
    ['SELECT 1 FROM c WHERE a IN (WITH c AS (SELECT 1) SELECT * FROM c)', 'c', 'only inside'],
    [
      'WITH RECURSIVE c AS (SELECT 1 FROM t UNION ALL SELECT a + 1 FROM c) SELECT * FROM c',
      't',
      'recursive',
    ],
  ];
  it.each(reads)('of %s are: %s (%s)', (sql, names) => {
    expect(shown(explain(sql, { dialect: 'mysql' }).tables)).toBe(names);
    expect(scanned(sql)).toBe(names);
  });

  const others: readonly Row[] = [
    ['SELECT a FROM t USE INDEX FOR ORDER BY (i), u', 't u', 'an index hint in the list'],
    [
      'WITH RECURSIVE c AS (SELECT a FROM d), d AS (SELECT a FROM t) SELECT * FROM c',
      't',
      'names of WITH that are used before they come, which only the parser sees',
    ],
    ['SELECT STRAIGHT_JOIN b FROM t USE INDEX FOR JOIN (i), u', 't u', 'another index hint'],
    ['SELECT a FROM t PARTITION (p0, p1) AS x JOIN u', 't u', 'partitions'],
    ['SELECT a FROM (t1 JOIN (t2, t3)) STRAIGHT_JOIN t4', 't1 t2 t3 t4', 'parentheses'],
    ['SELECT a FROM t NATURAL LEFT JOIN u WHERE a <=> b', 't u', 'not parsed'],
    [
      "SELECT j.a FROM t, JSON_TABLE('[]', '$' COLUMNS (a INT PATH '$')) j",
      't',
      'a table function',
    ],
    ['SELECT a IS DISTINCT FROM b FROM t', 't', 'a comparison'],
    ['SELECT a FROM t FOR UPDATE OF t, x', 't', 'aliases behind OF'],
    ['SELECT a INTO @x FROM t', 't', 'a variable'],
    ['SELECT a /*! , b */ FROM t /*! JOIN u */', 't u', 'an executable comment is code'],
    ['TABLE s.t', 's.t', 'TABLE'],
    ['SELECT 1 UNION TABLE t', 't', 'TABLE in a union'],
    ['SELECT * FROM (TABLE t) x', 't', 'TABLE in parentheses'],
    ['VALUES ROW(1, 2)', '', 'VALUES'],
    ['EXPLAIN FORMAT=JSON SELECT a FROM t', 't', 'EXPLAIN'],
    ['EXPLAIN FORMAT=TREE UPDATE t SET a = 1', 't', 'EXPLAIN of a write'],
    ['DESCRIBE s.t', 's.t', 'DESCRIBE'],
    ['SHOW CREATE TABLE t', 't', 'SHOW CREATE'],
    ['SHOW FULL COLUMNS FROM t FROM s', 't', 'SHOW COLUMNS'],
    ['SHOW INDEX IN t', 't', 'SHOW INDEX'],
    ['SHOW TABLES FROM s', '', 'a database'],
    ['SHOW TABLE STATUS', '', 'no table'],
    ['INSERT INTO t (a, b) VALUES (1, 2) ON DUPLICATE KEY UPDATE a = 1, b = 2', 't', 'INSERT'],
    [
      'INSERT IGNORE s.t SELECT a FROM u ON DUPLICATE KEY UPDATE a = 1, b = 2',
      's.t u',
      'without INTO',
    ],
    ['REPLACE LOW_PRIORITY INTO t SET a = (SELECT 1 FROM u)', 't u', 'REPLACE'],
    ['UPDATE IGNORE t, u AS x SET t.a = 1, b = 2', 't u', 'UPDATE of two'],
    ['WITH c AS (SELECT 1 FROM u) UPDATE t JOIN c SET a = 1', 'u t', 'UPDATE behind WITH'],
    ['DELETE FROM t WHERE a = (SELECT 1 FROM u)', 't u', 'DELETE'],
    ['DELETE x, y FROM t AS x JOIN u AS y', 't u', 'DELETE of aliases'],
    ["LOAD DATA INFILE 'x' INTO TABLE t (a, b)", 't', 'LOAD'],
    ['TRUNCATE TABLE t', 't', 'TRUNCATE'],
    [
      'CREATE TABLE IF NOT EXISTS t (id INT, KEY k (id), FOREIGN KEY (a) REFERENCES u (b))',
      't u',
      'a foreign key',
    ],
    ['CREATE TABLE t LIKE s.u', 't s.u', 'LIKE'],
    ['CREATE TABLE t (LIKE u)', 't u', 'LIKE in parentheses'],
    ['CREATE TEMPORARY TABLE t AS SELECT a FROM u', 't u', 'AS SELECT'],
    ['CREATE UNIQUE INDEX i ON t (a, b)', 't', 'an index'],
    ['CREATE OR REPLACE VIEW v (a) AS SELECT b FROM t', 'v t', 'a view'],
    ['CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1', 't', 'a trigger'],
    ['ALTER TABLE t ADD COLUMN a INT, RENAME TO u', 't u', 'ALTER'],
    ['DROP TABLE IF EXISTS s.a, b', 's.a b', 'DROP of two'],
    ['RENAME TABLE a TO b, c TO d', 'a b c d', 'RENAME'],
    ['RENAME USER a TO b', '', 'a user'],
    ['LOCK TABLES a READ, b AS x WRITE', 'a b', 'LOCK'],
    ['FLUSH TABLES WITH READ LOCK', '', 'FLUSH of all'],
    ['OPTIMIZE TABLE a, b', 'a b', 'OPTIMIZE'],
    ['GRANT SELECT, INSERT ON s.t TO u', 's.t', 'GRANT'],
    ['GRANT ALL ON s.* TO u', '', 'GRANT on a database'],
    ['GRANT EXECUTE ON PROCEDURE s.p TO u', '', 'GRANT on a routine'],
    ['HANDLER t OPEN', 't', 'HANDLER'],
    ['CALL p(1)', '', 'a routine'],
    ['SELECT 1 FROM a; DELETE FROM b', 'a b', 'two statements'],
    ["SELECT a FROM t WHERE b = 'x", 't', 'what can be read of it'],
    ['SELECT * FROM ?? JOIN u', 'u', 'a name that is bound'],
  ];
  it.each(others)('of %s are: %s (%s)', (sql, names) => {
    expect(shown(explain(sql, { dialect: 'mysql' }).tables)).toBe(names);
  });
});

describe('functions', () => {
  const rows: readonly Row[] = [
    ['SELECT a FROM t', '', 'none'],
    ['SELECT MAX(a), max(b), Count(*) FROM t', 'max count', 'each once, in lower case'],
    ['SELECT f(g(1)), s.f(2), `h`(3), `s`.`i`(4)', 'f g s.f h s.i', 'stored functions'],
    ['SELECT SLEEP(1), GET_LOCK("a", 1)', 'sleep get_lock', 'of a refused text'],
    ['SELECT a FROM t WHERE a IN (1) AND NOT (b) AND EXISTS (SELECT 1)', '', 'clause words'],
    ['SELECT CAST(a AS CHAR(3)), DATE(b), CAST(c AS DATETIME(6)) FROM t', 'cast date', 'types'],
    ['WITH c (a) AS (SELECT 1) SELECT SUM(a) OVER (ORDER BY a) FROM c', 'sum', 'clauses'],
    ['SELECT d.a FROM (SELECT 1) AS d (a)', '', 'a column list'],
    ["SELECT 1 FROM JSON_TABLE('[]', '$' COLUMNS (a INT PATH '$')) j", 'json_table', 'of a table'],
    ['SELECT a FROM t USE INDEX (i) JOIN u USING (b)', '', 'index and USING'],
    ['SELECT DATE_ADD(a, INTERVAL (1) DAY) FROM t', 'date_add', 'an interval'],
    ['INSERT INTO t (a, b) VALUES (NOW(), f(1))', 'now f', 'not the table'],
    ['INSERT INTO s.t (a) VALUES (1)', '', 'not the table in its database'],
    ['UPDATE t SET a = IF(b, f(1), 2)', 'if f', 'of an UPDATE'],
    ['CALL p(f(1))', 'f', 'a procedure is none'],
    ['CREATE FUNCTION f(a INT) RETURNS INT RETURN g(a)', 'g', 'not what is defined'],
    ['CREATE TABLE t (id INT(11) DEFAULT (UUID()), d DATE, KEY k (id))', 'uuid', 'in a definition'],
    ['CREATE VIEW v (a) AS SELECT f(1)', 'f', 'in a view'],
    ['SELECT f(1); SELECT g(2)', 'f g', 'of two statements'],
    ["SELECT f(1), 'x", 'f', 'what can be read of it'],
  ];
  it.each(rows)('of %s are: %s (%s)', (sql, names) => {
    for (const dialect of ['mysql', 'mariadb'] as const) {
      expect(explain(sql, { dialect }).functions.join(' ')).toBe(names);
    }
  });
});
