import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect } from 'vitest';
import type { Flavor } from '../support/servers/flavor.ts';
import type { Server } from '../support/servers/server.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';
import type { Mark, Statement } from '../support/servers/statement-log.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const execute = promisify(execFile);

type Environment = Readonly<Record<string, string>>;

/** The programs of one example on servers of its own, whose replicas can be stopped. */
export interface Bed {
  readonly cluster: OwnedCluster;
  urlOf(server: Server): string;
  /** Runs a program to its end, and gives what it prints. */
  run(args: readonly string[], more?: Environment): Promise<string>;
  /** Starts a program, and waits for its first line. */
  start(file: string, more?: Environment): Promise<App>;
  /**
   * What the application sent to each kind of server while a function ran, in order, without what rwsplit
   * itself asks.
   */
  sent(during: () => Promise<unknown>): Promise<{ primary: string[]; replicas: string[] }>;
  /** Stops all replicas while a function runs: what is written is not there. */
  behind<Result>(during: () => Promise<Result>): Promise<Result>;
}

/** To be awaited in a `describe`. `environment` is that of every program. */
export async function makeBed(
  flavor: Flavor,
  environment: (urls: { primary: string; replicas: readonly string[] }) => Environment,
): Promise<Bed> {
  const cluster = await startCluster({ flavor });
  const children: ChildProcess[] = [];
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await cluster.stop();
  });

  const urlOf = (server: Server): string => {
    const { user, password, host, port, database } = cluster.connectionOptions(server);
    return `mysql://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
  };
  const env = {
    ...process.env,
    // Not `test`, which Vitest says: examples run as they do for their users.
    NODE_ENV: 'production',
    NODE_OPTIONS: '--import tsx',
    PORT: '0',
    ...environment({ primary: urlOf(cluster.primary), replicas: cluster.replicas.map(urlOf) }),
  };

  return {
    cluster,
    urlOf,
    async run(args, more) {
      const options = { cwd: root, env: { ...env, ...more }, timeout: 30_000 };
      return (await execute(process.execPath, [...args], options)).stdout;
    },
    async start(file, more) {
      const child = spawn(process.execPath, [file], {
        cwd: root,
        env: { ...env, ...more },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      const app = new App(child, child.stdout);
      await app.isListening;
      return app;
    },
    async sent(during) {
      const marks = await Promise.all(cluster.all.map((server) => server.mark()));
      await during();
      const logs = await Promise.all(
        cluster.all.map((server, index) => since(server, marks[index])),
      );
      const [primary = [], ...replicas] = logs;
      return { primary, replicas: replicas.flat() };
    },
    async behind(during) {
      await cluster.waitUntilReplicated();
      await Promise.all(cluster.replicas.map((replica) => replica.stopApplying()));
      try {
        return await during();
      } finally {
        await Promise.all(cluster.replicas.map((replica) => replica.startApplying()));
      }
    },
  };
}

/** A program that runs, and listens. */
export class App {
  readonly #child: ChildProcess;
  readonly isListening: Promise<unknown>;
  #printed = '';

  constructor(child: ChildProcess, output: Readable) {
    this.#child = child;
    this.isListening = once(output, 'data');
    output.setEncoding('utf8').on('data', (text: string) => {
      this.#printed += text;
    });
  }

  /** What it has printed so far. */
  get printed(): string {
    return this.#printed;
  }

  get url(): string {
    const port = /^.*(?:"port":|:)(\d+)/.exec(this.#printed)?.[1];
    return `http://127.0.0.1:${port}`;
  }

  /** Sends a request, with JSON if there is a body: a text is sent as it is. */
  ask(
    method: string,
    path: string,
    body?: object | string,
    headers: Environment = {},
  ): Promise<Response> {
    if (body === undefined) return fetch(this.url + path, { method, headers });
    return fetch(this.url + path, {
      method,
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Asks it to end, as process managers do. */
  terminate(): Promise<unknown[]> {
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    return exit;
  }
}

/** By the texts of statements that rwsplit makes: none of an example is like these. */
const ownTexts =
  /^(SET (SESSION|STATEMENT) |SELECT (VERSION\(\)|CURRENT_ROLE\(\)|@@|NULL, @@|WAIT_FOR_|MASTER_GTID_WAIT|\/\*\+ MAX_EXECUTION_TIME)|SHOW GLOBAL VARIABLES )/;

async function since(server: Server, mark: Mark | undefined): Promise<string[]> {
  const statements = await server.statements(mark === undefined ? {} : { since: mark });
  return statements.filter(isOfApplication).map(({ sql }) => sql);
}

function isOfApplication({ command, sql }: Statement): boolean {
  return (command === 'Query' || command === 'Execute') && !ownTexts.test(sql);
}

/** Status and body of a JSON response. */
export async function answerOf(response: Response): Promise<{ status: number; body: unknown }> {
  return { status: response.status, body: await response.json() };
}

/** What a client sends back of the cookie that it was given. */
export function cookieOf(response: Response): string {
  return response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

/** Waits until a statement of the application waits for a row lock. */
export async function untilLocked({ primary }: OwnedCluster): Promise<void> {
  const sql =
    "SELECT COUNT(*) AS n FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
  const count = async () => (await primary.query(sql))[0]?.['n'];
  // InnoDB looks anew only if nobody has asked for a tenth of a second.
  await expect.poll(count, { timeout: 10_000, interval: 150 }).toBe(1);
}
