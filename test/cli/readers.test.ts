import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GeneralLog, isLogLine } from '../../packages/core/src/cli/general-log.ts';
import type { Item, Reader } from '../../packages/core/src/cli/items.ts';
import { JsonLines } from '../../packages/core/src/cli/json-lines.ts';
import { LineSplitter } from '../../packages/core/src/cli/lines.ts';
import { SqlFile } from '../../packages/core/src/cli/sql-file.ts';

function itemsOf(reader: Reader, text: string): Item[] {
  return [...text.split('\n').flatMap((line) => reader.line(line)), ...reader.end()];
}

function statementsOf(reader: Reader, text: string): string[] {
  return itemsOf(reader, text).map((item) => (item.kind === 'statement' ? item.sql : item.kind));
}

describe('a file of SQL falls into statements', () => {
  const rows: readonly [text: string, statements: string[], why: string][] = [
    ['', [], 'nothing'],
    [' \n;;\n ; -- only this\n;', [], 'nothing between delimiters'],
    ['SELECT 1', ['SELECT 1'], 'no delimiter at the end'],
    ['SELECT 1;SELECT 2; ', ['SELECT 1', 'SELECT 2'], 'two on a line'],
    ['SELECT\r\n 1\r\n;\r\nSELECT 2;', ['SELECT\r\n 1', 'SELECT 2'], 'lines of Windows'],
    ['SELECT \';\', "a;b", `c;d`;', ['SELECT \';\', "a;b", `c;d`'], 'in quotes'],
    ["SELECT 'it''s; \\'; ' ; SELECT 2;", ["SELECT 'it''s; \\'; '", 'SELECT 2'], 'in escapes'],
    ["SELECT '\\\\'; SELECT 2;", ["SELECT '\\\\'", 'SELECT 2'], 'behind an escaped backslash'],
    ['SELECT `a\\`; SELECT 2;', ['SELECT `a\\`', 'SELECT 2'], 'no escape in backquotes'],
    ["SELECT 'a\n;b'; SELECT 2;", ["SELECT 'a\n;b'", 'SELECT 2'], 'a quote over lines'],
    ["SELECT 'a\\\n';'; SELECT 2;", ["SELECT 'a\\\n'", "'; SELECT 2;"], 'an escaped line end'],
    ['SELECT 1 # a; b\n; SELECT 2', ['SELECT 1 # a; b', 'SELECT 2'], 'in a # comment'],
    ['SELECT 1 -- a; b\n; SELECT 2', ['SELECT 1 -- a; b', 'SELECT 2'], 'in a -- comment'],
    ['SELECT 1 --1; SELECT 2', ['SELECT 1 --1', 'SELECT 2'], 'two minus signs'],
    ['SELECT /* a; \n b; */ 1; SELECT 2', ['SELECT /* a; \n b; */ 1', 'SELECT 2'], 'in a comment'],
    ["/* it's */ SELECT 1; SELECT 2", ["/* it's */ SELECT 1", 'SELECT 2'], 'a quote in a comment'],
    ['SELECT /*+ a; */ 1; SELECT 2', ['SELECT /*+ a; */ 1', 'SELECT 2'], 'in an optimizer hint'],
    [
      'SELECT 1;\n/* the rest\nSELECT 2;',
      ['SELECT 1', '/* the rest\nSELECT 2;'],
      'a comment without end',
    ],
    ['SELECT /*! 1; */ 2;', ['SELECT /*! 1', '*/ 2'], 'code in a comment'],
    ['/*!40101 SET a=1 */; SELECT 2', ['/*!40101 SET a=1 */', 'SELECT 2'], 'executable'],
    [
      '-- route:primary\nSELECT 1;',
      ['-- route:primary\nSELECT 1'],
      'a hint stays with its statement',
    ],
    ['--no space\n--\n# x\nSELECT 1;', ['--no space\n--\n# x\nSELECT 1'], 'comments before it'],
    ['--a;b\nSELECT 1;', ['--a;b\nSELECT 1'], 'a comment without a space, at the start'],
    ['SELECT 1\nPROMPT x\n;', ['SELECT 1\nPROMPT x'], 'no command inside a statement'],
    ['SELECT 1\\G SELECT 2 \\g SELECT 3;', ['SELECT 1', 'SELECT 2', 'SELECT 3'], '\\g and \\G'],
    [
      'DELIMITER //\nBEGIN a; END//\nDELIMITER ;\nSELECT 1;',
      ['BEGIN a; END', 'SELECT 1'],
      'DELIMITER',
    ],
    [
      'delimiter $$ x\nSELECT 1$$delimiter ;\nSELECT 2;',
      ['SELECT 1', 'SELECT 2'],
      'behind another',
    ],
    ["/* dump */ DELIMITER ';;'\nSELECT 1; x;;", ['SELECT 1; x'], 'quoted, behind a comment'],
    ['SELECT delimiter FROM t; SELECT 2', ['SELECT delimiter FROM t', 'SELECT 2'], 'a column'],
    ['USE shop\nSELECT 1;', ['USE shop', 'SELECT 1'], 'USE needs no delimiter'],
    ['use shop; SELECT 1;', ['use shop', 'SELECT 1'], 'USE with one'],
    [
      'SOURCE other.sql\n\\. other.sql\nPROMPT x>\nSELECT 1;',
      ['SELECT 1'],
      'commands of the client',
    ],
    ['SELECT 1\nSOURCE x;', ['SELECT 1\nSOURCE x'], 'no command inside a statement'],
    ["SELECT 'open; SELECT 2;", ["SELECT 'open; SELECT 2;"], 'a quote without end'],
    ['SELECT \u00A0;', ['SELECT \u00A0'], 'an identifier, to the servers'],
  ];
  it.each(rows)('%j → %j: %s', (text, statements) => {
    expect(statementsOf(new SqlFile(), text)).toEqual(statements);
  });

  it('in linear time', () => {
    const lines = `SELECT 'x${';y\n'.repeat(300_000)}'; -- end`;
    expect(statementsOf(new SqlFile(), lines)).toHaveLength(1);
    expect(statementsOf(new SqlFile(), `SELECT ${'/*'.repeat(500_000)}`)).toHaveLength(1);
    expect(statementsOf(new SqlFile(), 'DELIMITER '.repeat(100_000))).toEqual([]);
  });
});

describe('JSON lines', () => {
  it('are objects with a string sql; any other line is told by its number', () => {
    const text = '{"sql": "SELECT 1;\\n"}\n\n{"sql": 1}\nnull\n{"sq\n["sql"]\n{"id": 7, "sql": ""}';
    expect(itemsOf(new JsonLines(), text)).toEqual([
      { kind: 'statement', sql: 'SELECT 1;\n', thread: null },
      ...[3, 4, 5, 6].map((line) => ({ kind: 'problem', line, what: 'expected {"sql": "…"}' })),
      { kind: 'statement', sql: '', thread: null },
    ]);
  });
});

describe('a general log', () => {
  const mysql = [
    '/usr/sbin/mysqld, Version: 8.0.36 (MySQL Community Server - GPL). started with:',
    'Tcp port: 3306  Unix socket: /var/run/mysqld/mysqld.sock',
    'Time                 Id Command    Argument',
    '2026-01-02T03:04:05.678901Z\t    0 Execute\tCREATE TABLE performance_schema.x (a INT)',
    '2026-01-02T03:04:05.678901Z\t    8 Connect\tapp@localhost on shop using Socket',
    '2026-01-02T03:04:05.678901Z\t    8 Query\tSELECT a',
    'FROM t',
    '\tWHERE b = 1',
    '',
    '2026-01-02T03:04:05.678901+02:00\t123456 Query\tBEGIN',
    '2026-01-02T03:04:05.678901Z\t    8 Prepare\tSELECT a FROM t WHERE b = ?',
    '2026-01-02T03:04:05.678901Z\t    8 Execute\tSELECT a FROM t WHERE b = 1',
    '2026-01-02T03:04:05.678901Z\t    8 Close stmt\t',
    '2026-01-02T03:04:05.678901Z\t    8 Query\tEXECUTE s',
    '2026-01-02T03:04:05.678901Z\t    8 Execute\tSELECT 2',
    '2026-01-02T03:04:05.678901Z\t    8 Execute\tSELECT 3',
    '2026-01-02T03:04:05.678901Z\t    8 Nonsense\tSELECT 4',
    '2026-01-02T03:04:05.678901Z\t    8 Quit\t',
  ].join('\n');
  const server = (version: string): Item => ({ kind: 'server', version });
  const session = (thread: string): Item => ({ kind: 'session', thread });
  const statement = (thread: string, sql: string): Item => ({ kind: 'statement', sql, thread });

  it('of MySQL has the statements that clients sent', () => {
    expect(itemsOf(new GeneralLog(), mysql)).toEqual([
      server('8.0.36'),
      session('8'),
      statement('8', 'SELECT a\nFROM t\n\tWHERE b = 1'),
      statement('123456', 'BEGIN'),
      statement('8', 'SELECT a FROM t WHERE b = 1'),
      statement('8', 'EXECUTE s'),
      // What no command names goes on with the statement before it.
      statement('8', 'SELECT 3\n2026-01-02T03:04:05.678901Z\t    8 Nonsense\tSELECT 4'),
      session('8'),
    ]);
  });

  it('of MariaDB has times only where they change', () => {
    const text = [
      'Time\t\t    Id Command\tArgument',
      '260102  3:04:05\t     5 Connect\tapp@localhost on shop using Socket',
      '\t\t     5 Query\tSELECT a',
      'FROM t',
      '260102 13:04:05\t     5 Query\tSELECT 2',
      '\t\t     5 Change user\tapp@localhost on shop',
      '\t\t     5 Query\tSELECT 3',
      '/usr/sbin/mariadbd, Version: 10.11.6-MariaDB-log (Debian 12). started with:',
      'Tcp port: 3306  Unix socket: /run/mysqld/mysqld.sock',
      'Time\t\t    Id Command\tArgument',
      '\t\t     6 Query\tSELECT 4',
    ].join('\n');
    expect(itemsOf(new GeneralLog(), text)).toEqual([
      session('5'),
      statement('5', 'SELECT a\nFROM t'),
      statement('5', 'SELECT 2'),
      session('5'),
      statement('5', 'SELECT 3'),
      server('10.11.6-MariaDB-log'),
      statement('6', 'SELECT 4'),
    ]);
  });

  it('does not take a prepared statement for one that failed as text before', () => {
    const text = ['EXECUTE gone', 'SELECT 1'].map((sql) => `\t\t     5 Query\t${sql}`);
    const items = itemsOf(new GeneralLog(), [...text, '\t\t     5 Execute\tSELECT 2'].join('\n'));
    expect(items).toEqual(
      ['EXECUTE gone', 'SELECT 1', 'SELECT 2'].map((sql) => statement('5', sql)),
    );
  });

  it('may begin in the middle of a statement', () => {
    const text = 'FROM t\n\t\t     5 Query\tSELECT 1';
    expect(itemsOf(new GeneralLog(), text)).toEqual([statement('5', 'SELECT 1')]);
  });

  it.each([
    ['SELECT 1', false],
    ['{"sql": "SELECT 1"}', false],
    ['2026-01-02T03:04:05.678901Z\t    8 Query\tSELECT 1', true],
    ['\t\t     5 Query\tSELECT 1', true],
    ['\t\t     5 queries', false],
    ['Time                 Id Command    Argument', true],
  ])('is told by a line like %j: %s', (line, isOne) => {
    expect(isLogLine(line)).toBe(isOne);
  });
});

describe('lines', () => {
  it('do not depend on how their bytes arrive', () => {
    const text = fc
      .array(fc.constantFrom('a', 'é', '🚀', '\n', '\r\n', '\u2028', ' '))
      .map((it) => it.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.nat(3)), (whole, sizes) => {
        const splitter = new LineSplitter();
        const bytes = Buffer.from(whole);
        const lines: string[] = [];
        let from = 0;
        for (const size of [...sizes, bytes.length]) {
          lines.push(...splitter.push(bytes.subarray(from, from + size)));
          from += size;
        }
        expect([...lines, ...splitter.end()]).toEqual(
          whole.split('\n').slice(0, whole.endsWith('\n') || whole === '' ? -1 : undefined),
        );
      }),
    );
  });

  it('begin behind a byte order mark', () => {
    expect(new LineSplitter().push('\uFEFFSELECT 1\n\uFEFF\n')).toEqual(['SELECT 1', '\uFEFF']);
  });
});
