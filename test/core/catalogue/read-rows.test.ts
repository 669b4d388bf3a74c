import { describe, expect, it } from 'vitest';
import { readRows } from '../../../packages/core/src/catalogue/read-rows.ts';

type Rows = readonly (readonly unknown[])[];

/** Answers each query by the first pattern that it matches; an error is the server's. */
function server(version: string, answers: readonly [RegExp, Rows | Error][] = []) {
  const asked: string[] = [];
  const query = async (sql: string): Promise<Rows> => {
    asked.push(sql);
    const [, answer = [[version, 'shop']]] = answers.find(([pattern]) => pattern.test(sql)) ?? [];
    if (answer instanceof Error) throw answer;
    return /VERSION\(\)/.test(sql) || answer[0]?.[0] !== version ? answer : [];
  };
  return { asked, query };
}

const denied = Object.assign(new Error('denied'), {
  code: 'ER_TABLEACCESS_DENIED_ERROR',
  errno: 1142,
});
const tooLong = Object.assign(new Error('too long'), { code: 'ER_QUERY_TIMEOUT', errno: 3024 });
const lost = Object.assign(new Error('lost'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true });

describe('readRows', () => {
  it.each([
    ['9.7.4', null, false],
    ['10.11.18-MariaDB', null, true],
    ['9.9.9-disguised', 'mariadb', true],
    ['10.11.18-MariaDB', 'mysql', false],
  ] as const)('asks %s, named %s, for generated columns: %s', async (version, given, expected) => {
    const { asked, query } = server(version);
    expect(await readRows(query, given)).toMatchObject({ version, database: 'shop', unread: [] });
    expect(asked.some((sql) => sql.includes('GENERATION_EXPRESSION'))).toBe(expected);
    const limit = expected ? 'max_statement_time=10' : 'MAX_EXECUTION_TIME(10000)';
    const large = asked.filter((sql) => sql.includes('information_schema'));
    expect(large.every((sql) => sql.includes(limit))).toBe(true);
  });

  it.each<[string, [RegExp, Rows | Error], readonly string[]]>([
    ['a right is missing', [/ROUTINES/, denied], ['functions']],
    ['it takes too long', [/VIEWS/, tooLong], ['views']],
    ['the variable is not known', [/sql_auto_is_null/, denied], []],
    [
      'there is too much',
      [/VIEWS/, Array.from({ length: 20_001 }, (_, n) => ['shop', `v${n}`, 'select 1'])],
      ['views'],
    ],
    [
      'as much as is read',
      [/VIEWS/, Array.from({ length: 20_000 }, () => ['s', 'v', 'select 1'])],
      [],
    ],
    ['a body is hidden', [/VIEWS/, [['shop', 'v', '']]], ['view bodies']],
    ['a body is NULL', [/VIEWS/, [['shop', 'v', null]]], ['view bodies']],
  ])('says what it could not read: %s', async (_, answer, unread) => {
    expect((await readRows(server('9.7.4', [answer]).query, null)).unread).toEqual(unread);
  });

  it('fails with its connection', async () => {
    await expect(readRows(server('9.7.4', [[/VIEWS/, lost]]).query, null)).rejects.toBe(lost);
  });

  it.each([
    ['NO SQL', 'YES', true],
    ['READS SQL DATA', 'YES', true],
    ['NO SQL', 'NO', false],
    ['CONTAINS SQL', 'YES', false],
    ['MODIFIES SQL DATA', 'YES', false],
  ])(
    'takes %s, DETERMINISTIC %s, for a pure declaration: %s',
    async (access, deterministic, expected) => {
      const row = ['shop', 'f', access, deterministic];
      const { functions } = await readRows(server('9.7.4', [[/ROUTINES/, [row]]]).query, null);
      expect(functions).toEqual([{ database: 'shop', name: 'f', isDeclaredPure: expected }]);
    },
  );
});
