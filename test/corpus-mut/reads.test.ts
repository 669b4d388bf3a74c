import { describe, expect, it } from 'vitest';
import type { Facts } from '../../packages/core/src/statement/facts.ts';
import { isExcluded, looksLikeRead } from './reads.ts';

describe('what looks like a read', () => {
  it.each([
    ['SELECT 1', true],
    ['  (( select 1 ) )', true],
    ['/* a */ SELECT 1', true],
    ['/*!50000 SELECT */ 1', true],
    ['-- a\nWITH c AS (SELECT 1) SELECT * FROM c', true],
    ['VALUES ROW(1)', true],
    ['TABLE t', true],
    ['EXPLAIN SELECT 1', true],
    ['EXPLAIN FORMAT=JSON (SELECT 1)', true],
    ['DESCRIBE t', false],
    ['ANALYZE FORMAT=JSON SELECT 1', true],
    ['ANALYZE TABLE t', false],
    ['EXPLAIN DELETE FROM t', false],
    ['INSERT INTO t SELECT 1', false],
    ['SHOW TABLES', false],
    ['SELECTED', false],
  ])('%s: %s', (sql, isRead) => {
    expect(looksLikeRead(sql)).toBe(isRead);
  });
});

describe('what a rule keeps on the primary', () => {
  const unknown = (word: string) => ({ reason: 'unknown-function', word }) as const;

  it.each<[sql: string, facts: Pick<Facts, 'reason' | 'word'>, stored: boolean, excluded: boolean]>(
    [
      ['SELECT @a', { reason: 'user-variable', word: 'a' }, false, true],
      ['SELECT f(1)', unknown('f'), true, true],
      ['SELECT abs(1)', unknown('abs'), false, false],
      ['SELECT count (1)', unknown('count'), false, true],
      ['SELECT count/**/(1)', unknown('count'), false, true],
      ['SELECT `now`()', unknown('now'), false, true],
      ['SELECT db . now()', unknown('now'), false, true],
      ['SELECT `my count`(1)', unknown('my count'), false, true],
      ['SELECT 1', { reason: 'unrecognised', word: null }, false, false],
      ['SELECT 1', { reason: 'malformed', word: null }, false, false],
      ['SELECT 1', { reason: 'parser-veto', word: 'function' }, false, false],
      ['SELECT @a, "?"', { reason: 'malformed', word: null }, false, true],
      ['SELECT "@a", \'mysql.user\'', { reason: 'malformed', word: null }, false, false],
      ['SELECT * FROM mysql.user', { reason: 'malformed', word: null }, false, true],
      ['SELECT 1', { reason: null, word: null }, false, false],
    ],
  )('%s %j: stored %s, by rule %s', (sql, facts, stored, excluded) => {
    const all = { kind: 'read', pin: null, followUp: null, hint: null, ...facts } as const;
    expect(isExcluded(sql, all, stored)).toBe(excluded);
  });
});
