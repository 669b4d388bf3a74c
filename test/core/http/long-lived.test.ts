import { once } from 'node:events';
import { type ClientRequest, request, type ServerResponse } from 'node:http';
import { createReplicatedPool, type ReplicatedPool } from '@rwsplit/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentSession } from '../../../packages/core/src/connection/client-session.ts';
import { sessionPerRequest } from '../../../packages/core/src/http/session-per-request.ts';
import { flavors } from '../../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { ask, serve, until } from './bed.ts';

const streams = 30;
const connectionLimit = 2;

/** Far more open streams than connections: none may keep one. */
describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const place = await freshDatabase(cluster);
  let pool: ReplicatedPool;

  beforeAll(async () => {
    await cluster.primary.query(
      `CREATE TABLE ${place.name}.event (id INT PRIMARY KEY AUTO_INCREMENT, stream INT)`,
    );
    await cluster.waitUntilReplicated();
    const [replica = cluster.primary] = cluster.replicas;
    pool = createReplicatedPool({
      primary: { ...place.connectionOptions(cluster.primary), connectionLimit },
      replicas: [{ ...place.connectionOptions(replica), connectionLimit }],
      catalogueRefresh: false,
      // Far less than the streams last: who had to wait for one of them would fail.
      acquireTimeout: 2_000,
    });
  });
  afterAll(() => pool.promise().end());

  async function eventsOf(stream: string): Promise<number> {
    const sql = 'SELECT COUNT(*) AS events FROM event WHERE stream = ?';
    const [rows] = await pool.promise().query(sql, [stream]);
    const [row] = rows as { events: number }[];
    return row?.events ?? -1;
  }

  async function addEvent(stream: string): Promise<void> {
    await pool.promise().query('INSERT INTO event (stream) VALUES (?)', [stream]);
  }

  it('streams that have read and written hold no connection, and stay in their sessions', async () => {
    using _stop = sessionPerRequest();
    const open = new Map<string, { response: ServerResponse; more: () => Promise<string> }>();
    const port = await serve(async (incoming, response) => {
      const stream = incoming.url?.slice(1) ?? '';
      const session = currentSession();
      await addEvent(stream);
      const events = await eventsOf(stream);
      if (Number(stream) >= streams) {
        response.end(String(events));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${events}\n\n`);
      // Called by the test, in the flow of this request.
      const more = () =>
        session?.run(async () => {
          await addEvent(stream);
          return `${await eventsOf(stream)} ${currentSession() === session}`;
        }) ?? Promise.resolve('no session');
      open.set(stream, { response, more });
    });

    const requests: ClientRequest[] = [];
    await Promise.all(
      Array.from({ length: streams }, async (_, index) => {
        const sent = request({ host: '127.0.0.1', port, path: `/${index}`, agent: false });
        requests.push(sent);
        sent.on('error', () => {});
        sent.end();
        const [response] = await once(sent, 'response');
        response.on('error', () => {});
        const [data] = await once(response, 'data');
        expect(String(data)).toBe('data: 1\n\n');
      }),
    );
    expect(open.size).toBe(streams);
    expect(pool.stats().hosts.map(({ outstanding }) => outstanding)).toEqual([0, 0]);

    // All connections can be had at once, by somebody else,
    const connections = await Promise.all(
      Array.from({ length: connectionLimit }, () => pool.promise().getConnection()),
    );
    await Promise.all(connections.map((connection) => connection.query('SET @mine = 1')));
    for (const connection of connections) connection.release();
    // by other requests,
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => ask(port, { path: `/${streams + index}` })),
    );
    expect(answers.map(({ body }) => body)).toEqual(answers.map(() => '1'));
    // and by the streams again, which still are in their sessions.
    const again = await Promise.all([...open.values()].map(({ more }) => more()));
    expect(again).toEqual(Array.from({ length: streams }, () => '2 true'));

    for (const sent of requests) sent.destroy();
    await until(() => [...open.values()].every(({ response }) => response.closed));
  });
});
