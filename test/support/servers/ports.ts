import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

// Below the range from which systems take the ports of outgoing connections (32768 on Linux,
// 49152 elsewhere): a client that retries a dead server there could connect to itself, and
// somebody's outgoing connection could hold the port when the server is started again.
const lowest = 12_000;
const highest = 32_000;

/** Different loopback ports that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  while (held.length < count) {
    const server = await listen(lowest + Math.floor(Math.random() * (highest - lowest)));
    if (server !== undefined) held.push(server);
  }
  return Promise.all(held.map(release));
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  // Rejects when 'error' comes first, which is what a used port gives.
  return once(server, 'listening').then(
    () => server,
    () => undefined,
  );
}

async function release(server: Server): Promise<number> {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP');
  server.close();
  await once(server, 'close');
  return address.port;
}
