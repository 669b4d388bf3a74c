import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import type { Answer } from './registers-server.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const clients = 300;

/** One client: a connection that is kept alive, and a cookie. */
class Client {
  readonly id: number;
  readonly tokens: string[] = [];
  /** How many of its requests came on a connection that had others before. */
  reuses = 0;
  #cookie: string | null = null;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;

  constructor(id: number, port: number) {
    this.id = id;
    this.#port = port;
  }

  async ask(value: number | null): Promise<Answer> {
    const body = value === null ? null : JSON.stringify({ value });
    const sent = request({
      agent: this.#agent,
      host: '127.0.0.1',
      port: this.#port,
      path: `/${this.id}`,
      method: body === null ? 'GET' : 'POST',
      headers: {
        ...(this.#cookie === null ? {} : { cookie: `first=1; position=${this.#cookie}` }),
        ...(body === null
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    });
    if (body !== null) {
      // In two parts, so that the second comes when the handler runs already.
      sent.write(body.slice(0, 5));
      setImmediate(() => sent.end(body.slice(5)));
    } else {
      sent.end();
    }
    const [response] = await once(sent, 'response');
    if (sent.reusedSocket) this.reuses += 1;
    let text = '';
    for await (const part of response) text += part;
    if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${text}`);
    this.#keep(response.headers, value !== null);
    return JSON.parse(text) as Answer;
  }

  #keep({ 'set-cookie': cookies = [], ...headers }: IncomingHttpHeaders, hasWritten: boolean) {
    const names = cookies.map((cookie) => cookie.slice(0, cookie.indexOf('=')));
    expect(names).toEqual(hasWritten ? ['own', 'position'] : ['own']);
    const token = /^position=([^;]*)/.exec(cookies[1] ?? '')?.[1];
    expect(headers['x-position']).toBe(token);
    if (token !== undefined) {
      this.#cookie = token;
      this.tokens.push(token);
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The transactions of the one primary that a token names. */
function writesIn(token: string): number[] {
  const [, intervals] = /^1~!m[0-9a-f]{32}((?:\.\d+(?:-\d+)?)+)$/.exec(token) ?? [];
  if (intervals === undefined) throw new Error(`no token of one primary of MySQL: ${token}`);
  return intervals
    .slice(1)
    .split('.')
    .flatMap((interval) => {
      const [from = 0, to = from] = interval.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });
}

/** 300 clients at once, through a real server, with registers of their own. */
describe.each(['20', '24'])('on Node %s', async (version) => {
  const cluster = sharedCluster('mysql');
  const place = await freshDatabase(cluster);
  const folder = await mkdtemp(join(tmpdir(), 'rwsplit-node-'));
  const servers: ChildProcess[] = [];
  let node = process.execPath;

  beforeAll(async () => {
    await cluster.primary.query(
      `CREATE TABLE ${place.name}.register (client INT PRIMARY KEY, value INT NOT NULL)`,
    );
    const rows = Array.from({ length: clients }, (_, index) => `(${index}, 0)`);
    await cluster.primary.query(`INSERT INTO ${place.name}.register VALUES ${rows.join()}`);
    await cluster.waitUntilReplicated();
    if (!process.version.startsWith(`v${version}.`)) {
      await run('npm', ['install', '--prefix', folder, `node@${version}`]);
      node = join(folder, 'node_modules', 'node', 'bin', 'node');
    }
  }, 120_000);
  afterAll(async () => {
    for (const server of servers) server.kill();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(framework: string): Promise<number> {
    const database = {
      primary: place.connectionOptions(cluster.primary),
      replicas: cluster.replicas.map((replica) => place.connectionOptions(replica)),
    };
    const program = join('test', 'core', 'http', 'registers-server.ts');
    const child = spawn(node, ['--import', 'tsx', program, framework, JSON.stringify(database)], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    servers.push(child);
    const [line] = await once(child.stdout, 'data');
    const said = JSON.parse(String(line)) as { port: number; node: string };
    expect(said.node.split('.')[0]).toBe(version);
    return said.port;
  }

  it.each([
    ['node', 4],
    ['express', 2],
    ['fastify', 2],
  ])(
    '%s: no request sees the session or the token of another one',
    async (framework, rounds) => {
      const port = await start(framework);
      const all = Array.from({ length: clients }, (_, id) => new Client(id, port));
      await Promise.all(
        all.map(async (client) => {
          const first = (await client.ask(null)).value;
          let written = first;
          for (let round = 1; round <= rounds; round++) {
            // Every tenth client only reads: it must never get a token.
            const value = round % 2 === 1 && client.id % 10 > 0 ? first + round : null;
            written = value ?? written;
            expect(await client.ask(value)).toEqual({
              client: client.id,
              value: written,
              wrong: [],
            });
          }
          client.close();
        }),
      );
      expect(all.every(({ reuses }) => reuses === rounds)).toBe(true);
      const writers = all.filter(({ tokens }) => tokens.length > 0);
      expect(writers.length).toBe(clients * 0.9);
      // The last token names all that the client has written, and nothing else.
      const writes = writers.map(({ tokens }) => writesIn(tokens.at(-1) ?? ''));
      expect(writes.every(({ length }) => length === rounds / 2)).toBe(true);
      expect(new Set(writes.flat()).size).toBe(writes.flat().length);
    },
    60_000,
  );
});
