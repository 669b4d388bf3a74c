import { describe, expect, it } from 'vitest';
import {
  type ClientSession,
  currentSession,
  enterSession,
  isClientSession,
  wishesHere,
} from '../../../packages/core/src/connection/client-session.ts';
import {
  openSession,
  primary,
  replicas,
  withoutTracking,
  withSession,
} from '../../../packages/core/src/connection/scopes.ts';
import { Statement } from '../../../packages/core/src/connection/statement.ts';
import { findStorage, storage } from '../../../packages/core/src/connection/storage.ts';
import { noWishes, type Wishes } from '../../../packages/core/src/connection/wishes.ts';
import { serversOf } from '../../../packages/core/src/consistency/servers.ts';
import { parseGtidSet } from '../../../packages/core/src/gtid/set.ts';
import { formatToken } from '../../../packages/core/src/gtid/token.ts';

function later(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What a pool keeps of a session, and how often it was told that the session is over. */
function newPart(): { ends: number; end(): void } {
  return {
    ends: 0,
    end() {
      this.ends += 1;
    },
  };
}

// First of all: what comes next enters sessions.
it('costs nothing before anybody needs it', () => {
  expect(findStorage()).toBeUndefined();
  expect(currentSession()).toBeNull();
  expect(wishesHere()).toEqual(noWishes);
  openSession().end();
  expect(findStorage()).toBeUndefined();
});

describe('a session that is opened by hand', () => {
  it('is entered for a function, and for what that awaits', async () => {
    const session = openSession();
    expect(session.run(() => 'result')).toBe('result');
    await session.run(async () => {
      expect(currentSession()).toBe(session);
      await later();
      expect(currentSession()).toBe(session);
    });
    expect(currentSession()).toBeNull();
  });

  it('is entered inside another one, and left for it', () => {
    const outer = openSession();
    const inner = openSession();
    outer.run(() => {
      inner.run(() => {
        expect(currentSession()).toBe(inner);
      });
      expect(currentSession()).toBe(outer);
    });
  });

  it('is none any more when it has ended', () => {
    const session = openSession();
    expect(session.isEnded).toBe(false);
    session.run(() => {
      session.end();
      expect(currentSession()).toBeNull();
    });
    expect(session.isEnded).toBe(true);
  });

  it('keeps one part for each pool, and ends each once', () => {
    const session = openSession();
    const [one, other] = [{}, {}];
    const part = session.part(one, newPart);
    expect(session.part(one, newPart)).toBe(part);
    const second = session.part(other, newPart);
    expect(second).not.toBe(part);
    session.end();
    session.end();
    expect([part.ends, second.ends]).toEqual([1, 1]);
  });

  it('ends where it is declared with using', () => {
    const session = openSession();
    const part = session.part({}, newPart);
    session[Symbol.dispose]();
    expect([session.isEnded, part.ends]).toEqual([true, 1]);
  });

  it.each<[string, unknown, boolean]>([
    ['a session', openSession(), true],
    ['one of another copy of the package', { part: () => {} }, true],
    ['nothing', undefined, false],
    ['null', null, false],
    ['text', 'part', false],
    ['an object', {}, false],
    ['an object with another part', { part: 1 }, false],
    ['a function', Object.assign(() => {}, { part: () => {} }), false],
  ])('is known: %s', (_name, value, expected) => {
    expect(isClientSession(value)).toBe(expected);
  });
});

describe('withSession', () => {
  it('gives what its function gives, sync or not', async () => {
    expect(await withSession(() => 1)).toBe(1);
    expect(await withSession(async () => 2)).toBe(2);
  });

  it('lasts until the promise settles', async () => {
    let inside: ClientSession | null = null;
    await withSession(async () => {
      await later();
      inside = currentSession();
      expect(inside?.isEnded).toBe(false);
    });
    expect(inside).toMatchObject({ isEnded: true });
    expect(currentSession()).toBeNull();
  });

  it.each<[string, () => Promise<never>]>([
    ['rejects', () => Promise.reject(new Error('no'))],
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
  ])('ends when its function %s', async (_how, fail) => {
    let inside: ClientSession | null = null;
    const run = withSession(() => {
      inside = currentSession();
      return fail();
    });
    await expect(run).rejects.toThrow('no');
    expect(inside).toMatchObject({ isEnded: true });
  });

  it('is the session that it is called in, and does not end that', async () => {
    await withSession(async () => {
      const outer = currentSession();
      expect(await withSession(() => currentSession())).toBe(outer);
      expect(outer?.isEnded).toBe(false);
    });
  });

  it('is a new one in a session that has ended', async () => {
    const session = openSession();
    await session.run(async () => {
      session.end();
      expect(await withSession(() => currentSession()?.isEnded)).toBe(false);
    });
  });

  it('keeps those that run at the same time apart', async () => {
    const sessions = await Promise.all(
      [1, 2].map(() =>
        withSession(async () => {
          const mine = currentSession();
          await later();
          expect(currentSession()).toBe(mine);
          return mine;
        }),
      ),
    );
    expect(new Set(sessions).size).toBe(2);
  });
});

/** A set of one server; sessions make them of what servers tell. */
function setOf(interval: string, uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562') {
  const set = parseGtidSet(`${uuid}:${interval}`, 'mysql');
  if (set === null) throw new Error('no GTID set');
  return set;
}

function tokenOf(cluster: string, interval: string): string {
  return formatToken([{ cluster, position: { kind: 'gtids', set: setOf(interval) } }], 0);
}

function timeToken(cluster: string, at: number): string {
  return formatToken([{ cluster, position: { kind: 'time', at } }], 0);
}

/** A session that has written this, as the servers of a cluster have told. */
function wrote(cluster: string, interval: string): ClientSession {
  const session = openSession();
  session.marks(serversOf(cluster, 'db'), cluster).written.add(setOf(interval));
  return session;
}

const malformed = expect.objectContaining({ code: 'RWSPLIT_TOKEN' });

describe('the token of a session', () => {
  it('is none before it writes, and without pools', () => {
    const session = openSession();
    expect(session.token()).toBeNull();
    session.marks(serversOf('', 'db'), '');
    expect(session.token()).toBeNull();
  });

  it('says what was written, also after its end', () => {
    const session = wrote('token-a', '1-3');
    expect(session.token()).toBe(tokenOf('token-a', '1-3'));
    session.end();
    expect(session.token()).toBe(tokenOf('token-a', '1-3'));
  });

  it('says when it was, where no server tells of GTIDs', () => {
    const session = openSession();
    const { written } = session.marks(serversOf('', 'db'), '');
    written.addUntold(1000);
    expect(session.token()).toBe(timeToken('', 1000));
    written.addUntold(500);
    expect(session.token()).toBe(timeToken('', 1000));
  });

  it('has a part for each primary that has a name', () => {
    const session = wrote('token-a', '1-3');
    session.marks(serversOf('token-b', 'db'), 'token-b').written.add(setOf('9'));
    expect(session.token()?.split('~')).toHaveLength(3);
  });

  it('cannot tell two primaries of one name apart', () => {
    const session = openSession();
    // Without a name, pools on one primary have servers in common, and others have not.
    session.marks(serversOf('', 'db-1'), '').written.add(setOf('1'));
    session
      .marks(serversOf('', 'db-2'), '')
      .written.add(setOf('1', '0b11fa47-71ca-11e1-9e33-c80aa9429562'));
    expect(() => session.token()).toThrow(malformed);
  });

  it('is that of both pools on one primary, without a name', () => {
    const session = openSession();
    session.marks(serversOf('', 'db'), '').written.add(setOf('1'));
    session.marks(serversOf('', 'db'), '').written.add(setOf('3'));
    expect(session.token()).toBe(tokenOf('', '1:3'));
  });

  it('is followed if there is none yet', () => {
    expect(openSession({ after: null }).token()).toBeNull();
  });

  it('passes on what it followed and no pool has read', () => {
    const after = tokenOf('token-far', '1-3');
    const session = openSession({ after });
    expect(session.token()).toBe(after);
    session.marks(serversOf('token-a', 'db'), 'token-a');
    expect(session.token()).toBe(after);
  });

  it('passes on, too, what a pool has taken over and not yet proved', () => {
    const session = openSession({ after: tokenOf('token-a', '1-3') });
    const { written } = session.marks(serversOf('token-a', 'db'), 'token-a');
    expect(session.token()).toBe(tokenOf('token-a', '1-3'));
    written.add(setOf('4'));
    expect(session.token()).toBe(tokenOf('token-a', '1-4'));
  });

  it('is the newest of several that it followed', () => {
    const session = openSession({ after: tokenOf('token-far', '1-3') });
    session.follow({ after: tokenOf('token-far', '5') });
    expect(session.token()).toBe(tokenOf('token-far', '1-3:5'));
  });
});

describe('what a session keeps about servers', () => {
  it('is one for each, and outlives it', () => {
    const session = openSession();
    const [one, other] = [serversOf('', 'db-1'), serversOf('', 'db-2')];
    expect(serversOf('', 'db-1')).toBe(one);
    expect(serversOf('named', 'db-1')).not.toBe(one);
    expect(serversOf('named', 'db-1')).toBe(serversOf('named', 'db-2'));
    const marks = session.marks(one, '');
    expect(session.marks(one, '')).toBe(marks);
    expect(session.marks(other, '')).not.toBe(marks);
    session.end();
    expect(session.marks(one, '')).toBe(marks);
    expect(openSession().marks(one, '')).not.toBe(marks);
  });

  it('is what a token says of them by their name', () => {
    const session = openSession({ after: tokenOf('token-a', '1-3'), onBadToken: 'ignore' });
    const claim = { set: setOf('1-3'), onBadToken: 'ignore', isBad: false };
    expect(session.marks(serversOf('token-a', 'db'), 'token-a').claims).toEqual([claim]);
    expect(session.marks(serversOf('token-b', 'db'), 'token-b').claims).toEqual([]);
    expect(session.marks(serversOf('', 'db'), '').claims).toEqual([]);
  });

  it('is what each token says by itself, however early they came', () => {
    const session = openSession({ onBadToken: 'ignore' });
    session.follow({ after: tokenOf('token-a', '1-3'), onBadToken: 'ignore' });
    session.follow({ after: tokenOf('token-a', '999'), onBadToken: 'ignore' });
    session.follow({ after: timeToken('token-a', 1000), onBadToken: 'ignore' });
    const { claims, written } = session.marks(serversOf('token-a', 'db'), 'token-a');
    expect(claims.map(({ set }) => set)).toEqual([setOf('1-3'), setOf('999')]);
    expect(written.untoldAt).toBe(1000);
  });

  it('takes over a token that it is given later', () => {
    const session = openSession();
    const [known, stranger] = [
      session.marks(serversOf('token-a', 'db'), 'token-a'),
      session.marks(serversOf('token-b', 'db'), 'token-b'),
    ];
    session.follow({ after: tokenOf('token-a', '1-3') });
    const claim = { set: setOf('1-3'), onBadToken: 'error', isBad: false };
    expect([known.claims, stranger.claims]).toEqual([[claim], []]);
    session.follow({ after: timeToken('token-b', 1000) });
    expect([known.claims, stranger.written.untoldAt]).toEqual([[claim], 1000]);
  });

  it('believes no token that speaks of the future', () => {
    const before = Date.now();
    const session = openSession({ after: timeToken('', before + 3_600_000) });
    const { untoldAt } = session.marks(serversOf('', 'db'), '').written;
    expect(untoldAt).toBeGreaterThanOrEqual(before);
    expect(untoldAt).toBeLessThanOrEqual(Date.now());
  });

  it('is as it was after a token that is none, or is ignored', () => {
    const session = openSession();
    const marks = session.marks(serversOf('', 'db'), '');
    session.follow({});
    session.follow({ after: 'none', onBadToken: 'ignore' });
    expect(() => session.follow({ after: 'none' })).toThrow(malformed);
    expect([marks.claims, session.token()]).toEqual([[], null]);
  });
});

describe('options of a session', () => {
  it('are refused as a whole, by what opens one', async () => {
    const options = { after: 1, consistency: 'all', onBadToken: 'no', before: '' } as object;
    const refusal = expect.objectContaining({ code: 'RWSPLIT_OPTIONS' });
    expect(() => openSession(options)).toThrow(refusal);
    let wasCalled = false;
    const call = () => {
      wasCalled = true;
    };
    await expect(withSession(options, call)).rejects.toEqual(refusal);
    await expect(withSession({ after: 'none' }, call)).rejects.toEqual(malformed);
    await expect(withSession({} as never)).rejects.toEqual(refusal);
    expect(wasCalled).toBe(false);
  });

  it('are those of the new session', async () => {
    const after = tokenOf('token-far', '1');
    await withSession({ after, consistency: 'process' }, (session) => {
      expect(currentSession()).toBe(session);
      expect([session.consistency, session.token()]).toEqual(['process', after]);
    });
    expect(openSession().consistency).toBeNull();
  });

  it('are added to the session that they are given in', async () => {
    await withSession(async (outer) => {
      const after = tokenOf('token-far', '1');
      await withSession({ after, consistency: 'process' }, (inner) => {
        expect(inner).toBe(outer);
        expect(wishesHere().consistency).toBe('process');
      });
      // The level is that of the block, the token of the session.
      expect([wishesHere().consistency, outer.token()]).toEqual([null, after]);
    });
  });
});

describe('what code wishes for its statements', () => {
  const eventual: Wishes = { ...noWishes, consistency: 'eventual', group: 'default' };
  const forced: Wishes = { ...noWishes, forcePrimary: true };
  const untracked: Wishes = { ...noWishes, isTracked: false };

  it.each<[string, (fn: () => Promise<Wishes>) => Promise<Wishes>, Wishes]>([
    ['primary()', primary, forced],
    ['replicas()', replicas, eventual],
    ['withoutTracking()', withoutTracking, untracked],
    ['replicas() in primary()', (fn) => primary(() => replicas(fn)), eventual],
    [
      'primary() in replicas()',
      (fn) => replicas(() => primary(fn)),
      { ...eventual, forcePrimary: true },
    ],
    [
      'withoutTracking() in primary()',
      (fn) => primary(() => withoutTracking(fn)),
      { ...forced, isTracked: false },
    ],
    [
      'a session in primary()',
      (fn) => primary(() => withSession({ consistency: 'process' }, fn)),
      { ...forced, consistency: 'process' },
    ],
    ['a session without a level in replicas()', (fn) => replicas(() => withSession(fn)), eventual],
    [
      'replicas() in a session',
      (fn) => withSession({ consistency: 'process' }, () => replicas(fn)),
      eventual,
    ],
  ])('is what the innermost says: %s', async (_name, enter, wishes) => {
    const seen = await enter(async () => {
      expect(wishesHere()).toEqual(wishes);
      await later();
      return wishesHere();
    });
    expect(seen).toEqual(wishes);
    expect(wishesHere()).toEqual(noWishes);
  });

  it('is kept by a statement from where it is given', async () => {
    const give = (consistency?: 'session') =>
      new Statement(
        'query',
        { sql: 'SELECT 1', ...(consistency && { consistency }) },
        [],
        () => {},
      );
    const [plain, own] = await replicas(() => [give(), give('session')]);
    expect([plain?.wishes, own?.wishes]).toEqual([
      eventual,
      { ...eventual, consistency: 'session' },
    ]);
    expect(await primary(() => give().forcePrimary)).toBe(true);
    expect([give().wishes, give().forcePrimary]).toEqual([noWishes, false]);
  });

  it('ends with the session that it was entered with, for what goes on after that', async () => {
    const session = openSession({ consistency: 'eventual' });
    await primary(() =>
      session.run(async () => {
        expect(wishesHere()).toEqual({ ...forced, consistency: 'eventual' });
        session.end();
        expect(wishesHere()).toEqual(noWishes);
        await later();
        expect(wishesHere()).toEqual(noWishes);
      }),
    );
  });

  it('ends with the session where it was wished inside that', async () => {
    const session = openSession();
    await session.run(() =>
      primary(() => {
        expect(wishesHere()).toEqual(forced);
        session.end();
        expect(wishesHere()).toEqual(noWishes);
      }),
    );
  });

  it('leaves the session that it is wished in as it is', async () => {
    const session = openSession();
    await session.run(() => replicas(() => expect(currentSession()).toBe(session)));
    expect(await replicas(() => currentSession())).toBeNull();
    await expect(primary(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(wishesHere()).toEqual(noWishes);
  });
});

describe('a session that is entered for the rest', () => {
  it('is that of all that is set going from then on, until it ends', async () => {
    await storage().run(undefined, async () => {
      const session = openSession({ consistency: 'process' });
      const before = later().then(() => currentSession());
      enterSession(session);
      expect(currentSession()).toBe(session);
      expect(wishesHere().consistency).toBe('process');
      const after = later().then(() => currentSession());
      expect([await before, await after]).toEqual([null, session]);
      session.end();
      expect([currentSession(), wishesHere()]).toEqual([null, noWishes]);
    });
    expect(currentSession()).toBeNull();
  });

  it('has the wishes of where it is entered', async () => {
    await primary(() => {
      enterSession(openSession());
      expect(wishesHere()).toEqual({ ...noWishes, forcePrimary: true });
    });
    expect([currentSession(), wishesHere()]).toEqual([null, noWishes]);
  });
});
