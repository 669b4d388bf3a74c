/** Accounts, with `node:http` and plain mysql2 code on a pool that runs reads on replicas. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { isRwSplitError, sessionPerRequest } from '@rwsplit/core';
import { createTable, everything, find, open, total, transfer } from './accounts.ts';
import { counts, pool } from './pool.ts';

const { PORT = '3000' } = process.env;
await createTable();
sessionPerRequest({ cookie: 'db-position' });

type Route = (request: IncomingMessage, response: ServerResponse, id: number) => unknown;

const routes: Readonly<Record<string, Route>> = {
  'POST /accounts': async (request, response) => {
    const { owner, cents } = (await json(request)) as { owner: string; cents: number };
    send(response, 201, await find(await open(owner, cents)));
  },
  'GET /accounts/:id': async (_request, response, id) => {
    const account = await find(id);
    send(response, account === undefined ? 404 : 200, account ?? null);
  },
  'POST /transfers': async (request, response) => {
    const { from, to, cents } = (await json(request)) as Record<'from' | 'to' | 'cents', number>;
    const isDone = cents > 0 && (await transfer(from, to, cents));
    send(response, isDone ? 200 : 409, await Promise.all([find(from), find(to)]));
  },
  'GET /accounts': async (_request, response) => {
    response.setHeader('content-type', 'application/x-ndjson');
    await pipeline(everything(), toLines, response);
  },
  'GET /total': (_request, response) => {
    total((error, cents) =>
      error === null ? send(response, 200, { cents }) : fail(response, error),
    );
  },
  'GET /stats': (_request, response) => {
    const hosts = pool.stats().hosts.map(({ role, state }) => ({ role, state }));
    send(response, 200, { ...counts, hosts });
  },
};

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const id = Number(/\d+$/.exec(pathname)?.[0]);
  const route = routes[`${request.method} ${pathname.replace(/\d+$/, ':id')}`];
  try {
    await (route === undefined ? send(response, 404, null) : route(request, response, id));
  } catch (error) {
    fail(response, error);
  }
});
server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`listening on ${JSON.stringify(server.address())}`);
});

process.once('SIGTERM', () => {
  // Clients keep the connections of answered requests for seconds.
  server.keepAliveTimeout = 1;
  server.close(() => pool.end());
});

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function fail(response: ServerResponse, error: unknown): void {
  console.error(error);
  if (response.headersSent) {
    response.destroy();
  } else {
    send(response, isRwSplitError(error) && error.isRetryable ? 503 : 500, { error: 'Sorry' });
  }
}

async function* toLines(rows: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const row of rows) {
    yield `${JSON.stringify(row)}\n`;
  }
}
