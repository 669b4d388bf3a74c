import { beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { type App, answerOf, cookieOf, makeBed, untilLocked } from './bed.ts';

describe.each(flavors)('mysql2: plain code on %s', async (flavor) => {
  const bed = await makeBed(flavor, ({ primary, replicas }) => ({
    DB_PRIMARY: primary,
    DB_REPLICAS: replicas.join(),
  }));
  const { cluster } = bed;
  const ada = { id: 1, owner: 'Ada', cents: 1_000 };
  const grace = { id: 2, owner: 'Grace', cents: 500 };
  let app: App;

  beforeAll(async () => {
    app = await bed.start('examples/mysql2/main.ts');
    for (const { owner, cents } of [ada, grace]) {
      const opened = await answerOf(await app.ask('POST', '/accounts', { owner, cents }));
      expect(opened).toMatchObject({ status: 201, body: { owner, cents } });
    }
    await cluster.waitUntilReplicated();
    await Promise.all([app.ask('GET', '/accounts/1'), app.ask('GET', '/accounts/1')]);
  });

  it('executes a prepared statement on a replica', async () => {
    const { primary, replicas } = await bed.sent(async () => {
      expect((await answerOf(await app.ask('GET', '/accounts/1'))).body).toEqual(ada);
      expect((await app.ask('GET', '/accounts/3')).status).toBe(404);
    });
    expect(primary).toEqual([]);
    expect(replicas.toSorted()).toEqual(
      [1, 3].map((id) => expect.stringContaining(`FROM account WHERE id = ${id}`)),
    );
  });

  it('streams rows from a replica', async () => {
    const { primary, replicas } = await bed.sent(async () => {
      const lines = await (await app.ask('GET', '/accounts')).text();
      expect(lines).toBe(`${JSON.stringify(ada)}\n${JSON.stringify(grace)}\n`);
    });
    expect(primary).toEqual([]);
    expect(replicas).toHaveLength(1);
  });

  it('moves money in a transaction on the primary, seen at once while replicas are behind', async () => {
    await bed.behind(async () => {
      const { primary } = await bed.sent(async () => {
        const moved = await app.ask('POST', '/transfers', { from: 1, to: 2, cents: 300 });
        const both = [
          { ...ada, cents: 700 },
          { ...grace, cents: 800 },
        ];
        expect(await answerOf(moved)).toEqual({ status: 200, body: both });
        const headers = { cookie: cookieOf(moved) };
        const next = await answerOf(await app.ask('GET', '/accounts/2', undefined, headers));
        expect(next.body).toEqual(both[1]);
      });
      const words = primary.map((sql) => /^\w+/.exec(sql)?.[0]);
      expect(words).toEqual([
        ...['START', 'SELECT', 'UPDATE', 'UPDATE', 'COMMIT'],
        ...['SELECT', 'SELECT', 'SELECT'],
      ]);
      const others = await answerOf(await app.ask('GET', '/accounts/2'));
      expect(others.body).toEqual(grace);
    });
  });

  it('moves nothing if there is too little, and takes a callback for the sum of the primary', async () => {
    const refused = await app.ask('POST', '/transfers', { from: 2, to: 1, cents: 5_000 });
    expect(refused.status).toBe(409);
    const { primary } = await bed.sent(async () => {
      const { body } = await answerOf(await app.ask('GET', '/total'));
      expect(body).toEqual({ cents: 1_500 });
    });
    expect(primary).toEqual(['SELECT SUM(cents) AS cents FROM account']);
  });

  it('counts by the events of the pools of all hosts', async () => {
    const { body } = await answerOf(await app.ask('GET', '/stats'));
    const { connections, hosts } = body as { connections: number; hosts: unknown[] };
    expect(connections).toBeGreaterThanOrEqual(3);
    expect(hosts).toEqual([
      { role: 'primary', state: 'up' },
      { role: 'replica', state: 'up' },
      { role: 'replica', state: 'up' },
    ]);
  });

  it('finishes a transfer under way before it ends', async () => {
    await cluster.primary.query('BEGIN');
    await cluster.primary.query(
      `SELECT id FROM ${cluster.database}.account WHERE id = 1 FOR UPDATE`,
    );
    const moved = app.ask('POST', '/transfers', { from: 2, to: 1, cents: 1 });
    await untilLocked(cluster);
    const end = app.terminate();
    await cluster.primary.query('COMMIT');
    expect((await moved).status).toBe(200);
    expect(await end).toEqual([0, null]);
  });
});
