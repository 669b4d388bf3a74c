import { AsyncResource } from 'node:async_hooks';
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { primary, type ReplicatedPool, replicas, withSession } from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import type { OwnedServer } from '../../support/servers/owned-server.ts';
import { startCluster } from '../../support/servers/start-cluster.ts';
import { Bed, look, type Seen, through, untilReplica } from './bed.ts';

const run = promisify(execFile);

const known = { role: 'replica', reason: 'read', waited: 0 };
const behindAtOnce = { role: 'primary', reason: 'replicas-behind', waited: 0 };

describe.each(flavors)('%s', (flavor) => {
  let bed: Bed;
  let last = 0;

  beforeAll(async () => {
    bed = new Bed(await startCluster({ flavor }));
    await bed.create(['CREATE TABLE note (id INT PRIMARY KEY)']);
  });
  afterAll(() => bed[Symbol.asyncDispose]());
  afterEach(async () => {
    await bed.closePools();
    await bed.apply();
  });

  function insert(pool: ReplicatedPool): Promise<unknown> {
    last += 1;
    return through(pool)(`INSERT INTO note (id) VALUES (${last})`);
  }

  const read = (pool: ReplicatedPool) =>
    look(through(pool), `SELECT COUNT(*) AS n FROM note WHERE id = ${last}`);

  /** Until nothing needs to be waited for. */
  async function untilKnown(pool: ReplicatedPool): Promise<void> {
    await expect.poll(() => read(pool), { timeout: 10_000 }).toMatchObject(known);
  }

  function replica(index: 0 | 1): OwnedServer {
    const server = bed.cluster.replicas[index];
    if (server === undefined) throw new Error(`no replica ${index}`);
    return server;
  }

  /** Connections of the application to each server. */
  const connections = () =>
    Promise.all(
      bed.cluster.all.map(async (server) => {
        const rows = await server.query(
          `SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '${bed.cluster.user}'`,
        );
        return rows.length;
      }),
    );

  /** Runs something as code that is in no session. */
  const nowhere = new AsyncResource('test');
  const outside = <Result>(fn: () => Result) => nowhere.runInAsyncScope(fn);

  /** A token of a session that has written what no replica applies. */
  async function tokenOfWrite(): Promise<string> {
    const pool = bed.open();
    const token = await withSession(async (session) => {
      await insert(pool);
      return session.token();
    });
    await pool.promise().end();
    return token ?? 'none';
  }

  it('waits once for a replica, and knows then that it has it', async () => {
    const pool = bed.open({ replicas: bed.replicas.slice(0, 1) });
    await withSession(async () => {
      await bed.hold();
      await insert(pool);
      const waiting = read(pool);
      await sleep(30);
      await bed.apply();
      const seen = await waiting;
      expect(seen).toMatchObject({ rows: [{ n: 1 }], role: 'replica', reason: 'read' });
      expect(seen.waited).toBeGreaterThan(0);
      expect(await read(pool)).toMatchObject({ ...known, rows: [{ n: 1 }] });
    });
    expect(pool.stats().consistency).toEqual({
      tracking: 'gtids',
      reads: { replica: 1, waited: 1, primary: 0 },
    });
  });

  it('reads the primary after causalWait, and does not wait again before a replica has it', async () => {
    const pool = bed.open({ causalWait: 40 });
    await insert(pool);
    await untilKnown(pool);
    await bed.hold();
    await insert(pool);
    const first = await read(pool);
    expect(first).toMatchObject({ role: 'primary', reason: 'replicas-behind', rows: [{ n: 1 }] });
    expect(first.waited).toBeGreaterThan(30);
    for (let i = 0; i < 5; i++) {
      expect(await read(pool)).toMatchObject(behindAtOnce);
    }
    await bed.apply();
    expect(await untilReplica(() => read(pool))).toMatchObject({ rows: [{ n: 1 }] });
  });

  it('reads the one replica that is not behind', async () => {
    const pool = bed.open();
    await replica(0).stopApplying();
    await insert(pool);
    await bed.cluster.replicas[1]?.replication.reaches(
      await bed.cluster.primary.replication.executed(),
      10,
    );
    for (let i = 0; i < 5; i++) {
      expect(await read(pool)).toMatchObject({ rows: [{ n: 1 }], host: 'replica-2' });
    }
    // What does not need it runs on both.
    const hosts = await Promise.all(
      Array.from({ length: 4 }, () => replicas(() => look(through(pool)))),
    );
    expect(new Set(hosts.map(({ host }) => host))).toEqual(new Set(['replica-1', 'replica-2']));
  });

  it('goes on without a replica that hangs, and with it when it answers again', async () => {
    const pool = bed.open({ causalWait: 100 });
    await insert(pool);
    await untilKnown(pool);
    await replica(0).hang();
    try {
      await insert(pool);
      expect(await untilReplica(() => read(pool))).toMatchObject({
        rows: [{ n: 1 }],
        host: 'replica-2',
      });
      await replica(1).stopApplying();
      await insert(pool);
      expect(await read(pool)).toMatchObject({ rows: [{ n: 1 }], role: 'primary' });
    } finally {
      replica(0).resume();
    }
    expect(await untilReplica(() => read(pool))).toMatchObject({
      rows: [{ n: 1 }],
      host: 'replica-1',
    });
  });

  it('forgets what a replica had that is killed', async () => {
    const one = bed.replicas.slice(0, 1);
    const pool = bed.open({ replicas: one, causalWait: 200 });
    await insert(pool);
    await untilKnown(pool);
    await replica(0).kill();
    try {
      expect(await read(pool)).toMatchObject({ role: 'primary', rows: [{ n: 1 }] });
    } finally {
      await replica(0).restart();
    }
    const since = await replica(0).mark();
    expect(await untilReplica(() => read(pool))).toMatchObject({ rows: [{ n: 1 }] });
    const questions = await replica(0).statements({ since, containing: '_WAIT' });
    const others = await replica(0).statements({ since, containing: 'WAIT_FOR' });
    expect(questions.length + others.length).toBeGreaterThan(0);
  });

  it('takes no connection of the replicas that others need', async () => {
    const pool = bed.open({
      replicas: bed.replicas.map((one) => ({ ...one, connectionLimit: 1 })),
    });
    await bed.hold();
    const token = await tokenOfWrite();
    await insert(pool);
    const waiting = Array.from({ length: 50 }, (_, index) =>
      index % 2 === 0 ? read(pool) : withSession({ after: token }, () => read(pool)),
    );
    let settled = 0;
    for (const one of waiting) one.then(() => settled++).catch(() => {});
    for (let i = 0; i < 10; i++) {
      expect(await withSession(() => look(through(pool)))).toMatchObject(known);
    }
    expect(settled).toBe(0);
    const [, ...onReplicas] = await connections();
    for (const count of onReplicas) {
      expect(count).toBeLessThanOrEqual(2);
    }
    await bed.apply();
    const seen = await Promise.all(waiting);
    expect(new Set(seen.map(({ role }) => role))).toEqual(new Set(['replica']));
    expect(seen.every(({ waited }) => waited > 0)).toBe(true);
  });

  it('takes no connection of the primary that others need', async () => {
    const pool = bed.open({ primary: { ...bed.primary, name: 'primary', connectionLimit: 1 } });
    await bed.hold();
    await withSession(async () => {
      await insert(pool);
      let isSettled = false;
      const waiting: Promise<Seen> = read(pool).finally(() => {
        isSettled = true;
      });
      await sleep(20);
      await insert(pool);
      await outside(() => primary(() => through(pool)('SELECT id FROM note FOR UPDATE')));
      expect(isSettled).toBe(false);
      await bed.apply();
      expect(await waiting).toMatchObject({ role: 'replica' });
    });
  });

  it('keeps one connection to each server, and closes it with the pool', async () => {
    expect(await connections()).toEqual([0, 0, 0]);
    const pool = bed.open({
      primary: { ...bed.primary, name: 'primary', connectionLimit: 1 },
      replicas: bed.replicas.map((one) => ({ ...one, connectionLimit: 1 })),
    });
    for (let i = 0; i < 5; i++) {
      await insert(pool);
      await Promise.all(Array.from({ length: 4 }, () => read(pool)));
      await withSession(async () => {
        await primary(() => read(pool));
        await read(pool);
      });
    }
    const [onPrimary = 0, ...onReplicas] = await connections();
    expect(onPrimary).toBe(2);
    expect(Math.max(...onReplicas)).toBe(2);
    await pool.promise().end();
    await expect.poll(connections).toEqual([0, 0, 0]);
  });

  it.each([
    ['its pool', 'leaving.ts'],
    ['the pools that it gave', 'leaving-own-pools.ts'],
  ])('lets a process end that has ended %s', async (_what, file) => {
    const program = fileURLToPath(new URL(file, import.meta.url));
    const args = ['--import', 'tsx', program, JSON.stringify(bed.cluster.info)];
    const { stdout } = await run(process.execPath, args, { timeout: 20_000 });
    expect(stdout).toBe('ended\n');
  });

  it('gives a read its answer that waits when the pool ends', async () => {
    const pool = bed.open();
    await bed.hold();
    await insert(pool);
    const waiting = read(pool);
    await sleep(20);
    const end = pool.promise().end();
    expect(await waiting).toMatchObject({ rows: [{ n: 1 }], role: 'primary' });
    await end;
  });

  it('comes back after the connection that asks was killed', async () => {
    const pool = bed.open({ replicas: bed.replicas.slice(0, 1), causalWait: 1_000 });
    await bed.hold();
    await insert(pool);
    const waiting = read(pool);
    await sleep(30);
    const rows = await replica(0).query<{ ID: number }>(
      `SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '${bed.cluster.user}'`,
    );
    for (const { ID } of rows) await replica(0).query(`KILL ${ID}`);
    await bed.apply();
    expect(await waiting).toMatchObject({ rows: [{ n: 1 }] });
    expect(await untilReplica(() => read(pool))).toMatchObject({ rows: [{ n: 1 }] });
  });

  it('shares what was written with pools whose cluster has the same name', async () => {
    const names = [`named-${flavor}`, `named-${flavor}`, `other-${flavor}`];
    const [writer, ...readers] = names.map((cluster) => bed.open({ cluster, causalWait: 20 }));
    if (writer === undefined) throw new Error('no pool');
    await bed.hold();
    await insert(writer);
    const seen = await Promise.all(readers.map((pool) => read(pool)));
    expect(seen.map(({ role }) => role)).toEqual(['primary', 'replica']);
  });

  it.each([
    ['another name', () => ({ cluster: `apart-${flavor}` })],
    ['another address for the primary', () => ({ primary: { ...bed.primary, host: 'localhost' } })],
  ])('shares nothing with a pool that has %s', async (_what, change) => {
    const writer = bed.open({ causalWait: 20 });
    const other = bed.open({ causalWait: 20, ...change() });
    await bed.hold();
    await insert(writer);
    expect(await read(other)).toMatchObject({ role: 'replica', rows: [{ n: 0 }] });
  });

  it('goes on for a pool that replaces another', async () => {
    const primary = { ...bed.primary, host: 'localhost' };
    const [writer, next] = [bed.open({ causalWait: 20 }), bed.open({ causalWait: 20, primary })];
    await bed.hold();
    await insert(writer);
    next.continue(writer);
    expect(await read(next)).toMatchObject({ role: 'primary', rows: [{ n: 1 }] });
    await withSession(async () => {
      await insert(writer);
      const last = bed.open({ causalWait: 20, cluster: `last-${flavor}` });
      last.continue(next);
      expect(await read(last)).toMatchObject({ role: 'primary', rows: [{ n: 1 }] });
    });
  });

  describe('without waiting', () => {
    it('comes back to replicas after a write, outside of sessions', async () => {
      const pool = bed.open({ causalWait: 0 });
      await insert(pool);
      expect(await untilReplica(() => look(through(pool)))).toMatchObject({ waited: 0 });
    });

    it('comes back to replicas after a write of its session', async () => {
      const pool = bed.open({ causalWait: 0 });
      await withSession(async () => {
        await insert(pool);
        expect(await untilReplica(() => look(through(pool)))).toMatchObject({ waited: 0 });
      });
    });

    it('comes back to replicas after a read of its session on the primary', async () => {
      const pool = bed.open({ causalWait: 0 });
      await withSession(async () => {
        await primary(() => through(pool)('SELECT 1'));
        expect(await untilReplica(() => look(through(pool)))).toMatchObject({ waited: 0 });
      });
    });
  });
});
