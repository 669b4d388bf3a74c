import mysql from 'mysql2';
import { describe, expect, it } from 'vitest';
import { areRecognised, codeIn } from '../../../packages/core/src/connection/bound-values.ts';
import { responseOf, rolledBack } from '../../../packages/core/src/connection/response.ts';
import type { GtidDialect } from '../../../packages/core/src/gtid/set.ts';
import { failureOf } from '../../../packages/core/src/pool/failure.ts';
import type { Response } from '../../../packages/core/src/session/response.ts';

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

describe('responseOf', () => {
  class ResultSetHeader {
    readonly serverStatus: unknown;
    constructor(serverStatus: unknown, rest: object = {}) {
      this.serverStatus = serverStatus;
      Object.assign(this, rest);
    }
  }
  const none: Response = {
    serverStatus: null,
    insertId: null,
    hasChangedState: false,
    gtids: null,
    hasRows: true,
    isIdle: false,
  };
  const ok: Response = { ...none, serverStatus: 3, hasRows: false };
  const both: Response = { ...ok, hasRows: true };
  const told = (text: string, dialect: GtidDialect = 'mysql'): Response => ({
    ...ok,
    gtids: { text, dialect },
  });
  const tracked = (stateChanges: object) => new ResultSetHeader(3, { stateChanges });
  const header = new ResultSetHeader(3, { insertId: 0, affectedRows: 1 });
  const idle = new ResultSetHeader(3, { affectedRows: 0 });
  it.each<[string, unknown, Response]>([
    ['rows', [{ id: 1 }], none],
    ['no rows', [], none],
    ['rows as lists', [[1], [2]], none],
    ['several result sets', [[{ id: 1 }], [{ id: 2 }]], none],
    ['an OK packet', header, ok],
    ['a write that found nothing to do', idle, { ...ok, isIdle: true }],
    ['several: the last one counts', [header, idle], { ...ok, isIdle: true }],
    ['several: what came before does not', [idle, header], ok],
    ['the rows and the end of a CALL', [[{ id: 1 }], header], both],
    [
      'several statements: the last flags count',
      [new ResultSetHeader(2), [{ id: 1 }], header],
      both,
    ],
    ['rows behind them: still the last flags', [header, [{ id: 1 }]], both],
    ['rows before them and behind', [[{ id: 1 }], header, [{ id: 1 }]], both],
    ['among the last of many results', [[{ id: 1 }], header, ...Array(31).fill([])], both],
    ['not among the last: nobody looks through all rows', [header, ...Array(32).fill([])], none],
    ['a row that looks like one', [{ serverStatus: 1, affectedRows: 0, warningStatus: 0 }], none],
    ['one that looks like one alone', { serverStatus: 1, insertId: 5 }, none],
    ['a row without a prototype', [Object.assign(Object.create(null), { serverStatus: 1 })], none],
    ['a row with a column of that name', [{ serverStatus: 1, constructor: { name: 'x' } }], none],
    ['one whose flags are no number', new ResultSetHeader('3'), none],
    ['one without flags', Object.create(ResultSetHeader.prototype), none],
    ['null', null, none],
    ['nothing', undefined, none],
    ['an insert id', new ResultSetHeader(3, { insertId: 7 }), { ...ok, insertId: '7' }],
    [
      'one beyond 2^53, as mysql2 gives it',
      new ResultSetHeader(3, { insertId: '18446744073709551615' }),
      { ...ok, insertId: '18446744073709551615' },
    ],
    ['none, as text', new ResultSetHeader(3, { insertId: '0' }), ok],
    ['no field for one', new ResultSetHeader(3), ok],
    [
      'state that changed',
      new ResultSetHeader(3, { insertId: 0, stateChanges: { trackStateChange: '1' } }),
      { ...ok, hasChangedState: true },
    ],
    [
      'state that changed, misread',
      new ResultSetHeader(3, { stateChanges: { trackStateChange: '' } }),
      { ...ok, hasChangedState: true },
    ],
    [
      'other changes',
      new ResultSetHeader(3, { stateChanges: { systemVariables: {}, trackStateChange: null } }),
      ok,
    ],
    ['the changes of a tracker that is off', new ResultSetHeader(3, { stateChanges: {} }), ok],
    ['several OK packets: no rows', [header, header], ok],
    ['a GTID of MySQL', tracked({ gtids: ['a:1'] }), told('a:1')],
    ['several, in one answer', tracked({ gtids: ['a:1', 'b:2'] }), told('a:1,b:2')],
    ['none of MySQL', tracked({ gtids: [] }), ok],
    [
      'a GTID of MariaDB',
      tracked({ systemVariables: { last_gtid: '0-1-7' } }),
      told('0-1-7', 'mariadb'),
    ],
    ['no last_gtid yet', tracked({ systemVariables: { last_gtid: '' } }), ok],
    ['another variable of MariaDB', tracked({ systemVariables: { autocommit: 'ON' } }), ok],
    [
      'GTIDs of several statements, not of the last alone',
      [tracked({ gtids: ['a:1'] }), tracked({ gtids: ['a:2'] }), header],
      told('a:1,a:2'),
    ],
    [
      'of several statements of MariaDB',
      [1, 2].map((n) => tracked({ systemVariables: { last_gtid: `0-1-${n}` } })),
      told('0-1-1,0-1-2', 'mariadb'),
    ],
    [
      'a GTID beside rows',
      [[{ id: 1 }], tracked({ gtids: ['a:1'] })],
      { ...told('a:1'), hasRows: true },
    ],
  ])('%s', (_name, result, response) => {
    expect(responseOf(result)).toEqual(response);
  });

  it('takes the answer of our own to a ROLLBACK for none of the server', () => {
    expect(responseOf(rolledBack())).toEqual(none);
    expect(rolledBack()).toMatchObject({ affectedRows: 0, insertId: 0, warningStatus: 0 });
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
      'demoted',
    ],
    [
      'MariaDB says it otherwise',
      { errno: 1290, message: 'with the --read_only option' },
      'demoted',
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
