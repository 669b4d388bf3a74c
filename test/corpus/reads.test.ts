import { describe, expect, it } from 'vitest';
import type { Facts, TextReason } from '../../packages/core/src/statement/facts.ts';
import { looksLikeRead, ruleFor } from './reads.ts';

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

describe('the rule that keeps a read on the primary', () => {
  const unknown = (word: string) => ({ reason: 'unknown-function', word }) as const;
  const malformed = { reason: 'malformed', word: null } as const;

  it.each<
    [sql: string, facts: Pick<Facts, 'reason' | 'word'>, isStored: boolean, rule: TextReason | null]
  >([
    ['SELECT @a', { reason: 'user-variable', word: 'a' }, false, 'user-variable'],
    ['SELECT f(1)', unknown('f'), true, 'unknown-function'],
    ['SELECT abs(1)', unknown('abs'), false, null],
    ['SELECT count (1)', unknown('count'), false, 'unknown-function'],
    ['SELECT count/**/(1)', unknown('count'), false, 'unknown-function'],
    ['SELECT `now`()', unknown('now'), false, 'unknown-function'],
    ['SELECT db . now()', unknown('now'), false, 'unknown-function'],
    ['SELECT `my count`(1)', unknown('my count'), false, 'unknown-function'],
    [
      'SELECT "p1.p1"."f1"()',
      { reason: 'unknown-function', word: null },
      false,
      'unknown-function',
    ],
    ['SELECT (1)', { reason: 'unknown-function', word: null }, false, null],
    ['SELECT * FROM { oj (t JOIN u ON 1) }', unknown('oj'), false, null],
    ['SELECT MATCH a AGAINST ("x")', unknown('against'), false, null],
    ['SELECT nosuch(@a)', unknown('nosuch'), false, 'user-variable'],
    ['SELECT 1', { reason: 'unrecognised', word: null }, false, null],
    ['SELECT 1', malformed, false, null],
    ['SELECT 1', { reason: 'parser-veto', word: 'function' }, false, null],
    ['SELECT @a, "?"', malformed, false, 'user-variable'],
    ['SELECT @@a, @b, "?"', malformed, false, 'system-variable'],
    ['SELECT "@a", \'mysql.user\'', malformed, false, null],
    ['SELECT * FROM mysql.user', malformed, false, 'system-schema'],
    ['SELECT 1', { reason: null, word: null }, false, null],
  ])('%s %j, stored %s: %s', (sql, facts, isStored, rule) => {
    const all = {
      kind: 'read',
      pin: null,
      object: null,
      frees: null,
      asks: [],
      explains: false,
      callsUnknown: false,
      callsWriting: false,
      hint: null,
      ...facts,
    } as const;
    expect(ruleFor(sql, all, isStored)).toBe(rule);
  });
});
