import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseCookie, stringifySetCookie } from 'cookie';
import onHeaders from 'on-headers';
import type { ClientSession } from '../connection/client-session.ts';
import type { CookieSettings, RequestSettings } from './options.ts';
import { warnOnce } from './warnings.ts';

/** The tokens that a request came with, whatever they say. */
export function tokensOf(
  { headers }: IncomingMessage,
  { cookie, header }: RequestSettings,
): string[] {
  const cookies =
    cookie === null || headers.cookie === undefined ? {} : parseCookie(headers.cookie);
  const found = [
    header === null ? undefined : headers[header],
    cookie === null ? undefined : cookies[cookie.name],
  ];
  return found.filter((token) => typeof token === 'string');
}

/**
 * Sends the token of a session with the headers of its response, if that is another than it has now:
 * if the session has written until then.
 */
export function sendToken(
  session: ClientSession,
  request: IncomingMessage,
  response: ServerResponse,
  { cookie, header }: RequestSettings,
): void {
  if (cookie === null && header === null) {
    return;
  }
  const before = tokenOf(session);
  // What was asked for last runs last: session middleware may still write in theirs.
  onHeaders(response, () => {
    const token = tokenOf(session);
    if (token === null || token === before) {
      return;
    }
    if (cookie !== null) {
      response.appendHeader('Set-Cookie', setCookie(cookie, token, isEncrypted(request)));
    }
    if (header !== null) {
      response.setHeader(header, token);
    }
  });
  flattenPairs(response);
}

/**
 * Node also takes a list of pairs with the status, though it documents none; of those with one name,
 * on-headers keeps the last: the other cookies would be gone.
 */
function flattenPairs(response: ServerResponse): void {
  const writeHead = response.writeHead as (...args: unknown[]) => ServerResponse;
  response.writeHead = (...args: unknown[]) =>
    writeHead.apply(
      response,
      args.map((arg) => (Array.isArray(arg) && Array.isArray(arg[0]) ? arg.flat() : arg)),
    );
}

const warn = warnOnce('RWSPLIT_REQUEST_TOKEN');

/** A session that has none to give fails no response: its writes are made. */
function tokenOf(session: ClientSession): string | null {
  try {
    return session.token();
  } catch (error) {
    warn(`a response goes without its token: ${error}`);
    return null;
  }
}

function setCookie(settings: CookieSettings, value: string, isOverTls: boolean): string {
  const { domain, secure, ...attributes } = settings;
  return stringifySetCookie({
    ...attributes,
    value,
    secure: secure ?? isOverTls,
    ...(domain === undefined ? {} : { domain }),
  });
}

function isEncrypted({ socket }: IncomingMessage): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}
