import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  request,
  type Server,
} from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach } from 'vitest';

/** An answer as a client got it. */
export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How a client asks. */
export interface Question {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly agent?: Agent;
}

const open = new Set<{ close(): unknown; closeAllConnections(): void }>();

afterEach(() => {
  for (const server of open) {
    server.closeAllConnections();
    server.close();
  }
  open.clear();
});

/** Starts a server that ends with the test. */
export async function listening<Kind extends Server>(server: Kind): Promise<number> {
  open.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export function serve(handler: RequestListener): Promise<number> {
  return listening(createServer(handler));
}

/** Asks on a connection of its own, unless an agent keeps one. */
export async function ask(port: number, question: Question = {}): Promise<Got> {
  const { path = '/', method = 'GET', headers = {}, body, agent } = question;
  const sent = request({
    host: '127.0.0.1',
    port,
    path,
    method,
    headers,
    agent: agent ?? new Agent({ keepAlive: false }),
  });
  sent.end(body);
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const part of response) text += part;
  return { status: response.statusCode, headers: response.headers, body: text };
}

/** A connection for what no HTTP client would send. */
export async function connection(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** Resolves when something is so; the test's own time limit ends it. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
