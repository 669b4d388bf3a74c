import { describe, expect, it } from 'vitest';
import {
  type ClientSession,
  currentSession,
  isClientSession,
  openSession,
  withSession,
} from '../../../packages/core/src/connection/client-session.ts';
import { findStorage } from '../../../packages/core/src/connection/storage.ts';

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
