import { describe, expect, it } from 'vitest';
import {
  afterConnectionLoss,
  afterLeaving,
  afterRollback,
  afterTransactionLoss,
  cleaningOf,
  freshSession,
  type Hold,
  isBound,
  isHeld,
  isInDoubt,
  pinOf,
  type SessionState,
  withHold,
  withoutFreed,
  withoutHolds,
} from '../../../packages/core/src/session/state.ts';
import type { Freed } from '../../../packages/core/src/statement/facts.ts';
import {
  autocommitOff,
  doubtful,
  hold,
  holding,
  open,
  perhapsOver,
  prepared,
  session,
  written,
} from './states.ts';

const variable = holding(hold('user-variable'));

describe('what a state binds to its connection', () => {
  it.each<[string, SessionState, 'free' | 'held' | 'written']>([
    ['nothing yet', freshSession, 'free'],
    ['a write: what follows reads on the primary', written, 'written'],
    ['an open transaction', open, 'held'],
    ['a pending SET TRANSACTION', prepared, 'held'],
    ['a transaction that may be over', doubtful, 'held'],
    ['one that may have been committed', perhapsOver, 'held'],
    ['a variable', variable, 'held'],
    ['autocommit=0, also between two transactions', autocommitOff, 'held'],
    [
      'something to ask about: that is remembered only',
      session({ answers: ['insert-id'] }),
      'free',
    ],
    ['an insert that nobody told of', session({ mayHaveInserted: true }), 'free'],
    ['a loss alone', session({ lost: 'connection' }), 'free'],
  ])('%s', (_why, state, expected) => {
    expect(isHeld(state)).toBe(expected === 'held');
    expect(isBound(state)).toBe(expected !== 'free');
  });

  it.each<[SessionState, boolean]>([
    [freshSession, false],
    [prepared, false],
    [open, false],
    [doubtful, true],
    [perhapsOver, true],
  ])('%o: only the server knows whether its transaction is open: %s', (state, expected) => {
    expect(isInDoubt(state)).toBe(expected);
  });

  it.each<[string, SessionState, string | null]>([
    ['nothing', freshSession, null],
    ['a write', written, 'has-written'],
    ['state', variable, 'user-variable'],
    ['state before writes', session({ ...variable, hasWritten: true }), 'user-variable'],
    ['the oldest', holding(hold('table-lock', 'tables'), hold('role')), 'table-lock'],
    ['a transaction is no pin', open, null],
  ])('names the pin: %s', (_why, state, expected) => {
    expect(pinOf(state)).toBe(expected);
  });
});

describe('cleaningOf', () => {
  it.each<[string, SessionState, ReturnType<typeof cleaningOf>]>([
    ['nothing in it: nothing is sent', freshSession, 'none'],
    ['what it wrote is not in the connection', written, 'none'],
    ['what could be asked about it nobody else asks', session({ answers: ['found-rows'] }), 'none'],
    ['an open transaction', open, 'reset'],
    ['a pending SET TRANSACTION', prepared, 'reset'],
    ['a transaction in doubt', doubtful, 'reset'],
    ['a variable', variable, 'reset'],
    ['a lock', holding(hold('user-lock')), 'reset'],
    ['autocommit=0', autocommitOff, 'reset'],
    ['a role: a reset keeps it', holding(hold('role')), 'close'],
    ['XA: a reset keeps it', holding(hold('xa-transaction')), 'close'],
    ['what a reset keeps, behind what it undoes', holding(hold('handler'), hold('role')), 'close'],
    ['what a reset keeps, before it', holding(hold('role'), hold('handler')), 'close'],
  ])('%s', (_why, state, expected) => {
    expect(cleaningOf(state)).toBe(expected);
  });
});

describe('holds', () => {
  it.each<[string, Hold[], Hold, Hold[]]>([
    ['the first', [], hold('handler', 'h'), [hold('handler', 'h')]],
    [
      'in the order in which they came',
      [hold('user-lock')],
      hold('handler', 'h'),
      [hold('user-lock'), hold('handler', 'h')],
    ],
    [
      'two of a kind by their names',
      [hold('handler', 'a')],
      hold('handler', 'b'),
      [hold('handler', 'a'), hold('handler', 'b')],
    ],
    [
      'one without a name beside one with',
      [hold('handler', 'a')],
      hold('handler'),
      [hold('handler', 'a'), hold('handler')],
    ],
    [
      'the same name of two kinds',
      [hold('handler', 'a')],
      hold('prepared-statement', 'a'),
      [hold('handler', 'a'), hold('prepared-statement', 'a')],
    ],
  ])('are added: %s', (_why, holds, more, expected) => {
    expect(withHold(holding(...holds), more).holds).toEqual(expected);
  });

  it('are there once', () => {
    const state = holding(hold('handler', 'a'), hold('user-lock'));
    expect(withHold(state, hold('handler', 'a'))).toBe(state);
    expect(withHold(state, hold('user-lock'))).toBe(state);
  });

  it('come to what else the session is', () => {
    expect(withHold(session({ hasWritten: true, transaction: 'open' }), hold('role'))).toEqual(
      session({ hasWritten: true, transaction: 'open', holds: [hold('role')] }),
    );
  });

  const a = hold('temporary-table', 'a');
  const b = hold('temporary-table', 'b');
  const unnamed = hold('temporary-table');
  it.each<[string, Hold[], Freed, Hold[]]>([
    ['the one', [a], { pin: 'temporary-table', objects: ['a'] }, []],
    ['one of two', [a, b], { pin: 'temporary-table', objects: ['a'] }, [b]],
    ['both', [a, b], { pin: 'temporary-table', objects: ['b', 'a'] }, []],
    ['another spelling is another name', [a], { pin: 'temporary-table', objects: ['A'] }, [a]],
    ['its database is part of it', [a], { pin: 'temporary-table', objects: ['x.a'] }, [a]],
    ['one without a name stays', [unnamed], { pin: 'temporary-table', objects: ['a'] }, [unnamed]],
    ['all of its kind', [a, unnamed], { pin: 'temporary-table', objects: null }, []],
    [
      'none of another kind',
      [hold('user-lock'), hold('handler', 'a')],
      { pin: 'temporary-table', objects: null },
      [hold('user-lock'), hold('handler', 'a')],
    ],
    [
      'none of another kind by that name',
      [a, hold('handler', 'a')],
      { pin: 'handler', objects: ['a'] },
      [a],
    ],
  ])('are freed: %s', (_why, holds, freed, expected) => {
    expect(withoutFreed(holding(...holds), freed).holds).toEqual(expected);
  });

  it('are the same state where nothing of them is freed', () => {
    const state = session({ holds: [a], hasWritten: true });
    expect(withoutFreed(state, { pin: 'handler', objects: null })).toBe(state);
    expect(withoutHolds(state, () => false)).toBe(state);
    expect(withoutHolds(state, () => true)).toEqual(written);
  });
});

describe('a session that leaves its connection', () => {
  it('can ask it about nothing', () => {
    const state = session({ answers: ['row-count'], mayHaveInserted: true, hasWritten: true });
    expect(afterLeaving(state)).toEqual(written);
    expect(afterLeaving(session({ answers: ['row-count'] }))).toEqual(freshSession);
    expect(afterLeaving(session({ mayHaveInserted: true }))).toEqual(freshSession);
  });

  it('is the same if it had nothing to ask', () => {
    expect(afterLeaving(written)).toBe(written);
  });
});

describe('losses', () => {
  it.each<[string, SessionState, SessionState]>([
    ['nothing was open there', freshSession, freshSession],
    ['its writes are elsewhere too', written, written],
    ['with a transaction', open, session({ transaction: 'open', lost: 'connection' })],
    [
      'with one that is prepared',
      prepared,
      session({ transaction: 'prepared', lost: 'connection' }),
    ],
    ['with state', variable, session({ ...variable, lost: 'connection' })],
    [
      'with a transaction that the server had ended before',
      session({ transaction: 'open', lost: 'transaction' }),
      session({ transaction: 'open', lost: 'transaction' }),
    ],
    [
      'nobody can be asked there',
      session({ answers: ['diagnostics'], mayHaveInserted: true }),
      freshSession,
    ],
  ])('of the connection: %s', (_why, before, after) => {
    expect(afterConnectionLoss(before)).toEqual(after);
  });

  it('of a transaction: the session takes it for open until it says ROLLBACK', () => {
    const before = session({ transaction: 'doubtful', hasWritten: true, answers: ['insert-id'] });
    expect(afterTransactionLoss(before)).toEqual(
      session({
        transaction: 'open',
        lost: 'transaction',
        hasWritten: true,
        answers: ['insert-id'],
      }),
    );
  });

  it.each<[string, SessionState, SessionState]>([
    [
      'a transaction that the server ended: nothing else is lost',
      session({ transaction: 'open', lost: 'transaction', hasWritten: true }),
      written,
    ],
    [
      'its state is still on the connection',
      session({ transaction: 'open', lost: 'transaction', holds: [hold('user-variable')] }),
      variable,
    ],
    [
      'a connection with nothing but the transaction',
      session({ transaction: 'open', lost: 'connection', hasWritten: true }),
      written,
    ],
    [
      'a connection with state: that is not there any more',
      session({ transaction: 'open', lost: 'connection', holds: [hold('user-variable')] }),
      session({ lost: 'connection', holds: [hold('user-variable')] }),
    ],
    ['nothing was lost', open, freshSession],
  ])('are over with ROLLBACK: %s', (_why, before, after) => {
    expect(afterRollback(before)).toEqual(after);
  });
});
