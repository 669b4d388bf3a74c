import { describe, expect, it } from 'vitest';
import {
  type ClassifierOptions,
  createClassifier,
} from '../../../packages/core/src/statement/classifier.ts';
import type { Dialect } from '../../../packages/core/src/statement/facts.ts';
import { versionNumber } from '../../../packages/core/src/statement/functions/table.ts';

describe('a version number', () => {
  it.each([
    ['9.7.4', 90704],
    ['8.0.21', 80021],
    ['5.7.44-log', 50744],
    ['10.11.18-MariaDB-1:10.11.18+maria~deb12', 101118],
    ['8.0.mysql_aurora.3.05.2', 80000],
    ['11.8', 110800],
    ['nonsense', 0],
  ])('of %s is %i', (dotted, number) => {
    expect(versionNumber(dotted)).toBe(number);
  });
});

/** Whether a text may run on a replica of these servers. */
function isSafe(sql: string, options: ClassifierOptions): boolean {
  const { reason } = createClassifier(options).classify(sql);
  if (reason !== null) expect(reason, sql).toBe('unknown-function');
  return reason === null;
}

type Row = readonly [
  dialect: Dialect,
  call: string,
  version: number | undefined,
  safe: boolean,
  why: string,
];

describe('a function', () => {
  it.each<Row>([
    ['mysql', 'RANK(a)', 80011, true, 'since 8.0'],
    ['mysql', 'RANK(a)', 50744, false, 'a stored function may have its name in 5.7'],
    ['mysql', 'RANK(a)', undefined, true, 'the version of the table'],
    ['mysql', 'RANK(a)', 0, false, 'in no version before'],
    ['mysql', "JSON_VALUE(a, '$.b')", 80020, false, 'since 8.0.21'],
    ['mysql', "JSON_VALUE(a, '$.b')", 80021, true, 'since 8.0.21'],
    ['mysql', "JSON_EXTRACT(a, '$.b')", 50709, true, 'since 5.7'],
    ['mysql', "JSON_EXTRACT(a, '$.b')", 50651, false, 'since 5.7'],
    ['mysql', 'ABS(a)', 0, true, 'always'],
    ['mysql', 'COUNT(a)', 0, true, 'always'],
    ['mysql', 'COUNT (a)', 50744, false, 'it must touch its parenthesis in every version'],
    ['mysql', 'LEFT (a, 1)', 0, true, 'a reserved word'],
    ['mysql', 'MD5(a)', 90500, true, 'a component since 9.6'],
    ['mysql', 'MD5(a)', 90600, false, 'a component since 9.6'],
    ['mysql', 'MD5(a)', undefined, false, 'a component since 9.6'],
    ['mysql', 'SHA1 (a)', 80400, false, 'not measured: it must touch its parenthesis'],
    ['mysql', 'MD5(a)', 0, false, 'not in all versions'],
    ['mysql', 'GLENGTH(a)', 50744, true, 'spatial names without prefix were there in 5.7'],
    ['mysql', 'GLENGTH(a)', 80011, false, 'and are gone'],
    ['mysql', 'STRING_TO_VECTOR(a)', 80400, false, 'since 9'],
    ['mysql', 'STRING_TO_VECTOR(a)', 261000, true, 'a version that nobody has asked'],
    ['mysql', 'POINT(a, b)', 50744, true, 'always'],
    ['mariadb', 'MEDIAN(a)', 100206, false, 'since 10.3'],
    ['mariadb', 'NVL(a, b)', 100307, true, 'since 10.3'],
    ['mariadb', 'MD5(a)', 110800, true, 'built in, other than in MySQL'],
    ['mariadb', 'CRC32C(a)', 100622, false, 'since 10.8'],
    ['mariadb', 'VEC_DISTANCE_COSINE(a, b)', 110802, true, 'after the version of the table'],
    ['mariadb', 'VEC_DISTANCE_COSINE (a, b)', 110802, false, 'not measured'],
    ['mariadb', 'VEC_DISTANCE_COSINE(a, b)', undefined, false, 'not in that of the table'],
    ['unknown', 'RANK(a)', undefined, true, 'in both tables'],
    ['unknown', 'RANK(a)', 0, false, 'not in all versions'],
    ['unknown', 'MD5(a)', undefined, false, 'not in both tables'],
    ['unknown', 'MD5(a)', 0, false, 'not in all versions'],
    ['unknown', 'ABS(a)', 0, true, 'in all versions'],
  ])('%s: %s of version %s: %s, %s', (dialect, call, version, safe) => {
    const options = version === undefined ? { dialect } : { dialect, version };
    expect(isSafe(`SELECT ${call} FROM t`, options)).toBe(safe);
  });

  it('must be built in on the newest server too', () => {
    const servers = { dialect: 'mysql', version: 80400 } as const;
    expect(isSafe('SELECT MD5(a) FROM t', servers)).toBe(true);
    expect(isSafe('SELECT MD5(a) FROM t', { ...servers, newestVersion: 90704 })).toBe(false);
    expect(isSafe('SELECT RANK(a) FROM t', { ...servers, newestVersion: 90704 })).toBe(true);
  });

  it.each([50744, 80400, 0])('is only a name without its parenthesis: version %i', (version) => {
    const { reason } = createClassifier({ dialect: 'mysql', version }).classify(
      'SELECT rank, row_number, md5, x AS y FROM t GROUP BY grouping ORDER BY lag',
    );
    expect(reason).toBeNull();
  });

  it('of a table in FROM is no call on older servers', () => {
    const sql = "SELECT * FROM t, JSON_TABLE(t.a, '$[*]' COLUMNS (b INT PATH '$')) AS j";
    for (const version of [50744, 80400]) {
      expect(isSafe(sql, { dialect: 'mysql', version })).toBe(true);
      expect(isSafe(sql, { dialect: 'mariadb', version: 100622 })).toBe(true);
    }
    const call = 'SELECT 1, JSON_TABLE(a) FROM t';
    expect(isSafe(call, { dialect: 'mysql', version: 50744 })).toBe(false);
    expect(isSafe(call, { dialect: 'mariadb' })).toBe(false);
  });
});
