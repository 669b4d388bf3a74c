import { setTimeout as sleep } from 'node:timers/promises';
import { type ReplicatedPoolOptions, withSession } from '@rwsplit/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { failureOf, makeBed, newTag, type Run, runOn } from './bed.ts';

const addNote = 'INSERT INTO note (text) VALUES (?)';

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const bed = makeBed(cluster, await freshDatabase(cluster));
  let toPrimary: TcpProxy;
  let toReplica: TcpProxy;

  beforeAll(async () => {
    const [replica] = bed.replicas;
    if (replica === undefined) throw new Error('a cluster has replicas');
    toPrimary = await TcpProxy.start(bed.primary);
    toReplica = await TcpProxy.start(replica);
  });
  afterAll(() => {
    toPrimary.close();
    toReplica.close();
  });
  beforeEach(() => {
    toPrimary.cut();
    toReplica.cut();
  });

  function open(change: Partial<ReplicatedPoolOptions> = {}): { run: Run; stats(): number[] } {
    const { host, port } = toPrimary;
    const pool = bed.open({
      primary: { ...bed.primary, host, port, connectionLimit: 1 },
      replicas: bed.replicas
        .slice(0, 1)
        .map((options) => ({ ...options, host, port: toReplica.port, connectionLimit: 1 })),
      checkIdleAfter: 100,
      acquireTimeout: 1_500,
      ...change,
    });
    return {
      run: runOn(pool.promise()),
      stats: () => pool.stats().hosts.map(({ failures }) => failures),
    };
  }

  async function idOf(run: Run, ask = 'SELECT CONNECTION_ID() AS id'): Promise<number> {
    const [row] = (await run(ask)) as { id: number }[];
    return row?.id ?? 0;
  }

  /** The pings that the connection has had: of all that is counted here, mysql2 sends only them. */
  async function pings(run: Run): Promise<number> {
    const [row] = (await run("SHOW SESSION STATUS LIKE 'Com_admin_commands'")) as {
      Value: string;
    }[];
    return Number(row?.Value);
  }

  it('pings a connection that has idled, and uses it again if it answers', async () => {
    const { run } = open();
    const before = await idOf(run);
    expect(await pings(run)).toBe(0);
    await sleep(150);
    expect(await pings(run)).toBe(1);
    expect(await idOf(run)).toBe(before);
  });

  it.each([
    ['is in steady use', 300, 20],
    ['is never to be asked', false, 200],
  ] as const)('never pings one that %s', async (_why, checkIdleAfter, pause) => {
    const { run } = open({ checkIdleAfter });
    const before = await idOf(run);
    for (let count = 0; count < 4; count += 1) {
      await sleep(pause);
      await run(addNote, [newTag()]);
    }
    expect(await pings(run)).toBe(0);
    expect(await idOf(run)).toBe(before);
  });

  it('replaces one that was killed while it idled, before a write is sent', async () => {
    const { run, stats } = open();
    const before = await idOf(run);
    await cluster.primary.query(`KILL ${before}`);
    await sleep(150);
    const tag = newTag();
    await run(addNote, [tag]);
    expect(await bed.hasNote(tag)).toBe(true);
    expect(await idOf(run)).not.toBe(before);
    expect(stats()).toEqual([0, 0]);
  });

  it.each(['up', 'down'] as const)(
    'replaces one whose network loses what goes %s, before a write is sent',
    async (direction) => {
      const { run, stats } = open();
      const before = await idOf(run);
      toPrimary.drop(direction);
      await sleep(150);
      const tag = newTag();
      await run(addNote, [tag]);
      const notes = await cluster.primary.query(
        `SELECT 1 FROM ${bed.primary.database}.note WHERE text = ?`,
        [tag],
      );
      expect(notes).toHaveLength(1);
      expect(await idOf(run)).not.toBe(before);
      expect(stats()).toEqual([0, 0]);
    },
  );

  it('replaces the connection of a replica too, and goes on reading there', async () => {
    const { run, stats } = open();
    const ask = 'SELECT id FROM item WHERE id = 1';
    await run(ask);
    toReplica.drop('up');
    await sleep(150);
    const tag = newTag();
    await run(`${ask} /* ${tag} */`);
    const [ran] = await cluster.whoRan(tag);
    expect(ran?.server).toBe(cluster.replicas[0]?.name);
    expect(stats()).toEqual([0, 0]);
  });

  it('replaces all that were lost at once, each for its own statement', async () => {
    const { run, stats } = open({
      primary: {
        ...bed.primary,
        host: toPrimary.host,
        port: toPrimary.port,
        connectionLimit: 4,
      },
    });
    const four = () => Promise.all([1, 2, 3, 4].map(() => run('DO SLEEP(0.02)')));
    await four();
    toPrimary.drop('up');
    await sleep(150);
    await four();
    await four();
    expect(stats()).toEqual([0, 0]);
  });

  describe('a connection that is remembered', () => {
    it.each([
      ['was killed', (id: number) => cluster.primary.query(`KILL ${id}`)],
      ['has lost its network', async () => toPrimary.drop('up')],
    ])('and %s gives no answer; the next statement has another', async (_why, lose) => {
      const { run, stats } = open();
      await withSession(async () => {
        const before = await idOf(
          run,
          'SELECT CONNECTION_ID() AS id FROM note RIGHT JOIN item ON 1 FOR UPDATE',
        );
        await run(addNote, [newTag()]);
        await lose(before);
        await sleep(150);
        expect(await failureOf(run('SELECT LAST_INSERT_ID()'))).toMatchObject({
          code: 'RWSPLIT_FOLLOW_UP_LOST',
        });
        const tag = newTag();
        await run(addNote, [tag]);
        expect(await bed.hasNote(tag)).toBe(true);
        expect(await run('SELECT LAST_INSERT_ID() > 0 AS a')).toEqual([{ a: 1 }]);
      });
      expect(stats()).toEqual([0, 0]);
    });

    it('is still there for a question soon after', async () => {
      const { run } = open();
      await withSession(async () => {
        await run(addNote, [newTag()]);
        expect(await run('SELECT LAST_INSERT_ID() > 0 AS a')).toEqual([{ a: 1 }]);
      });
    });
  });
});
