import { beforeAll, describe, expect, it } from 'vitest';
import { type App, answerOf, cookieOf, makeBed, untilLocked } from './bed.ts';

describe('worker: jobs in MySQL', async () => {
  const bed = await makeBed('mysql', ({ primary, replicas }) => ({
    DB_PRIMARY: primary,
    DB_REPLICAS: replicas.join(),
  }));
  const { cluster } = bed;
  const jobTable = `${cluster.database}.job`;
  const reportTable = `${cluster.database}.report`;
  let api: App;
  let worker: App;

  beforeAll(async () => {
    api = await bed.start('examples/worker/api.ts');
    worker = await bed.start('examples/worker/worker.ts');
  });

  /** Saves expenses, one request after the other. Gives the client's cookie. */
  async function save(person: string, expenses: readonly number[]): Promise<string> {
    let cookie = '';
    for (const cents of expenses) {
      const body = { person, month: '2026-01', cents };
      const saved = await api.ask('POST', '/expenses', body, { cookie });
      expect(saved.status).toBe(201);
      cookie = cookieOf(saved);
    }
    return cookie;
  }

  async function askForReport(person: string, cookie: string): Promise<number> {
    const asked = await api.ask('POST', '/reports', { person, month: '2026-01' }, { cookie });
    expect(asked.status).toBe(202);
    return ((await asked.json()) as { id: number }).id;
  }

  async function insertJob(values: string): Promise<number> {
    const columns = 'kind, payload, token, attempts, due';
    await cluster.primary.query(`INSERT INTO ${jobTable} (${columns}) VALUES (${values}, NOW(3))`);
    const sql = `SELECT MAX(id) AS id FROM ${jobTable}`;
    return (await cluster.primary.query<{ id: number }>(sql))[0]?.id ?? 0;
  }

  async function jobsAre(state: string, ids: readonly number[]): Promise<void> {
    const sql = `SELECT COUNT(*) AS n FROM ${jobTable} WHERE state = '${state}' AND id IN (${ids})`;
    const count = async () => (await cluster.primary.query(sql))[0]?.['n'];
    await expect.poll(count, { timeout: 20_000 }).toBe(ids.length);
  }

  async function jobOf(id: number): Promise<unknown> {
    return (await cluster.primary.query(`SELECT * FROM ${jobTable} WHERE id = ${id}`))[0];
  }

  /** Asks for a report, and does something while the worker is about to write it. */
  async function whileWriting(person: string, cookie: string, act: () => void): Promise<number> {
    await cluster.primary.query('BEGIN');
    // New reports wait for this one.
    await cluster.primary.query(`SELECT * FROM ${reportTable} WHERE id > 0 FOR UPDATE`);
    const id = await askForReport(person, cookie);
    await untilLocked(cluster);
    act();
    await cluster.primary.query('ROLLBACK');
    return id;
  }

  it('sees what was saved in the requests before, although replicas are behind', async () => {
    const id = await bed.behind(async () => {
      const job = await askForReport('Ada', await save('Ada', [100, 250]));
      await jobsAre('done', [job]);
      return job;
    });
    const rows = await cluster.primary.query(`SELECT * FROM ${reportTable}`);
    expect(rows).toEqual([{ id, person: 'Ada', month: '2026-01', count: 2, cents: 350 }]);
    await cluster.waitUntilReplicated();
    const report = await answerOf(await api.ask('GET', `/reports/${id}`));
    expect(report).toEqual({ status: 200, body: { count: 2, cents: 350 } });
    expect((await api.ask('GET', '/reports/77')).status).toBe(404);
  });

  it('reads on replicas, and takes jobs and writes on the primary', async () => {
    const cookie = await save('Grace', [1, 2, 3]);
    await cluster.waitUntilReplicated();
    const { primary, replicas } = await bed.sent(async () => {
      await jobsAre('done', [await askForReport('Grace', cookie)]);
    });
    expect(replicas).toEqual([expect.stringMatching(/^select count.* from `expense`/)]);
    expect(primary).toContainEqual(expect.stringContaining('for update skip locked'));
    expect(primary.filter((sql) => /^(insert|update)/.test(sql))).toEqual([
      expect.stringMatching(/^insert into `job`/),
      expect.stringMatching(/^update `job` set `attempts` = 1/),
      expect.stringMatching(/^update `job` set `state` = 'done'/),
      expect.stringMatching(/^insert into `report`/),
    ]);
  });

  it.each([
    ['a kind that nobody knows', "'dance', '{}', NULL", 'Error: No worker knows the kind dance'],
    ['a payload that is none', "'report', '{', NULL", 'SyntaxError: '],
    ['a token that is none', "'report', '{}', 'x'", 'RwSplitError: '],
  ])('tries a job with %s again later, a few times', async (_what, values, error) => {
    const id = await insertJob(`${values}, 0`);
    const failure = { error: expect.stringContaining(error) };
    const job = () => jobOf(id);
    await expect.poll(job).toMatchObject({ ...failure, attempts: 1, state: 'open' });
    // As if its fourth attempt had failed some time ago.
    await cluster.primary.query(
      `UPDATE ${jobTable} SET attempts = 4, due = NOW(3) WHERE id = ${id}`,
    );
    await jobsAre('failed', [id]);
    expect(await job()).toMatchObject({ ...failure, attempts: 5, due: null });
  });

  it('gives up a job that no worker has survived', async () => {
    const id = await insertJob("'report', '{}', NULL, 5");
    await jobsAre('failed', [id]);
    expect(await jobOf(id)).toMatchObject({
      due: null,
      error: expect.stringContaining('did not get'),
    });
  });

  it('shares jobs among workers, and each is done by one of them', async () => {
    const people = Array.from({ length: 20 }, (_, number) => `person ${number}`);
    const other = await bed.start('examples/worker/worker.ts');
    const ids = await Promise.all(people.map((person) => askForReport(person, '')));
    await jobsAre('done', ids);
    const rows = await cluster.primary.query(
      `SELECT attempts FROM ${jobTable} JOIN ${reportTable} USING (id) WHERE id IN (${ids})`,
    );
    expect(rows).toEqual(ids.map(() => ({ attempts: 1 })));
    expect(await worker.terminate()).toEqual([0, null]);
    worker = other;
  }, 60_000);

  it('does the job of a worker that was killed once more, and writes it once', async () => {
    const id = await whileWriting('Edsger', await save('Edsger', [7]), () => worker.kill());
    worker = await bed.start('examples/worker/worker.ts');
    expect(await jobOf(id)).toMatchObject({ attempts: 1, state: 'open' });
    // The lease is over.
    await cluster.primary.query(`UPDATE ${jobTable} SET due = NOW(3) WHERE id = ${id}`);
    await jobsAre('done', [id]);
    expect(await jobOf(id)).toMatchObject({ attempts: 2 });
    const sql = `SELECT count, cents FROM ${reportTable} WHERE id = ${id}`;
    expect(await cluster.primary.query(sql)).toEqual([{ count: 1, cents: 7 }]);
  }, 60_000);

  it('finishes the job at hand when it is asked to end', async () => {
    let end: Promise<unknown[]> = Promise.resolve([]);
    const id = await whileWriting('Barbara', '', () => {
      end = worker.terminate();
    });
    expect(await end).toEqual([0, null]);
    expect(await jobOf(id)).toMatchObject({ attempts: 1, state: 'done' });
    expect(await api.terminate()).toEqual([0, null]);
  });
});
