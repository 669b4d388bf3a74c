import { type ReplicatedPool, withSession } from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Flavor, flavors } from '../../support/servers/flavor.ts';
import { startCluster } from '../../support/servers/start-cluster.ts';
import { Bed, look, through, untilReplica } from './bed.ts';

/** Tokens with the right grammar that no server here has given. */
const foreign: Readonly<Record<Flavor, string>> = {
  mysql: `1~!m${'1'.repeat(32)}.1-5`,
  mariadb: '1~!d7-7-7',
};

const refused = { code: 'RWSPLIT_TOKEN' };

describe.each(flavors)('%s', (flavor) => {
  let bed: Bed;
  let last = 0;

  beforeAll(async () => {
    bed = new Bed(await startCluster({ flavor, replicas: 1, statementLog: false }));
    await bed.create(['CREATE TABLE note (id INT PRIMARY KEY)']);
  });
  afterAll(() => bed[Symbol.asyncDispose]());
  afterEach(async () => {
    await bed.closePools();
    await bed.apply();
  });

  /** A pool as another process has it: it knows of no writes. */
  function open(causalWait = 20): ReplicatedPool {
    return bed.open({ causalWait });
  }

  /** The token of a session that has written this number. */
  async function tokenOf(id: number): Promise<string> {
    const token = await withSession(async (session) => {
      await open().promise().query('INSERT INTO note (id) VALUES (?)', [id]);
      return session.token();
    });
    return token ?? 'none';
  }

  const read = (pool: ReplicatedPool, id: number) =>
    look(through(pool), `SELECT id FROM note WHERE id = ${id}`);

  it('is followed in another process: on the primary, until a replica has it', async () => {
    const id = ++last;
    await bed.hold();
    const token = await tokenOf(id);
    const pool = open();
    await withSession({ after: token }, async () => {
      expect(await read(pool, id)).toMatchObject({ rows: [{ id }], reason: 'replicas-behind' });
      await bed.apply();
      expect(await untilReplica(() => read(pool, id))).toMatchObject({ rows: [{ id }] });
    });
  });

  it('is not forgotten for one that is ignored', async () => {
    const id = ++last;
    await bed.hold();
    const token = await tokenOf(id);
    const pool = open(1_000);
    await withSession({ after: token }, () =>
      withSession({ after: foreign[flavor], onBadToken: 'ignore' }, async () => {
        expect((await read(pool, id)).rows).toEqual([{ id }]);
      }),
    );
  });

  it('is not excused by one that is ignored', async () => {
    const good = await tokenOf(++last);
    const pool = open(1_000);
    await withSession({ after: foreign[flavor] }, () =>
      withSession({ after: good, onBadToken: 'ignore' }, async () => {
        await expect(through(pool)('SELECT id FROM note')).rejects.toMatchObject(refused);
      }),
    );
  });

  it.each([
    ['also without waiting', 0],
    ['with waiting', 1_000],
  ])('is refused if it names writes that nobody made, %s', async (_how, causalWait) => {
    const pool = open(causalWait);
    await withSession({ after: foreign[flavor] }, async () => {
      await expect(through(pool)('SELECT id FROM note')).rejects.toMatchObject(refused);
    });
  });

  it('is refused also while the replicas are known to be behind', async () => {
    await bed.hold();
    const pool = open();
    await pool.promise().query('INSERT INTO note (id) VALUES (?)', [++last]);
    const behind = await look(through(pool));
    expect(behind.reason).toBe('replicas-behind');
    await withSession({ after: foreign[flavor] }, async () => {
      await expect(through(pool)('SELECT id FROM note')).rejects.toMatchObject(refused);
    });
  });
});
