import { isRwSplitError } from '@rwsplit/core';
import { describe, expect, it } from 'vitest';
import {
  parseRequestOptions,
  type SessionPerRequestOptions,
} from '../../../packages/core/src/http/options.ts';
import { sessionPerRequest } from '../../../packages/core/src/http/session-per-request.ts';

/** Options as somebody without types would give them. */
function messageOf(options: unknown): string {
  try {
    sessionPerRequest(options as SessionPerRequestOptions)();
  } catch (error) {
    if (isRwSplitError(error) && error.code === 'RWSPLIT_OPTIONS') {
      return error.message.replace('Invalid options:\n', '');
    }
    throw error;
  }
  return 'no error';
}

const inCookie = (cookie: object) => ({ cookie: { name: 'a', ...cookie } });

describe('options of sessionPerRequest()', () => {
  it.each<[string, unknown, string]>([
    ['null', null, '  - expected an object with options of sessionPerRequest(), found null'],
    [
      'a function',
      () => {},
      '  - expected an object with options of sessionPerRequest(), found a function',
    ],
    ['a typo', { cookies: 'a' }, "  - cookies: unknown option; did you mean 'cookie'?"],
    ['a filter that is none', { filter: /x/ }, '  - filter: expected a function, found an object'],
    [
      'a cookie without a name',
      { cookie: {} },
      '  - cookie.name: expected the name of a cookie, found undefined',
    ],
    ['an empty name', { cookie: '' }, "  - cookie: expected the name of a cookie, found ''"],
    [
      'a name that ends early',
      { cookie: 'a;b' },
      "  - cookie: expected the name of a cookie, found 'a;b'",
    ],
    [
      'a cookie that is a switch',
      { cookie: true },
      '  - cookie: expected the name of a cookie, found true',
    ],
    [
      'a list of cookies',
      { cookie: ['a'] },
      '  - cookie: expected the name of a cookie, found an array of 1',
    ],
    [
      'a typo in a cookie',
      inCookie({ maxage: 1 }),
      "  - cookie.maxage: unknown option; did you mean 'maxAge'?",
    ],
    [
      'a time that browsers shorten',
      inCookie({ maxAge: 40_000_000 }),
      '  - cookie.maxAge: expected a positive integer up to 34560000 (seconds), found 40000000',
    ],
    [
      'no time',
      inCookie({ maxAge: 0 }),
      '  - cookie.maxAge: expected a positive integer up to 34560000 (seconds), found 0',
    ],
    [
      'a path that sets more',
      inCookie({ path: '/; Secure' }),
      "  - cookie.path: expected a path, found '/; Secure'",
    ],
    [
      'a domain that is none',
      inCookie({ domain: 'a b' }),
      "  - cookie.domain: expected a domain, found 'a b'",
    ],
    [
      'a site that is none',
      inCookie({ sameSite: 'Lax' }),
      "  - cookie.sameSite: expected 'strict' or 'lax' or 'none', found 'Lax'",
    ],
    [
      'a switch that is text',
      inCookie({ secure: 'yes' }),
      "  - cookie.secure: expected true or false, found 'yes'",
    ],
    [
      'a header with a colon',
      { header: 'x:' },
      "  - header: expected the name of a header, found 'x:'",
    ],
    [
      'a header that is a number',
      { header: 1 },
      '  - header: expected the name of a header, found 1',
    ],
    [
      'a consistency that is none',
      { consistency: 'strong' },
      "  - consistency: expected 'session' or 'process' or 'eventual', found 'strong'",
    ],
    [
      'a reaction that is none',
      { onBadToken: 'throw' },
      "  - onBadToken: expected 'ignore' or 'error', found 'throw'",
    ],
    [
      'several problems, all told',
      { header: '', ...inCookie({ httpOnly: 1 }) },
      "  - header: expected the name of a header, found ''\n  - cookie.httpOnly: expected true or false, found 1",
    ],
  ])('%s is refused', (_reason, options, message) => {
    expect(messageOf(options)).toBe(message);
  });

  it('have defaults, for what is undefined too', () => {
    const none = {
      consistency: undefined,
      cookie: null,
      filter: expect.any(Function),
      header: null,
      onBadToken: 'ignore',
    };
    expect(parseRequestOptions({})).toEqual(none);
    const undefinedOnes = {
      filter: undefined,
      cookie: undefined,
      header: undefined,
      consistency: undefined,
      onBadToken: undefined,
    };
    expect(parseRequestOptions(undefinedOnes)).toEqual(none);
    const cookie = {
      name: 'a',
      maxAge: 60,
      path: '/',
      domain: undefined,
      sameSite: 'lax',
      secure: null,
      httpOnly: true,
      partitioned: false,
    };
    expect(parseRequestOptions({ cookie: 'a' }).cookie).toEqual(cookie);
    expect(parseRequestOptions({ cookie: { name: 'a' } }).cookie).toEqual(cookie);
    expect(parseRequestOptions({ header: 'X-Position' }).header).toBe('x-position');
  });
});
