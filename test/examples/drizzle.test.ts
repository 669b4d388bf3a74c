import { beforeAll, describe, expect, it } from 'vitest';
import { type App, answerOf, cookieOf, makeBed } from './bed.ts';

describe('drizzle: its pool is a replicated one', async () => {
  const bed = await makeBed('mysql', ({ primary, replicas }) => ({
    DB_PRIMARY: primary,
    DB_REPLICAS: replicas.join(),
  }));
  const { cluster } = bed;
  const due = '2026-01-05T18:00:00.000Z';
  const tea = { id: 1, listId: 1, text: 'Buy tea', isDone: false, due };
  let app: App;

  beforeAll(async () => {
    app = await bed.start('examples/drizzle/main.ts');
    await cluster.waitUntilReplicated();
    await Promise.all([app.ask('GET', '/lists/1'), app.ask('GET', '/lists/1')]);
  });

  it('makes a list in a transaction on the primary, or nothing of it', async () => {
    const { primary } = await bed.sent(async () => {
      const body = { name: 'Today', tasks: [{ text: 'Buy tea', due }] };
      expect(await answerOf(await app.ask('POST', '/lists', body))).toEqual({
        status: 201,
        body: { id: 1, name: 'Today', tasks: [tea] },
      });
      const half = { name: 'Never', tasks: [{ text: 'x' }, { text: 'x'.repeat(201) }] };
      expect((await app.ask('POST', '/lists', half)).status).toBe(500);
    });
    const words = primary.map((sql) => /^\w+/.exec(sql)?.[0]);
    expect(words.filter((word) => word !== 'select')).toEqual([
      ...['begin', 'insert', 'insert', 'commit'],
      ...['begin', 'insert', 'insert', 'insert', 'rollback'],
    ]);
    expect(await (await app.ask('GET', '/count')).json()).toBe(1);
  });

  it('reads with relations by a prepared query, on a replica', async () => {
    await cluster.waitUntilReplicated();
    const { primary, replicas } = await bed.sent(async () => {
      const { body } = await answerOf(await app.ask('GET', '/lists/1'));
      expect(body).toEqual({ id: 1, name: 'Today', tasks: [tea] });
      expect((await app.ask('GET', '/lists/2')).status).toBe(404);
    });
    expect(primary).toEqual([]);
    expect(replicas).toHaveLength(2);
  });

  it('streams rows from a replica, and gives the connection back each time', async () => {
    const { primary, replicas } = await bed.sent(async () => {
      // More often than its pool has connections.
      for (let time = 0; time < 12; time += 1) {
        const lines = await (await app.ask('GET', '/export')).text();
        expect(lines).toBe(`${JSON.stringify(tea)}\n`);
      }
    });
    expect(primary).toEqual([]);
    expect(replicas).toHaveLength(12);
  });

  it('shows a client what it has done while replicas are behind', async () => {
    await bed.behind(async () => {
      const done = await app.ask('POST', '/tasks/1/done');
      expect(done.status).toBe(204);
      const headers = { cookie: cookieOf(done) };
      const { body } = await answerOf(await app.ask('GET', '/lists/1', undefined, headers));
      expect(body).toMatchObject({ tasks: [{ isDone: true }] });
      const others = await answerOf(await app.ask('GET', '/lists/1'));
      expect(others.body).toMatchObject({ tasks: [{ isDone: false }] });
      expect((await app.ask('POST', '/tasks/1/done')).status).toBe(409);
    });
  });

  it('counts on the primary', async () => {
    const { primary, replicas } = await bed.sent(() => app.ask('GET', '/count'));
    expect(primary).toEqual([expect.stringMatching(/^select count/)]);
    expect(replicas).toEqual([]);
  });

  it('goes on with reads while the primary is down', async () => {
    await cluster.primary.kill();
    const refused = await answerOf(await app.ask('POST', '/tasks/1/done'));
    expect(refused).toEqual({ status: 503, body: { error: 'Sorry' } });
    expect((await app.ask('GET', '/lists/1')).status).toBe(200);
  });

  it('ends when it is asked to', async () => {
    expect(await app.terminate()).toEqual([0, null]);
  });
});
