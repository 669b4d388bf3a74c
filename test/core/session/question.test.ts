import { describe, expect, it } from 'vitest';
import { onlyAsks } from '../../../packages/core/src/session/question.ts';
import { dialects, type Row } from '../statement/rows.ts';
import { says } from './states.ts';

function rows(title: string, expected: boolean, each: readonly Row[]): void {
  describe(title, () => {
    it.each(each)('%s: %s', (sql) => {
      for (const dialect of dialects) {
        expect(onlyAsks(says(sql, dialect)), dialect).toBe(expected);
      }
    });
  });
}

rows('only asks', true, [
  ['SELECT LAST_INSERT_ID()', 'a function of the session'],
  ['SELECT @@identity', 'its variable'],
  ['SELECT FOUND_ROWS(), ROW_COUNT()', 'two questions'],
  ['SELECT @@warning_count', 'a number'],
  ['SHOW WARNINGS', 'a list'],
  ['SHOW COUNT(*) ERRORS', 'a number'],
]);

rows('does more, or asks nothing', false, [
  ['SELECT 1', 'a read'],
  ['SHOW TABLES', 'SHOW of something else'],
  ['SELECT CONNECTION_ID()', 'of the session, but not of its statements'],
  ['SELECT @@sql_mode', 'a variable that no statement sets by its way'],
  ['SELECT LAST_INSERT_ID(5)', 'it sets what it returns'],
  ['SELECT LAST_INSERT_ID(), LAST_INSERT_ID(5)', 'it asks, and sets what comes next'],
  ['SELECT FOUND_ROWS() INTO @n', 'it sets a variable'],
  ['SELECT @n := LAST_INSERT_ID()', 'it sets a variable'],
  ['GET DIAGNOSTICS @n = NUMBER', 'it sets a variable'],
  ['SELECT FOUND_ROWS() FOR UPDATE', 'it locks'],
  ['SELECT ROW_COUNT(), f(1)', 'nobody knows what the function does'],
  ["SELECT ROW_COUNT(), GET_LOCK('a', 1)", 'it locks'],
  ['INSERT INTO t SELECT LAST_INSERT_ID()', 'it writes'],
  ['SELECT FOUND_ROWS() FROM information_schema.TABLES', 'it reads what only the primary has'],
]);
