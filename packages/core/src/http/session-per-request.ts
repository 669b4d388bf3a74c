import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type ClientSession, enterSession } from '../connection/client-session.ts';
import { openSession } from '../connection/scopes.ts';
import { storage } from '../connection/storage.ts';
import { parseToken } from '../gtid/token.ts';
import {
  parseRequestOptions,
  type RequestSettings,
  type SessionPerRequestOptions,
} from './options.ts';
import { sendToken, tokensOf } from './tokens.ts';
import { warnOnce } from './warnings.ts';

/** Published by `node:http` and `node:https`, before the `request` event, for all servers of the process. */
const channelName = 'http.server.request.start';

/** The message of that channel. */
interface RequestStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
}

/** Ends what {@link sessionPerRequest} has begun; can also be declared with `using`. */
export interface StopSessionPerRequest extends Disposable {
  (): void;
}

/**
 * Makes every HTTP request that comes in to this process a session of its own, whatever framework
 * handles it, until its response is closed: sent, or given up by the client. Requests that are under
 * way keep theirs when this is stopped.
 *
 * A request has one session, that of the first caller whose `filter` admits it: later callers leave it
 * alone. Upgrades (WebSocket), HTTP/2 and injected requests, which Node does not announce, are in none.
 *
 * ```ts
 * import { createServer } from 'node:http';
 * import { createReplicatedPool, sessionPerRequest } from '@rwsplit/core';
 *
 * const pool = createReplicatedPool({
 *   primary: { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' },
 *   replicas: [{ host: 'db-2' }],
 * });
 * const stop = sessionPerRequest({
 *   filter: (request) => request.url !== '/health',
 *   cookie: 'db-position',
 * });
 * const server = createServer(async (_request, response) => {
 *   await pool.promise().query('INSERT INTO person (name) VALUES (?)', ['Ada']);
 *   const [rows] = await pool.promise().query('SELECT COUNT(*) AS people FROM person');
 *   response.end(JSON.stringify(rows)); // with the cookie
 * });
 * server.close();
 * stop();
 * await pool.promise().end();
 * ```
 *
 * @returns a function that stops it.
 * @throws `RWSPLIT_OPTIONS`.
 */
export function sessionPerRequest(options: SessionPerRequestOptions = {}): StopSessionPerRequest {
  const settings = parseRequestOptions(options);
  const admits = admission(settings);
  const onStart = (message: unknown) => begin(message as RequestStart, settings, admits);
  subscribe(channelName, onStart);
  const stop = () => {
    unsubscribe(channelName, onStart);
  };
  return Object.assign(stop, { [Symbol.dispose]: stop });
}

/** Whether a request gets a session. What a filter throws here would end the process. */
function admission({ filter }: RequestSettings): (request: IncomingMessage) => boolean {
  const warn = warnOnce('RWSPLIT_REQUEST_FILTER');
  return (request) => {
    try {
      return filter(request);
    } catch (error) {
      warn(
        `the filter of sessionPerRequest() has thrown, and the request gets a session: ${error}`,
      );
      return true;
    }
  };
}

function begin(
  { request, response, socket }: RequestStart,
  settings: RequestSettings,
  admits: (request: IncomingMessage) => boolean,
): void {
  const requests = requestsWithSession();
  if (requests.has(request)) {
    return;
  }
  // Before Node 24, a connection is still in the session of its last request; and a server is in what
  // the code that started it was in.
  storage().enterWith(undefined);
  if (!admits(request)) {
    return;
  }
  const session = openFor(request, settings);
  requests.add(request);
  enterSession(session);
  emitIn(session, request);
  sendToken(session, request, response, settings);
  endWith(session, response, socket);
}

function openFor(request: IncomingMessage, settings: RequestSettings): ClientSession {
  const { consistency, onBadToken } = settings;
  const session = openSession({ consistency });
  for (const after of tokensOf(request, settings)) {
    // An error here would end the process, for a text that anybody can send.
    if (onBadToken === 'ignore' || parseToken(after) !== null) {
      session.follow({ after, onBadToken });
    }
  }
  return session;
}

/**
 * From Node 24 on, only the first part of a body comes in the context of its request: the others, and
 * its end, in that of the connection, where `on('end', …)` would be in no session. Before, they may
 * come in the session of the connection's latest request.
 */
function emitIn(session: ClientSession, request: IncomingMessage): void {
  const emit = request.emit;
  request.emit = (event: string | symbol, ...args: unknown[]) =>
    session.run(() => emit.call(request, event, ...args));
}

/** The open sessions of each connection: a pipelined response that never had its turn emits no `close`. */
const openSessions = new WeakMap<Socket, Set<ClientSession>>();

function endWith(session: ClientSession, response: ServerResponse, socket: Socket): void {
  const open = openSessions.get(socket) ?? new Set();
  if (!openSessions.has(socket)) {
    openSessions.set(socket, open);
    socket.once('close', () => {
      for (const one of open) one.end();
    });
  }
  open.add(session);
  response.once('close', () => {
    open.delete(session);
    session.end();
  });
}

/** Shared by all copies of the package in a process, so that a request has one session. */
const key = Symbol.for('rwsplit.requests.1');

function requestsWithSession(): WeakSet<IncomingMessage> {
  const shared = globalThis as { [key]?: WeakSet<IncomingMessage> };
  shared[key] ??= new WeakSet();
  return shared[key];
}
