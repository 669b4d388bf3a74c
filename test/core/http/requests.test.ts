import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { withSession } from '@rwsplit/core';
import express from 'express';
import { fastify } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type ClientSession,
  currentSession,
} from '../../../packages/core/src/connection/client-session.ts';
import type { SessionPerRequestOptions } from '../../../packages/core/src/http/options.ts';
import {
  type StopSessionPerRequest,
  sessionPerRequest,
} from '../../../packages/core/src/http/session-per-request.ts';
import { ask, connection, listening, serve, until } from './bed.ts';

const stops: StopSessionPerRequest[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function start(options?: SessionPerRequestOptions): StopSessionPerRequest {
  const stop = sessionPerRequest(options);
  stops.push(stop);
  return stop;
}

/** A handler that notes what each request is in, by its path, and how often that ended. */
function noting(respond = (response: ServerResponse, _path: string) => void response.end()) {
  const seen = new Map<string, ClientSession | null>();
  const ends = new Map<string, number>();
  const handler = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '';
    const session = currentSession();
    seen.set(path, session);
    session?.part({}, () => ({ end: () => ends.set(path, (ends.get(path) ?? 0) + 1) }));
    respond(response, path);
  };
  return { handler, seen, ends };
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
}

describe('a request', () => {
  it('is a session of its own, on one connection too, which ends once with its response', async () => {
    start();
    const { handler, seen, ends } = noting();
    const port = await serve(handler);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const path of ['/1', '/2', '/3']) await ask(port, { path, agent });
    await until(() => ends.size === 3);
    agent.destroy();
    expect(new Set(seen.values()).size).toBe(3);
    expect([...seen.values()].every((session) => session?.isEnded)).toBe(true);
    expect([...ends.values()]).toEqual([1, 1, 1]);
    expect(currentSession()).toBeNull();
  });

  it('stays in its session while it is handled, and leaves it with its response', async () => {
    start();
    const seen: (ClientSession | null)[] = [];
    let isOver = false;
    const port = await serve(async (_request, response) => {
      seen.push(currentSession());
      await new Promise((resolve) => setTimeout(resolve, 1));
      seen.push(currentSession());
      await withSession((inner) => seen.push(inner));
      response.end();
      await once(response, 'close');
      seen.push(currentSession());
      isOver = true;
    });
    await ask(port);
    await until(() => isOver);
    const [first] = seen;
    expect(first).not.toBeNull();
    expect(seen).toEqual([first, first, first, null]);
  });

  it('is in its session where its own events are handled', async () => {
    start();
    const seen = new Map<string, ClientSession | null>();
    const port = await serve((request, response) => {
      seen.set('handler', currentSession());
      request.on('data', () => seen.set('data', currentSession()));
      request.on('end', () => {
        seen.set('end', currentSession());
        response.end();
      });
    });
    const socket = await connection(port);
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc');
    await until(() => seen.has('data'));
    seen.delete('data');
    socket.write('def');
    await until(() => seen.has('end'));
    expect(seen.get('handler')).not.toBeNull();
    expect(seen.get('data')).toBe(seen.get('handler'));
    expect(seen.get('end')).toBe(seen.get('handler'));
    socket.destroy();
  });

  it('ends its session when the client gives up, one that waits behind another too', async () => {
    start();
    const { handler, seen, ends } = noting(() => {});
    const port = await serve(handler);
    const socket = await connection(port);
    socket.write(get('/1') + get('/2'));
    await until(() => seen.size === 2);
    expect(seen.get('/1')).not.toBe(seen.get('/2'));
    expect(ends.size).toBe(0);
    socket.destroy();
    await until(() => ends.size === 2);
    expect([...ends.values()]).toEqual([1, 1]);
  });

  it('is in no session of the code that has started the server', async () => {
    start();
    const { handler, seen } = noting();
    const outer = await withSession(async (session) => {
      const port = await serve(handler);
      await ask(port);
      return session;
    });
    expect(seen.get('/')).not.toBe(outer);
    expect(seen.get('/')?.isEnded).toBe(true);
  });
});

describe('a filter', () => {
  const isNoHealthCheck = ({ url }: IncomingMessage) => url !== '/health';

  it('keeps requests out, even beside one that has a session', async () => {
    start({ filter: isNoHealthCheck });
    const { handler, seen } = noting(() => {});
    const port = await serve(handler);
    const socket = await connection(port);
    socket.write(get('/1') + get('/health') + get('/2'));
    await until(() => seen.size === 3);
    socket.destroy();
    expect(seen.get('/1')).not.toBeNull();
    expect(seen.get('/health')).toBeNull();
    expect(seen.get('/2')).not.toBeNull();
  });

  it('keeps them out of what the code was in that has started the server', async () => {
    start({ filter: isNoHealthCheck });
    const { handler, seen } = noting();
    await withSession(async () => ask(await serve(handler), { path: '/health' }));
    expect(seen).toEqual(new Map([['/health', null]]));
  });

  it('that throws does no harm, and is told of once', async () => {
    start({
      filter: ({ url }) => new URL(url ?? '').pathname !== '/health',
    });
    const { handler, seen } = noting();
    const port = await serve(handler);
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    await ask(port, { path: '/1' });
    await ask(port, { path: '/2' });
    await new Promise(setImmediate);
    process.off('warning', note);
    expect([...seen.values()].every((session) => session !== null)).toBe(true);
    expect(warnings.map(({ message }) => message)).toEqual([
      'rwsplit: the filter of sessionPerRequest() has thrown, and the request gets a session: TypeError: Invalid URL',
    ]);
  });
});

describe('two subscriptions', () => {
  it('open one session for a request: the first that admits it', async () => {
    const filters = [/[13]/, /[23]/].map((pattern) => ({
      filter: ({ url }: IncomingMessage) => pattern.test(url ?? ''),
    }));
    for (const options of filters) start({ ...options, consistency: 'eventual' });
    const { handler, seen, ends } = noting();
    const port = await serve(handler);
    for (const path of ['/1', '/2', '/3', '/4']) await ask(port, { path });
    await until(() => ends.size === 3);
    expect([...ends.values()]).toEqual([1, 1, 1]);
    expect(seen.get('/4')).toBeNull();
  });

  it('stop each for itself', async () => {
    const first = start({ consistency: 'process' });
    const second = start({ consistency: 'eventual' });
    const { handler, seen } = noting();
    const port = await serve(handler);
    await ask(port, { path: '/1' });
    first();
    first();
    await ask(port, { path: '/2' });
    second();
    await ask(port, { path: '/3' });
    expect([...seen.values()].map((session) => session?.consistency)).toEqual([
      'process',
      'eventual',
      undefined,
    ]);
  });
});

describe('stopping', () => {
  it('leaves requests under way in their sessions', async () => {
    const responses: ServerResponse[] = [];
    const { handler, seen, ends } = noting((response) => void responses.push(response));
    const port = await serve(handler);
    const answer = await (async () => {
      using _stop = start();
      const asked = ask(port, { path: '/1' });
      await until(() => responses.length === 1);
      return { asked };
    })();
    expect(seen.get('/1')?.isEnded).toBe(false);
    for (const response of responses) response.end();
    await answer.asked;
    await until(() => ends.size === 1);
    expect(ends.get('/1')).toBe(1);
  });
});

describe('what Node does not announce', () => {
  it('upgrades are in no session, even on a connection that had one', async () => {
    start();
    const { handler, seen } = noting();
    const server = createServer(handler);
    const upgrades: (ClientSession | null)[] = [];
    server.on('upgrade', (_request, socket) => {
      upgrades.push(currentSession());
      socket.on('data', () => upgrades.push(currentSession()));
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    });
    const socket = await connection(await listening(server));
    socket.write(get('/1'));
    await once(socket, 'data');
    socket.write(
      'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    await once(socket, 'data');
    socket.write('a message');
    await until(() => upgrades.length === 2);
    socket.destroy();
    expect([...seen.keys()]).toEqual(['/1']);
    expect(upgrades).toEqual([null, null]);
  });

  it('an upgrade that the server has no listener for is a request like any other', async () => {
    start();
    const { handler, seen } = noting();
    const port = await serve(handler);
    const headers = { connection: 'Upgrade', upgrade: 'websocket' };
    await ask(port, { headers });
    expect(seen.get('/')).toBeInstanceOf(Object);
  });

  it('HTTP/2 is in no session', async () => {
    start();
    const seen: (ClientSession | null)[] = [];
    const server = createHttp2Server((_request, response) => {
      seen.push(currentSession());
      response.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const client = connectHttp2(`http://127.0.0.1:${port}`);
    const stream = client.request({ ':path': '/' });
    stream.resume();
    await once(stream, 'close');
    client.close();
    server.close();
    expect(seen).toEqual([null]);
  });
});

describe('frameworks', () => {
  const body = JSON.stringify({ text: 'x'.repeat(200_000) });
  const post = { method: 'POST', body, headers: { 'content-type': 'application/json' } };

  it('Express handles a body that comes in parts in the session', async () => {
    start();
    const seen: (ClientSession | null)[] = [];
    const app = express();
    app.use((_request, _response, next) => {
      seen.push(currentSession());
      next();
    });
    app.use(express.json({ limit: '1mb' }));
    app.post('/', (request, response) => {
      seen.push(currentSession());
      response.json(request.body.text.length);
    });
    expect((await ask(await serve(app), post)).body).toBe('200000');
    expect(seen[0]).not.toBeNull();
    expect(seen[1]).toBe(seen[0]);
  });

  it('Fastify handles a body that comes in parts in the session', async () => {
    start();
    const seen: (ClientSession | null)[] = [];
    const app = fastify();
    app.addHook('onRequest', async () => void seen.push(currentSession()));
    app.post<{ Body: { text: string } }>('/', async (request) => {
      seen.push(currentSession());
      return request.body.text.length;
    });
    const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
    expect((await ask(Number(port), post)).body).toBe('200000');
    await app.close();
    expect(seen[0]).not.toBeNull();
    expect(seen[1]).toBe(seen[0]);
  });
});
