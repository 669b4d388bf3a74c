import { setTimeout as sleep } from 'node:timers/promises';
import { primary, type ReplicatedPool, withSession } from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import type { OwnedServer } from '../../support/servers/owned-server.ts';
import { startCluster } from '../../support/servers/start-cluster.ts';
import { Bed, look, type Seen, through, untilReplica } from './bed.ts';

/** No read of a session goes back in time, although it has written nothing: others write in between. */
describe.each(flavors)('%s', (flavor) => {
  let bed: Bed;
  let n = 0;

  beforeAll(async () => {
    bed = new Bed(await startCluster({ flavor, statementLog: false }));
    await bed.create(['CREATE TABLE one (n INT NOT NULL)', 'INSERT INTO one VALUES (0)']);
  });
  afterAll(() => bed[Symbol.asyncDispose]());
  afterEach(async () => {
    await bed.closePools();
    await bed.apply();
  });

  const read = (pool: ReplicatedPool) => look(through(pool), 'SELECT n FROM one');

  function numberIn({ rows }: Seen): number {
    const [row] = rows as { n: number }[];
    return row?.n ?? -1;
  }

  /** Somebody else writes. */
  async function write(): Promise<void> {
    n += 1;
    await bed.cluster.primary.query(`UPDATE ${bed.cluster.database}.one SET n = ${n}`);
  }

  function replica(index: 0 | 1): OwnedServer {
    const server = bed.cluster.replicas[index];
    if (server === undefined) throw new Error(`no replica ${index}`);
    return server;
  }

  /** The second replica lacks the last writes, the first one has them. */
  async function makeStale(): Promise<void> {
    await replica(1).stopApplying();
    await write();
    const executed = await bed.cluster.primary.replication.executed();
    expect(await replica(0).replication.reaches(executed, 10)).toBe(true);
  }

  /** Opens sessions until one has read the fresh replica first. */
  async function inFresh(pool: ReplicatedPool, work: () => Promise<void>): Promise<void> {
    for (let i = 0; i < 10; i++) {
      const isFresh = await withSession(async () => {
        const isIt = (await read(pool)).host === 'replica-1';
        if (isIt) await work();
        return isIt;
      });
      if (isFresh) return;
    }
    throw new Error('no session began on the fresh replica');
  }

  it('reads may outside of sessions: the stale replica serves too', async () => {
    const pool = bed.open();
    await makeStale();
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) seen.push(numberIn(await read(pool)));
    expect(new Set(seen)).toEqual(new Set([n, n - 1]));
  });

  it('stays on the replica that it has read from', async () => {
    const pool = bed.open();
    await makeStale();
    const hosts = new Set<string | null>();
    for (let i = 0; i < 4; i++) {
      await withSession(async () => {
        const seen = [];
        for (let j = 0; j < 5; j++) seen.push(await read(pool));
        expect(new Set(seen.map(({ host }) => host)).size).toBe(1);
        hosts.add(seen[0]?.host ?? null);
      });
    }
    expect(hosts).toEqual(new Set(['replica-1', 'replica-2']));
  });

  it('stays there with reads that begin together, first of all', async () => {
    const pool = bed.open();
    await makeStale();
    for (let i = 0; i < 4; i++) {
      await withSession(async () => {
        const seen = await Promise.all(Array.from({ length: 8 }, () => read(pool)));
        expect(new Set(seen.map(({ host }) => host)).size).toBe(1);
        expect((await read(pool)).host).toBe(seen[0]?.host);
      });
    }
  });

  it('goes to the primary when the fresh replica is killed, and then to one that has caught up', async () => {
    const pool = bed.open({ causalWait: 100 });
    await makeStale();
    const goOn = inFresh(pool, async () => {
      await replica(0).kill();
      for (let i = 0; i < 5; i++) {
        const seen = await read(pool);
        expect([numberIn(seen), seen.role]).toEqual([n, 'primary']);
      }
      await replica(1).startApplying();
      const seen = await untilReplica(() => read(pool));
      expect([numberIn(seen), seen.host]).toEqual([n, 'replica-2']);
    });
    await goOn.finally(() => replica(0).restart());
  });

  it('goes on elsewhere when its connection is killed in a read', async () => {
    const pool = bed.open({ causalWait: 100 });
    await makeStale();
    await inFresh(pool, async () => {
      const rows = await replica(0).query<{ ID: number }>(
        `SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '${bed.cluster.user}'`,
      );
      for (const { ID } of rows) await replica(0).query(`KILL ${ID}`);
      for (let i = 0; i < 5; i++) {
        expect(numberIn(await read(pool))).toBe(n);
      }
    });
  });

  it.each<[string, (pool: ReplicatedPool) => Promise<unknown>]>([
    ['primary()', (pool) => primary(() => through(pool)('SELECT n FROM one'))],
    [
      'forcePrimary',
      (pool) => pool.promise().query({ sql: 'SELECT n FROM one', forcePrimary: true }),
    ],
    ['a locking read', (pool) => through(pool)('SELECT n FROM one FOR UPDATE')],
    ['a read of a variable', (pool) => through(pool)('SELECT n, @@version FROM one')],
    [
      'a transaction',
      async (pool) => {
        const connection = await pool.promise().getConnection();
        await connection.beginTransaction();
        await connection.query('SELECT n FROM one');
        await connection.commit();
        connection.release();
      },
    ],
    [
      'a transaction by texts',
      async (pool) => {
        for (const sql of ['BEGIN', 'SELECT n FROM one', 'ROLLBACK']) await through(pool)(sql);
      },
    ],
    [
      'a stream',
      async (pool) => {
        const stream = pool.query('SELECT n FROM one FOR UPDATE').stream();
        for await (const _row of stream) {
          // All of them are seen.
        }
      },
    ],
    [
      'a statement that the server prepares',
      (pool) => primary(() => pool.promise().execute('SELECT n FROM one')),
    ],
  ])('reads no replica that lacks what the primary has shown by %s', async (_how, see) => {
    const pool = bed.open({ causalWait: 30 });
    await withSession(async () => {
      expect((await read(pool)).role).toBe('replica');
      await bed.hold();
      await write();
      await see(pool);
      const seen = await read(pool);
      expect([numberIn(seen), seen.reason]).toEqual([n, 'replicas-behind']);
      await bed.apply();
      const later = await untilReplica(() => read(pool));
      expect(numberIn(later)).toBe(n);
    });
  });

  it('does not wait for what others write afterwards', async () => {
    const pool = bed.open({ causalWait: 30 });
    await withSession(async () => {
      await primary(() => read(pool));
      await read(pool);
      await untilReplica(() => read(pool));
      await bed.hold();
      await write();
      const seen = await read(pool);
      expect([numberIn(seen), seen.role, seen.waited]).toEqual([n - 1, 'replica', 0]);
    });
  });

  it('never goes back while replicas stop and go on', async () => {
    const pool = bed.open({ causalWait: 20 });
    let isOver = false;
    const writer = (async () => {
      while (!isOver) {
        await write();
        await sleep(2);
      }
    })();
    const sessions = Array.from({ length: 6 }, () =>
      withSession(async () => {
        let before = -1;
        for (let i = 0; i < 40; i++) {
          const number = numberIn(await (i % 10 === 9 ? primary(() => read(pool)) : read(pool)));
          expect(number).toBeGreaterThanOrEqual(before);
          before = number;
        }
      }),
    );
    await replica(1).stopApplying();
    await replica(1).startApplying();
    await replica(0).stopApplying();
    await Promise.all(sessions).finally(() => {
      isOver = true;
    });
    await replica(0).startApplying();
    await writer;
  });
});
