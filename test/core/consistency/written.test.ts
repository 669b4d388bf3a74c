import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../packages/core/src/routing/failure.ts';
import { observe } from '../../../packages/core/src/session/observe.ts';
import { predict } from '../../../packages/core/src/session/predict.ts';
import type { Response } from '../../../packages/core/src/session/response.ts';
import { freshSession, type SessionState } from '../../../packages/core/src/session/state.ts';
import {
  type Moment,
  type Written,
  writtenBy,
  writtenDespite,
} from '../../../packages/core/src/session/written.ts';
import type { Dialect } from '../../../packages/core/src/statement/facts.ts';
import { autocommitOff, open, perhapsOver, says, session } from '../session/states.ts';

/** Status flags of an answer. */
const outside = 2;
const inside = 3;

const blank: Response = {
  serverStatus: null,
  insertId: null,
  hasChangedState: false,
  gtids: null,
  hasRows: false,
  isIdle: false,
};
const told = { text: 'U:7', dialect: 'mysql' } as const;

/** An OK packet. */
const ok: Response = { ...blank, serverStatus: outside };
const okInside: Response = { ...ok, serverStatus: inside };
const withGtid: Response = { ...ok, gtids: told };
const withGtidInside: Response = { ...okInside, gtids: told };
/** A result set. */
const rows: Response = { ...blank, hasRows: true };
/** Result sets, and an OK packet among them or behind. */
const rowsAndOk: Response = { ...ok, hasRows: true };
const rowsAndGtid: Response = { ...withGtid, hasRows: true };

const fresh = freshSession;
const wrote = session({ transaction: 'open', hasWritten: true });
const offAndOpen: SessionState = { ...wrote, holds: autocommitOff.holds };
const hiding = session({ transaction: 'open', hasHiddenWrites: true });

/** What an answer says, if the session goes on as it does. */
function written(
  before: SessionState,
  sql: string,
  response: Response,
  gtids: Moment['gtids'] = 'told',
  dialect: Dialect = 'mysql',
): Written['kind'] {
  const facts = says(sql, dialect);
  const after = observe(predict(before, facts), facts, response, dialect);
  const said = writtenBy(facts, response, { before, after, gtids });
  if (said.kind === 'told') {
    expect(said).toEqual({ kind: 'told', ...response.gtids });
  }
  return said.kind;
}

type Case = readonly [
  why: string,
  before: SessionState,
  sql: string,
  response: Response,
  expected: Written['kind'],
];

// Each answer is as the servers gave it.
describe('an answer that tells GTIDs', () => {
  it.each<Case>([
    ['a write', fresh, 'INSERT INTO t VALUES (1)', withGtid, 'told'],
    ['one that changes nothing', fresh, 'UPDATE t SET a = a', ok, 'none'],
    ['DDL', fresh, 'CREATE TABLE t (a INT)', withGtid, 'told'],
    ['a temporary table', fresh, 'CREATE TEMPORARY TABLE t (a INT)', ok, 'none'],
    ['a read', fresh, 'SELECT a FROM t', rows, 'none'],
    ['a plan', fresh, 'EXPLAIN SELECT a FROM t', rows, 'none'],
    ['SHOW', fresh, 'SHOW TABLES', rows, 'none'],
    ['a variable', fresh, 'SELECT @@version', rows, 'none'],
    ['its session', fresh, 'SELECT CONNECTION_ID()', rows, 'none'],
    ['a lock', fresh, "SELECT GET_LOCK('a', 1)", rows, 'none'],
    ['a pause', fresh, 'SELECT SLEEP(1)', rows, 'none'],
    ['SET', fresh, 'SET @a = 1', ok, 'none'],
    ['rows of OPTIMIZE', fresh, 'OPTIMIZE TABLE t', rows, 'hidden'],
    ['rows of ANALYZE', fresh, 'ANALYZE TABLE t', rows, 'hidden'],
    ['rows of REPAIR', fresh, 'REPAIR TABLE t', rows, 'hidden'],
    ['a function', fresh, 'SELECT f()', rows, 'hidden'],
    ['a function that assigns', fresh, 'SELECT @a := f()', rows, 'hidden'],
    ['a function with FOR UPDATE', fresh, 'SELECT f() FROM t FOR UPDATE', rows, 'hidden'],
    ['a function INTO a variable', fresh, 'SELECT f() INTO @a', withGtid, 'told'],
    ['DO', fresh, 'DO f()', withGtid, 'told'],
    ['SET with a function', fresh, 'SET @a = f()', withGtid, 'told'],
    ['CALL', fresh, 'CALL p()', withGtid, 'told'],
    ['CALL with result sets: its end tells of all', fresh, 'CALL p()', rowsAndGtid, 'told'],
    ['CALL that writes nothing', fresh, 'CALL p()', rowsAndOk, 'none'],
    ['EXECUTE of a write', fresh, 'EXECUTE s', withGtid, 'told'],
    ['EXECUTE of a SELECT', fresh, 'EXECUTE s', rows, 'hidden'],
    ['two writes', fresh, 'DELETE FROM t; DELETE FROM u', withGtid, 'told'],
    ['a write and a read', fresh, 'DELETE FROM t; SELECT 1', rowsAndGtid, 'hidden'],
    ['a read and a function', fresh, 'SELECT 1; SELECT f()', rows, 'hidden'],

    ['BEGIN', fresh, 'BEGIN', okInside, 'none'],
    ['a write in a transaction', open, 'DELETE FROM t', okInside, 'none'],
    ['COMMIT', wrote, 'COMMIT', withGtid, 'told'],
    ['COMMIT of nothing', open, 'COMMIT', ok, 'none'],
    ['COMMIT AND CHAIN', wrote, 'COMMIT AND CHAIN', withGtidInside, 'told'],
    ['ROLLBACK', wrote, 'ROLLBACK', ok, 'none'],
    ['a second BEGIN', wrote, 'BEGIN', withGtidInside, 'told'],
    ['DDL in a transaction', wrote, 'CREATE TABLE t (a INT)', withGtid, 'told'],
    ['LOCK TABLES', wrote, 'LOCK TABLES t READ', withGtid, 'told'],
    ['CHECK TABLE, which commits', wrote, 'CHECK TABLE t', rows, 'hidden'],
    ['ANALYZE TABLE, which commits', wrote, 'ANALYZE TABLE t', rows, 'hidden'],
    ['autocommit, which commits', wrote, 'SET autocommit = 1', withGtid, 'told'],
    ['XA PREPARE', wrote, "XA PREPARE 'x'", withGtid, 'told'],
    ['a table without transactions', open, 'INSERT INTO t VALUES (1)', withGtidInside, 'told'],

    ['a function in a transaction: its end is early enough', open, 'SELECT f()', rows, 'none'],
    ['the COMMIT after one', hiding, 'COMMIT', withGtid, 'hidden'],
    ['the ROLLBACK after one', hiding, 'ROLLBACK', ok, 'hidden'],
    ['the BEGIN after one', hiding, 'BEGIN', okInside, 'hidden'],
    ['a write after one', hiding, 'DELETE FROM t', okInside, 'none'],
    ['a function without autocommit', autocommitOff, 'SELECT f()', rows, 'none'],
    ['EXECUTE in a transaction, perhaps of COMMIT', wrote, 'EXECUTE s', rows, 'hidden'],
    ['several in a transaction', wrote, 'COMMIT; SELECT 1', { ...rows, serverStatus: 3 }, 'hidden'],
    ['CALL that commits and begins', wrote, 'CALL p()', withGtidInside, 'told'],
  ])('%s: %o %s', (_why, before, sql, response, expected) => {
    expect(written(before, sql, response)).toBe(expected);
  });

  it.each<Case>([
    ['RETURNING', fresh, 'INSERT INTO t VALUES (1) RETURNING a', rows, 'hidden'],
    ['RETURNING', fresh, 'DELETE FROM t RETURNING a', rows, 'hidden'],
    ['RETURNING in a transaction', open, 'DELETE FROM t RETURNING a', rows, 'none'],
    ['the end of that', hiding, 'COMMIT', withGtid, 'hidden'],
    ['a sequence', fresh, 'SELECT NEXTVAL(s)', rows, 'hidden'],
    ['a sequence', fresh, 'SELECT SETVAL(s, 9)', rows, 'hidden'],
    ['EXECUTE IMMEDIATE', fresh, "EXECUTE IMMEDIATE 'DELETE FROM t'", withGtid, 'told'],
    ['a block', fresh, 'BEGIN NOT ATOMIC DELETE FROM t; END', withGtid, 'told'],
    ['SET STATEMENT', fresh, 'SET STATEMENT x = 1 FOR DELETE FROM t', withGtid, 'told'],
    ['SET STATEMENT', fresh, 'SET STATEMENT x = 1 FOR SELECT f()', rows, 'hidden'],
  ])('of MariaDB: %s: %o %s', (_why, before, sql, response, expected) => {
    expect(written(before, sql, response, 'told', 'mariadb')).toBe(expected);
  });
});

describe('an answer that tells no GTIDs', () => {
  const cases: readonly Case[] = [
    ['a write', fresh, 'INSERT INTO t VALUES (1)', ok, 'unknown'],
    ['DDL', fresh, 'CREATE TABLE t (a INT)', ok, 'unknown'],
    ['a function', fresh, 'SELECT f()', rows, 'unknown'],
    ['a function in a transaction', open, 'SELECT f()', rows, 'unknown'],
    ['a read', fresh, 'SELECT a FROM t', rows, 'none'],
    ['a read in a transaction', open, 'SELECT a FROM t', rows, 'none'],
    ['BEGIN', fresh, 'BEGIN', okInside, 'none'],
    ['COMMIT of a write', wrote, 'COMMIT', ok, 'unknown'],
    ['COMMIT of reads', open, 'COMMIT', ok, 'none'],
    ['a COMMIT of nothing at all', fresh, 'COMMIT', ok, 'none'],
    ['a second BEGIN', wrote, 'BEGIN', okInside, 'unknown'],
    ['DDL that commits', wrote, 'CREATE TABLE t (a INT)', ok, 'unknown'],
    ['autocommit, which commits', wrote, 'SET autocommit = 1', ok, 'unknown'],
    ['SET', fresh, 'SET @a = 1', ok, 'none'],
    ['CALL', fresh, 'CALL p()', ok, 'unknown'],
  ];

  it.each(cases)('where there are none: %s: %o %s', (_why, before, sql, response, expected) => {
    expect(written(before, sql, response, 'none')).toBe(expected);
  });

  it.each(cases)('where they can be asked for: %s: %o %s', (_why, before, sql, response, kind) => {
    const expected = kind === 'unknown' ? 'hidden' : kind;
    expect(written(before, sql, response, 'asked')).toBe(expected);
  });
});

describe('a statement that failed', () => {
  it.each<[string, Failure, SessionState, string, Written['kind']]>([
    ['a row before a duplicate', 'statement', fresh, 'INSERT INTO t VALUES (1), (1)', 'hidden'],
    ['in a transaction too', 'statement', open, 'INSERT INTO t VALUES (1), (1)', 'hidden'],
    ['a procedure that wrote first', 'statement', fresh, 'CALL p()', 'hidden'],
    ['DDL that commits and fails', 'statement', wrote, 'CREATE TABLE t (a INT)', 'hidden'],
    ['LOCK TABLES too', 'statement', wrote, 'LOCK TABLES nosuch READ', 'hidden'],
    ['two tables of which one goes', 'statement', fresh, 'DROP TABLE t, nosuch', 'hidden'],
    ['several statements', 'statement', fresh, 'DELETE FROM t; SELECT nosuch', 'hidden'],
    ['a function', 'statement', fresh, 'SELECT f()', 'hidden'],
    ['a read', 'statement', fresh, 'SELECT nosuch FROM t', 'none'],
    ['SET', 'statement', fresh, 'SET nosuch = 1', 'none'],
    ['a ROLLBACK', 'statement', wrote, 'ROLLBACK TO nosuch', 'none'],
    ['a write that a server must not do', 'read-only', fresh, 'INSERT INTO t VALUES (1)', 'none'],
    ['a procedure that raises that', 'read-only', fresh, 'CALL p()', 'hidden'],
    ['the second of two', 'read-only', fresh, 'DELETE FROM t; DELETE FROM u', 'hidden'],
    ['one that was not sent', 'not-sent', fresh, 'INSERT INTO t VALUES (1)', 'none'],
    ['a COMMIT that was not sent', 'not-sent', wrote, 'COMMIT', 'none'],
    ['a write without an answer', 'connection', fresh, 'INSERT INTO t VALUES (1)', 'unknown'],
    ['a write without one in time', 'timeout', fresh, 'INSERT INTO t VALUES (1)', 'unknown'],
    ['a COMMIT without one', 'connection', wrote, 'COMMIT', 'unknown'],
    ['DDL without one', 'connection', wrote, 'CREATE TABLE t (a INT)', 'unknown'],
    ['a second BEGIN without one', 'connection', wrote, 'BEGIN', 'unknown'],
    ['autocommit without one', 'connection', offAndOpen, 'SET autocommit = 1', 'unknown'],
    ['a write that is rolled back then', 'connection', open, 'DELETE FROM t', 'none'],
    ['CALL, which may have committed', 'connection', open, 'CALL p()', 'unknown'],
    ['EXECUTE, which may have committed', 'connection', open, 'EXECUTE s', 'unknown'],
    ['several, which may have committed', 'connection', open, 'COMMIT; BEGIN', 'unknown'],
    [
      'a transaction that may be over',
      'connection',
      perhapsOver,
      'CREATE TABLE t (a INT)',
      'unknown',
    ],
    ['a read without an answer', 'connection', fresh, 'SELECT a FROM t', 'none'],
  ])('%s (%s): %o %s', (_why, failure, before, sql, expected) => {
    expect(writtenDespite(failure, says(sql), before).kind).toBe(expected);
  });
});
