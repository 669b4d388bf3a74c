import { describe, expect, it } from 'vitest';
import { observe, observeError } from '../../../packages/core/src/session/observe.ts';
import { predict } from '../../../packages/core/src/session/predict.ts';
import {
  afterAnswer,
  afterConnectionLoss,
  afterRollback,
  asksForLostAnswer,
  freshSession,
  isBound,
  isClean,
  type SessionState,
} from '../../../packages/core/src/session/state.ts';
import type { Facts } from '../../../packages/core/src/statement/facts.ts';

function facts(kind: Facts['kind'], rest: Partial<Facts> = {}): Facts {
  const reason = kind === 'read' ? null : 'not-a-read';
  return {
    kind,
    reason,
    word: null,
    pin: null,
    followUp: null,
    callsUnknown: false,
    hint: null,
    ...rest,
  };
}

const inTransaction: SessionState = { ...freshSession, transaction: 'open' };
const prepared: SessionState = { ...freshSession, transaction: 'prepared' };
const written: SessionState = { ...freshSession, pin: 'has-written' };

describe('predict', () => {
  it.each<[string, SessionState, Facts, Partial<SessionState>]>([
    ['a read changes nothing', freshSession, facts('read'), freshSession],
    ['BEGIN', freshSession, facts('begin'), { transaction: 'open', pin: null, dirty: false }],
    ['COMMIT', inTransaction, facts('commit'), { transaction: 'none', pin: 'has-written' }],
    ['ROLLBACK', inTransaction, facts('rollback'), { transaction: 'none', pin: null }],
    ['SAVEPOINT', inTransaction, facts('savepoint'), { transaction: 'open' }],
    ['a read in a transaction', inTransaction, facts('read'), inTransaction],
    ['SET TRANSACTION', freshSession, facts('set-transaction'), { transaction: 'prepared' }],
    ['SET TRANSACTION, then BEGIN', prepared, facts('begin'), { transaction: 'open' }],
    ['SET TRANSACTION is pending until a transaction ends', prepared, facts('read'), prepared],
    ['whatever comes between', prepared, facts('write'), { transaction: 'prepared' }],
    ['a write', freshSession, facts('write'), { pin: 'has-written', dirty: false }],
    [
      'a locking read has written nothing',
      freshSession,
      facts('read', { reason: 'locking-read' }),
      freshSession,
    ],
    [
      'an unknown function may write',
      freshSession,
      facts('read', { reason: 'unknown-function', callsUnknown: true }),
      { pin: 'has-written' },
    ],
    [
      'so may one that a replica refused',
      freshSession,
      facts('read', { callsUnknown: true }),
      { pin: 'has-written' },
    ],
    [
      'so may a view that hides one',
      freshSession,
      facts('read', { reason: 'catalogue' }),
      { pin: 'has-written' },
    ],
    ['a lock does not', freshSession, facts('read', { reason: 'locking-read' }), freshSession],
    [
      'a variable',
      freshSession,
      facts('set', { pin: 'user-variable' }),
      { pin: 'user-variable', dirty: true },
    ],
    [
      'a variable after a write: the first pin stays, the state counts',
      written,
      facts('set', { pin: 'user-variable' }),
      { pin: 'has-written', dirty: true },
    ],
    ['SHOW', freshSession, facts('show', { reason: 'show' }), freshSession],
  ])('%s', (_name, before, statement, after) => {
    expect(predict(before, statement)).toMatchObject(after);
  });

  it('makes no new state where nothing changes', () => {
    expect(predict(written, facts('write'))).toBe(written);
  });
});

describe('observe', () => {
  const autocommit = 2;
  it.each<[string, SessionState, number | null, Partial<SessionState>]>([
    ['no flags: as expected', inTransaction, null, inTransaction],
    ['an implicit commit', inTransaction, autocommit, { transaction: 'none' }],
    ['COMMIT AND CHAIN', freshSession, autocommit | 1, { transaction: 'open' }],
    ['SET TRANSACTION is not in the flags', prepared, autocommit, { transaction: 'prepared' }],
    ['autocommit off', freshSession, 0, { pin: 'autocommit-off', transaction: 'none' }],
    ['autocommit off with a pin', written, 0, { pin: 'has-written' }],
    [
      'autocommit off and a transaction',
      freshSession,
      1,
      { pin: 'autocommit-off', transaction: 'open' },
    ],
  ])('%s', (_name, expected, serverStatus, after) => {
    expect(observe(expected, { serverStatus })).toMatchObject(after);
  });

  it('keeps the transaction of before after an error, and every pin', () => {
    const expected: SessionState = {
      transaction: 'open',
      pin: 'user-lock',
      dirty: true,
      lost: false,
      lostAnswers: 'none',
    };
    expect(observeError(freshSession, expected)).toEqual({ ...expected, transaction: 'none' });
    expect(observeError(inTransaction, freshSession).transaction).toBe('open');
  });
});

describe('a session', () => {
  it('is bound by a transaction or a pin', () => {
    expect([freshSession, inTransaction, prepared, written].map(isBound)).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });

  it('leaves a connection clean unless something of it would stay behind', () => {
    const variable: SessionState = { ...freshSession, pin: 'user-variable', dirty: true };
    expect([freshSession, written, inTransaction, prepared, variable].map(isClean)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('remembers after a ROLLBACK what a lost transaction does not take with it', () => {
    const open = afterConnectionLoss({ ...inTransaction, pin: 'has-written' });
    expect(afterRollback(open)).toEqual({ ...written, lostAnswers: 'all' });
    expect(afterRollback({ ...open, dirty: true }).lost).toBe(true);
  });

  it.each([
    ['insert', 'none', false],
    ['insert', 'insert', true],
    ['insert', 'all', true],
    ['previous', 'insert', false],
    ['previous', 'all', true],
    [null, 'all', false],
  ] as const)(
    'with follow-up %s and lost answers %s: refused is %s',
    (followUp, lostAnswers, is) => {
      const state = { ...freshSession, lostAnswers };
      expect(asksForLostAnswer(state, facts('read', { followUp }))).toBe(is);
    },
  );

  it('is lost with its connection only if something was open there', () => {
    const lost = afterConnectionLoss(written);
    expect(lost).toEqual({ ...written, lostAnswers: 'all' });
    expect(afterAnswer(lost, facts('read'))).toEqual({ ...written, lostAnswers: 'insert' });
    expect(afterAnswer(lost, facts('write'))).toEqual(written);
    expect(afterConnectionLoss(inTransaction)).toMatchObject({ lost: true, transaction: 'open' });
  });
});
