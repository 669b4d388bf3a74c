import { describe, expect, it } from 'vitest';
import {
  type FollowUpSituation,
  unanswerable,
} from '../../../packages/core/src/routing/follow-up.ts';
import type { Role } from '../../../packages/core/src/routing/reasons.ts';
import type { SessionState } from '../../../packages/core/src/session/state.ts';
import { type Answer, answers } from '../../../packages/core/src/statement/facts.ts';
import { says, session } from '../session/states.ts';

/** A session that can be asked about this. */
function knowing(...known: Answer[]): SessionState {
  return session({ answers: known });
}

function ask(
  sql: string,
  state: SessionState,
  held: Role | null,
  change: Partial<FollowUpSituation> = {},
): ReturnType<typeof unanswerable> {
  return unanswerable({ facts: says(sql), state, held, isCatalogueBehind: false, ...change });
}

const everything = knowing(...answers);

describe('a follow-up', () => {
  it.each<[string, string, SessionState]>([
    ['SELECT LAST_INSERT_ID()', 'its own insert', knowing('insert-id')],
    ['SELECT @@identity', 'the same by another name', knowing('insert-id')],
    [
      'SELECT LAST_INSERT_ID()',
      'the server is asked whose it is',
      session({ mayHaveInserted: true }),
    ],
    ['SELECT FOUND_ROWS()', 'its own read', knowing('found-rows')],
    ['SELECT ROW_COUNT()', 'its own statement', knowing('row-count')],
    ['SHOW WARNINGS', 'its own statement', knowing('diagnostics')],
    ['SELECT FOUND_ROWS(), LAST_INSERT_ID()', 'both its own', knowing('insert-id', 'found-rows')],
    [
      'SELECT FOUND_ROWS(), LAST_INSERT_ID()',
      'one known, one to be asked for',
      session({ answers: ['found-rows'], mayHaveInserted: true }),
    ],
  ])('is answered: %s: %s, on either role', (sql, _why, state) => {
    expect(ask(sql, state, 'primary')).toBeNull();
    expect(ask(sql, state, 'replica')).toBeNull();
  });

  it.each<[string, string, SessionState, Answer]>([
    ['SELECT LAST_INSERT_ID()', 'it has done nothing', knowing(), 'insert-id'],
    [
      'SELECT LAST_INSERT_ID()',
      'it has not inserted',
      knowing('found-rows', 'row-count', 'diagnostics'),
      'insert-id',
    ],
    [
      'SELECT FOUND_ROWS()',
      'it has not read',
      knowing('insert-id', 'row-count', 'diagnostics'),
      'found-rows',
    ],
    ['SELECT ROW_COUNT()', 'its last statement is not known', knowing('insert-id'), 'row-count'],
    ['SHOW WARNINGS', 'they may be older', knowing('row-count', 'found-rows'), 'diagnostics'],
    [
      'SELECT FOUND_ROWS()',
      'what may have inserted says nothing of reads',
      session({ mayHaveInserted: true }),
      'found-rows',
    ],
    ['SELECT FOUND_ROWS(), LAST_INSERT_ID()', 'one of two', knowing('insert-id'), 'found-rows'],
    [
      'SELECT LAST_INSERT_ID(), FOUND_ROWS()',
      'the other of two',
      knowing('found-rows'),
      'insert-id',
    ],
    [
      'SELECT ROW_COUNT(), FOUND_ROWS(), LAST_INSERT_ID()',
      'the first that is not known',
      knowing('insert-id'),
      'found-rows',
    ],
    ['INSERT INTO t SELECT LAST_INSERT_ID()', 'also in a write', knowing(), 'insert-id'],
  ])('is refused: %s: %s', (sql, _why, state, answer) => {
    expect(ask(sql, state, 'primary')).toEqual({ answer, why: 'unknown' });
    expect(ask(sql, state, 'replica')).toEqual({ answer, why: 'unknown' });
  });

  it.each([
    'SELECT LAST_INSERT_ID()',
    'SELECT FOUND_ROWS()',
    'SELECT ROW_COUNT()',
    'SHOW WARNINGS',
  ])('is refused without a connection, whatever was known there: %s', (sql) => {
    expect(ask(sql, everything, null)).toMatchObject({ why: 'unknown' });
  });

  it.each<[string, string, Answer]>([
    ['GET DIAGNOSTICS @n = NUMBER', 'it sets a variable', 'diagnostics'],
    ['SELECT FOUND_ROWS() INTO @n', 'it sets a variable', 'found-rows'],
    ['SELECT FOUND_ROWS() FOR UPDATE', 'it locks', 'found-rows'],
    ['SELECT ROW_COUNT(), f(1)', 'the function may do anything', 'row-count'],
    ['INSERT INTO t SELECT LAST_INSERT_ID()', 'it writes', 'insert-id'],
  ])("is refused where it may not run, on a replica's connection: %s: %s", (sql, _why, answer) => {
    expect(ask(sql, everything, 'replica')).toEqual({ answer, why: 'replica' });
    expect(ask(sql, everything, 'primary')).toBeNull();
  });

  it('is refused there while nobody knows what a view hides', () => {
    const behind = { isCatalogueBehind: true };
    expect(ask('SELECT FOUND_ROWS()', everything, 'replica', behind)).toEqual({
      answer: 'found-rows',
      why: 'replica',
    });
    expect(ask('SELECT FOUND_ROWS()', everything, 'primary', behind)).toBeNull();
  });
});

describe('what asks nothing', () => {
  it.each(['SELECT a FROM t', 'UPDATE t SET a = 1', 'SELECT @a', 'SHOW TABLES', ''])(
    'is never refused: %s',
    (sql) => {
      for (const held of ['primary', 'replica', null] as const) {
        expect(ask(sql, knowing(), held)).toBeNull();
        expect(ask(sql, knowing(), held, { isCatalogueBehind: true })).toBeNull();
      }
    },
  );
});
