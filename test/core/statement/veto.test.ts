import { describe, expect, it } from 'vitest';
import { createClassifier } from '../../../packages/core/src/statement/classifier.ts';
import { Lexer } from '../../../packages/core/src/statement/lexer.ts';
import { defaultReading } from '../../../packages/core/src/statement/readings.ts';
import type { Tokens } from '../../../packages/core/src/statement/tokens.ts';
import {
  falseAlarms,
  ParserVeto,
  type VetoCause,
} from '../../../packages/core/src/statement/veto.ts';
import { Vocabulary } from '../../../packages/core/src/statement/vocabulary.ts';

const vocabulary = new Vocabulary({ dialect: 'mysql', pureFunctions: ['price', 'shop.tax'] });

function tokensOf(sql: string): Tokens {
  const lexer = new Lexer(vocabulary);
  lexer.read(sql, defaultReading);
  return lexer.tokens;
}

describe('the second opinion of a parser', () => {
  // The lexer refuses all of these: here the parser is asked as if it had not.
  const rows: readonly [sql: string, cause: VetoCause | null, why: string][] = [
    ['SELECT a FROM t', null, 'a plain read'],
    ['SELECT a FROM t FOR UPDATE', 'lock', 'a lock'],
    ['SELECT a FROM t LOCK IN SHARE MODE', 'lock', 'a shared lock'],
    ['SELECT * FROM (SELECT a FROM t FOR UPDATE) d', 'lock', 'in a derived table'],
    ['SELECT 1 UNION SELECT a FROM t FOR UPDATE', 'lock', 'in an arm of a union'],
    ["SELECT a INTO OUTFILE 'x' FROM t", 'into', 'a file'],
    ['SELECT a FROM t INTO @v', 'into', 'a variable'],
    ['SELECT @a', 'variable', 'a user variable'],
    ['SELECT @a := 1', 'variable', 'an assignment'],
    ['SELECT @@version', 'variable', 'a system variable'],
    ['SELECT f(1)', 'function', 'a stored function'],
    ['SELECT db.f(1)', 'function', 'a qualified one'],
    ['SELECT db.now()', 'function', 'a qualified built-in'],
    ['SELECT UPPER(f(1))', 'function', 'inside a call'],
    ['SELECT SLEEP(1)', 'function', 'a built-in that is not pure'],
    ['SELECT NOW(), CONCAT(a, b), price(1), shop.tax(1), SUM(a) FROM t', null, 'pure functions'],
    ['SELECT 1; SELECT 2', 'statement', 'two statements'],
    ['DELETE FROM t', 'statement', 'a write'],
    ['WITH c AS (SELECT 1) UPDATE t SET a = 1', 'statement', 'a write behind WITH'],
    ['EXPLAIN SELECT 1', null, 'EXPLAIN'],
    ['TABLE t', null, 'a syntax error to it'],
    ['SELECT a <=> b FROM t USE INDEX (i)', null, 'a syntax error to it'],
  ];
  it.each(rows)('%s → %s: %s', (sql, cause) => {
    expect(new ParserVeto('mysql').judge(tokensOf(sql), 1)).toBe(cause);
  });

  it('is remembered by fingerprint, and counted once', () => {
    const veto = new ParserVeto('mysql');
    for (const sql of [
      'SELECT f(1)',
      'select  F(2)',
      'SELECT f(/* x */ ?)',
      "SELECT f('a')",
      'SELECT f(1, 2, 3)',
    ]) {
      expect(veto.judge(tokensOf(sql), 1)).toBe('function');
    }
    expect(veto.stats()).toMatchObject({
      parsed: 1,
      remembered: 1,
      vetoes: { function: 1, lock: 0 },
    });
    expect(veto.judge(tokensOf('SELECT g(1)'), 1)).toBe('function');
    expect(veto.judge(tokensOf('SELECT f(a)'), 1)).toBe('function');
    expect(veto.stats()).toMatchObject({ parsed: 3, remembered: 3, vetoes: { function: 3 } });
  });

  it('is not asked over its guard', () => {
    const veto = new ParserVeto('mysql');
    expect(veto.judge(tokensOf('SELECT f(1)'), 5)).toBeNull();
    expect(veto.judge(tokensOf(`SELECT f('${'x'.repeat(5000)}')`), 1)).toBeNull();
    expect(veto.stats()).toMatchObject({ parsed: 0, guarded: 2, remembered: 0 });
  });

  it('counts what it cannot parse, and leaves the verdict', () => {
    const veto = new ParserVeto('mysql');
    expect(veto.judge(tokensOf('TABLE t'), 0)).toBeNull();
    expect(veto.stats()).toMatchObject({ parsed: 1, parseErrors: 1, unavailable: false });
  });

  it('is that of the dialect', () => {
    const mysql = createClassifier({ dialect: 'mysql' });
    const mariadb = createClassifier({ dialect: 'mariadb' });
    const sql = 'SELECT 1 FROM a STRAIGHT_JOIN (b)';
    expect([mysql.classify(sql).reason, mariadb.classify(sql).reason]).toEqual([null, null]);
    expect([mysql.stats().parseErrors, mariadb.stats().parseErrors]).toEqual([0, 1]);
  });
});

describe('the parser in the classifier', () => {
  it('is asked for reads that the lexer finds safe, and for nothing else', () => {
    const classifier = createClassifier({ dialect: 'mysql' });
    for (const sql of ['SELECT f(1)', 'DELETE FROM t', 'SELECT 1; SELECT 2', "SELECT 'x", 'BEGIN'])
      classifier.classify(sql);
    expect(classifier.stats().parsed).toBe(0);
    classifier.classify('SELECT a FROM t');
    classifier.classify('SELECT  a FROM t');
    expect(classifier.stats()).toMatchObject({ parsed: 1, parseErrors: 0, remembered: 1 });
  });

  it('is asked about the default reading of a text with more', () => {
    const classifier = createClassifier({ dialect: 'mysql' });
    classifier.classify('SELECT a /*! , b */ FROM t');
    classifier.classify('SELECT a /*! , c */ FROM t');
    expect(classifier.stats()).toMatchObject({ parsed: 2, remembered: 2 });
  });

  it('is not asked about deep or long texts', () => {
    const classifier = createClassifier({ dialect: 'mysql' });
    expect(classifier.classify(`SELECT ${'ABS('.repeat(40)}1${')'.repeat(40)}`).reason).toBeNull();
    expect(classifier.classify(`SELECT '${'x'.repeat(5000)}'`).reason).toBeNull();
    expect(classifier.stats()).toMatchObject({ parsed: 0, guarded: 2 });
  });

  it.each([...falseAlarms])('raises no false alarm about %s in %s', (_word, sql) => {
    for (const dialect of ['mysql', 'mariadb'] as const) {
      const { reason } = createClassifier({ dialect }).classify(sql);
      expect([null, 'unknown-function'], dialect).toContain(reason);
    }
  });
});
