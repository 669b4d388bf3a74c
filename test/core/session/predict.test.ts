import { describe, expect, it } from 'vitest';
import { predict } from '../../../packages/core/src/session/predict.ts';
import { freshSession, type SessionState } from '../../../packages/core/src/session/state.ts';
import type { Facts } from '../../../packages/core/src/statement/facts.ts';
import {
  autocommitOff,
  doubtful,
  hold,
  holding,
  open,
  perhapsOver,
  prepared,
  says,
  session,
  written,
} from './states.ts';

describe('predict', () => {
  it.each<[string, SessionState, string, SessionState]>([
    ['a read changes nothing', freshSession, 'SELECT a FROM t', freshSession],
    ['nor in a transaction', open, 'SELECT a FROM t', open],
    ['BEGIN', freshSession, 'BEGIN', open],
    ['START TRANSACTION', freshSession, 'START TRANSACTION READ ONLY', open],
    ['BEGIN begins the next one', open, 'BEGIN', open],
    ['COMMIT: it may have written', open, 'COMMIT', written],
    ['ROLLBACK', open, 'ROLLBACK', freshSession],
    ['COMMIT of one in doubt', doubtful, 'COMMIT', written],
    ['ROLLBACK of one in doubt', doubtful, 'ROLLBACK', freshSession],
    ['ROLLBACK of what SET TRANSACTION said', prepared, 'ROLLBACK', freshSession],
    ['SAVEPOINT', open, 'SAVEPOINT s', open],
    ['ROLLBACK TO', open, 'ROLLBACK TO s', open],
    ['a locking read in a transaction', open, 'SELECT a FROM t FOR UPDATE', open],
    ['one that is in doubt stays in doubt', doubtful, 'SELECT a FROM t FOR UPDATE', doubtful],
    ['SET TRANSACTION', freshSession, 'SET TRANSACTION READ ONLY', prepared],
    ['SET TRANSACTION, then BEGIN', prepared, 'BEGIN', open],
    ['in a transaction the server refuses it', open, 'SET TRANSACTION READ ONLY', open],
    ['it is no answer to a doubt', perhapsOver, 'SET TRANSACTION READ ONLY', perhapsOver],
    ['it is pending until a transaction ends', prepared, 'SELECT a FROM t', prepared],
    [
      'for a session it is state',
      freshSession,
      'SET SESSION TRANSACTION READ ONLY',
      holding(hold('session-variable')),
    ],
    [
      'whatever comes between',
      prepared,
      'DO 1',
      session({ transaction: 'prepared', hasWritten: true }),
    ],
    ['also a lock', prepared, 'SELECT a FROM t FOR UPDATE', prepared],
    [
      'what commits by itself is left to the flags',
      open,
      'CREATE TABLE t (a INT)',
      session({ transaction: 'open', hasWritten: true }),
    ],
    ['autocommit=0 too', freshSession, 'SET autocommit = 0', holding(hold('session-variable'))],
  ])('%s: %o %s', (_why, before, sql, after) => {
    expect(predict(before, says(sql))).toEqual(after);
  });

  it.each<[string, string, boolean]>([
    ['INSERT INTO t VALUES (1)', 'DML', true],
    ['CREATE TABLE t (a INT)', 'DDL', true],
    ['CALL p()', 'a procedure', true],
    ['COMMIT', 'what it commits', true],
    ['SELECT 1; SELECT 2', 'nobody looks at the second one', true],
    ["XA COMMIT 'x'", 'what it commits', true],
    ['SELECT f(1)', 'a stored function', true],
    ['SELECT SLEEP(f(1))', 'a stored function behind another reason', true],
    ["SELECT GET_LOCK('a', 1)", 'what a lock is for', true],
    ["SELECT 'x", 'nobody knows where it ends', true],
    ['SELECT a FROM t PROCEDURE ANALYSE()', 'it may write', true],
    ['SELECT $$', 'no rule knows it', true],
    ['SELECT a FROM t FOR UPDATE', 'a lock', false],
    ['SELECT @@sql_mode', 'a question', false],
    ['SELECT @a', 'a variable', false],
    ["SELECT 1 INTO OUTFILE '/x'", 'a file', false],
    ['SELECT SQL_CALC_FOUND_ROWS a FROM t', 'a read', false],
    ['SHOW TABLES', 'SHOW', false],
    ['SET @a = 1', 'a variable', false],
    ['SET TRANSACTION READ ONLY', 'nothing yet', false],
    ['BEGIN', 'nothing yet', false],
    ['ROLLBACK', 'nothing any more', false],
    ['SAVEPOINT s', 'nothing', false],
    ['SELECT a FROM t', 'a read', false],
    ['', 'nothing', false],
  ])('%s: %s, has written: %s', (sql, _why, expected) => {
    expect(predict(freshSession, says(sql)).hasWritten).toBe(expected);
    expect(predict(written, says(sql)).hasWritten).toBe(true);
  });

  it.each<[string, Partial<Facts>, boolean]>([
    ['a view may hide a function', { reason: 'catalogue' }, true],
    ['a bound value may be one', { reason: 'bound-code' }, true],
    ['the parser may have seen one', { reason: 'parser-veto' }, true],
    ['a word of it writes', { reason: 'writes' }, true],
    ['a replica has refused it', { callsUnknown: true }, true],
    ['a table of the primary hides none', { reason: 'primary-table' }, false],
  ])('a read that has a reason beyond its text: %s', (_why, facts, expected) => {
    const after = predict(freshSession, { ...says('SELECT a FROM t'), ...facts });
    expect(after).toEqual(expected ? written : freshSession);
  });

  it.each<[string, SessionState, string, SessionState]>([
    ['a variable', freshSession, 'SET @a = 1', holding(hold('user-variable'))],
    [
      'a table, by its name',
      freshSession,
      'CREATE TEMPORARY TABLE t (a INT)',
      session({ holds: [hold('temporary-table', 't')], hasWritten: true }),
    ],
    [
      'after a write',
      written,
      'SET @a = 1',
      session({ holds: [hold('user-variable')], hasWritten: true }),
    ],
    [
      'in a transaction',
      open,
      'SET @a = 1',
      session({ holds: [hold('user-variable')], transaction: 'open' }),
    ],
    [
      'behind another one',
      holding(hold('handler', 'h')),
      'LOCK TABLES t READ',
      session({
        holds: [hold('handler', 'h'), hold('table-lock', 'tables')],
        hasWritten: true,
      }),
    ],
    [
      'what is freed stays until the server has said so',
      holding(hold('table-lock', 'tables')),
      'UNLOCK TABLES',
      session({ holds: [hold('table-lock', 'tables')], hasWritten: true }),
    ],
    [
      'a plain read with state that only the catalogue knows',
      freshSession,
      "SELECT GET_LOCK('a', 1)",
      session({ holds: [hold('user-lock')], hasWritten: true }),
    ],
  ])('holds what a statement leaves behind: %s', (_why, before, sql, after) => {
    expect(predict(before, says(sql))).toEqual(after);
  });

  it('holds state of a text that gives no reason', () => {
    const facts: Facts = { ...says('SELECT a FROM t'), pin: 'unknown-state' };
    expect(predict(freshSession, facts)).toEqual(holding(hold('unknown-state')));
  });

  it.each<[string, SessionState, string, SessionState['transaction']]>([
    ['a locking read begins one', autocommitOff, 'SELECT a FROM t FOR UPDATE', 'open'],
    [
      'whatever it holds besides',
      holding(hold('role'), hold('autocommit-off')),
      'SELECT a FROM t FOR SHARE',
      'open',
    ],
    ['a plain read is left to what comes', autocommitOff, 'SELECT a FROM t', 'none'],
    [
      'a write opens one: INSERT … RETURNING answers with rows, without flags',
      autocommitOff,
      'UPDATE t SET a = 1',
      'open',
    ],
    [
      'with other state it commits at once',
      holding(hold('role')),
      'SELECT a FROM t FOR UPDATE',
      'none',
    ],
    ['without any too', freshSession, 'SELECT a FROM t FOR UPDATE', 'none'],
    [
      'what SET TRANSACTION said is still pending',
      session({ ...autocommitOff, transaction: 'prepared' }),
      'SELECT a FROM t FOR UPDATE',
      'prepared',
    ],
    ['COMMIT ends it', session({ ...autocommitOff, transaction: 'open' }), 'COMMIT', 'none'],
  ])('transactions under autocommit=0: %s', (_why, before, sql, transaction) => {
    expect(predict(before, says(sql)).transaction).toBe(transaction);
  });

  it('makes no new state where nothing changes', () => {
    expect(predict(written, says('UPDATE t SET a = 1'))).toBe(written);
    expect(predict(open, says('SELECT a FROM t FOR UPDATE'))).toBe(open);
    const holder = holding(hold('user-variable'));
    expect(predict(holder, says('SET @a = 1'))).toBe(holder);
  });
});
