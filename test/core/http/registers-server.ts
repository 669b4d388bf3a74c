/**
 * An application with one register for each client, on Node's own server, Express or Fastify. It
 * prints its port, and answers with what a request has seen of sessions. For tests that run it on
 * several versions of Node.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { createReplicatedPool, type ReplicatedPoolOptions } from '@rwsplit/core';
import express from 'express';
import { fastify } from 'fastify';
import {
  type ClientSession,
  currentSession,
} from '../../../packages/core/src/connection/client-session.ts';
import { sessionPerRequest } from '../../../packages/core/src/http/session-per-request.ts';

/** What a request has seen. */
export interface Answer {
  readonly client: number;
  readonly value: number;
  /** What was not as it must be; empty if all was. */
  readonly wrong: readonly string[];
}

interface Command {
  readonly value: number;
}

const [framework = 'node', database = '{}'] = process.argv.slice(2);
const options = JSON.parse(database) as ReplicatedPoolOptions;
const pool = createReplicatedPool({ ...options, catalogueRefresh: false });
sessionPerRequest({ cookie: 'position', header: 'x-position' });

/** Every session so far, with the client whose request it was. */
const owners = new Map<ClientSession, number>();

/** Handles a request, and looks at every step whether it is still in its own session. */
async function handle(client: number, command: Command | null): Promise<Answer> {
  const wrong: string[] = [];
  const session = currentSession();
  const note = (step: string) => {
    const now = currentSession();
    if (now === null || now !== session) {
      wrong.push(`${step}: ${now === null ? 'no session' : `that of client ${owners.get(now)}`}`);
    }
  };
  note('the first line');
  if (session !== null) {
    if (owners.has(session)) wrong.push('a session that had another request');
    owners.set(session, client);
  }
  const tokenBefore = session?.token() ?? null;
  if (command !== null) {
    await pool
      .promise()
      .query('UPDATE register SET value = ? WHERE client = ?', [command.value, client]);
    note('after a write');
    if (session?.token() === tokenBefore) wrong.push('a write that left no token');
  }
  await Promise.all([turn().then(() => note('in parallel')), sleep(client % 3)]);
  note('after a timer');
  const tokenAfter = session?.token() ?? null;
  const value = await read(client);
  note('after a read');
  if ((session?.token() ?? null) !== tokenAfter) wrong.push('a token that a read has changed');
  return { client, value, wrong };
}

async function read(client: number): Promise<number> {
  const sql = 'SELECT value FROM register WHERE client = ?';
  const [rows] = await pool.promise().query(sql, [client]);
  const [row] = rows as { value: number }[];
  return row?.value ?? -1;
}

/** The classic handler, whose own listeners collect the body. */
function onNode(request: IncomingMessage, response: ServerResponse): void {
  const client = Number(request.url?.split('/').at(-1));
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (part: string) => {
    body += part;
  });
  request.on('end', () => {
    const command = body === '' ? null : (JSON.parse(body) as Command);
    handle(client, command).then(
      (answer) => {
        // Cookies of the application's own, given with the status.
        response.writeHead(200, { 'content-type': 'application/json', 'set-cookie': ['own=1'] });
        response.end(JSON.stringify(answer));
      },
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
}

function onExpress(): express.Express {
  const app = express();
  app.use(express.json());
  app.get('/:client', async (request, response) => {
    response.cookie('own', '1').json(await handle(Number(request.params.client), null));
  });
  app.post('/:client', async (request, response) => {
    response.cookie('own', '1').json(await handle(Number(request.params.client), request.body));
  });
  return app;
}

async function onFastify(): Promise<number> {
  const app = fastify();
  app.get<{ Params: { client: string } }>('/:client', async (request, reply) => {
    reply.header('set-cookie', 'own=1');
    return handle(Number(request.params.client), null);
  });
  app.post<{ Params: { client: string }; Body: Command }>('/:client', async (request, reply) => {
    reply.header('set-cookie', 'own=1');
    return handle(Number(request.params.client), request.body);
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as AddressInfo).port;
}

async function listen(): Promise<number> {
  if (framework === 'fastify') {
    return onFastify();
  }
  const server = createServer(framework === 'express' ? onExpress() : onNode);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

console.log(JSON.stringify({ port: await listen(), node: process.versions.node }));
