import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { makePoolBed, newTag, on, rowsOfSlowRead, slowRead, tell } from './pool-bed.ts';

const cluster = sharedCluster('mysql');
const bed = makePoolBed(cluster, await freshDatabase(cluster));

/** Connections of application users to the database of this file, on all servers. */
async function connections(): Promise<number> {
  const counts = await Promise.all(
    cluster.all.map((server) =>
      server.query('SELECT 1 FROM information_schema.PROCESSLIST WHERE DB = ?', [bed.database]),
    ),
  );
  return counts.flat().length;
}

/** What a promise is rejected with; `null`: it is not. */
function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (error: unknown) => error,
  );
}

/** Waits until a server runs a statement with this text. */
async function isRunning(tag: string): Promise<void> {
  await expect
    .poll(async () => {
      const perServer = await Promise.all(
        cluster.all.map((server) =>
          server.query('SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE ?', [
            `SELECT SLEEP%${tag}%`,
          ]),
        ),
      );
      return perServer.flat().length;
    })
    .toBe(1);
}

describe('end()', () => {
  it('lets what runs be done, on all hosts, and refuses what is new', async () => {
    const pool = bed.open();
    const tag = newTag();
    const write = failure(pool.promise().query(`SELECT SLEEP(0.5) /* ${tag} */`));
    const slow = await slowRead(pool);
    await isRunning(tag);
    const ended = failure(pool.promise().end());
    for (const sql of ['SELECT 1', 'UPDATE item SET id = id']) {
      expect((await tell(on(pool), sql)).error).toMatchObject({ code: 'RWSPLIT_POOL_CLOSED' });
    }
    await expect(pool.promise().getConnection()).rejects.toMatchObject({
      code: 'RWSPLIT_POOL_CLOSED',
    });
    expect(await slow.finish()).toBe(rowsOfSlowRead);
    expect(await write).toBeNull();
    expect(await ended).toBeNull();
    await expect.poll(connections).toBe(0);
    await expect(pool.promise().end()).rejects.toMatchObject({ code: 'RWSPLIT_POOL_CLOSED' });
  });

  it('runs or refuses what waits for a connection, and leaves nobody waiting', async () => {
    const primary = { ...bed.address(cluster.primary), connectionLimit: 1 };
    const pool = bed.open({ primary, acquireTimeout: 3_000 });
    const tag = newTag();
    const running = failure(pool.promise().query(`SELECT SLEEP(0.3) /* ${tag} */`));
    await isRunning(tag);
    const waiting = [1, 2, 3].map(() => failure(pool.promise().query('UPDATE item SET id = id')));
    const ended = failure(pool.promise().end());
    expect(await running).toBeNull();
    for (const error of await Promise.all(waiting)) {
      expect(error === null || typeof error === 'object').toBe(true);
    }
    expect(await ended).toBeNull();
    await expect.poll(connections).toBe(0);
  });

  it('rolls back transactions that nobody goes on with', async () => {
    const pool = bed.open();
    const connection = await pool.promise().getConnection();
    await connection.beginTransaction();
    await connection.query("INSERT INTO note (text) VALUES ('never')");
    expect(await failure(pool.promise().end())).toBeNull();
    await expect.poll(connections).toBe(0);
    expect(
      await failure(connection.query("INSERT INTO note (text) VALUES ('never')")),
    ).not.toBeNull();
    connection.release();
    const rows = await cluster.primary.query(
      `SELECT id FROM ${bed.database}.note WHERE text = 'never'`,
    );
    expect(rows).toEqual([]);
  });

  it.each([
    ['after closeTimeout', 200],
    ['at once, if that is 0', 0],
  ])('breaks off what does not end %s, and says on which hosts', async (_when, closeTimeout) => {
    const pool = bed.open({ closeTimeout, replicas: bed.replicas('a') });
    const tag = newTag();
    const hanging = failure(pool.promise().query(`SELECT SLEEP(600) /* ${tag} */`));
    const slow = await slowRead(pool);
    const cut = failure(slow.finish());
    const held = await slowRead(pool);
    await isRunning(tag);
    const error = await failure(pool.promise().end());
    expect(error).toBeInstanceOf(AggregateError);
    const { errors, message } = error as AggregateError;
    expect(message).toBe("2 of the pool's hosts could not be closed");
    expect(errors).toEqual([
      expect.objectContaining({ code: 'RWSPLIT_CLOSE_TIMEOUT', isRetryable: false }),
      expect.objectContaining({ code: 'RWSPLIT_CLOSE_TIMEOUT', isRetryable: false }),
    ]);
    expect(String(errors[0])).toContain('to primary primary');
    expect(String(errors[1])).toContain('to replica a');
    expect(String(errors[0])).toContain(`within ${closeTimeout} ms`);
    expect(await hanging).toMatchObject({ code: expect.any(String) });
    expect(await failure(held.finish())).not.toBeNull();
    await cut;
    // The server notices by itself that nobody is there, but not while it sleeps.
    const rows = await cluster.primary.query<{ ID: number }>(
      'SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE ?',
      [`SELECT SLEEP%${tag}%`],
    );
    for (const { ID } of rows) await cluster.primary.query(`KILL ${ID}`);
    await expect.poll(connections).toBe(0);
  });

  it('does not wait for hosts that are down', async () => {
    const { proxy, host } = await bed.behindProxy('a');
    const pool = bed.open({ replicas: [host], closeTimeout: 60_000 });
    await tell(on(pool));
    proxy.refuse();
    proxy.cut();
    await tell(on(pool));
    expect(await failure(pool.promise().end())).toBeNull();
  }, 10_000);

  it('does not wait for one that answers nothing longer than for a statement', async () => {
    const { proxy, host } = await bed.behindProxy('a');
    const pool = bed.open({ replicas: [host], closeTimeout: 300 });
    await tell(on(pool));
    proxy.pause();
    const error = await failure(pool.promise().end());
    expect(error === null || error instanceof AggregateError).toBe(true);
    proxy.resume();
  }, 10_000);
});

describe('a process', () => {
  const script = fileURLToPath(new URL('pool-leaving.ts', import.meta.url));
  const run = promisify(execFile);

  it.each(['end', 'own-pools', 'down', 'unused', 'removed'])(
    'has nothing left to do and exits by itself: %s',
    async (how) => {
      const { flavor, version } = cluster;
      const servers = cluster.all.map(({ name, host, port, serverId }) => ({
        name,
        host,
        port,
        serverId,
        logFile: '',
      }));
      const info = JSON.stringify({ flavor, version, servers });
      const { stdout } = await run(
        process.execPath,
        ['--conditions', 'development', '--import', 'tsx', script, info, bed.database, how],
        { timeout: 20_000 },
      );
      expect(stdout.trim()).toBe('done');
    },
  );
});
