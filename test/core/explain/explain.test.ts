import { type ExplainOptions, type Explanation, explain, routeReasons } from '@rwsplit/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** A text, what must be in its explanation, and why. */
type Row = readonly [sql: string, expected: Partial<Explanation>, why: string];

const options: ExplainOptions = {
  dialect: 'mysql',
  pureFunctions: ['price', 'shop.tax'],
  primaryTables: ['till'],
};

describe('the explanation', () => {
  const rows: readonly Row[] = [
    ['SELECT a FROM t', { role: 'replica', reason: 'read', word: null, kind: 'read' }, 'a read'],
    ['TABLE t', { role: 'replica', reason: 'read' }, 'a read that the parser cannot parse'],
    [
      'INSERT INTO t VALUES (1)',
      { role: 'primary', reason: 'not-a-read', kind: 'write' },
      'a write',
    ],
    ['BEGIN', { role: 'primary', reason: 'not-a-read', kind: 'begin' }, 'a transaction begins'],
    ['SELECT a FROM t FOR UPDATE', { role: 'primary', reason: 'locking-read' }, 'a lock'],
    ['SELECT f(1)', { role: 'primary', reason: 'unknown-function', word: 'f' }, 'its word'],
    ['SELECT price(1), shop.tax(2)', { role: 'replica', reason: 'read' }, 'declared pure'],
    ['SELECT a FROM till', { role: 'primary', reason: 'primary-table', word: 'till' }, 'by option'],
    ['SELECT 1; SELECT 2', { role: 'primary', reason: 'multiple-statements' }, 'two statements'],
    ["SELECT 'x", { role: 'primary', reason: 'malformed', kind: 'read' }, 'a quote without end'],
    ['', { role: 'primary', reason: 'empty', kind: 'empty', tables: [], functions: [] }, 'nothing'],
    ['/* route:primary */ SELECT 1', { role: 'primary', reason: 'force-primary' }, 'a hint'],
    ['/* route:primary */ SELECT 1', { hint: 'primary' }, 'the hint itself'],
    ['/* route:primary */ DELETE FROM t', { reason: 'not-a-read', hint: 'primary' }, 'a hint, too'],
    ['SELECT 1 -- route:primary', { hint: 'primary' }, 'a hint at the end'],
    ['SELECT 1', { hint: null, veto: null }, 'no hint, no veto'],
    [
      'SELECT FOUND_ROWS()',
      { role: 'primary', reason: 'session-function' },
      'a session of its own',
    ],
  ];
  it.each(rows)('of %s has %o: %s', (sql, expected) => {
    expect(explain(sql, options)).toMatchObject(expected);
  });

  it('has these parts and no others', () => {
    expect(explain('SELECT MAX(a) FROM s.t', options)).toEqual({
      role: 'replica',
      reason: 'read',
      word: null,
      kind: 'read',
      tables: [{ db: 's', table: 't' }],
      functions: ['max'],
      fingerprint: '0c87a753b5b8a5af',
      hint: null,
      veto: null,
    });
  });

  it('exists for any text', () => {
    const part = fc.constantFrom(
      ...["'", '"', '`', '(', ')', ',', ';', '/*', '*/', '/*!', '-- ', '\n', '?', '??', '@', '.'],
      ...['SELECT ', 'FROM ', 'WITH ', ' AS ', 'INTO ', 'TABLE ', 'UPDATE ', 'a', 'é', '\0', '1'],
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part).map((it) => it.join('')),
    );
    fc.assert(
      fc.property(text, fc.constantFrom('mysql', 'mariadb'), (sql, dialect) => {
        const { role, reason, fingerprint, tables, functions } = explain(sql, { dialect });
        expect(role).toBe(reason === 'read' ? 'replica' : 'primary');
        expect(routeReasons).toContain(reason);
        expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
        for (const { table } of tables) expect(table).not.toBe('');
        for (const name of functions) expect(name).toBe(name.toLowerCase());
      }),
    );
  });

  it.each([
    ['a list of numbers', `SELECT 1 FROM t WHERE a IN (1${', 12345'.repeat(150_000)})`],
    ['parentheses', `SELECT ${'('.repeat(500_000)}`],
    ['nested WITH', '(WITH c AS (SELECT 1) SELECT * FROM c, '.repeat(25_000)],
    ['calls', 'SELECT '.padEnd(1_000_000, 'f(1), ')],
    ['rows', `INSERT INTO t VALUES (1)${', (1)'.repeat(200_000)}`],
    ['quotes', `SELECT ${"'".repeat(1_000_001)}`],
  ])('of 1 MB of %s comes', (_what, sql) => {
    expect(explain(sql).fingerprint).toHaveLength(16);
  });
});

describe('the options of explain', () => {
  it('are those of the pool, by default none', () => {
    expect(explain('SELECT ANY_VALUE(a) FROM t').reason).toBe('unknown-function');
    expect(explain('SELECT ANY_VALUE(a) FROM t', { dialect: 'mysql' }).reason).toBe('read');
    expect(explain('SELECT ANY_VALUE(a) FROM t', { dialect: 'mariadb' }).role).toBe('primary');
  });

  it('know versions of the server', () => {
    const sql = "SELECT JSON_VALUE(a, '$.b') FROM t";
    expect(explain(sql, { dialect: 'mysql', version: '8.4.5' }).role).toBe('replica');
    expect(explain(sql, { dialect: 'mysql', version: '8.0.20-log' }).role).toBe('primary');
  });

  it('take MariaDB from a version that names it', () => {
    const sql = 'SELECT NVL(a, 1) FROM t';
    expect(explain(sql, { version: '10.11.6-MariaDB-log' }).role).toBe('replica');
    expect(explain(sql, { version: '8.4.5' }).role).toBe('primary');
  });

  const rows: readonly [given: object, message: string][] = [
    [{ dialct: 'mysql' }, "dialct: unknown option; did you mean 'dialect'?"],
    [{ dialect: 'oracle' }, "dialect: expected 'mysql' or 'mariadb', found 'oracle'"],
    [{ version: 8 }, "version: expected a server version such as '8.0.36', found 8"],
    [{ version: 'eight' }, "version: expected a server version such as '8.0.36', found 'eight'"],
    [{ pureFunctions: 'f' }, 'pureFunctions: expected an array of'],
    [{ pureFunctions: ['sleep'] }, 'pureFunctions[0]: expected a stored or loadable function'],
    [{ primaryTables: [1] }, 'primaryTables: expected an array of'],
    [{ replicas: [] }, 'replicas: unknown option'],
  ];
  it.each(rows)('%o are refused: %s', (given, message) => {
    const call = () => explain('SELECT 1', given as ExplainOptions);
    expect(call).toThrow(expect.objectContaining({ code: 'RWSPLIT_OPTIONS' }));
    expect(call).toThrow(message);
  });

  it('are all refused in one error', () => {
    const given = { dialect: 'x', version: 'y', tables: [] } as unknown as ExplainOptions;
    expect(() => explain('SELECT 1', given)).toThrow(/dialect: .*\n.*version: .*\n|tables: /);
  });

  it('may be many, one after the other', () => {
    for (let index = 0; index < 20; index++) {
      const pureFunctions = [`f${index}`];
      expect(explain(`SELECT f${index}(1)`, { pureFunctions }).role).toBe('replica');
      expect(explain(`SELECT f${index + 1}(1)`, { pureFunctions }).role).toBe('primary');
    }
  });
});

describe('the fingerprint', () => {
  const base = "SELECT a, 'x' FROM t WHERE b = 1 AND c IN (1, 2, 3)";
  const same = [
    base,
    "SELECT a, 'y''z' FROM t WHERE b = 22.5 AND c IN (4)",
    "select  a,'x'\nfrom t where b=-1 and c in(?,?)",
    "SELECT a /* no */, 'x' FROM t WHERE b = 0x1F AND c IN (:one, 2) -- end",
    'SELECT a, "x" FROM t WHERE b = ? AND c IN (?)',
  ];
  it.each(same)('of %s is that of the same statement', (sql) => {
    expect(explain(sql).fingerprint).toBe(explain(base).fingerprint);
  });

  const others = [
    "SELECT a, 'x' FROM u WHERE b = 1 AND c IN (1, 2, 3)",
    "SELECT a, 'x' FROM t WHERE b > 1 AND c IN (1, 2, 3)",
    "SELECT a, 'x' FROM t WHERE b = 1 AND c IN (1, d)",
    "SELECT a, 'x' FROM t WHERE b = 1",
    "SELECT é, 'x' FROM t WHERE b = 1 AND c IN (1, 2, 3)",
    "SELECT ü, 'x' FROM t WHERE b = 1 AND c IN (1, 2, 3)",
    "SELECT `a`, 'x' FROM t WHERE b = 1 AND c IN (1, 2, 3)",
    "SELECT ??, 'x' FROM t WHERE b = 1 AND c IN (1, 2, 3)",
  ];
  it('differs where the statement does', () => {
    const all = [base, ...others].map((sql) => explain(sql).fingerprint);
    expect(new Set(all).size).toBe(all.length);
  });

  const pairs: readonly [one: string, other: string, isSame: boolean][] = [
    ['INSERT INTO t VALUES (1, 2)', 'INSERT INTO t VALUES (3, 4), (5, 6)', true],
    ['INSERT INTO t VALUES (1, 2)', 'INSERT INTO t VALUES (3, a), (5, 6)', false],
    ['SELECT a - 1', 'SELECT a -1', true],
    ['SELECT a - 1', 'SELECT a', false],
    ['SELECT (a) - 1', 'SELECT (a) 1', false],
    ["SELECT 'open", "SELECT 'other text", true],
    ['SELECT [a] FROM t WHERE b = 1', 'SELECT [a] FROM t  WHERE b = 2', true],
    ['SELECT [a] FROM t', 'SELECT [b] FROM t', false],
    ['SELECT 1', 'SELECT 1;', true],
  ];
  it.each(pairs)('of %s and %s is the same: %s', (one, other, isSame) => {
    expect(explain(one).fingerprint === explain(other).fingerprint).toBe(isSame);
  });

  it('depends on no option', () => {
    const sql = 'SELECT price(a) FROM till WHERE b = 1';
    expect(explain(sql, options).fingerprint).toBe(explain(sql).fingerprint);
  });
});
