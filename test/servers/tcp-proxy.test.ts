import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runOnce, withConnection } from '../support/application.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

describe('the proxy between two sockets', () => {
  let target: Server;
  let proxy: TcpProxy;
  let upstream: Socket[] = [];

  beforeEach(async () => {
    upstream = [];
    // Answers every line with the same line, and keeps its half open when the client ends.
    target = createServer({ allowHalfOpen: true }, (socket) => {
      upstream.push(socket);
      socket.on('error', () => {});
      socket.on('data', (bytes) => socket.write(bytes));
    });
    target.listen(0, '127.0.0.1');
    await once(target, 'listening');
    const address = target.address();
    if (address === null || typeof address === 'string') throw new Error('not on TCP');
    proxy = await TcpProxy.start({ host: '127.0.0.1', port: address.port });
  });
  afterEach(() => {
    proxy.close();
    for (const socket of upstream) socket.destroy();
    target.close();
  });

  it('passes bytes both ways, and a closed half only one way', async () => {
    const client = await open(proxy.port);
    expect(await client.echo('a')).toBe('a');
    client.socket.end('last');
    await vi.waitFor(() => expect(client.received()).toBe('alast'));
    expect(client.events()).toEqual([]);
    upstream[0]?.end();
    await vi.waitFor(() => expect(client.events()).toEqual(['end', 'close']));
    await vi.waitFor(() => expect(proxy.connections).toBe(0));
  });

  it('cuts open connections with a reset and takes new ones', async () => {
    const client = await open(proxy.port);
    await client.echo('a');
    proxy.cut();
    await vi.waitFor(() => expect(client.events()).toEqual(['ECONNRESET', 'close']));
    await vi.waitFor(() => expect(upstream[0]?.closed).toBe(true));
    expect(await (await open(proxy.port)).echo('b')).toBe('b');
  });

  it('holds everything while paused, loses nothing', async () => {
    const client = await open(proxy.port);
    await client.echo('a');
    proxy.pause();
    client.socket.write('b');
    const late = await open(proxy.port);
    late.socket.write('c');
    upstream[0]?.end('d');
    await sleep(100);
    expect([client.received(), late.received(), client.events()]).toEqual(['a', '', []]);
    proxy.resume();
    await vi.waitFor(() => expect([client.received(), late.received()]).toEqual(['ad', 'c']));
    await vi.waitFor(() => expect(client.events()).toEqual(['end']));
  });

  it.each([
    ['up', ''],
    ['down', 'b'],
  ] as const)('holds what goes %s alone, also of new connections', async (direction, arrives) => {
    const client = await open(proxy.port);
    await client.echo('a');
    let arrived = '';
    upstream[0]?.on('data', (bytes) => {
      arrived += String(bytes);
    });
    proxy.pause(direction);
    client.socket.write('b');
    const late = await open(proxy.port);
    late.socket.write('c');
    await sleep(100);
    expect([arrived, client.received(), late.received()]).toEqual([arrives, 'a', '']);
    proxy.resume();
    await vi.waitFor(() => expect([client.received(), late.received()]).toEqual(['ab', 'c']));
  });

  it('delays each direction, in order, and no longer when told so', async () => {
    const client = await open(proxy.port);
    proxy.delay(60);
    const before = performance.now();
    expect(await client.echo('a')).toBe('a');
    expect(performance.now() - before).toBeGreaterThan(115);
    client.socket.write('b');
    await sleep(20);
    proxy.delay(0);
    client.socket.write('c');
    await vi.waitFor(() => expect(client.received()).toBe('abc'));
    const again = performance.now();
    await client.echo('d');
    expect(performance.now() - again).toBeLessThan(55);
  });

  it('refuses new connections and accepts them again on the same port', async () => {
    const client = await open(proxy.port);
    const { port } = proxy;
    proxy.refuse();
    await expect(open(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await client.echo('a')).toBe('a');
    await proxy.accept();
    expect(proxy.port).toBe(port);
    expect(await (await open(port)).echo('b')).toBe('b');
  });

  it('closes the half towards the client, what it sends still arrives', async () => {
    const client = await open(proxy.port);
    await client.echo('a');
    const received = new Promise((resolve) => upstream[0]?.once('data', resolve));
    proxy.halfClose();
    await vi.waitFor(() => expect(client.events()).toEqual(['end']));
    client.socket.write('b');
    expect(String(await received)).toBe('b');
    expect(client.received()).toBe('a');
  });

  it.each([
    ['up', '', 'a'],
    ['down', 'b', 'a'],
  ] as const)('drops what goes %s on open connections', async (direction, arrives, answered) => {
    const client = await open(proxy.port);
    await client.echo('a');
    let arrived = '';
    upstream[0]?.on('data', (bytes) => {
      arrived += String(bytes);
    });
    proxy.drop(direction);
    client.socket.write('b');
    await sleep(50);
    expect([arrived, client.received()]).toEqual([arrives, answered]);
    expect(await (await open(proxy.port)).echo('c')).toBe('c');
  });

  it.each([
    ['text', ''],
    ['answer', 'last'],
  ] as const)('resets a connection that sends a text: the %s is lost', async (loss, arrives) => {
    const [client, other] = [await open(proxy.port), await open(proxy.port)];
    await client.echo('a');
    let arrived = '';
    upstream[0]?.on('data', (bytes) => {
      arrived += String(bytes);
    });
    proxy.trap('last', loss);
    client.socket.write(arrives || 'the last one');
    await vi.waitFor(() => expect(client.events()).toEqual(['ECONNRESET', 'close']));
    expect([arrived, client.received()]).toEqual([arrives, 'a']);
    expect(await other.echo('b')).toBe('b');
    proxy.trap(null);
    expect(await other.echo('last')).toBe('last');
  });

  it('resets the client when the target is gone', async () => {
    target.close();
    const client = await open(proxy.port);
    await vi.waitFor(() => expect(client.events()).toEqual(['ECONNRESET', 'close']));
  });
});

describe('the proxy in front of a server', () => {
  it('loses the answer of a write that happened', async () => {
    const cluster = sharedCluster('mysql');
    using proxy = await TcpProxy.start(cluster.primary);
    const options = { ...cluster.connectionOptions(cluster.primary), port: proxy.port };
    await withConnection(options, async (connection) => {
      await connection.query("DO GET_LOCK('tcp-proxy', 0)");
      proxy.drop('down');
      const write = connection.query("DO RELEASE_LOCK('tcp-proxy')");
      const lost = expect(write).rejects.toMatchObject({ code: 'ECONNRESET' });
      const isFree = "SELECT IS_FREE_LOCK('tcp-proxy') AS free";
      const direct = cluster.connectionOptions(cluster.primary);
      await vi.waitFor(async () => expect(await runOnce(direct, isFree)).toEqual([{ free: 1 }]));
      proxy.cut();
      await lost;
    });
  });
});

interface Client {
  readonly socket: Socket;
  /** Sends a text and waits for as many characters of answer. */
  echo(text: string): Promise<string>;
  received(): string;
  /** `end`, `close` and error codes, in order. */
  events(): readonly string[];
}

async function open(port: number): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const events: string[] = [];
  let received = '';
  await once(socket, 'connect');
  socket.on('data', (bytes) => {
    received += String(bytes);
  });
  socket.on('end', () => events.push('end'));
  socket.on('close', () => events.push('close'));
  socket.on('error', (error: NodeJS.ErrnoException) => events.push(error.code ?? error.message));
  const echo = async (text: string) => {
    const start = received.length;
    socket.write(text);
    while (received.length < start + text.length) await once(socket, 'data');
    return received.slice(start);
  };
  return { socket, echo, received: () => received, events: () => events };
}
