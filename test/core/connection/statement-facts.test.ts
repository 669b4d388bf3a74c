import mysql from 'mysql2';
import { describe, expect, it } from 'vitest';
import type { Statement } from '../../../packages/core/src/connection/statement.ts';
import { factsOf, textWithCode } from '../../../packages/core/src/connection/statement-facts.ts';
import { createClassifier } from '../../../packages/core/src/statement/classifier.ts';

const classifier = createClassifier({
  dialect: 'mysql',
  primaryTables: ['till'],
  catalogue: { unsafeTables: ['shop.counters'], shadowingFunctions: [] },
});

const ordinary = { garbled: [], systemSchema: null };

describe('bound names', () => {
  const rows: readonly [sql: string, values: unknown, reason: string | null][] = [
    ['SELECT ?? FROM ??', ['a', 't'], null],
    ['SELECT ?? FROM ?? WHERE ?? = ?', ['a', 's.t', 'b', 1], null],
    ['SELECT 1 FROM ??', [['t', 'u']], null],
    ['SELECT 1 FROM ??', 't', null],
    ['SELECT 1 FROM ??', ['till'], 'primary-table'],
    ['SELECT 1 FROM ??', [['t', 'till']], 'primary-table'],
    ['SELECT 1 FROM ??', ['shop.counters'], 'catalogue'],
    ['SELECT 1 FROM ??.??', ['shop', 'counters'], 'catalogue'],
    ['SELECT 1 FROM ??.??', ['information_schema', 'PROCESSLIST'], 'system-schema'],
    ['SELECT 1 FROM ??.user', ['mysql'], 'system-schema'],
    ['SELECT 1 FROM ??', [new String('mysql.user')], 'bound-code'],
    ['SELECT 1 FROM ??', [{ toString: () => 'mysql.user' }], 'bound-code'],
    ['SELECT 1 FROM ??', { a: 'till' }, 'bound-code'],
    ['SELECT ? FROM t', [new Set([mysql.raw("GET_LOCK('a', 0)")])], 'bound-code'],
    ['SELECT EXTRACTVALUE(?)', [['<a/>', '/a[$@v]']], 'user-variable'],
    ["SELECT UPDATEXML(?, '<b/>')", [['<a/>', '/a[$@v]']], 'user-variable'],
    ["SELECT EXTRACTVALUE(?, '/a')", ['<a/>'], null],
    ["SELECT UPDATEXML(?, '/a', ?)", ['<a/>', '<b/>'], null],
  ];
  it.each(rows)('%s with %j: %s', (sql, values, reason) => {
    const statement = { method: 'query', sql, values } as Statement;
    expect(factsOf(statement, classifier, ordinary).reason).toBe(reason);
  });
});

describe('a question about the session, which may follow a read to a replica', () => {
  class Named {
    get name(): unknown {
      return mysql.raw("GET_LOCK('a', 0)");
    }
  }
  const rows: readonly [sql: string, values: unknown, reason: string][] = [
    ['SELECT FOUND_ROWS(), ?', [1], 'session-function'],
    ['SELECT FOUND_ROWS() FROM ??', ['t'], 'session-function'],
    ['SELECT FOUND_ROWS() FROM ??', ['mysql.user'], 'system-schema'],
    ['SELECT FOUND_ROWS() FROM ??', ['shop.counters'], 'catalogue'],
    ['SELECT @@warning_count, ?', [mysql.raw("GET_LOCK('a', 0)")], 'bound-code'],
    ['SELECT FOUND_ROWS(), :name', new Named(), 'bound-code'],
    ['SELECT FOUND_ROWS(), ?', ['¥'], 'malformed'],
    ['SHOW WARNINGS LIMIT ?', [1], 'show'],
    ['SHOW WARNINGS LIMIT :n', new Named(), 'bound-code'],
    ['SHOW WARNINGS -- ¥', undefined, 'malformed'],
  ];
  it.each(rows)('%s with %j: %s', (sql, values, reason) => {
    const statement = { method: 'query', sql, values } as Statement;
    const sjis = { garbled: [/[^\0-\x7e]/], systemSchema: null };
    expect(factsOf(statement, classifier, sjis).reason).toBe(reason);
  });
});

describe('an unsafe view behind another reason', () => {
  const rows: readonly [sql: string, values: unknown, callsUnknown: boolean][] = [
    ['SELECT SQL_CALC_FOUND_ROWS * FROM counters', undefined, true],
    ['SELECT /*+ SET_VAR(sort_buffer_size = 1) */ 1 FROM shop.counters', undefined, true],
    ['(SELECT 1 FROM t FOR UPDATE) UNION SELECT 1 FROM `counters`', undefined, true],
    ['SELECT 1 FROM information_schema.schemata, ??', ['counters'], true],
    ['SELECT 1 FROM t WHERE a = ? FOR UPDATE', [1], false],
    ['INSERT INTO ?? VALUES (1)', ['t'], false],
  ];
  it.each(rows)('%s with %j may call anything: %s', (sql, values, callsUnknown) => {
    const statement = { method: 'query', sql, values } as Statement;
    expect(factsOf(statement, classifier, ordinary)).toMatchObject({
      callsUnknown,
      callsWriting: callsUnknown,
    });
  });
});

describe('the database of a pool', () => {
  const inSystemSchema = { garbled: [], systemSchema: 'information_schema' };
  it.each([
    ['SELECT 1 FROM processlist', 'system-schema'],
    ['SELECT 1', 'system-schema'],
    ['SELECT @a', 'user-variable'],
  ])('is a system schema: %s → %s', (sql, reason) => {
    const statement = { method: 'execute', sql } as Statement;
    expect(factsOf(statement, classifier, inSystemSchema).reason).toBe(reason);
    expect(factsOf(statement, classifier, ordinary).reason).not.toBe('system-schema');
  });
});

describe('textWithCode', () => {
  it.each([
    ['query', 'ALTER TABLE t ?', [mysql.raw('ADD a INT')], 'ALTER TABLE t ? ADD a INT'],
    ['execute', 'ALTER TABLE t ?', [mysql.raw('ADD a INT')], 'ALTER TABLE t ?'],
    ['query', 'SELECT ?', ['x'], 'SELECT ?'],
  ])('%s(%j, %j): %s', (method, sql, values, text) => {
    expect(textWithCode({ method, sql, values } as Statement)).toBe(text);
  });
});
