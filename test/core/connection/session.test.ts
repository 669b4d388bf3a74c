import { describe, expect, it } from 'vitest';
import { Session } from '../../../packages/core/src/connection/session.ts';
import type { SessionState } from '../../../packages/core/src/session/state.ts';
import { autocommitOff, hold, holding, open, prepared, session } from '../session/states.ts';
import { leaseOn, NotedHost } from './leases.ts';

/** A session on the primary that has inserted there: the server has told this id. */
function inserted(id = '7') {
  const { host, lease } = leaseOn('primary');
  const own = new Session();
  own.hold(lease);
  own.state = session({ hasWritten: true, answers: ['row-count', 'insert-id'] });
  own.ran(null, id);
  return { host, lease, own };
}

/** The same while it reads on a replica. */
function reading() {
  const { host, lease, own } = inserted();
  own.moveTo('replica');
  const replica = leaseOn('replica');
  own.hold(replica.lease);
  own.state = { ...own.state, answers: ['found-rows', 'row-count'] };
  return { host, lease, own, replica };
}

describe('a session that moves to a replica', () => {
  it('remembers the connection that it has inserted on', () => {
    const { host, own } = inserted();
    expect(own.moveTo('replica')).toBeNull();
    expect(host.log).toEqual(['remembered']);
    expect([own.lease, own.isOnPrimary, own.isLaidAside]).toEqual([null, false, true]);
    // Nothing of it can be asked elsewhere.
    expect(own.state).toEqual(session({ hasWritten: true }));
  });

  it('remembers one that it may have inserted on without being told', () => {
    const { host, lease } = leaseOn('primary');
    const own = new Session();
    own.hold(lease);
    own.state = session({ mayHaveInserted: true });
    own.moveTo('replica');
    expect(host.log).toEqual(['remembered']);
    expect(own.state.mayHaveInserted).toBe(false);
    own.comeBack();
    expect(own.state).toEqual(session({ answers: ['insert-id'], mayHaveInserted: true }));
  });

  it('remembers it briefly in a flow, whose end nobody tells', () => {
    const { host, own } = inserted();
    own.continueFlow();
    own.takeUp();
    own.moveTo('replica');
    expect(host.log).toEqual(['remembered briefly', 'recalled', 'remembered briefly']);
  });

  it.each<[string, SessionState]>([
    ['nothing', session({})],
    ['a write, and nothing to ask', session({ hasWritten: true })],
    ['answers but the insert id', session({ answers: ['row-count', 'diagnostics', 'found-rows'] })],
  ])('gives back one with %s', (_what, state) => {
    const { host, lease } = leaseOn('primary');
    const own = new Session();
    own.hold(lease);
    own.state = state;
    expect(own.moveTo('replica')).toBeNull();
    expect(host.log).toEqual(['ended', 'released']);
    expect([own.lease, own.isLaidAside]).toEqual([null, false]);
  });

  it.each<[string, SessionState, string[]]>([
    ['a transaction', open, ['cleaned']],
    ['the next transaction', prepared, ['cleaned']],
    ['autocommit', autocommitOff, ['cleaned']],
    ['a user variable', holding(hold('user-variable')), ['cleaned']],
    ['a database', holding(hold('current-database')), ['cleaned of a database']],
    ['a role', holding(hold('role')), ['ended', 'closed']],
  ])('remembers nothing that holds %s', (_what, state, log) => {
    const { host, own } = inserted();
    own.state = { ...state, answers: ['insert-id'], mayHaveInserted: true };
    own.moveTo('replica');
    expect(host.log).toEqual(log);
    expect(own.isLaidAside).toBe(false);
    expect(own.isAloneWithInserts).toBe(false);
  });

  it('closes a connection that nobody must use again', () => {
    const { host, own } = inserted();
    own.spoil();
    own.moveTo('replica');
    expect(host.log).toEqual(['ended', 'closed']);
  });

  it('leaves another replica as it found it', () => {
    const { host, own, replica } = reading();
    own.state = { ...own.state, mayHaveInserted: true };
    own.moveTo('replica');
    expect(replica.host.log).toEqual(['ended', 'released']);
    expect(host.log).toEqual(['remembered']);
    expect(own.isLaidAside).toBe(true);
  });

  it('has nothing to leave before its first statement', () => {
    const own = new Session();
    expect([own.moveTo('replica'), own.isLaidAside]).toEqual([null, false]);
  });
});

describe('a session that comes back to the primary', () => {
  it.each<[string, (own: Session) => void]>([
    ['to be asked', (own) => own.comeBack()],
    ['for the next statement', (own) => own.moveTo('primary')],
  ])('uses its connection again %s, and can be asked for the insert id alone', (_why, back) => {
    const { host, lease, own, replica } = reading();
    back(own);
    expect(own.lease).toBe(lease);
    expect([own.isOnPrimary, own.isLaidAside]).toEqual([true, false]);
    expect(host.log).toEqual(['remembered', 'recalled']);
    expect(replica.host.log).toEqual(['ended', 'released']);
    expect(own.state).toEqual(session({ hasWritten: true, answers: ['insert-id'] }));
  });

  it('gives the connection to go on with', () => {
    const { lease, own } = reading();
    expect(own.moveTo('primary')).toBe(lease);
    expect(own.moveTo('primary')).toBe(lease);
  });

  it('is still alone with its inserts there, and knows them', () => {
    const { own } = reading();
    own.comeBack();
    expect(own.isAloneWithInserts).toBe(true);
    expect([own.ownsInsertId('7', false), own.ownsInsertId('8', false)]).toEqual([true, false]);
    // The server says so where nothing was inserted, as on a new connection.
    expect(own.ownsInsertId('0', false)).toBe(true);
  });

  it('is as little alone as it was before it left', () => {
    const connection = new NotedHost('primary').connect();
    const { host, own } = inserted();
    own.letGo();
    // Another connection of the primary: it has inserted elsewhere.
    own.hold(host.lease(connection));
    own.state = session({ answers: ['insert-id'] });
    own.ran(null, '9');
    expect(own.isAloneWithInserts).toBe(false);
    own.moveTo('replica');
    own.comeBack();
    expect(own.isAloneWithInserts).toBe(false);
    expect([own.ownsInsertId('9', false), own.ownsInsertId('7', false)]).toEqual([true, false]);
  });

  it('is not alone where somebody else has inserted before', () => {
    const { host, own } = inserted();
    const { connection } = own.lease ?? host.lease();
    own.end();
    const next = new Session();
    next.hold(host.lease(connection));
    next.state = session({ answers: ['insert-id'] });
    next.ran(null, '8');
    next.moveTo('replica');
    next.comeBack();
    expect(next.isAloneWithInserts).toBe(false);
    expect([next.ownsInsertId('8', false), next.ownsInsertId('7', true)]).toEqual([true, false]);
  });

  it.each<[string, (host: NotedHost) => void, string[]]>([
    ['taken by somebody else', (host) => host.take(), ['remembered']],
    ['closed by the server', (host) => host.lose(), ['remembered', 'missed']],
  ])('cannot be asked when its connection was %s', (_how, happens, log) => {
    const { host, own } = reading();
    happens(host);
    own.comeBack();
    expect(host.log).toEqual(log);
    expect(own.isOnPrimary).toBe(false);
    expect(own.state.answers).not.toContain('insert-id');
    expect(own.moveTo('primary')).toBeNull();
    own.hold(host.lease());
    expect(own.isAloneWithInserts).toBe(false);
    // A new connection says 0, which is nothing that this session did.
    expect([own.ownsInsertId('7', false), own.ownsInsertId('0', false)]).toEqual([false, false]);
  });

  it('loses it at once where somebody waits for a connection', () => {
    const { host, own } = inserted();
    host.isBusy = true;
    own.moveTo('replica');
    expect(host.log).toEqual(['ended', 'released']);
    expect([own.isLaidAside, own.moveTo('primary')]).toEqual([false, null]);
    own.hold(host.lease());
    expect(own.isAloneWithInserts).toBe(false);
  });

  it('goes on where it reads, if it has left nothing on the primary', () => {
    const { host, lease } = leaseOn('replica');
    const own = new Session();
    own.hold(lease);
    own.state = session({ answers: ['found-rows'] });
    own.comeBack();
    expect([own.lease, own.state.answers]).toEqual([lease, ['found-rows']]);
    expect(own.moveTo('primary')).toBeNull();
    expect(host.log).toEqual(['ended', 'released']);
  });

  it('goes on with a connection of the primary that it never left', () => {
    const { host, lease, own } = inserted();
    own.comeBack();
    expect(own.moveTo('primary')).toBe(lease);
    expect(own.state.answers).toEqual(['row-count', 'insert-id']);
    expect(host.log).toEqual([]);
  });

  it('leaves one that nobody must use again', () => {
    const { host, own } = inserted();
    own.spoil();
    expect([own.isOnPrimary, own.moveTo('primary')]).toEqual([false, null]);
    expect(host.log).toEqual(['ended', 'closed']);
  });

  it('has one connection of the primary at a time: a newer one, it stays on', () => {
    const { host, own, replica } = reading();
    // No replica could be had, and the primary stood in.
    const standIn = host.lease();
    own.hold(standIn);
    expect(replica.host.log).toEqual(['ended', 'released']);
    expect(host.log).toEqual(['remembered', 'recalled', 'ended', 'released']);
    own.state = { ...open, answers: [] };
    own.comeBack();
    expect([own.lease, own.state]).toEqual([standIn, { ...open, answers: [] }]);
    expect(own.isAloneWithInserts).toBe(false);
  });

  it('may leave and come back again and again', () => {
    const { host, own } = reading();
    own.comeBack();
    own.moveTo('replica');
    own.comeBack();
    expect(host.log).toEqual(['remembered', 'recalled', 'remembered', 'recalled']);
    expect([own.state.answers, own.isAloneWithInserts]).toEqual([['insert-id'], true]);
  });
});

describe('between two statements of different users', () => {
  it('both its connections are laid aside, and found again', () => {
    const { host, lease, own, replica } = reading();
    own.layAside();
    expect(own.isLaidAside).toBe(true);
    expect(replica.host.log).toEqual(['remembered']);
    own.takeUp();
    expect(own.lease).toBe(replica.lease);
    expect(own.state.answers).toEqual(['found-rows', 'row-count']);
    own.comeBack();
    expect(own.lease).toBe(lease);
    expect(host.log).toEqual(['remembered', 'recalled']);
  });

  it('the replica may be taken, and the primary’s is still there', () => {
    const { lease, own, replica } = reading();
    own.layAside();
    replica.host.take();
    expect([own.lease, own.isLaidAside]).toEqual([null, true]);
    own.takeUp();
    expect(own.moveTo('primary')).toBe(lease);
    expect(own.isAloneWithInserts).toBe(true);
  });

  it('the replica may break, and the primary’s is still there', () => {
    const { lease, own, replica } = reading();
    own.loseConnection();
    expect(replica.host.log).toEqual(['ended', 'closed']);
    expect([own.state.lost, own.moveTo('primary')]).toEqual([null, lease]);
    expect(own.state.answers).toEqual(['insert-id']);
  });
});

describe('the end of a session', () => {
  it('gives back both its connections', () => {
    const { host, own, replica } = reading();
    own.end();
    expect(replica.host.log).toEqual(['ended', 'released']);
    expect(host.log).toEqual(['remembered', 'recalled', 'ended', 'released']);
    expect([own.lease, own.isLaidAside]).toEqual([null, false]);
  });

  it('leaves what was taken to whoever has it', () => {
    const { host, own } = reading();
    host.take();
    own.end();
    expect(host.log).toEqual(['remembered']);
  });

  it('cleans what is held on the only one', () => {
    const { host, own } = inserted();
    own.state = { ...open, answers: ['insert-id'] };
    own.end();
    expect(host.log).toEqual(['cleaned']);
  });

  it('comes once', () => {
    const { host, own } = reading();
    own.end();
    own.end();
    expect(host.log).toEqual(['remembered', 'recalled', 'ended', 'released']);
  });
});
