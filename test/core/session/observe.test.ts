import { describe, expect, it } from 'vitest';
import {
  afterAsking,
  bearsDoubt,
  observe,
  observeError,
  withAnswers,
} from '../../../packages/core/src/session/observe.ts';
import { predict } from '../../../packages/core/src/session/predict.ts';
import type { Response } from '../../../packages/core/src/session/response.ts';
import { freshSession, type SessionState } from '../../../packages/core/src/session/state.ts';
import type { Answer, Dialect } from '../../../packages/core/src/statement/facts.ts';
import type { Row } from '../statement/rows.ts';
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

/** Status flags of an answer. */
const outside = 2;
const inside = 3;
const outsideWithoutAutocommit = 0;
const insideWithoutAutocommit = 1;
/** A result set has none. */
const rows = null;

function answer(serverStatus: number | null, rest: Partial<Response> = {}): Response {
  const hasRows = serverStatus === null;
  return {
    serverStatus,
    insertId: null,
    hasChangedState: false,
    gtids: null,
    hasRows,
    isIdle: false,
    ...rest,
  };
}

/** The state after a statement that was answered. */
function answered(
  before: SessionState,
  sql: string,
  response: Response,
  dialect: Dialect = 'mysql',
): SessionState {
  const facts = says(sql, dialect);
  return observe(predict(before, facts), facts, response, dialect);
}

describe('the status flags', () => {
  it.each<[string, SessionState, string, number | null, SessionState['transaction']]>([
    ['a read has none: as expected', open, 'SELECT 1', rows, 'open'],
    ['nor outside', freshSession, 'SELECT 1', rows, 'none'],
    ['BEGIN', freshSession, 'BEGIN', inside, 'open'],
    ['COMMIT', open, 'COMMIT', outside, 'none'],
    ['COMMIT AND CHAIN', open, 'COMMIT AND CHAIN', inside, 'open'],
    ['ROLLBACK with completion_type', open, 'ROLLBACK', inside, 'open'],
    ['a procedure that begins one', freshSession, 'CALL p()', inside, 'open'],
    ['a procedure that commits', open, 'CALL p()', outside, 'none'],
    ['DDL commits', open, 'CREATE TABLE t (a INT)', outside, 'none'],
    ['a write that commits nothing', open, 'UPDATE t SET a = 1', inside, 'open'],
    ['SET TRANSACTION is not in them', prepared, 'DO 1', outside, 'prepared'],
    ['a transaction that begins uses it up', prepared, 'UPDATE t SET a = 1', inside, 'open'],
    ['SET autocommit = 1 commits', open, 'SET autocommit = 1', outside, 'none'],
    ['ANALYZE TABLE ends it and answers with rows', open, 'ANALYZE TABLE t', rows, 'none'],
    ['so does CHECK TABLE', open, 'CHECK TABLE t', rows, 'none'],
    ['a write with rows does not', open, 'INSERT INTO t VALUES (1) RETURNING a', rows, 'open'],
    ['what SET TRANSACTION said stays', prepared, 'ANALYZE TABLE t', rows, 'prepared'],
    ['a BEGIN that told nothing has begun one', freshSession, 'BEGIN', rows, 'open'],
    ['a doubt that nobody asked about stays', doubtful, 'SHOW WARNINGS', rows, 'doubtful'],
    ['also behind ANALYZE TABLE', doubtful, 'ANALYZE TABLE t', rows, 'doubtful'],
  ])('%s: %o %s %s: %s', (_why, before, sql, status, transaction) => {
    expect(answered(before, sql, answer(status)).transaction).toBe(transaction);
  });

  it.each<[string, SessionState, number, Partial<SessionState>]>([
    ['still in it: there was no loss', doubtful, inside, { transaction: 'open', lost: null }],
    ['not in it: it is lost', doubtful, outside, { transaction: 'open', lost: 'transaction' }],
    [
      'still in it: nothing was committed',
      perhapsOver,
      inside,
      { transaction: 'open', lost: null },
    ],
    ['not in it: it was committed', perhapsOver, outside, { transaction: 'none', lost: null }],
  ])('clear a doubt: %s', (_why, before, status, expected) => {
    expect(answered(before, 'SAVEPOINT s', answer(status))).toMatchObject(expected);
  });

  it.each<[string, SessionState, string, number, SessionState]>([
    [
      'off',
      freshSession,
      'SET autocommit = 0',
      outsideWithoutAutocommit,
      holding(hold('session-variable'), hold('autocommit-off')),
    ],
    [
      'off, by a procedure',
      written,
      'CALL p()',
      outsideWithoutAutocommit,
      session({
        holds: [hold('unknown-state'), hold('autocommit-off')],
        hasWritten: true,
        mayHaveInserted: true,
      }),
    ],
    [
      'still off, and in a transaction',
      autocommitOff,
      'UPDATE t SET a = 1',
      insideWithoutAutocommit,
      session({ ...autocommitOff, transaction: 'open', hasWritten: true }),
    ],
    [
      'still off, and none open',
      session({ ...autocommitOff, transaction: 'open' }),
      'ROLLBACK',
      outsideWithoutAutocommit,
      autocommitOff,
    ],
    [
      'on again',
      session({ ...autocommitOff, transaction: 'open' }),
      'DO 0',
      outside,
      session({ hasWritten: true }),
    ],
    [
      'on again: other state stays',
      holding(hold('role'), hold('autocommit-off'), hold('handler', 'h')),
      'ROLLBACK',
      outside,
      holding(hold('role'), hold('handler', 'h')),
    ],
    [
      'on: a variable is no sign of it',
      holding(hold('session-variable')),
      'ROLLBACK',
      outside,
      holding(hold('session-variable')),
    ],
  ])('of autocommit: %s', (_why, before, sql, status, expected) => {
    expect({ ...answered(before, sql, answer(status)), answers: [] }).toEqual(expected);
  });
});

it('makes no new state where the answer says nothing new', () => {
  const before = session({
    transaction: 'open',
    hasWritten: true,
    answers: ['row-count', 'diagnostics'],
  });
  expect(answered(before, 'UPDATE t SET a = 1', answer(inside))).toBe(before);
});

describe("the tracker's state change", () => {
  const changed = answer(outside, { hasChangedState: true });
  it.each<[string, SessionState, string, SessionState['holds']]>([
    [
      'a trigger has set a variable',
      freshSession,
      'INSERT INTO t VALUES (1)',
      [hold('unknown-state')],
    ],
    ['a procedure: its text says as much', freshSession, 'CALL p()', [hold('unknown-state')]],
    ['SET says it itself', freshSession, 'SET @a = 1', [hold('user-variable')]],
    [
      'so does a prepared statement',
      freshSession,
      "PREPARE s FROM 'SELECT 1'",
      [hold('prepared-statement', 's')],
    ],
    ['and what was freed', holding(hold('prepared-statement', 's')), 'DEALLOCATE PREPARE s', []],
    [
      'and a table that is dropped',
      holding(hold('temporary-table', 't')),
      'DROP TEMPORARY TABLE t',
      [],
    ],
    [
      'it tells of no lock: something else has changed',
      freshSession,
      'LOCK TABLES t READ',
      [hold('table-lock', 'tables'), hold('unknown-state')],
    ],
    [
      'nor of its end',
      holding(hold('table-lock', 'tables')),
      'UNLOCK TABLES',
      [hold('unknown-state')],
    ],
    [
      'nor of GET_LOCK()',
      freshSession,
      "DO GET_LOCK('a', 1)",
      [hold('user-lock'), hold('unknown-state')],
    ],
    [
      'nor of a handler',
      freshSession,
      'HANDLER t OPEN',
      [hold('handler', 't'), hold('unknown-state')],
    ],
    ['nor of XA', freshSession, "XA START 'x'", [hold('xa-transaction'), hold('unknown-state')]],
    [
      'nor of the end of XA',
      holding(hold('xa-transaction')),
      "XA COMMIT 'x'",
      [hold('unknown-state')],
    ],
    [
      'in a transaction too',
      session({ transaction: 'open', holds: [hold('role')] }),
      'DO 0',
      [hold('role'), hold('unknown-state')],
    ],
  ])('%s: %o %s', (_why, before, sql, holds) => {
    expect(answered(before, sql, changed).holds).toEqual(holds);
  });

  it('is not needed for what is freed', () => {
    const before = holding(hold('table-lock', 'tables'), hold('user-lock'));
    expect(answered(before, 'UNLOCK TABLES', answer(outside)).holds).toEqual([hold('user-lock')]);
    expect(answered(before, 'SELECT RELEASE_ALL_LOCKS()', answer(rows)).holds).toEqual([
      hold('table-lock', 'tables'),
    ]);
  });
});

describe('insert ids', () => {
  const told = answer(outside, { insertId: '7' });
  it.each<[string, string, Response, 'told' | 'hidden' | 'none']>([
    ['an INSERT whose answer has one', 'INSERT INTO t VALUES (NULL)', told, 'told'],
    [
      'one beyond 2^53 too',
      'INSERT INTO t VALUES (NULL)',
      answer(outside, { insertId: '18446744073709551615' }),
      'told',
    ],
    ['of several statements the last one tells', 'INSERT INTO t VALUES (1); DO 1', told, 'told'],
    ['of a procedure', 'CALL p()', told, 'told'],
    ['an INSERT that has generated none', 'INSERT INTO t VALUES (1)', answer(outside), 'none'],
    [
      'INSERT … RETURNING answers with rows',
      'INSERT INTO t VALUES (NULL) RETURNING id',
      answer(rows),
      'hidden',
    ],
    ['a procedure may have inserted', 'CALL p()', answer(outside), 'hidden'],
    ['several statements too', 'INSERT INTO t VALUES (1); DO 1', answer(outside), 'hidden'],
    ['what was prepared too', 'EXECUTE s', answer(outside), 'hidden'],
    [
      'a write that leaves state',
      'CREATE TEMPORARY TABLE t AS SELECT f(1)',
      answer(outside),
      'hidden',
    ],
    [
      'what runs when nobody knows what',
      'BEGIN NOT ATOMIC SELECT 1; END',
      answer(outside),
      'hidden',
    ],
    ['USE inserts nothing', 'USE db', answer(outside), 'none'],
    ['nor does UNLOCK TABLES', 'UNLOCK TABLES', answer(outside), 'none'],
    ['nor CHECK TABLE, which answers with rows', 'CHECK TABLE t', answer(rows), 'none'],
    ['nor HANDLER', 'HANDLER t READ FIRST', answer(rows), 'none'],
    ['a read tells none, whatever its answer has', 'SELECT LAST_INSERT_ID(7)', told, 'none'],
    ['nor does SET', 'SET @a = f(1)', told, 'none'],
    ['a read', 'SELECT f(1)', answer(rows), 'none'],
    ['SHOW', 'SHOW TABLES', answer(rows), 'none'],
    ['COMMIT', 'COMMIT', told, 'none'],
  ])('%s: %s: %s', (_why, sql, response, expected) => {
    const state = answered(freshSession, sql, response, 'mariadb');
    expect(state.answers.includes('insert-id')).toBe(expected === 'told');
    expect(state.mayHaveInserted).toBe(expected === 'hidden');
  });

  it('stay known, whatever comes', () => {
    const inserted = answered(freshSession, 'INSERT INTO t VALUES (NULL)', told);
    expect(answered(inserted, 'SELECT 1', answer(rows)).answers).toContain('insert-id');
    const hidden = answered(freshSession, 'CALL p()', answer(outside));
    expect(answered(hidden, 'INSERT INTO t VALUES (NULL)', told).mayHaveInserted).toBe(true);
  });
});

describe('answers', () => {
  const all: readonly Answer[] = ['found-rows', 'row-count', 'diagnostics'];
  const both: readonly Answer[] = ['row-count', 'diagnostics'];
  const count: readonly Answer[] = ['row-count'];
  it.each<[string, string, readonly Answer[], readonly Answer[]]>([
    ['a read', 'SELECT a FROM t', all, ['found-rows', 'row-count']],
    ['a locking one too', 'SELECT a FROM t FOR UPDATE', all, ['found-rows', 'row-count']],
    ['a plan counts its own rows', 'EXPLAIN SELECT a FROM t', both, count],
    ['UPDATE', 'UPDATE t SET a = 1', both, both],
    ['INSERT', 'INSERT INTO t VALUES (1)', both, both],
    ['DELETE', 'DELETE FROM t', both, both],
    ['REPLACE', 'REPLACE INTO t VALUES (1)', both, both],
    ['what touches no table leaves warnings on MariaDB', 'DO 1', both, count],
    ['so does SET', 'SET @a = 1', both, count],
    ['and DDL, maybe', 'CREATE TABLE t (a INT)', both, count],
    ['and COMMIT', 'COMMIT', both, count],
    ['SHOW', 'SHOW TABLES', both, count],
    ['a question about warnings leaves them', 'SHOW WARNINGS', count, count],
    ['a count of them too', 'SELECT @@warning_count', count, count],
    ['GET DIAGNOSTICS leaves all as it is', 'GET DIAGNOSTICS @n = NUMBER', [], []],
  ])('%s: %s', (_why, sql, mysql, mariadb) => {
    expect(answered(freshSession, sql, answer(rows), 'mysql').answers).toEqual(mysql);
    expect(answered(freshSession, sql, answer(rows), 'mariadb').answers).toEqual(mariadb);
    expect(observe(freshSession, says(sql), answer(rows), 'unknown').answers).toEqual(mariadb);
  });

  it('come to those that the connection has', () => {
    const read = answered(freshSession, 'SELECT a FROM t', answer(rows));
    const wrote = answered(read, 'UPDATE t SET a = 1', answer(outside));
    expect(wrote.answers).toEqual(all);
    expect(withAnswers(session({ answers: ['row-count'] }), both).answers).toEqual(both);
  });

  it('make no new state if they were there', () => {
    const state = session({ answers: both });
    expect(withAnswers(state, count)).toBe(state);
    expect(withAnswers(freshSession, [])).toBe(freshSession);
  });

  it('are not written into those of another state', () => {
    expect(answered(freshSession, 'UPDATE t SET a = 1', answer(outside)).answers).toEqual(both);
    answered(freshSession, 'INSERT INTO t VALUES (1)', answer(outside, { insertId: '1' }));
    expect(freshSession.answers).toEqual([]);
  });
});

describe('an error of the server', () => {
  function failed(before: SessionState, sql: string): SessionState {
    const facts = says(sql);
    return observeError(before, predict(before, facts), facts);
  }

  it.each<[string, SessionState, string, SessionState['transaction']]>([
    ['there is none to doubt', freshSession, 'UPDATE t SET a = 1', 'none'],
    ['none has begun', freshSession, 'BEGIN', 'none'],
    ['none was prepared', freshSession, 'SET TRANSACTION READ ONLY', 'none'],
    ['what was prepared may be', prepared, 'UPDATE t SET a = 1', 'prepared'],
    ['also with BEGIN', prepared, 'BEGIN', 'prepared'],
    ['a deadlock, maybe', open, 'UPDATE t SET a = 1', 'doubtful'],
    ['also a read', open, 'SELECT a FROM t', 'doubtful'],
    ['a second one', doubtful, 'SELECT a FROM t', 'doubtful'],
    ['COMMIT may have happened', open, 'COMMIT', 'perhaps-over'],
    ['DDL commits before it fails', open, 'CREATE TABLE t (a INT)', 'perhaps-over'],
    ['BEGIN commits before it fails', open, 'BEGIN', 'perhaps-over'],
    ['what is new comes after that', perhapsOver, 'SELECT a FROM t', 'perhaps-over'],
    ['and again', perhapsOver, 'CREATE TABLE t (a INT)', 'perhaps-over'],
    ['a savepoint ends nothing', open, 'ROLLBACK TO s', 'doubtful'],
  ])('%s: %o %s: %s', (_why, before, sql, transaction) => {
    expect(failed(before, sql).transaction).toBe(transaction);
  });

  it('keeps every pin: a part may have been done', () => {
    expect(failed(freshSession, 'CREATE TEMPORARY TABLE t AS SELECT 1 AS a')).toMatchObject({
      holds: [hold('temporary-table', 't')],
      hasWritten: true,
    });
    expect(failed(holding(hold('table-lock', 'tables')), 'UNLOCK TABLES').holds).toHaveLength(1);
  });

  it.each<[string, string, boolean]>([
    ['INSERT INTO t VALUES (NULL), (NULL)', 'the first row had an id', true],
    ['CALL p()', 'it may have inserted before it failed', true],
    ['DO 1; DO 2', 'one of them', true],
    ['EXECUTE s', 'nobody knows what', true],
    ['SELECT f(1)', 'a function that may insert', true],
    ['SELECT a FROM t', 'a read', false],
    ['SHOW TABLES', 'SHOW', false],
    ['SET @a = 1', 'SET', false],
    ['BEGIN', 'a transaction', false],
    ['COMMIT', 'its end', false],
  ])('leaves an insert id that nobody told: %s: %s: %s', (sql, _why, expected) => {
    expect(failed(freshSession, sql).mayHaveInserted).toBe(expected);
    expect(failed(session({ mayHaveInserted: true }), sql).mayHaveInserted).toBe(true);
  });

  it('can be asked about, and the rows of before too', () => {
    expect(failed(freshSession, 'SELECT a FROM nothing').answers).toEqual([
      'row-count',
      'diagnostics',
    ]);
    expect(failed(session({ answers: ['found-rows'] }), 'DO f(1)').answers).toEqual([
      'found-rows',
      'row-count',
      'diagnostics',
    ]);
  });
});

describe('a doubt', () => {
  function bears(title: string, expected: boolean, each: readonly Row[]): void {
    it.each(each)(`${title}: %s: %s`, (sql) => {
      expect(bearsDoubt(says(sql))).toBe(expected);
    });
  }

  bears('spares the question', true, [
    ['ROLLBACK', 'it ends what there is'],
    ['ROLLBACK AND CHAIN', 'it begins another one'],
    ['ROLLBACK TO s', 'it fails outside of a transaction'],
    ['BEGIN', 'it ends what there is'],
    ['START TRANSACTION', 'it ends what there is'],
    ['GET DIAGNOSTICS @n = NUMBER', 'another statement would overwrite what it asks for'],
    ['SHOW WARNINGS', 'another statement would overwrite what it asks for'],
    ['SELECT @@error_count', 'another statement would overwrite what it asks for'],
    ['SELECT ROW_COUNT()', 'another statement would overwrite what it asks for'],
  ]);

  bears('asks the server', false, [
    ['COMMIT', 'it would commit nothing'],
    ['SAVEPOINT s', 'it succeeds outside of a transaction'],
    ['RELEASE SAVEPOINT s', 'as any other'],
    ['UPDATE t SET a = 1', 'it would commit by itself'],
    ['SELECT a FROM t', 'it would read outside of the transaction'],
    ['SELECT a FROM t FOR UPDATE', 'its locks would be gone at once'],
    ['INSERT INTO t SELECT LAST_INSERT_ID()', 'it asks, and writes'],
    ['SET @a = 1', 'as any other'],
    ['CREATE TABLE t (a INT)', 'as any other'],
  ]);

  it.each<[string, SessionState, number | null, Partial<SessionState>]>([
    ['still in it', doubtful, inside, { transaction: 'open', lost: null }],
    ['not in it any more', doubtful, outside, { transaction: 'open', lost: 'transaction' }],
    [
      'no answer: the server refuses what it would refuse anyway',
      doubtful,
      null,
      { transaction: 'open', lost: null },
    ],
    ['what commits by itself has not', perhapsOver, inside, { transaction: 'open', lost: null }],
    ['what commits by itself has', perhapsOver, outside, { transaction: 'none', lost: null }],
    [
      'autocommit=0: the flag counts',
      doubtful,
      insideWithoutAutocommit,
      { transaction: 'open', lost: null },
    ],
    [
      'autocommit=0, and out of it',
      doubtful,
      outsideWithoutAutocommit,
      { transaction: 'open', lost: 'transaction' },
    ],
  ])('is over when the server was asked: %s', (_why, before, status, expected) => {
    expect(afterAsking(before, status)).toMatchObject(expected);
  });

  it('leaves nothing to ask but the insert id: the question was a statement', () => {
    const before = session({
      transaction: 'doubtful',
      answers: ['found-rows', 'insert-id', 'row-count', 'diagnostics'],
      mayHaveInserted: true,
      hasWritten: true,
    });
    expect(afterAsking(before, inside)).toEqual(
      session({
        transaction: 'open',
        answers: ['insert-id'],
        mayHaveInserted: true,
        hasWritten: true,
      }),
    );
  });
});
