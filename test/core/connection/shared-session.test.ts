import { describe, expect, it } from 'vitest';
import {
  newSharedSession,
  type SharedSession,
} from '../../../packages/core/src/connection/shared-session.ts';
import { freshSession, type SessionState } from '../../../packages/core/src/session/state.ts';
import { hold, holding, open, session, written } from '../session/states.ts';
import { leaseOn } from './leases.ts';

/** Long enough for no test to reach it. */
const patient = 60_000;

/** A shared session after a turn that left it in this state. */
function sharedAfter(state: SessionState): SharedSession {
  const shared = newSharedSession();
  shared.enter().state = state;
  shared.leave(false);
  return shared;
}

describe('a turn', () => {
  it('is one at a time', () => {
    const shared = newSharedSession();
    expect(shared.isFree).toBe(true);
    shared.enter();
    expect(shared.isFree).toBe(false);
    shared.leave(false);
    expect(shared.isFree).toBe(true);
  });

  it('finds what the last one has left', () => {
    const shared = sharedAfter(holding(hold('user-variable')));
    expect(shared.enter().state).toEqual(holding(hold('user-variable')));
  });

  it.each<[string, SessionState, boolean]>([
    ['nothing', freshSession, false],
    ['what it wrote', written, false],
    ['state', holding(hold('user-variable')), true],
    ['a transaction', open, true],
  ])('says whether its connection held something before: %s', (_what, state, expected) => {
    const shared = newSharedSession();
    shared.enter().state = state;
    // What comes in this turn cannot need what this turn began.
    expect([shared.isHeld, shared.isBound]).toEqual([false, false]);
    shared.leave(false);
    expect(shared.isBound).toBe(expected);
    shared.enter().state = freshSession;
    expect([shared.isHeld, shared.isBound]).toEqual([expected, expected]);
  });

  it('is told to the next one only if that had something there', () => {
    const lost = session({ transaction: 'open', lost: 'connection', hasWritten: true });
    // Its own transaction: whoever began it was told.
    expect(sharedAfter(lost).enter().state).toEqual(freshSession);
    const shared = sharedAfter(open);
    shared.enter().state = lost;
    shared.leave(false);
    expect(shared.enter().state).toEqual(lost);
    expect(shared.isHeld).toBe(true);
  });

  it('ends a transaction that its user has left open on a connection of its own', () => {
    const shared = newSharedSession();
    shared.enter().state = session({ transaction: 'open', hasWritten: true });
    shared.leave(true);
    expect(shared.enter().state).toEqual(freshSession);
  });

  it('leaves one open that was open before, and state whatever happens', () => {
    const shared = sharedAfter(open);
    shared.enter();
    shared.leave(true);
    expect(shared.enter().state).toEqual(open);
    const other = newSharedSession();
    other.enter().state = holding(hold('user-variable'));
    other.leave(true);
    expect(other.enter().state).toEqual(holding(hold('user-variable')));
  });

  it.each<[string, SessionState, SessionState]>([
    // Its reads find that wherever they run.
    ['not that it wrote', written, freshSession],
    [
      'that it wrote, with what its connection holds',
      session({ transaction: 'open', hasWritten: true }),
      session({ transaction: 'open', hasWritten: true }),
    ],
    [
      'what can be asked about a write',
      session({ hasWritten: true, answers: ['insert-id'] }),
      session({ answers: ['insert-id'] }),
    ],
  ])('tells the next one %s', (_what, left, found) => {
    expect(sharedAfter(left).enter().state).toEqual(found);
  });

  it('is bound to no connection by what an earlier one wrote, nor says that it is', () => {
    const shared = sharedAfter(written);
    expect(shared.isBound).toBe(false);
    shared.enter();
    expect([shared.isHeld, shared.isBound]).toEqual([false, false]);
  });
});

describe('what runs beside a turn', () => {
  const asked = session({ answers: ['row-count', 'insert-id'], mayHaveInserted: true });
  const held = session({ ...asked, transaction: 'open' });

  it('leaves nothing to ask when the turn is over', () => {
    const shared = newSharedSession();
    shared.enter().state = held;
    shared.overlap();
    expect(shared.enter().state).toEqual(held);
    shared.leave(false);
    expect(shared.enter().state).toEqual(open);
    shared.leave(false);
  });

  it('leaves nothing to ask if it is over before the turn', () => {
    const shared = newSharedSession();
    shared.enter().state = held;
    shared.ranBeside();
    shared.leave(false);
    expect(shared.enter().state).toEqual(open);
  });

  it('leaves nothing to ask if it is over after the turn', () => {
    const shared = sharedAfter(held);
    shared.ranBeside();
    expect(shared.enter().state).toEqual(open);
  });

  it('spoils one turn, not the next one', () => {
    const shared = newSharedSession();
    shared.enter();
    shared.overlap();
    shared.leave(false);
    shared.enter().state = held;
    shared.leave(false);
    expect(shared.enter().state).toEqual(held);
  });

  it.each<[string, (shared: SharedSession) => void]>([
    [
      'after the turn',
      (shared) => {
        shared.leave();
        shared.ranBeside();
      },
    ],
    [
      'before the turn is over',
      (shared) => {
        shared.overlap();
        shared.leave();
      },
    ],
  ])('leaves nothing to ask a connection that was parked: %s', (_when, run) => {
    const shared = newSharedSession();
    const own = shared.enter();
    const { host, lease } = leaseOn('primary');
    own.hold(lease);
    own.state = session({ answers: ['insert-id'] });
    own.ran(null, '7');
    own.moveTo('replica');
    run(shared);
    const next = shared.enter();
    next.comeBack();
    expect([next.state.answers, next.isAloneWithInserts]).toEqual([[], false]);
    expect(host.log).not.toContain('closed');
  });

  it('leaves a parked connection its answers if nothing does', () => {
    const shared = newSharedSession();
    const own = shared.enter();
    const { lease } = leaseOn('primary');
    own.hold(lease);
    own.state = session({ answers: ['insert-id'] });
    own.ran(null, '7');
    own.moveTo('replica');
    shared.leave();
    const next = shared.enter();
    next.comeBack();
    expect([next.state.answers, next.isAloneWithInserts]).toEqual([['insert-id'], true]);
  });

  it('leaves all but the answers as it was', () => {
    const wrote = session({ ...held, hasWritten: true, holds: [hold('role')] });
    const shared = sharedAfter(wrote);
    shared.ranBeside();
    expect(shared.enter().state).toEqual({ ...wrote, answers: [], mayHaveInserted: false });
  });
});

describe('who waits for the session', () => {
  it('gets it in turn, and has it at once', () => {
    const shared = newSharedSession();
    const turns: string[] = [];
    shared.enter();
    shared.whenFree(patient, () => turns.push(`first ${shared.isFree}`));
    shared.whenFree(patient, () => turns.push(`second ${shared.isFree}`));
    expect(turns).toEqual([]);
    shared.leave(false);
    expect(turns).toEqual(['first false']);
    shared.leave(false);
    expect(turns).toEqual(['first false', 'second false']);
    shared.leave(false);
    expect(shared.isFree).toBe(true);
  });

  it('is told after a while that it is in use, and does not get it later', async () => {
    const shared = newSharedSession();
    shared.enter();
    let calls = 0;
    const error = await new Promise((resolve) => {
      shared.whenFree(1, (refusal) => {
        calls += 1;
        resolve(refusal);
      });
    });
    expect(error).toMatchObject({ code: 'RWSPLIT_ACQUIRE_TIMEOUT', isRetryable: true });
    shared.leave(false);
    expect([calls, shared.isFree]).toEqual([1, true]);
  });

  it('loses nothing to another one that gave up', async () => {
    const shared = newSharedSession();
    shared.enter();
    const turns: string[] = [];
    shared.whenFree(patient, () => turns.push('patient'));
    await new Promise((resolve) => shared.whenFree(1, resolve));
    shared.leave(false);
    expect(turns).toEqual(['patient']);
  });
});

describe('the end', () => {
  /** A shared session, and whether it has given its connection back. */
  function watched(): { shared: SharedSession; isOver: () => boolean } {
    const shared = newSharedSession();
    const session = shared.enter();
    session.state = holding(hold('user-variable'));
    let isOver = false;
    session.end = () => {
      isOver = true;
    };
    return { shared, isOver: () => isOver };
  }

  it('comes at once if nobody uses it', () => {
    const { shared, isOver } = watched();
    shared.leave(false);
    expect(isOver()).toBe(false);
    shared.end();
    expect(isOver()).toBe(true);
  });

  it('comes with the turn, and with that of the last one who waits', () => {
    const { shared, isOver } = watched();
    shared.whenFree(patient, () => {});
    shared.end();
    expect(isOver()).toBe(false);
    shared.leave(false);
    expect(isOver()).toBe(false);
    shared.leave(false);
    expect(isOver()).toBe(true);
  });
});
