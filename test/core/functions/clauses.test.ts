import { describe, expect, it } from 'vitest';
import type { Dialect } from '../../../packages/core/src/statement/facts.ts';
import { TextJudge } from '../../../packages/core/src/statement/judge.ts';
import { calledInMariadb } from '../../../packages/core/src/statement/keywords.ts';
import { Vocabulary } from '../../../packages/core/src/statement/vocabulary.ts';

// The lexer alone: the parser's veto would hide what it lets through.
const judges = {
  mysql: new TextJudge(new Vocabulary({ dialect: 'mysql' })),
  mariadb: new TextJudge(new Vocabulary({ dialect: 'mariadb' })),
  unknown: new TextJudge(new Vocabulary({ dialect: 'unknown' })),
} satisfies Record<Dialect, unknown>;

function reasonsOf(sql: string): (string | null)[] {
  return [judges.mysql, judges.mariadb, judges.unknown].map((judge) => judge.judge(sql).reason);
}

describe('a keyword of queries', () => {
  it.each(calledInMariadb.split(' '))('%s( is a call in MariaDB', (word) => {
    const [, ...mariadb] = reasonsOf(`SELECT 1 + ${word}(1) FROM t`);
    expect(mariadb).toEqual(['unknown-function', 'unknown-function']);
  });

  it.each([
    ["SELECT a FROM t WHERE MATCH(a) AGAINST ('x' IN BOOLEAN MODE)", 'full text'],
    ["SELECT a FROM t WHERE MATCH(a) AGAINST ('x' WITH QUERY EXPANSION)", 'and its modes'],
    ['SELECT a FROM t WHERE MATCH(a) AGAINST (?)', 'with a value'],
    ["SELECT * FROM JSON_TABLE('[]', '$[*]' COLUMNS (a INT PATH '$')) AS j", 'JSON_TABLE'],
    ["SELECT * FROM t, JSON_TABLE(t.a, '$[*]' COLUMNS(a INT PATH '$')) AS j", 'behind a comma'],
    ["SELECT * FROM t LEFT JOIN JSON_TABLE(t.a, '$' COLUMNS (b INT PATH '$')) j ON 1", 'a join'],
    [
      "SELECT * FROM JSON_TABLE(CONCAT('[', a, ']'), '$[*]' COLUMNS (NESTED PATH '$.b' COLUMNS (c INT PATH '$'))) AS j",
      'nested columns',
    ],
    ['SELECT a FROM t LIMIT 1 OFFSET 2', 'words without parentheses'],
    ['SELECT first, last, next, mode, query, unknown, escape FROM t', 'names of columns'],
    ['SELECT 1 IS NOT UNKNOWN, current FROM t', 'operators'],
    ["SELECT a LIKE 'b' ESCAPE '|' FROM t", 'ESCAPE'],
    ['SELECT SQL_NO_CACHE a FROM t', 'options of SELECT'],
    ['SELECT SQL_NO_CACHE (SELECT 1) FROM t', 'before a parenthesis'],
    ['SELECT DISTINCT SQL_BUFFER_RESULT SQL_NO_CACHE (a) FROM t', 'several of them'],
    ['SELECT SUM(a) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t', 'frames'],
    ['SELECT a FROM t EXCEPT (SELECT b FROM u)', 'set operators'],
    ['SELECT a FROM t, LATERAL (SELECT b FROM u) AS v', 'LATERAL'],
  ])('is clause syntax in %s: %s', (sql) => {
    expect(reasonsOf(sql)).toEqual([null, null, null]);
  });

  it.each([
    ['SELECT AGAINST (1)', 'a call of that name'],
    ['SELECT a + AGAINST (1) FROM t', 'behind an operator'],
    ['SELECT COLUMNS (1)', 'a call of that name'],
    ["SELECT 'a' + COLUMNS (1)", 'behind an operator'],
    ['SELECT 1, JSON_TABLE(1)', 'an expression behind a comma'],
    ["SELECT TRIM('a' FROM JSON_TABLE(1))", 'FROM in a call'],
    ["SELECT 1, JSON_TABLE(COLUMNS(1), 'a')", 'COLUMNS is an argument'],
    ["SELECT 1, JSON_TABLE(1, ABS('$' COLUMNS (1)))", 'COLUMNS further inside'],
    ["SELECT 1, JSON_TABLE(1), JSON_TABLE(2, '$' COLUMNS (1))", 'COLUMNS of another'],
    [`SELECT 1, JSON_TABLE(${'1, '.repeat(20)}'$' COLUMNS (1))`, 'COLUMNS too far away'],
    ['SELECT a FROM t GROUP BY CUBE (a)', 'MariaDB has no such grouping'],
    ['SELECT a FROM t GROUP BY ROLLUP (a)', 'MariaDB has no such grouping'],
    ['SELECT COUNT(DISTINCT SQL_NO_CACHE (a)) FROM t', 'DISTINCT of another call'],
    ['SELECT a, SQL_NO_CACHE (a) FROM t', 'behind a comma'],
    ['SELECT a FROM t WHERE a = ESCAPE (1)', 'behind an operator'],
    ['SELECT ? FROM t LIMIT FIRST ?', 'a list in a placeholder would be its arguments'],
  ])('is none in MariaDB in %s: %s', (sql) => {
    const [, ...mariadb] = reasonsOf(sql);
    expect(mariadb).not.toContain(null);
  });

  it('is no query before VALUES(column), a function of MySQL', () => {
    expect(reasonsOf('SELECT a FROM t, LATERAL (VALUES ROW(1)) AS v')[0]).toBeNull();
    expect(reasonsOf('SELECT LATERAL(VALUES(a)) FROM t')).not.toContain(null);
  });
});
