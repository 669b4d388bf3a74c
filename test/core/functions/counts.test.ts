import { describe, expect, it } from 'vitest';
import { createClassifier } from '../../../packages/core/src/statement/classifier.ts';
import type { Dialect } from '../../../packages/core/src/statement/facts.ts';

const classifiers = {
  mysql: createClassifier({ dialect: 'mysql' }),
  mariadb: createClassifier({ dialect: 'mariadb' }),
  unknown: createClassifier({ dialect: 'unknown' }),
} satisfies Record<Dialect, unknown>;

function reasonIn(dialect: Dialect, sql: string) {
  const { reason, word } = classifiers[dialect].classify(sql);
  return { reason, word };
}

const safe = { reason: null, word: null };

describe('arguments that make it the built-in function of MariaDB', () => {
  it.each([
    ['SELECT POINT(1, 2)', 'two coordinates'],
    ['SELECT point /* */ (a, b) FROM t', 'in any spelling'],
    ['SELECT POINT(a, b) FROM t WHERE POINT(1, 2) = p', 'each call for itself'],
    ['SELECT POINT(IF(a, b, c), COALESCE(d, e)) FROM t', 'commas in further parentheses'],
    ['SELECT POINT((1), (SELECT MAX(a) FROM t))', 'parentheses'],
    ['SELECT POINT(ABS(?), (?)) FROM t', 'placeholders in further parentheses'],
    ["SELECT POINT('1,2', `a,b`) FROM t", 'commas in quotes'],
    ['SELECT LINESTRING(POINT(1, 2), POINT(3, 4))', 'several'],
    ['SELECT LINESTRING(a) FROM t', 'one'],
    ['SELECT LINESTRING(a, ?, ?) FROM t', 'placeholders that leave a comma at least'],
    ['SELECT POLYGON(a), MULTIPOINT(a), MULTILINESTRING(a), MULTIPOLYGON(a) FROM t', 'the others'],
    ['SELECT GEOMETRYCOLLECTION(a, b, c, d, e, f) FROM t', 'no greatest number'],
    ['SELECT POINT(1, 2), (1, 2, 3) IN ((1, 2, 3))', 'commas behind it'],
    ['SELECT point FROM t', 'no call'],
  ])('%s: %s', (sql) => {
    for (const dialect of ['mysql', 'mariadb', 'unknown'] as const) {
      expect(reasonIn(dialect, sql), dialect).toEqual(safe);
    }
  });
});

describe('arguments that make it a stored function there', () => {
  it.each([
    ['SELECT POINT()', 'point', 'none'],
    ['SELECT POINT(1)', 'point', 'one'],
    ['SELECT POINT(1, 2, 3)', 'point', 'three'],
    ['SELECT POINT((1, 2))', 'point', 'a row is one'],
    ['SELECT POINT(ABS(1, 2))', 'point', 'another function has the comma'],
    ['SELECT POINT(POINT(1, 2))', 'point', 'the inner one has'],
    ['SELECT POINT(1, POINT(2))', 'point', 'the inner one has not'],
    ['SELECT POINT(?, ?)', 'point', 'a list in a placeholder becomes several'],
    ['SELECT POINT(? + 1, 2)', 'point', 'also at the end of one'],
    ['SELECT POINT(1, ??) FROM t', 'point', 'a list of names'],
    ['SELECT POINT(:x, :y)', 'point', 'named placeholders'],
    ['SELECT POINT(ABS(1), ?)', 'point', 'behind a parenthesis'],
    ['SELECT LINESTRING()', 'linestring', 'none'],
    ['SELECT LINESTRING(?)', 'linestring', 'an empty list leaves none'],
    ['SELECT POLYGON ( /* */ )', 'polygon', 'none but a comment'],
  ])('%s: %s, %s', (sql, word) => {
    for (const dialect of ['mariadb', 'unknown'] as const) {
      expect(reasonIn(dialect, sql), dialect).toEqual({ reason: 'unknown-function', word });
    }
    expect(reasonIn('mysql', sql)).toEqual(safe);
  });

  it('count for nothing if the user calls the function pure', () => {
    const classifier = createClassifier({ dialect: 'mariadb', pureFunctions: ['point'] });
    expect(classifier.classify('SELECT POINT(1), POINT(?, ?)').reason).toBeNull();
  });
});

describe('many of them', () => {
  // Looking through the arguments again for each call would take minutes.
  const many = 100_000;
  it.each([
    ['side by side', `SELECT ${'POINT(1, 2), '.repeat(many)}1`, null],
    ['nested', `SELECT ${'POINT('.repeat(900)}1${', 2)'.repeat(900)}`, null],
    ['nested deeper than any server parses', `SELECT ${'POINT('.repeat(many)}`, 'unrecognised'],
    ['nested with one wrong', `SELECT ${'POINT(1, '.repeat(900)}2, 3${')'.repeat(900)}`, false],
    ['a long list', `SELECT POINT(1${', 1'.repeat(many)})`, false],
    ['a long list where any length will do', `SELECT LINESTRING(1${', 1'.repeat(many)})`, null],
    ['one far from its end', `SELECT POINT((1${', 1'.repeat(many)}), 1)`, null],
    ['JSON_TABLE without columns', `SELECT 1${', JSON_TABLE(1'.repeat(many)}`, false],
    [
      'JSON_TABLE with columns',
      `SELECT 1 FROM t${", JSON_TABLE(1, '$' COLUMNS (a INT PATH '$')) a".repeat(many / 4)}`,
      null,
    ],
  ])('%s', (_, sql, reason) => {
    const expected = reason === false ? 'unknown-function' : reason;
    expect(classifiers.mariadb.classify(sql).reason).toBe(expected);
  });
});
