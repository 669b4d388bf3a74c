import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Flavor, flavors } from '../support/servers/flavor.ts';
import { Bench } from './bench.ts';
import type { Judge, Verdict } from './judge.ts';

interface Row {
  /** What the session did before. */
  readonly past: readonly string[];
  readonly sql: string;
  readonly shows: string;
  readonly only?: Flavor;
}

const nothing: readonly string[] = [];
const table: readonly string[] = [
  'CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT)',
  'INSERT INTO t (n) VALUES (1), (2)',
];
const routines: readonly string[] = [
  'CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT)',
  'CREATE FUNCTION writes() RETURNS INT BEGIN INSERT INTO t (n) VALUES (3); RETURN 1; END',
  'CREATE FUNCTION notes() RETURNS INT BEGIN SET @noted = 4; RETURN 1; END',
  'CREATE FUNCTION recalls() RETURNS INT RETURN @recalled',
  'CREATE VIEW v_writes AS SELECT writes() AS one',
  'CREATE VIEW v_recalls AS SELECT recalls() AS it',
  'SET @recalled = 5',
];

const other = 'another session answers otherwise';

/** Too many rows for any server. */
const many = [...'abcde'].map((name) => `information_schema.CHARACTER_SETS ${name}`).join(', ');

/** Reads that must not run on a replica, and the sign that gives each away. */
const hazards: readonly Row[] = [
  { past: table, sql: 'SELECT * FROM t FOR UPDATE', shows: 'writes' },
  { past: table, sql: 'SELECT * FROM t LOCK IN SHARE MODE', shows: 'locks' },
  {
    past: table,
    sql: 'SELECT * FROM (SELECT * FROM t FOR SHARE) AS d',
    shows: 'locks',
    only: 'mysql',
  },
  {
    past: table,
    sql: 'SELECT /*! SQL_NO_CACHE */ n FROM t /*! LOCK IN SHARE MODE */',
    shows: 'locks',
  },
  { past: table, sql: 'SELECT * FROM t WHERE id = 1.LOCK IN SHARE MODE', shows: 'locks' },
  { past: routines, sql: 'SELECT writes()', shows: 'writes' },
  { past: routines, sql: 'SELECT * FROM v_writes', shows: 'writes' },
  { past: routines, sql: 'SELECT notes()', shows: 'user variables or locks' },
  { past: routines, sql: 'SELECT * FROM v_recalls', shows: other },
  { past: ['SET @a = 1'], sql: 'SELECT @a', shows: other },
  { past: nothing, sql: 'SELECT @a := 2', shows: 'user variables or locks' },
  { past: nothing, sql: 'SELECT 1 INTO @b', shows: 'user variables or locks' },
  {
    past: ['SET @i = 2'],
    sql: "SELECT EXTRACTVALUE('<a><b>1</b><b>2</b></a>', '//b[$@i]')",
    shows: other,
  },
  { past: nothing, sql: "SELECT GET_LOCK('rwsplit_judge', 0)", shows: 'user variables or locks' },
  {
    past: ["SELECT GET_LOCK('rwsplit_judge', 0)"],
    sql: "SELECT RELEASE_LOCK('rwsplit_judge')",
    shows: 'user variables or locks',
  },
  { past: nothing, sql: 'SELECT LAST_INSERT_ID()', shows: other },
  { past: nothing, sql: 'SELECT LAST_INSERT_ID(5)', shows: 'last_insert_id' },
  { past: nothing, sql: 'SELECT @@last_insert_id', shows: other },
  { past: nothing, sql: 'SELECT FOUND_ROWS()', shows: other },
  { past: nothing, sql: 'SELECT ROW_COUNT()', shows: other },
  { past: nothing, sql: 'SELECT CONNECTION_ID()', shows: other },
  { past: nothing, sql: 'SELECT CURRENT_USER', shows: other },
  {
    past: [...table, 'SET sql_auto_is_null = 1', 'INSERT INTO t (n) VALUES (9)'],
    sql: 'SELECT * FROM t WHERE id IS NULL',
    shows: other,
    only: 'mysql',
  },
  {
    past: [...table, 'SET sql_auto_is_null = 1', 'INSERT INTO t (n) VALUES (9)'],
    sql: 'SELECT * FROM t WHERE id IS NULL',
    shows: 'answers otherwise the first time',
    only: 'mariadb',
  },
  {
    past: nothing,
    sql: 'SELECT /*+ SET_VAR(timestamp = 5) */ NOW()',
    shows: 'clock',
    only: 'mysql',
  },
  { past: ['CREATE SEQUENCE s'], sql: 'SELECT NEXTVAL(s)', shows: 'writes', only: 'mariadb' },
  {
    past: ['CREATE SEQUENCE s', 'SELECT NEXTVAL(s)'],
    sql: 'SELECT LASTVAL(s)',
    shows: other,
    only: 'mariadb',
  },
];

/** Reads that any server may answer, in sessions that have done a lot. */
const harmless: readonly (readonly [past: readonly string[], sql: string])[] = [
  [table, 'SELECT * FROM t'],
  [[...table, 'BEGIN', 'INSERT INTO t (n) VALUES (5)'], 'SELECT * FROM t'],
  [[...table, 'SET autocommit = 0', 'INSERT INTO t (n) VALUES (5)'], 'SELECT * FROM t'],
  [[...table, 'LOCK TABLES t WRITE'], 'SELECT * FROM t'],
  [[...table, 'SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'BEGIN'], 'SELECT * FROM t'],
  [[...table, "SET sql_mode = 'ANSI'"], 'SELECT "t"."n" || 1 FROM "t"'],
  [['SET character_set_results = NULL'], 'SELECT _latin1 0xFC'],
  [['SET sql_select_limit = 1'], 'SELECT 1 UNION SELECT 2'],
  [[...table, 'SET max_join_size = 1', 'SET sql_big_selects = 1'], 'SELECT * FROM t'],
  [['SET timestamp = DEFAULT'], 'SELECT NOW(6), SYSDATE(6)'],
];

describe.each(flavors)('%s shows', (flavor) => {
  let bench: Bench;
  let judge: Judge;

  beforeAll(async () => {
    bench = await Bench.open(flavor);
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  async function verdictOn(past: readonly string[], sql: string): Promise<Verdict> {
    judge = await bench.judge();
    for (const each of past)
      expect([each, (await judge.replay(each)).kind]).toEqual([each, 'done']);
    const verdict = await judge.judge(sql);
    judge.close();
    return verdict;
  }

  it.each(hazards.filter(({ only = flavor }) => only === flavor))(
    'what makes unsafe: $sql',
    async ({ past, sql, shows }) => {
      const verdict = await verdictOn(past, sql);
      expect(verdict).toMatchObject({ kind: 'hazard', signals: expect.arrayContaining([shows]) });
    },
  );

  it.each(harmless)('%j, %s to be safe', async (past, sql) => {
    expect(await verdictOn(past, sql)).toEqual({ kind: 'safe' });
  });

  const temporarySequence = [
    'SELECT * FROM ts',
    'temporary-table',
    ['CREATE TEMPORARY SEQUENCE ts'],
  ] as const;

  it.each<readonly [sql: string, why: string, past: readonly string[]]>([
    ...(flavor === 'mariadb' ? [temporarySequence] : []),
    ['SELECT RAND()', 'unstable', []],
    ['SELECT UUID()', 'unstable', []],
    [
      'SELECT * FROM `t$2`',
      'temporary-table',
      ['CREATE TEMPORARY TABLE t$1 SELECT 1 AS one', 'ALTER TABLE t$1 RENAME t$2'],
    ],
    ['SELECT DATABASE()', 'settings', ['DROP DATABASE test']],
    ['SELECT * FROM tt', 'temporary-table', ['CREATE TEMPORARY TABLE tt SELECT 1 AS one']],
    [
      `SELECT SUM(LENGTH(a.MAXLEN + b.MAXLEN + c.MAXLEN + d.MAXLEN + e.MAXLEN)) FROM ${many}`,
      'slow',
      [],
    ],
  ])('that %s cannot be told: %s', async (sql, why, past) => {
    expect(await verdictOn(past, sql)).toEqual({ kind: 'open', why });
  });

  it('what fails for reasons of its own', async () => {
    expect(await verdictOn([], 'SELECT * FROM nowhere')).toEqual({
      kind: 'failed',
      code: 'ER_NO_SUCH_TABLE',
    });
  });

  it('which words of a text are names of stored functions', async () => {
    judge = await bench.judge();
    const create = 'CREATE FUNCTION Price() RETURNS INT RETURN 1';
    const found: string[][] = [await bench.functionsIn('SELECT price()')];
    for (const sql of [create, 'DROP FUNCTION price']) {
      await judge.replay(sql);
      bench.note(sql);
      found.push(await bench.functionsIn('SELECT PRÍCE(), abs(1)'));
    }
    judge.close();
    expect(found).toEqual([[], ['príce'], []]);
  });
});
