import { describe, expect, it } from 'vitest';
import { responseOf } from '../../../packages/core/src/connection/response.ts';
import type { Response } from '../../../packages/core/src/session/response.ts';

class ResultSetHeader {
  readonly serverStatus = 2;
  readonly insertId = 0;
  readonly stateChanges: object | undefined;

  constructor(stateChanges?: object) {
    this.stateChanges = stateChanges;
  }
}

/** The answers of mysql2 to statements on MySQL and MariaDB, as they were measured. */
const mysql = (...gtids: string[]) =>
  new ResultSetHeader({ systemVariables: {}, schema: null, gtids, trackStateChange: null });
const mariadb = (last: string) =>
  new ResultSetHeader({
    systemVariables: { last_gtid: last },
    schema: null,
    gtids: [],
    trackStateChange: null,
  });
const plain = new ResultSetHeader();
const rows = [{ id: 1 }];

const ofMysql = (text: string) => ({ text, dialect: 'mysql' }) as const;
const ofMariadb = (text: string) => ({ text, dialect: 'mariadb' }) as const;

describe('GTIDs in an answer', () => {
  it.each<[string, unknown, Response['gtids']]>([
    ['a write', mysql('U:5'), ofMysql('U:5')],
    ['a write', mariadb('0-1-5'), ofMariadb('0-1-5')],
    ['DDL in a transaction', mysql('U:56-57'), ofMysql('U:56-57')],
    ['one that changes nothing', plain, null],
    ['one without GTIDs, which tells of other things', mysql(), null],
    ['a MariaDB that has written nothing', mariadb(''), null],
    ['other variables', new ResultSetHeader({ systemVariables: { autocommit: 'ON' } }), null],
    ['no variables', new ResultSetHeader({}), null],
    ['rows', rows, null],
    ['CALL with result sets', [rows, rows, mysql('U:96-97')], ofMysql('U:96-97')],
    ['CALL with result sets', [rows, mariadb('0-1-9')], ofMariadb('0-1-9')],
    ['several writes', [mysql('U:126'), mysql('U:126-127')], ofMysql('U:126,U:126-127')],
    ['several writes', [mariadb('0-1-8'), mariadb('0-1-9')], ofMariadb('0-1-8,0-1-9')],
    ['a write and a read', [mysql('U:126'), rows], ofMysql('U:126')],
    ['a write before many results', [mysql('U:1'), ...Array(31).fill(rows)], ofMysql('U:1')],
  ])('%s: %o', (_what, result, gtids) => {
    expect(responseOf(result).gtids).toEqual(gtids);
  });

  it('of a row that looks like an answer are none', () => {
    const row = { serverStatus: 2, stateChanges: { gtids: ['U:5'] } };
    expect(responseOf([row])).toMatchObject({ gtids: null, serverStatus: null, hasRows: true });
  });
});

describe('rows in an answer', () => {
  it.each<[string, unknown, boolean]>([
    ['a read', rows, true],
    ['a read that finds nothing', [], true],
    ['a write', mysql('U:5'), false],
    ['several writes', [plain, plain], false],
    ['a write and a read', [plain, rows], true],
    ['CALL with result sets', [rows, plain], true],
    ['more results than are looked through', Array(40).fill(plain), true],
  ])('%s: %o', (_what, result, hasRows) => {
    expect(responseOf(result).hasRows).toBe(hasRows);
  });
});
