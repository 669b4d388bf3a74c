import mysql from 'mysql2';
import { describe, expect, it } from 'vitest';
import { areRecognised, codeIn } from '../../../packages/core/src/connection/bound-values.ts';
import { serverStatusOf } from '../../../packages/core/src/connection/response.ts';
import { failureOf } from '../../../packages/core/src/pool/failure.ts';

const code = mysql.raw('GET_LOCK("x", 1)');

const text = 'GET_LOCK("x", 1)';
const unknown = '\0';

describe('codeIn', () => {
  it.each<[string, unknown, string[]]>([
    ['nothing', undefined, []],
    ['null', [null], []],
    ['text, numbers, dates, bytes', ['x', 1, 1n, true, new Date(), Buffer.from('x')], []],
    ['a list for IN', [[1, 2, 3]], []],
    ['an object for SET', [{ a: 1 }], []],
    ['mysql.raw', [code], [text]],
    ['mysql.raw in a list', [[1, code]], [text]],
    ['mysql.raw in an object', [{ a: code }], [text]],
    ['mysql.raw among named values', { a: code }, [text]],
    [
      'a date that somebody gave code',
      [Object.assign(new Date(), { toSqlString: () => 'x' })],
      ['x'],
    ],
    ['inherited code', [Object.create({ toSqlString: () => 'x' })], ['x']],
    [
      'code that throws',
      [
        {
          toSqlString: () => {
            throw new Error('no');
          },
        },
      ],
      [unknown],
    ],
    ['code that is no function', [{ toSqlString: 1 }], [unknown]],
    ['a function', [() => 1], [unknown]],
    ['a set', [new Set([code])], [unknown]],
    ['a map in a list', [[new Map([['a', code]])]], [unknown]],
    ['nested deeper than anybody looks', [[[[[[[1]]]]]]], [unknown]],
  ])('%s', (_name, values, expected) => {
    expect(codeIn(values)).toEqual(expected);
  });
});

describe('areRecognised', () => {
  class Named {
    readonly own = 1;
    get name(): unknown {
      return code;
    }
  }
  const evasive: unknown = Object.setPrototypeOf(
    [code],
    Object.create(Array.prototype, { every: { value: () => true } }),
  );
  it.each<[string, unknown, boolean]>([
    ['primitive values', ['x', 1, 1n, true, null, undefined], true],
    ['dates and bytes', [new Date(), Buffer.from('x'), new Uint8Array(1)], true],
    ['lists of rows', [[['x', 1]]], true],
    ['a plain object', [{ a: 1, b: { c: 2 } }], true],
    ['one without a prototype', Object.assign(Object.create(null), { a: 1 }), true],
    ['an instance, whose class may have getters', new Named(), false],
    ['one in a list', [[new Named()]], false],
    [
      'a getter',
      {
        get a() {
          return code;
        },
      },
      false,
    ],
    ['a property that no loop shows', Object.defineProperty({}, 'a', { value: code }), false],
    ['a String object', [new String('x')], false],
    ['an object with a toString of its own', [{ toString: () => 'mysql.user' }], false],
    ['a list of a class with methods of its own', evasive, false],
    ['a symbol', [Symbol('x')], false],
    ['a set', [new Set([1])], false],
    ['a map', [new Map([[1, 2]])], false],
    ['code', [code], false],
    ['a function', [() => 1], false],
  ])('%s', (_name, values, expected) => {
    expect(areRecognised(values)).toBe(expected);
  });
});

describe('serverStatusOf', () => {
  class ResultSetHeader {
    serverStatus = 3;
  }
  it.each([
    ['rows', [{ id: 1 }], null],
    ['no rows', [], null],
    ['an OK packet', new ResultSetHeader(), 3],
    ['the rows and the end of a CALL', [[{ id: 1 }], new ResultSetHeader()], 3],
    ['a row that looks like one', [{ serverStatus: 1, affectedRows: 0, warningStatus: 0 }], null],
  ])('%s', (_name, result, status) => {
    expect(serverStatusOf(result)).toBe(status);
  });
});

describe('failureOf', () => {
  it('does not blame the server for a mistake of this process', () => {
    expect(failureOf(Object.assign(new TypeError('no'), { fatal: true }))).toBe('client');
    expect(failureOf(new TypeError('no'))).toBe('statement');
    expect(failureOf(Object.assign(new SyntaxError('no'), { fatal: true }))).toBe('client');
  });

  it.each([
    ['a write in a read-only transaction', { errno: 1792 }, 'read-only'],
    [
      'a write on a read-only server',
      { errno: 1290, message: 'with the --super-read-only option' },
      'read-only',
    ],
    [
      'MariaDB says it otherwise',
      { errno: 1290, message: 'with the --read_only option' },
      'read-only',
    ],
    ['another option', { errno: 1290, message: 'with the --secure-file-priv option' }, 'statement'],
    ['an unknown table', { errno: 1146 }, 'differs'],
    ['an unknown database', { errno: 1049 }, 'differs'],
    ['a syntax error', { errno: 1064 }, 'statement'],
    ['a killed query', { errno: 1317 }, 'statement'],
    ['a shutdown', { errno: 1053 }, 'connection'],
    ['a lost connection', { code: 'PROTOCOL_CONNECTION_LOST', fatal: true }, 'connection'],
    [
      'a closed one',
      { fatal: true, message: "Can't add new command when connection is in closed state" },
      'not-sent',
    ],
    ['a timeout', { code: 'PROTOCOL_SEQUENCE_TIMEOUT' }, 'timeout'],
    ['a reset', { code: 'ECONNRESET' }, 'connection'],
    ['a killed connection of MariaDB', { errno: 1927 }, 'connection'],
  ])('%s', (_name, fields, failure) => {
    expect(
      failureOf(Object.assign(new Error('message' in fields ? fields.message : ''), fields)),
    ).toBe(failure);
  });
});
