import { randomBytes } from 'node:crypto';
import type { OutgoingHttpHeader, RequestListener, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect as connectOverTls } from 'node:tls';
import { createReplicatedPool, isRwSplitError, type ReplicatedPool } from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { currentSession } from '../../../packages/core/src/connection/client-session.ts';
import type { SessionPerRequestOptions } from '../../../packages/core/src/http/options.ts';
import {
  type StopSessionPerRequest,
  sessionPerRequest,
} from '../../../packages/core/src/http/session-per-request.ts';
import { flavors } from '../../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { ask, listening, serve } from './bed.ts';

const stops: StopSessionPerRequest[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function start(options: SessionPerRequestOptions): void {
  stops.push(sessionPerRequest(options));
}

/** A token that no server has written. */
const foreign = {
  mysql: `1~!m${'f'.repeat(32)}.1-1000000`,
  mariadb: '1~!d0-4000000000-1000000',
};

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const place = await freshDatabase(cluster);
  const pools: ReplicatedPool[] = [];
  let pool: ReplicatedPool;

  beforeAll(async () => {
    await cluster.primary.query(
      `CREATE TABLE ${place.name}.note (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(40))`,
    );
    await cluster.waitUntilReplicated();
    pool = open();
  });
  afterAll(() => Promise.all(pools.map((one) => one.promise().end())));

  function open(change: { readonly host?: string } = {}): ReplicatedPool {
    const opened = createReplicatedPool({
      primary: { ...place.connectionOptions(cluster.primary), ...change },
      replicas: cluster.replicas.map((replica) => place.connectionOptions(replica)),
      catalogueRefresh: false,
    });
    pools.push(opened);
    return opened;
  }

  async function read(from = pool): Promise<unknown> {
    const [rows] = await from.promise().query('SELECT COUNT(*) AS notes FROM note');
    return rows;
  }

  async function write(to = pool): Promise<void> {
    await to.promise().query("INSERT INTO note (text) VALUES ('a')");
  }

  /** A handler that turns what it throws into an answer. */
  function handler(act: (response: ServerResponse) => Promise<void>): RequestListener {
    return (_request, response) => {
      act(response).catch((error: Error) => {
        response.writeHead(500).end(isRwSplitError(error) ? error.code : error.message);
      });
    };
  }

  /** Writes on POST, then reads; its body is the token that the session began with. */
  const app = handler(async (response) => {
    const before = currentSession()?.token() ?? '';
    if (response.req.method === 'POST') await write();
    await read();
    response.end(before);
  });

  describe('a token goes out', () => {
    it('if the session has written, and with nothing else', async () => {
      start({ cookie: 'position', header: 'X-Position' });
      const port = await serve(app);
      const read = await ask(port);
      expect(read.headers).not.toHaveProperty('set-cookie');
      expect(read.headers).not.toHaveProperty('x-position');
      const written = await ask(port, { method: 'POST' });
      const token = written.headers['x-position'];
      expect(token).toMatch(/^1~![md]/);
      expect(written.headers['set-cookie']).toEqual([
        `position=${token}; Max-Age=60; Path=/; HttpOnly; SameSite=Lax`,
      ]);
    });

    it('neither by a cookie nor by a header unless one is named', async () => {
      start({});
      const { headers } = await ask(await serve(app), { method: 'POST' });
      expect(Object.keys(headers).sort()).toEqual(['connection', 'content-length', 'date']);
    });

    it('again only if the session that came with one has written', async () => {
      start({ cookie: 'position' });
      const port = await serve(app);
      const first = await ask(port, { method: 'POST' });
      const cookie = first.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
      const next = await ask(port, { headers: { cookie: `a=1; ${cookie}; b=2` } });
      expect(next.body).toBe(cookie.slice('position='.length));
      expect(next.headers).not.toHaveProperty('set-cookie');
      const last = await ask(port, { method: 'POST', headers: { cookie } });
      expect(last.headers['set-cookie']?.[0]).toMatch(/^position=/);
      expect(last.headers['set-cookie']?.[0]).not.toContain(`${cookie};`);
    });

    it.each<[string, SessionPerRequestOptions['cookie'], string]>([
      [
        'its own attributes',
        { name: 'p', maxAge: 5, path: '/shop', domain: 'example.com', sameSite: 'strict' },
        'Max-Age=5; Domain=example.com; Path=/shop; HttpOnly; SameSite=Strict',
      ],
      [
        'Secure by option, behind a proxy',
        { name: 'p', secure: true },
        'Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax',
      ],
      [
        'Secure by itself, for other sites',
        { name: 'p', sameSite: 'none', partitioned: true },
        'Max-Age=60; Path=/; HttpOnly; Secure; Partitioned; SameSite=None',
      ],
      [
        'without HttpOnly, for scripts',
        { name: 'p', httpOnly: false, secure: undefined },
        'Max-Age=60; Path=/; SameSite=Lax',
      ],
    ])('in a cookie: %s', async (_reason, cookie, attributes) => {
      start({ cookie });
      const { headers } = await ask(await serve(app), { method: 'POST' });
      const [sent = ''] = headers['set-cookie'] ?? [];
      expect(sent.slice(sent.indexOf(';') + 2)).toBe(attributes);
    });

    it('in a cookie: Secure, where the request came over TLS', async () => {
      start({ cookie: 'position' });
      // A key that both know needs no certificate.
      const psk = randomBytes(16);
      const tls = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const;
      const port = await listening(createTlsServer({ ...tls, pskCallback: () => psk }, app));
      const socket = connectOverTls({
        ...tls,
        host: '127.0.0.1',
        port,
        pskCallback: () => ({ psk, identity: 'test' }),
        checkServerIdentity: () => undefined,
      });
      socket.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      let answer = '';
      for await (const part of socket) answer += part;
      expect(answer).toMatch(/Set-Cookie: position=.*; Secure;/);
    });

    it.each<[string, (response: ServerResponse) => void]>([
      ['setHeader()', (response) => response.setHeader('Set-Cookie', ['a=1', 'b=2']).end()],
      [
        'appendHeader()',
        (response) =>
          response.appendHeader('set-cookie', 'a=1').appendHeader('set-cookie', 'b=2').end(),
      ],
      [
        'an object with the status',
        (response) => response.writeHead(200, { 'set-cookie': ['a=1', 'b=2'] }).end(),
      ],
      [
        'an object with the status and its text',
        (response) => response.writeHead(201, 'Made', { 'Set-Cookie': ['a=1', 'b=2'] }).end(),
      ],
      [
        'a list with the status',
        (response) => response.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']).end(),
      ],
      [
        'a list of pairs with the status, which Node takes too',
        (response) => {
          const pairs: unknown = [
            ['Set-Cookie', 'a=1'],
            ['Set-Cookie', 'b=2'],
          ];
          response.writeHead(200, pairs as OutgoingHttpHeader[]).end();
        },
      ],
      [
        'headers that are flushed',
        (response) => {
          response.setHeader('Set-Cookie', ['a=1', 'b=2']).flushHeaders();
          response.end();
        },
      ],
      [
        'a body in parts',
        (response) => {
          response.setHeader('Set-Cookie', ['a=1', 'b=2']).write('part');
          response.end('part');
        },
      ],
      [
        'one beside and one with the status',
        (response) => {
          response.setHeader('Set-Cookie', 'lost, as without a token');
          response.writeHead(200, { 'Set-Cookie': ['a=1', 'b=2'] }).end();
        },
      ],
    ])('beside cookies of the application: %s', async (_reason, respond) => {
      start({ cookie: 'position' });
      const port = await serve(
        handler(async (response) => {
          await write();
          respond(response);
        }),
      );
      const cookies = (await ask(port)).headers['set-cookie'] ?? [];
      expect(cookies.map((cookie) => cookie.split(/[=;]/)[0])).toEqual(['a', 'b', 'position']);
    });

    it('no more when the headers are sent, and nothing fails', async () => {
      start({ cookie: 'position', header: 'x-position' });
      const port = await serve(
        handler(async (response) => {
          response.write('early, ');
          await write();
          await read();
          response.end('late');
        }),
      );
      const { status, headers, body } = await ask(port);
      expect([status, body]).toEqual([200, 'early, late']);
      expect(headers).not.toHaveProperty('set-cookie');
      expect(headers).not.toHaveProperty('x-position');
    });

    it('not if there is none to give, and the response is sent', async () => {
      start({ cookie: 'position' });
      const other = open({ host: 'localhost' });
      const port = await serve(
        handler(async (response) => {
          // Neither pool has a name, and their primaries have two. MySQL's GTIDs tell that both are of one primary, MariaDB's do not.
          await write();
          await write(other);
          response.end('done');
        }),
      );
      const { status, headers, body } = await ask(port);
      const cookie = flavor === 'mysql' ? [expect.stringMatching(/^position=1~!m/)] : undefined;
      expect([status, body, headers['set-cookie']]).toEqual([200, 'done', cookie]);
    });
  });

  describe('a token comes in', () => {
    async function newToken(port: number): Promise<string> {
      const { headers } = await ask(port, { method: 'POST' });
      return String(headers['x-position']);
    }

    it('by the cookie or the header', async () => {
      start({ cookie: 'position', header: 'X-Position' });
      const port = await serve(app);
      const one = await newToken(port);
      const byCookie = await ask(port, { headers: { cookie: `position=${one}` } });
      const byHeader = await ask(port, { headers: { 'x-position': one } });
      expect([byCookie.body, byHeader.body]).toEqual([one, one]);
    });

    it('by both, and the session follows both', async () => {
      start({ cookie: 'position', header: 'X-Position' });
      const port = await serve(app);
      const one = await newToken(port);
      const other = await newToken(port);
      const after = await serve(
        handler(async (response) => {
          await read();
          response.end(currentSession()?.token());
        }),
      );
      const [first, second] = await Promise.all([
        ask(after, { headers: { cookie: `position=${one}`, 'x-position': other } }),
        ask(after, { headers: { cookie: `position=${other}`, 'x-position': one } }),
      ]);
      expect(first.body).not.toBe(one);
      expect(second.body).toBe(first.body);
    });

    it.each<[string, string]>([
      ['nothing', ''],
      ['no token', 'hello'],
      ['SQL', "1~!m'; DROP TABLE note; --"],
      ['a percent sign that encodes nothing', '%E0%A4%A'],
      ['quotes', '"1~!m"'],
      ['too long a text', '1'.repeat(5_000)],
      ['very many clusters', `1${Array.from({ length: 150 }, (_, i) => `~${i}!m`).join('')}`],
    ])('as %s: the request goes on without it', async (_reason, text) => {
      start({ cookie: 'position', header: 'x-position', onBadToken: 'error' });
      const port = await serve(
        handler(async (response) => {
          if (response.req.method === 'POST') await write();
          await read();
          response.end();
        }),
      );
      const headers = { cookie: `position=${text}`, 'x-position': text };
      expect((await ask(port, { headers })).status).toBe(200);
      expect((await ask(port, { headers, method: 'POST' })).status).toBe(200);
    });

    it('from other servers: ignored, or refused, by option', async () => {
      const headers = { 'x-position': foreign[flavor] };
      start({ header: 'x-position' });
      const port = await serve(app);
      expect((await ask(port, { headers })).status).toBe(200);
      stops.pop()?.();
      start({ header: 'x-position', onBadToken: 'error' });
      expect(await ask(port, { headers })).toMatchObject({ status: 500, body: 'RWSPLIT_TOKEN' });
    });
  });

  it('passes the consistency on', async () => {
    start({ consistency: 'eventual' });
    const port = await serve((_request, response) => {
      response.end(currentSession()?.consistency);
    });
    expect((await ask(port)).body).toBe('eventual');
  });
});
