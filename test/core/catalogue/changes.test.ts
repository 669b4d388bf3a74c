import { describe, expect, it } from 'vitest';
import { changesCatalogue } from '../../../packages/core/src/catalogue/changes.ts';
import { createClassifier } from '../../../packages/core/src/statement/classifier.ts';

const classifier = createClassifier({ dialect: 'unknown' });

describe('changesCatalogue', () => {
  it.each([
    ['CREATE VIEW v AS SELECT 1', true, 'a view'],
    [
      'create or replace definer = a@b sql security invoker view v as select 1',
      true,
      'with options',
    ],
    ['/* x */ ALTER /* y */ VIEW v AS SELECT 1', true, 'with comments'],
    ['/*!50001 CREATE VIEW v AS SELECT 1 */', true, 'in an executable comment'],
    ['CREATE FUNCTION f() RETURNS INT RETURN 1', true, 'a function'],
    ['CREATE FUNCTION f() RETURNS INT BEGIN SET @a = 1; RETURN 1; END', true, 'one with a body'],
    ['ALTER FUNCTION f NO SQL', true, 'its declaration'],
    ['CREATE FUNCTION f RETURNS STRING SONAME "f.so"', true, 'a loadable function'],
    ['CREATE TABLE t (a INT, b INT AS (@a) VIRTUAL)', true, 'a generated column'],
    ['ALTER TABLE t ADD b INT GENERATED ALWAYS AS (USER()) VIRTUAL', true, 'one that is added'],
    ['CREATE TABLE t LIKE u', true, 'u may have generated columns'],
    ['RENAME TABLE v TO w', true, 'a view may have the new name'],
    ['ALTER TABLE t RENAME u', true, 'a table with generated columns may'],
    ['SELECT 1; CREATE VIEW v AS SELECT 1', true, 'one of several statements'],
    ["EXECUTE IMMEDIATE 'CREATE VIEW v AS SELECT 1'", true, 'as text'],
    ['BEGIN NOT ATOMIC CREATE VIEW v AS SELECT 1; END', true, 'in a block'],
    ['CREATE VIEW v AS SELECT 1 AS "what?"', true, 'a text that may be another one'],
    ['ALTER VIEW v AS SELECT 1 # why?', true, 'the same with a comment'],
    ['ALTER TABLE t CONVERT PARTITION p TO TABLE u', true, 'a partition has generated columns'],
    ['INSERT INTO t VALUES ("what?")', false, 'a write of such a text'],
    ['SET STATEMENT max_statement_time=5 FOR CREATE VIEW v AS SELECT 1', true, 'behind SET'],
    ['CREATE TABLE t (a INT)', false, 'a table with nothing to hide'],
    ['CREATE TEMPORARY TABLE t AS SELECT 1', false, 'the session stays on the primary'],
    ['DROP VIEW v', false, 'a name less to know'],
    ["INSERT INTO t VALUES ('create view v as select 1')", false, 'only text'],
    ['SELECT 1 AS `create view`', false, 'a read'],
    ['UPDATE t SET a = 1', false, 'a write'],
    ['CALL p()', false, 'what it does is not in its text'],
    ['SET @a = 1', false, 'no definition'],
    ['COMMIT', false, 'neither'],
  ])('%s: %s, %s', (sql, expected) => {
    expect(changesCatalogue(classifier.classify(sql), () => sql)).toBe(expected);
  });

  it('takes linear time for a long text of several statements', () => {
    const sql = `SELECT 1;${' create'.repeat(150_000)}`;
    expect(changesCatalogue(classifier.classify(sql), () => sql)).toBe(false);
  });
});
