import { describe, expect, it } from 'vitest';
import { createClassifier } from '../../../packages/core/src/statement/classifier.ts';
import { Lexer } from '../../../packages/core/src/statement/lexer.ts';
import { defaultReading } from '../../../packages/core/src/statement/readings.ts';
import {
  falseAlarms,
  functionsIn,
  tablesIn,
  type VetoCause,
} from '../../../packages/core/src/statement/syntax-tree.ts';
import type { Tokens } from '../../../packages/core/src/statement/tokens.ts';
import { ParserVeto, SyntaxParser } from '../../../packages/core/src/statement/veto.ts';
import { Vocabulary } from '../../../packages/core/src/statement/vocabulary.ts';

const vocabulary = new Vocabulary({
  dialect: 'mysql',
  pureFunctions: ['price', 'shop.tax'],
  primaryTables: ['job', 'shop.till'],
  catalogue: { unsafeTables: ['shop.counters'], shadowingFunctions: [] },
});

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
    ['SELECT a FROM job', 'table', 'a table of primaryTables'],
    ['SELECT a FROM any_db.JOB', 'table', 'in any database, in any case'],
    ['SELECT a FROM t JOIN `till` USING (id)', 'table', 'joined, in backquotes'],
    ['SELECT 1 FROM t WHERE a IN (SELECT a FROM shop.till)', 'table', 'in a subquery'],
    ['SELECT a FROM other.till', null, 'its namesake in another database'],
    ['SELECT job.a, till AS counters FROM job_log AS job', null, 'columns and aliases'],
    ['SELECT a FROM knex_migrations', 'table', 'a migration table'],
    ['SELECT a FROM counters', 'table', 'an unsafe view of the catalogue'],
    ['SELECT a FROM other.counters', null, 'its namesake'],
    ['EXPLAIN SELECT 1', null, 'EXPLAIN'],
    ['TABLE t', null, 'a syntax error to it'],
    ['SELECT a <=> b FROM t USE INDEX (i)', null, 'a syntax error to it'],
  ];
  it.each(rows)('%s → %s: %s', (sql, cause) => {
    expect(new ParserVeto('mysql').judge(tokensOf(sql))).toBe(cause);
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
      expect(veto.judge(tokensOf(sql))).toBe('function');
    }
    expect(veto.stats()).toMatchObject({
      parsed: 1,
      remembered: 1,
      vetoes: { function: 1, lock: 0 },
    });
    expect(veto.judge(tokensOf('SELECT g(1)'))).toBe('function');
    expect(veto.judge(tokensOf('SELECT f(a)'))).toBe('function');
    expect(veto.stats()).toMatchObject({ parsed: 3, remembered: 3, vetoes: { function: 3 } });
  });

  const nest = (around: string, depth: number) =>
    `SELECT f(${around.repeat(depth)}1${')'.repeat(depth)})`;
  const guarded: readonly [what: string, sql: string, isAsked: boolean][] = [
    ['4,096 characters', `SELECT f('${'x'.repeat(4096 - 12)}')`, true],
    ['more', `SELECT f('${'x'.repeat(4096 - 11)}')`, false],
    ['seven parentheses in one another', nest('(', 7), true],
    ['eight', nest('(', 8), false],
    ['three queries', nest('(SELECT ', 3), true],
    ['four', nest('(SELECT ', 4), false],
    ['two casts', nest('CAST(', 2), true],
    ['three', nest('CAST(', 3), false],
    ['a few of them side by side', `SELECT f((1)${', CAST(a AS CHAR)'.repeat(10)})`, true],
    ['many', `SELECT f((1)${', CAST(a AS CHAR)'.repeat(40)})`, false],
    ['a long list', `SELECT f(1) FROM t WHERE a IN (${'1, '.repeat(400)}1)`, true],
  ];
  it.each(guarded)('has a guard: %s', (_, sql, isAsked) => {
    const veto = new ParserVeto('mysql');
    veto.judge(tokensOf(sql));
    expect(veto.stats()).toMatchObject({ parsed: Number(isAsked), guarded: Number(!isAsked) });
  });

  it('counts what it cannot parse, and leaves the verdict', () => {
    const veto = new ParserVeto('mysql');
    expect(veto.judge(tokensOf('TABLE t'))).toBeNull();
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

  it.each([...falseAlarms])('would raise one about %s in %s', (word, sql) => {
    const seen = (['mysql', 'mariadb'] as const).map((dialect) =>
      functionsIn(new SyntaxParser(dialect).parse(sql)).has(word),
    );
    expect(seen).toContain(true);
  });
});

describe('the tables of a tree', () => {
  const rows: readonly [sql: string, tables: string[], why: string][] = [
    ['SELECT 1', [], 'none'],
    ['SELECT 1 FROM dual', [], 'DUAL is none'],
    ['SELECT a FROM s.b JOIN c ON s.b.x = c.x, a AS z', ['s.b', 'c', 'a'], 'in their order'],
    ['SELECT z.a FROM t z JOIN t y', ['t'], 'each once'],
    ['SELECT 1 FROM `a``b`.`c d`', ['a`b.c d'], 'without their quotes'],
    ['SELECT * FROM (SELECT a FROM t) d WHERE EXISTS (SELECT 1 FROM u)', ['t', 'u'], 'nested'],
    ['SELECT 1 FROM a UNION SELECT 1 FROM b', ['a', 'b'], 'of a union'],
    ['WITH c AS (SELECT 1 FROM t) SELECT * FROM C', ['t'], 'not of WITH, in any case'],
    ['WITH c AS (SELECT 1 FROM c) SELECT * FROM c', ['c'], 'a table that WITH has the name of'],
    ['WITH c AS (SELECT 1), d AS (SELECT * FROM c) SELECT * FROM d', [], 'one after the other'],
    ['WITH c AS (SELECT 1) SELECT * FROM s.c', ['s.c'], 'qualified: not the one of WITH'],
    [
      'WITH RECURSIVE c AS (SELECT 1 FROM t UNION ALL SELECT a + 1 FROM c) SELECT * FROM c',
      ['t'],
      'recursive',
    ],
    [
      'SELECT 1 FROM c WHERE a IN (WITH c AS (SELECT 1) SELECT * FROM c)',
      ['c'],
      'hidden inside only',
    ],
    ['INSERT INTO t (a) SELECT a FROM u', ['t', 'u'], 'written'],
    ['UPDATE t AS x SET x.a = 1', ['t'], 'not that of a column'],
    ['DELETE x FROM t AS x JOIN u', ['t', 'u'], 'not an alias'],
  ];
  it.each(rows)('%s → %j: %s', (sql, tables) => {
    for (const dialect of ['mysql', 'mariadb'] as const) {
      const found = tablesIn(new SyntaxParser(dialect).parse(sql));
      const names = found.map(({ db, table }) => (db === null ? table : `${db}.${table}`));
      expect(names, dialect).toEqual(tables);
    }
  });
});
