import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { Server } from '../../support/servers/server.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** The examples as somebody would run them, with servers from the environment. */
describe('examples', async () => {
  const cluster = sharedCluster('mysql');
  const place = await freshDatabase(cluster);

  function urlOf(server: Server): string {
    const { user, password, host, port, database } = place.connectionOptions(server);
    return `mysql://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
  }

  function run(name: string) {
    const child = spawn(process.execPath, ['--import', 'tsx', `examples/${name}/main.ts`], {
      cwd: root,
      env: {
        ...process.env,
        DB_PRIMARY: urlOf(cluster.primary),
        DB_REPLICAS: cluster.replicas.map(urlOf).join(),
        PORT: '0',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  }

  /** Runs a server, asks it, and ends it as a process manager would. */
  async function asking(name: string, questions: (url: string) => Promise<void>): Promise<void> {
    const child = run(name);
    const [line] = await once(child.stdout, 'data');
    const port = /(?:"port":|:)(\d+)\}?\s*$/.exec(String(line))?.[1];
    await cluster.waitUntilReplicated();
    await questions(`http://127.0.0.1:${port}`);
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  }

  function post(url: string, body: object): Promise<Response> {
    return fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  it('express: a note is there for the next request', async () => {
    await asking('express', async (url) => {
      const made = await post(`${url}/notes`, { text: 'Hello' });
      const note = (await made.json()) as { id: number };
      expect([made.status, note]).toEqual([201, { id: expect.any(Number), text: 'Hello' }]);
      const [cookie = ''] = made.headers.getSetCookie();
      expect(cookie).toMatch(
        /^db-position=1~![md]\S+; Max-Age=60; Path=\/; HttpOnly; SameSite=Lax$/,
      );
      const headers = { cookie: cookie.slice(0, cookie.indexOf(';')) };
      const found = await fetch(`${url}/notes/${note.id}`, { headers });
      expect([found.status, await found.json()]).toEqual([200, note]);
      expect(found.headers.getSetCookie()).toEqual([]);
      expect(await (await fetch(`${url}/health`)).text()).toBe('fine');
    });
  });

  it('fastify: another service sees what was ordered', async () => {
    await asking('fastify', async (url) => {
      const ordered = await post(`${url}/purchases`, { item: 'tea', price: 4 });
      const bill = { id: expect.any(Number), bill: { text: 'tea: 4 €' } };
      expect([ordered.status, await ordered.json()]).toEqual([200, bill]);
      expect(ordered.headers.get('x-db-position')).toMatch(/^1~![md]/);
    });
  });

  it('job-queue: the worker reads on a replica what was written for it', async () => {
    const child = run('job-queue');
    const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    const lines = ['Ada', 'Grace', 'Edsger'].map(
      (name) => `welcome, ${name} \\(read on replica 127\\.0\\.0\\.1:\\d+\\)\n`,
    );
    expect(printed).toMatch(new RegExp(`^${lines.join('')}$`));
    expect(child.exitCode).toBe(0);
  });
});
