import { setTimeout as sleep } from 'node:timers/promises';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import knex, { type Knex } from 'knex';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { type Bed, failureOf, makeBed, newTag } from './bed.ts';

/** A read that any replica may run, and that takes minutes. */
function endless(db: Knex, tag: string): Knex.Raw {
  const tables = Array.from({ length: 22 }, (_, index) => `person t${index}`).join(', ');
  const sum = Array.from({ length: 22 }, (_, index) => `t${index}.id`).join(' + ');
  return db.raw(`select count(*) as n from ${tables} where ${sum} = -1 and ? <> ''`, [tag]);
}

/** The servers that are running a statement with this text, as far as they know. */
async function running(bed: Bed, tag: string): Promise<string[]> {
  const names = await Promise.all(
    bed.cluster.all.map(async (server) => {
      const rows = await server.query(
        'SELECT id FROM information_schema.processlist WHERE info LIKE ? AND info NOT LIKE ?',
        [`%${tag}%`, '%processlist%'],
      );
      return (rows as unknown[]).map(() => server.name);
    }),
  );
  return names.flat();
}

type StatementMark = Awaited<ReturnType<Bed['cluster']['primary']['mark']>>;

describe.each(flavors)('Knex timeouts on %s', async (flavor) => {
  const bed = await makeBed(flavor);
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** The servers that were told to end the statement with this text, which one thread ran. */
  async function killed(marks: readonly StatementMark[], tag: string): Promise<string[]> {
    const [ran] = await bed.cluster.whoRan(tag);
    const names = await Promise.all(
      bed.cluster.all.map(async (server, index) => {
        const since = marks[index] ?? (await server.mark());
        const kills = await server.statements({ since, containing: 'KILL QUERY' });
        return kills
          .filter(({ sql }) => sql === `KILL QUERY ${ran?.threadId}`)
          .map(() => server.name);
      }),
    );
    return names.flat();
  }

  it('ends a read on the replica that runs it', async () => {
    const db = bed.open({ pool: { min: 0, max: 1 } });
    const tag = newTag();
    const marks = await Promise.all(bed.cluster.all.map((server) => server.mark()));
    const outcome = failureOf(endless(db, tag).timeout(400, { cancel: true }));
    await vi.waitUntil(async () => (await running(bed, tag)).length > 0);
    const [where] = await running(bed, tag);
    expect(where).toMatch(/^replica/);
    const failure = await outcome;
    expect(failure).toBeInstanceOf(knex.KnexTimeoutError);
    expect(failure).toMatchObject({
      message: 'Defined query timeout of 400ms exceeded when running query.',
      timeout: 400,
    });
    await vi.waitUntil(async () => (await running(bed, tag)).length === 0);
    expect(await killed(marks, tag)).toEqual([where]);
    expect(await db('person').first()).toMatchObject({ name: 'Ada' });
  });

  it('ends a statement on the primary, with a full pool, and its transaction goes on', async () => {
    const db = bed.open({ pool: { min: 0, max: 1 } });
    const tag = newTag();
    const marks = await Promise.all(bed.cluster.all.map((server) => server.mark()));
    await db.transaction(async (trx) => {
      await trx('person').insert({ name: tag });
      const failure = await failureOf(trx.raw('select sleep(20)').timeout(200, { cancel: true }));
      expect(failure).toBeInstanceOf(knex.KnexTimeoutError);
      expect(await trx('person').where('name', tag)).toHaveLength(1);
    });
    expect(await killed(marks, tag)).toEqual(['primary']);
    expect(await db('person').where('name', tag).forcePrimary()).toHaveLength(1);
  });

  it('ends a statement of a clone with user parameters, which has no password', async () => {
    const db = bed.open().withUserParams({ a: 1 });
    const failure = await failureOf(db.raw('select sleep(20)').timeout(100, { cancel: true }));
    expect(failure.message).toBe('Defined query timeout of 100ms exceeded when running query.');
  });

  it('closes the connection of a statement that it does not end', async () => {
    const db = bed.open({ pool: { min: 0, max: 1 } });
    const tag = newTag();
    const failure = await failureOf(db.raw('select sleep(3), ? as tag', [tag]).timeout(100));
    expect(failure).toBeInstanceOf(knex.KnexTimeoutError);
    const startedAt = performance.now();
    await db('person').update({ age: 36 }).where('name', 'Ada');
    await db('person').first();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('tells when ending a statement fails, as Knex does, and drops its connection', async () => {
    const db = bed.open({ pool: { min: 0, max: 2 } });
    const prototype = ReplicatedMysql2.prototype;
    const cancel = vi
      .spyOn(prototype, '_wrappedCancelQueryCall')
      .mockImplementation((control) => prototype.query(control, { method: 'raw', sql: 'Oops' }));
    const failure = await failureOf(db.raw('select sleep(3)').timeout(100, { cancel: true }));
    expect(failure).toMatchObject({
      message: 'After query timeout of 100ms exceeded, cancelling of query failed.',
      code: 'ER_PARSE_ERROR',
    });
    cancel.mockRestore();
    const startedAt = performance.now();
    await db('person').update({ age: 36 }).where('name', 'Ada');
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it.each([true, false])(
    'never starts a statement that was given up while it waited for a server (cancel: %s)',
    async (cancel) => {
      using proxy = await TcpProxy.start(bed.cluster.primary);
      const db = bed.open({ connection: { ...bed.primary, port: proxy.port } });
      const tag = newTag();
      await db('person').first();
      proxy.cut();
      await sleep(50);
      proxy.pause();
      const failure = await failureOf(db('person').insert({ name: tag }).timeout(200, { cancel }));
      expect(failure).toBeInstanceOf(knex.KnexTimeoutError);
      proxy.resume();
      await sleep(300);
      expect(await db('person').where('name', tag).forcePrimary()).toEqual([]);
      expect(
        await bed.cluster.whoRan(`insert into \`person\` (\`name\`) values ('${tag}')`),
      ).toEqual([]);
    },
  );

  it('ends a statement on a connection of the user’s own', async () => {
    const db = bed.open();
    const stock = knex({ client: 'mysql2', connection: { ...bed.primary } });
    const own: unknown = await stock.client.acquireConnection();
    const startedAt = performance.now();
    const failure = await failureOf(
      db.raw('select sleep(3)').connection(own).timeout(100, { cancel: true }),
    );
    expect(failure.message).toBe('Defined query timeout of 100ms exceeded when running query.');
    await db.raw('select 1').connection(own);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    await stock.client.releaseConnection(own);
    await stock.destroy();
  });
});
