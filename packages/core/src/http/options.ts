import { type IncomingMessage, validateHeaderName } from 'node:http';
import { stringifySetCookie } from 'cookie';
import { boolean, type Check, check, func, oneOf, problemsOf, shown } from '../config/checks.ts';
import { optionsError } from '../config/parse.ts';
import { type Consistency, consistencies } from '../consistency/levels.ts';
import type { OnBadToken } from '../consistency/marks.ts';

/** A cookie that carries a session's token to the next request of the same client. */
export interface TokenCookie {
  /** Its name. */
  readonly name: string;
  /**
   * How long the client keeps it, in seconds from the last write on. The token is of use as long as a
   * replica may lack that write: longer than replicas ever lag is long enough.
   *
   * @default 60
   */
  readonly maxAge?: number | undefined;
  /** @default '/' */
  readonly path?: string | undefined;
  /** @default none: the host that the request was for */
  readonly domain?: string | undefined;
  /** @default 'lax' */
  readonly sameSite?: 'strict' | 'lax' | 'none' | undefined;
  /**
   * Whether the client sends it over TLS alone. To be set where a proxy speaks TLS for the server.
   *
   * @default whether the request came over TLS; `true` with `sameSite: 'none'`
   */
  readonly secure?: boolean | undefined;
  /**
   * Whether scripts of the page cannot read it.
   *
   * @default true
   */
  readonly httpOnly?: boolean | undefined;
  /**
   * Whether each top-level site has its own.
   *
   * @default false
   */
  readonly partitioned?: boolean | undefined;
}

/** Options of {@link sessionPerRequest}. */
export interface SessionPerRequestOptions {
  /**
   * Which requests get a session. Those that it returns `false` for, such as health checks, are in none.
   * If it throws, the request gets one.
   *
   * @default all
   */
  readonly filter?: ((request: IncomingMessage) => boolean) | undefined;
  /**
   * The cookie, or its name, that a session's token comes in with; and goes out with, if the session has
   * written: the next request of the client sees what this one wrote.
   *
   * @default none
   */
  readonly cookie?: string | TokenCookie | undefined;
  /**
   * The same by a header, for other services. A request that has both follows both tokens.
   *
   * @default none
   */
  readonly header?: string | undefined;
  /**
   * What reads of the sessions must see. Default: what the pool says, else `'session'`.
   */
  readonly consistency?: Consistency | undefined;
  /**
   * What to do with a token that names writes which the primary does not know: go on without it, or
   * refuse the read that needs it with `RWSPLIT_TOKEN`. Text that is no token is ignored in any case:
   * anybody can send some.
   *
   * @default 'ignore'
   */
  readonly onBadToken?: OnBadToken | undefined;
}

/** {@link SessionPerRequestOptions}, with their defaults filled in. */
export interface RequestSettings {
  readonly filter: (request: IncomingMessage) => boolean;
  readonly cookie: CookieSettings | null;
  /** In lower case, as Node names the headers of a request. */
  readonly header: string | null;
  readonly consistency: Consistency | undefined;
  readonly onBadToken: OnBadToken;
}

/** {@link TokenCookie}, with its defaults filled in. */
export interface CookieSettings {
  readonly name: string;
  readonly maxAge: number;
  readonly path: string;
  readonly domain: string | undefined;
  readonly sameSite: 'strict' | 'lax' | 'none';
  /** `null`: as the request came. */
  readonly secure: boolean | null;
  readonly httpOnly: boolean;
  readonly partitioned: boolean;
}

/** What a browser keeps at most: RFC 6265bis, "The Max-Age Attribute". */
const longestAge = 400 * 24 * 60 * 60;

const age: Check = (value) =>
  Number.isSafeInteger(value) && Number(value) > 0 && Number(value) <= longestAge
    ? null
    : `a positive integer up to ${longestAge} (seconds)`;

/** A text that has its place in `Set-Cookie`. */
function cookieText(key: 'name' | 'path' | 'domain', meaning: string): Check {
  return (value) => {
    if (typeof value !== 'string' || value === '') {
      return meaning;
    }
    try {
      stringifySetCookie({ name: 'name', value: '', [key]: value });
      return null;
    } catch {
      return meaning;
    }
  };
}

const cookieName = cookieText('name', 'the name of a cookie');

const cookieChecks = {
  name: cookieName,
  maxAge: check(age),
  path: check(cookieText('path', 'a path')),
  domain: check(cookieText('domain', 'a domain')),
  sameSite: check(oneOf(['strict', 'lax', 'none'])),
  secure: check(boolean),
  httpOnly: check(boolean),
  partitioned: check(boolean),
} satisfies Record<keyof TokenCookie, Check>;

const header: Check = (value) => {
  try {
    validateHeaderName(String(value));
    return typeof value === 'string' ? null : 'the name of a header';
  } catch {
    return 'the name of a header';
  }
};

const checks = {
  filter: check(func),
  // That of an object has messages of its own.
  cookie: check((value) => (isObject(value) ? null : cookieName(value))),
  header: check(header),
  consistency: check(oneOf(consistencies)),
  onBadToken: check(oneOf(['ignore', 'error'])),
} satisfies Record<keyof SessionPerRequestOptions, Check>;

/**
 * Checks the options of {@link sessionPerRequest}.
 *
 * @throws `RWSPLIT_OPTIONS` that lists every problem.
 */
export function parseRequestOptions(options: SessionPerRequestOptions): RequestSettings {
  const problems = isObject(options)
    ? [...problemsOf(options, checks, ''), ...cookieProblems(options.cookie)]
    : [`expected an object with options of sessionPerRequest(), found ${shown(options)}`];
  if (problems.length > 0) {
    throw optionsError(problems);
  }
  return {
    filter: options.filter ?? (() => true),
    cookie: cookieOf(options.cookie),
    header: options.header?.toLowerCase() ?? null,
    consistency: options.consistency,
    onBadToken: options.onBadToken ?? 'ignore',
  };
}

function cookieProblems(given: unknown): string[] {
  return isObject(given) ? problemsOf({ name: undefined, ...given }, cookieChecks, 'cookie') : [];
}

function cookieOf(given: string | TokenCookie | undefined): CookieSettings | null {
  if (given === undefined) {
    return null;
  }
  const cookie: TokenCookie = typeof given === 'string' ? { name: given } : given;
  const { name, maxAge = 60, path = '/', domain, sameSite = 'lax' } = cookie;
  const { secure, httpOnly = true, partitioned = false } = cookie;
  // Browsers drop one for other sites that is not.
  const isSecure = secure ?? (sameSite === 'none' ? true : null);
  return { name, maxAge, path, domain, sameSite, secure: isSecure, httpOnly, partitioned };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
