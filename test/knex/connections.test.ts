import { promisify } from 'node:util';
import { isRwSplitError, type RawConnection } from '@rwsplit/core';
import knex, { type Knex } from 'knex';
import { describe, expect, it, vi } from 'vitest';
import type { ConnectionOptions } from '../support/servers/cluster.ts';
import { flavors } from '../support/servers/flavor.ts';
import { freePorts } from '../support/servers/ports.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { type Bed, failureOf, makeBed, newTag } from './bed.ts';

interface TarnPool {
  readonly destroyed: boolean;
  readonly min: number;
  readonly max: number;
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
}

function poolOf(db: Knex): TarnPool {
  return db.client.pool as TarnPool;
}

function urlOf({ user, password, host, port, database }: ConnectionOptions): string {
  return `mysql://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
}

/** How many connections each server has open to the database. */
function connections(bed: Bed): Promise<number[]> {
  return Promise.all(
    bed.cluster.all.map(async (server) => {
      const rows = await server.query(
        'SELECT id FROM information_schema.processlist WHERE db = ?',
        [bed.database.name],
      );
      return (rows as unknown[]).length;
    }),
  );
}

describe.each(flavors)('Knex connections on %s', async (flavor) => {
  const bed = await makeBed(flavor);
  const { primary, replicas } = bed;
  const nowhere = async () => ({ ...primary, port: (await freePorts(1))[0] ?? 1 });

  describe('pool.afterCreate', () => {
    it('is called with every connection of every host, before its first statement', async () => {
      const seen: unknown[] = [];
      const db = bed.open({
        pool: {
          afterCreate: (connection: RawConnection, done: (error: unknown) => void) => {
            seen.push(connection.config.port);
            connection.query({ sql: "SET time_zone = '+03:00'" }, done);
          },
        },
      });
      const zone = () =>
        db.raw('select timestampdiff(hour, utc_timestamp(), now()) as z').then(([rows]) => rows);
      expect(await Promise.all(Array.from({ length: 6 }, zone))).toEqual(Array(6).fill([{ z: 3 }]));
      expect(
        await db.transaction((trx) =>
          trx.raw('select timestampdiff(hour, utc_timestamp(), now()) as z').then(([rows]) => rows),
        ),
      ).toEqual([{ z: 3 }]);
      expect(new Set(seen)).toEqual(new Set([primary.port, ...replicas.map(({ port }) => port)]));
    });

    it('gives Knex’s users its error as it is', async () => {
      const db = bed.open({
        pool: {
          afterCreate: (_: unknown, done: (error: Error) => void) => done(new Error('no hook')),
        },
      });
      expect(await failureOf(db('person'))).toMatchObject({ message: 'no hook' });
    });

    it('goes with replication.onCreateConnection, which learns the host', async () => {
      const seen: string[] = [];
      const db = bed.open({
        pool: {
          afterCreate: (_: unknown, done: () => void) => {
            seen.push('afterCreate');
            done();
          },
        },
        replication: {
          onCreateConnection: (_connection, { role }) => seen.push(role),
          // It has a connection of its own for a moment.
          catalogueRefresh: false,
        },
      });
      await db('person');
      expect(seen).toEqual(['afterCreate', 'primary', 'afterCreate', 'replica']);
    });
  });

  it('pool.validate is called with a session for each acquisition; a false one renews the slot', async () => {
    const answers = [true, true, false, true];
    const db = bed.open({
      pool: {
        min: 0,
        max: 1,
        validate: async (connection) => {
          await promisify((done: (error?: Error | null) => void) => connection.ping(done))();
          return answers.shift() ?? true;
        },
      },
    });
    const uids: unknown[] = [];
    db.on('query', ({ __knexUid }) => uids.push(__knexUid));
    await db('person');
    await db('person');
    await db('person');
    expect(answers).toEqual([]);
    expect(uids[1]).toBe(uids[0]);
    expect(uids[2]).not.toBe(uids[0]);
  });

  it('waits for a slot as long as Knex does, and says so in Knex’s words', async () => {
    const db = bed.open({ pool: { min: 0, max: 1 }, acquireConnectionTimeout: 1_000 });
    const trx = await db.transaction();
    const failure = await failureOf(db.raw('select ?', [7]));
    expect(failure).toBeInstanceOf(knex.KnexTimeoutError);
    expect(failure).toMatchObject({
      message:
        'Knex: Timeout acquiring a connection. The pool is probably full. Are you missing a .transacting(trx) call?',
      sql: 'select ?',
      bindings: [7],
    });
    await trx.rollback();
    expect(await db('person').first()).toMatchObject({ name: 'Ada' });
  });

  it('keeps Knex’s pool and its figures', async () => {
    const db = bed.open({ pool: { min: 1, max: 2 } });
    const pool = poolOf(db);
    expect([pool.min, pool.max]).toEqual([1, 2]);
    const trx = await db.transaction();
    const other = await db.transaction();
    const answer = Promise.resolve(db('person').first());
    await vi.waitUntil(() => pool.numPendingAcquires() === 1);
    expect([pool.numUsed(), pool.numFree(), pool.numPendingAcquires()]).toEqual([2, 0, 1]);
    await Promise.all([trx.rollback(), other.rollback()]);
    expect(await answer).toMatchObject({ name: 'Ada' });
    expect([pool.numUsed(), pool.numFree()]).toEqual([0, 2]);
  });

  it('opens no more than pool.max connections to any server', async () => {
    const db = bed.open({ pool: { min: 0, max: 3 } });
    const many = Array.from({ length: 30 }, (_, index) =>
      index % 3 === 0
        ? db.transaction((trx) => trx('person').first())
        : db('person').where('id', index),
    );
    await Promise.all(many);
    const open = await connections(bed);
    expect(open.every((count) => count > 0 && count <= 3)).toBe(true);
  });

  it('opens one more to each replica after a write, that tells what the replica has', async () => {
    const db = bed.open({ pool: { min: 0, max: 1 } });
    await db('person').insert({ name: newTag() });
    await db('person').first();
    // The catalogue is read by a connection that is closed after it.
    await vi.waitFor(async () => {
      const [onPrimary, ...onReplicas] = await connections(bed);
      expect(onPrimary).toBe(1);
      expect(onReplicas.sort()).toEqual([1, 2]);
    });
  });

  it('has a connection to the primary for each of pool.max sessions', async () => {
    const db = bed.open({ pool: { min: 0, max: 12 }, replication: { acquireTimeout: 2_000 } });
    const all = await Promise.all(Array.from({ length: 12 }, () => db.transaction()));
    await Promise.all(all.map((trx) => trx('person').first()));
    await Promise.all(all.map((trx) => trx.rollback()));
  });

  describe('a server that cannot be reached', () => {
    it('is an error of acquiring a connection, in mysql2’s words, when it is all there is', async () => {
      const connection = await nowhere();
      const expected = `connect ECONNREFUSED 127.0.0.1:${connection.port}`;
      for (const others of [undefined, [connection]]) {
        const db = bed.open({ connection, replicas: others });
        expect(await failureOf(db('person'))).toMatchObject({
          message: expected,
          code: 'ECONNREFUSED',
        });
        expect(await failureOf(db.transaction())).toMatchObject({ message: expected });
      }
    });

    it('leaves reads to the replicas when it is the primary, and comes back', async () => {
      using proxy = await TcpProxy.start(bed.cluster.primary);
      proxy.refuse();
      const db = bed.open({ connection: { ...primary, port: proxy.port } });
      const tag = newTag();
      expect(await db('person').where('name', '<>', tag).first()).toMatchObject({ name: 'Ada' });
      expect(await bed.ran(tag)).toEqual(['replica']);
      expect(await failureOf(db('person').insert({ name: tag }))).toMatchObject({
        code: 'RWSPLIT_PRIMARY_DOWN',
      });
      expect(await failureOf(db.transaction())).toMatchObject({ code: 'RWSPLIT_PRIMARY_DOWN' });
      await proxy.accept();
      await vi.waitFor(() => db('person').insert({ name: tag }), { timeout: 5_000, interval: 100 });
    });

    it('takes no reads when it is a replica', async () => {
      const db = bed.open({ replicas: [await nowhere(), ...replicas] });
      const tag = newTag();
      await Promise.all(Array.from({ length: 5 }, () => db('person').where('name', tag)));
      expect(await bed.ran(tag)).toEqual(Array(5).fill('replica'));
    });
  });

  it.each([
    ['password', 'ER_ACCESS_DENIED_ERROR'],
    ['database', /ER_BAD_DB_ERROR|ER_DBACCESS_DENIED_ERROR/],
  ])('a wrong %s fails at once, replicas or not', async (key, code) => {
    const db = bed.open({ connection: { ...primary, [key]: 'wrong' } });
    const failure = await failureOf(db('person'));
    expect(failure).toMatchObject({ code: expect.stringMatching(code) });
    expect(failure.message).not.toContain('select');
  });

  it('takes the version of the primary', async () => {
    const db = bed.open();
    const marks = await Promise.all(bed.cluster.replicas.map((server) => server.mark()));
    await Promise.all([db('person'), db('person'), db('person')]);
    expect(db.client.version).toBe(bed.cluster.version);
    const asked = await Promise.all(
      bed.cluster.replicas.map((server, index) => {
        const since = marks[index];
        return server.statements({
          ...(since === undefined ? {} : { since }),
          containing: 'version() as version',
        });
      }),
    );
    expect(asked.flat()).toEqual([]);
  });

  describe('the end', () => {
    it('closes every connection, once, and can be followed by a new start', async () => {
      const db = bed.open();
      await Promise.all([db('person'), db('person'), db.transaction((trx) => trx('person'))]);
      const pool = poolOf(db);
      const destroyed = vi.spyOn(db.client.pool ?? {}, 'destroy' as never);
      await db.destroy();
      expect(destroyed).toHaveBeenCalledTimes(1);
      expect(pool.destroyed).toBe(true);
      expect(db.client.pool).toBeUndefined();
      await vi.waitFor(async () => expect(await connections(bed)).toEqual([0, 0, 0]));
      expect(await failureOf(db('person'))).toMatchObject({
        message: 'Unable to acquire a connection',
      });

      const tag = newTag();
      db.initialize();
      await db('person').where('name', tag);
      await db('person').where('name', tag).forcePrimary();
      expect((await bed.ran(tag)).sort()).toEqual(['primary', 'replica']);
      expect(poolOf(db)).not.toBe(pool);
    });

    it('takes a callback, comes twice, and waits for what is running', async () => {
      const db = bed.open();
      const tag = newTag();
      const running = Promise.resolve(db.raw('select sleep(0.5) as slept, ? as tag', [tag]));
      await vi.waitUntil(async () => (await bed.ran(tag)).length === 1);
      await Promise.all([db.destroy(), db.destroy()]);
      expect((await running)[0]).toEqual([{ slept: 0, tag }]);
      const other = bed.open();
      await other('person').first();
      await new Promise<void>((resolve, reject) => {
        other.destroy((error: unknown) => (error === undefined ? resolve() : reject(error)));
      });
      expect(other.client.pool).toBeUndefined();
    });
  });

  describe('connection', () => {
    it('can be a URL, and so can replicas', async () => {
      const db = bed.open({ connection: urlOf(primary), replicas: replicas.map(urlOf) });
      const tag = newTag();
      await db('person').where('name', tag);
      await db('person').where('name', tag).forcePrimary();
      expect((await bed.ran(tag)).sort()).toEqual(['primary', 'replica']);
    });

    it('can be a function, asked anew when its answer expires, while transactions go on', async () => {
      let isExpired = false;
      let asked = 0;
      const settings: ConnectionOptions[] = [
        primary,
        { ...primary, database: 'information_schema' },
      ];
      const db = bed.open({
        connection: async () => {
          isExpired = false;
          const answer = settings[asked++];
          return { ...(answer ?? primary), expirationChecker: () => isExpired };
        },
        replicas: replicas.map(({ host, port }) => ({ host, port })),
      });
      const database = (runner: Knex = db) =>
        runner.raw('select database() as name').then(([rows]) => rows[0].name as string);
      expect(await database()).toBe(bed.database.name);
      const trx = await db.transaction();
      isExpired = true;
      expect(await database()).toBe('information_schema');
      expect(await database(trx)).toBe(bed.database.name);
      await trx.commit();
      expect(asked).toBe(2);
    });
  });

  it.each([
    [
      { replication: { balancng: 'roundRobin' } },
      /replication\.balancng: unknown option; did you mean 'balancing'/,
    ],
    [
      { replication: { acquireTimeout: -1 } },
      /replication\.acquireTimeout: expected a positive integer/,
    ],
    [
      { replication: { onCreateConnection: 1 } },
      /replication\.onCreateConnection: expected a function/,
    ],
    [{ replicas: [{ hots: 'a' }] }, /replicas\[0\]\.hots: unknown option; did you mean 'host'/],
    [{ replicas: ['not a URL'] }, /replicas\[0\]: expected mysql2 pool options, a URL/],
    [{ replicas: 'db-2' }, /replicas: expected an array of hosts/],
    [{ connection: { hots: 'a' } }, /connection\.hots: unknown option/],
    [
      { connection: () => ({}), replicas: [{ port: 0 }] },
      /replicas\[0\]\.port: expected a port number/,
    ],
    [
      { connection: undefined, connectionPool: { acquire() {}, release() {}, destroy() {} } },
      /connectionPool: expected a pool of mysql2 beside replicas/,
    ],
  ])('refuses %j at construction', (change, message) => {
    const construct = () => bed.open(change as Partial<Knex.Config>);
    expect(construct).toThrow(message);
    expect(construct).toThrow(expect.toSatisfy(isRwSplitError));
  });
});
